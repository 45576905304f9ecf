/* SPDX-License-Identifier: GPL-2.0-only */
/* The queues of a disk: a thread for each. */
#ifndef VMM_VIRTIO_BLK_QUEUE_H
#define VMM_VIRTIO_BLK_QUEUE_H

#include <linux/virtio_blk.h>
#include <pthread.h>

#include "../backend/aio.h"
#include "../backend/disk.h"
#include "blk_limit.h"
#include "device.h"
#include "pci.h"

#define BLK_DISCARD_MAX	(1U << 22)	/* sectors: what one request may give back */

struct blk_queue;

/* What is to be done with a request. */
enum blk_step { BLK_BROKEN, BLK_ANSWER, BLK_START };

/**
 * struct virtio_blk - a disk
 * @index: of the VM's disks
 * @dead: requests fail without being tried; atomic
 * @config: what the guest reads; the device's lock protects it
 * @serial: what the guest gets as its name, not terminated if it is that long
 */
struct virtio_blk {
	struct virtio_dev dev;
	struct virtio_pci pci;
	int index;
	bool dead;
	struct disk disk;
	struct blk_limit limit;
	struct virtio_blk_config config;
	char serial[VIRTIO_BLK_ID_BYTES];
	struct blk_queue *queue;
};

/**
 * struct blk_req - a request of the guest's
 * @chain: where its pieces are
 * @status: where the guest looks for how it went
 * @written: bytes written into the chain, the status excepted
 * @step: what is to be done
 * @code: VIRTIO_BLK_S_*, if it is known before
 */
struct blk_req {
	struct aio_req aio;
	u8 *status;
	u32 written;
	enum blk_step step;
	u8 code;
	struct chain chain;
};

/**
 * struct blk_queue - a queue of a disk's
 * @ring: for its I/O, until its thread takes it; or NULL
 * @home: of @ring and the thread, if they are not the queue's own; or NULL
 * @nr_used: of @req, how many ever were
 * @free: those that are not now, the last used one first
 * @lock: protects what follows, and while @live the queue itself; taken with the device's
 *        lock held, or without it
 * @idle: @inflight is 0
 * @live: the driver is ready, and did nothing wrong
 * @broken: it did: to be told when @inflight is 0
 * @stop: the thread shall end
 * @epoch: grows whenever the driver comes or goes; with the device's lock held
 * @inflight: requests that were taken and not returned: guest memory is in use
 */
struct blk_queue {
	struct virtio_blk *blk;
	struct virtq *q;
	struct aio *aio;
	struct ring *ring;
	struct ring_thread *home;
	struct blk_req *req;
	int nr_used;
	struct aio_req *free;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool live;
	bool broken;
	bool stop;
	u32 epoch;
	u32 inflight;
};

/* blk_request.c */
enum blk_step blk_understand(struct virtio_blk *blk, struct blk_req *req);
u8 blk_result(struct blk_req *req);

/* blk_queue.c */
int blk_queue_init(struct blk_queue *bq, struct virtio_blk *blk, int i);
void blk_queue_destroy(struct blk_queue *bq);
int blk_queue_start(struct blk_queue *bq);
void blk_queue_stop(struct blk_queue *bq);
void blk_queue_live(struct blk_queue *bq, bool live);

#endif
