/* SPDX-License-Identifier: GPL-2.0-only */
/* A split virtqueue, seen from the device. The guest is not trusted. */
#ifndef VMM_VIRTIO_QUEUE_H
#define VMM_VIRTIO_QUEUE_H

#include <linux/virtio_ring.h>
#include <sys/uio.h>

#include "libjoist/types.h"

#define QUEUE_SIZE_MAX	256
#define CHAIN_MAX	QUEUE_SIZE_MAX
#define QUEUE_NO_VECTOR	0xffff

struct memory;

/* A chain that was taken: what returns it, and how many descriptors it has in the ring. */
struct packed_chain {
	u16 id;
	u16 span;
};

/**
 * struct packed - what a packed queue has besides
 * @ring: descriptors, of both directions
 * @driver: when the driver wants an interrupt
 * @device: when we want a notification
 * @avail_wrap: the flags that a new descriptor has at struct virtq's last_avail
 * @used_wrap: those that a returned one gets at its used_idx
 * @moved: descriptors returned since the last interrupt
 * @untold: chains, likewise
 * @taken: by where a chain begins
 * @before: the length of the chain that ends before there
 * @held: what is to be returned next
 */
struct packed {
	struct vring_packed_desc *ring;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
	bool avail_wrap;
	bool used_wrap;
	u16 moved;
	u16 untold;
	struct packed_chain taken[QUEUE_SIZE_MAX];
	u16 before[QUEUE_SIZE_MAX];
	struct {
		u32 written;
		u16 head;
	} held[QUEUE_SIZE_MAX];
};

/**
 * struct virtq - one queue
 * @mem: guest memory
 * @size: entries, a power of two
 * @ready: the rings below are mapped
 * @event_idx: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @is_packed: VIRTIO_F_RING_PACKED was
 * @desc_gpa: where the guest put the descriptors
 * @avail_gpa: where the guest puts the heads of chains
 * @used_gpa: where the device returns them
 * @last_avail: chains taken; of a packed queue where the next one begins
 * @used_idx: chains returned; of a packed queue where the next one goes
 * @signalled: @used_idx at the last interrupt
 * @vector: MSI-X vector
 * @kick_fd: eventfd of the guest's notifications
 *
 * Protected by the device's lock, but for @kick_fd, which is constant.
 */
struct virtq {
	const struct memory *mem;
	u16 size;
	bool ready;
	bool event_idx;
	bool is_packed;
	u64 desc_gpa, avail_gpa, used_gpa;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 last_avail;
	u16 used_idx;
	u16 signalled;
	u16 vector;
	int kick_fd;
	struct packed packed;
};

/**
 * struct chain - a request
 * @head: what queue_push() returns to the guest
 * @nr_out: pieces to read, the first of @iov
 * @nr_in: pieces to write, the others
 * @iov: the pieces, and room for one of the device's own
 */
struct chain {
	u16 head;
	int nr_out;
	int nr_in;
	struct iovec iov[CHAIN_MAX + 1];
};

void queue_reset(struct virtq *q);
int queue_enable(struct virtq *q);
int queue_pop(struct virtq *q, struct chain *chain);
void queue_unpop(struct virtq *q, u16 nr);
void queue_fill(struct virtq *q, u16 i, u16 head, u32 written);
void queue_commit(struct virtq *q, u16 nr);
void queue_push(struct virtq *q, u16 head, u32 written);
u16 queue_untold(const struct virtq *q);
bool queue_wants_interrupt(struct virtq *q);
bool queue_arm(struct virtq *q);

#endif
