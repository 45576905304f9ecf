// SPDX-License-Identifier: GPL-2.0-only
/* Negotiation and reset: the state every virtio device goes through. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../vm.h"
#include "device.h"

/**
 * virtio_dev_init() - the shared part of a device
 * @dev: zeroed
 * @vm: VM
 * @id: VIRTIO_ID_*
 * @nr_queues: at most VIRTIO_QUEUES_MAX
 *
 * Return: 0 or -errno; virtio_dev_destroy() is due in both cases.
 */
int virtio_dev_init(struct virtio_dev *dev, struct vm *vm, u16 id,
		    int nr_queues)
{
	int i;

	dev->vm = vm;
	dev->id = id;
	dev->nr_queues = nr_queues;
	dev->features = BIT_ULL(VIRTIO_F_VERSION_1) |
			BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
			BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
			BIT_ULL(VIRTIO_F_RING_PACKED);
	pthread_mutex_init(&dev->lock, NULL);
	for (i = 0; i < nr_queues; i++) {
		dev->queue[i].mem = &vm->mem;
		dev->queue[i].kick_fd = -1;
		queue_reset(&dev->queue[i]);
	}
	for (i = 0; i < nr_queues; i++) {
		dev->queue[i].kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (dev->queue[i].kick_fd < 0)
			return -errno;
	}
	return 0;
}

void virtio_dev_destroy(struct virtio_dev *dev)
{
	int i;

	for (i = 0; i < dev->nr_queues; i++)
		if (dev->queue[i].kick_fd >= 0)
			close(dev->queue[i].kick_fd);
}

/* Whether requests may be served. The device's lock is held. */
bool virtio_dev_live(const struct virtio_dev *dev)
{
	return (dev->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(dev->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void reset(struct virtio_dev *dev)
{
	int i;

	if (dev->goes)
		dev->goes(dev);
	dev->status = 0;
	dev->driver_features = 0;
	for (i = 0; i < dev->nr_queues; i++)
		queue_reset(&dev->queue[i]);
	if (dev->changed)
		dev->changed(dev);
}

static bool features_ok(const struct virtio_dev *dev)
{
	return !(dev->driver_features & ~dev->features) &&
	       (dev->driver_features & BIT_ULL(VIRTIO_F_VERSION_1));
}

/* The guest writes the status register. The device's lock is held. */
void virtio_dev_set_status(struct virtio_dev *dev, u8 status)
{
	int i;

	if (!status) {
		reset(dev);
		return;
	}
	/* Bits are only ever added; features we cannot work with are refused. */
	if ((status & VIRTIO_CONFIG_S_FEATURES_OK) && !features_ok(dev))
		status &= (u8)~VIRTIO_CONFIG_S_FEATURES_OK;
	dev->status |= status & (u8)~VIRTIO_CONFIG_S_NEEDS_RESET;
	if (!(status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	if (dev->changed)
		dev->changed(dev);
	/* What was made available before counts too. */
	for (i = 0; i < dev->nr_queues; i++)
		eventfd_write(dev->queue[i].kick_fd, 1);
}

/* The device's lock is held. */
void virtio_dev_set_features(struct virtio_dev *dev, u64 features)
{
	if (!(dev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		dev->driver_features = features;
}

/* The guest enables a queue it has set up. The device's lock is held. */
void virtio_dev_enable_queue(struct virtio_dev *dev, struct virtq *q)
{
	if (q->ready)
		return;
	q->is_packed = dev->driver_features & BIT_ULL(VIRTIO_F_RING_PACKED);
	q->event_idx = dev->driver_features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	if (queue_enable(q))
		virtio_dev_fail(dev);
}

/**
 * virtio_dev_return() - a request is done: the guest has it back, and hears of it
 * @dev: its lock is held
 * @q: ready queue
 * @head: the chain's
 * @written: bytes written into it
 */
void virtio_dev_return(struct virtio_dev *dev, struct virtq *q, u16 head, u32 written)
{
	queue_push(q, head, written);
	if (queue_wants_interrupt(q))
		dev->notify(dev, q);
}

/* The guest broke the rules: nothing but a reset helps. The lock is held. */
void virtio_dev_fail(struct virtio_dev *dev)
{
	dev->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (dev->config_changed)
		dev->config_changed(dev);
}

/* The configuration is another one now. The lock is held. */
void virtio_dev_config_changed(struct virtio_dev *dev)
{
	dev->generation++;
	if ((dev->status & VIRTIO_CONFIG_S_DRIVER_OK) && dev->config_changed)
		dev->config_changed(dev);
}
