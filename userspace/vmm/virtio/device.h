/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio device, whatever it does and however the guest reaches it. */
#ifndef VMM_VIRTIO_DEVICE_H
#define VMM_VIRTIO_DEVICE_H

#include <pthread.h>

#include "libjoist/types.h"
#include "queue.h"

#define VIRTIO_QUEUES_MAX	17	/* 8 pairs of a network, and its commands */

struct vm;

/**
 * struct virtio_dev - the part all devices share
 * @id: VIRTIO_ID_*
 * @features: what we offer
 * @config: what the guest reads as the device's configuration; changes of it go
 *          with virtio_dev_config_changed()
 * @transport: the transport's own
 * @notify: the transport's: tell the guest that a queue has news
 * @config_changed: the transport's: tell the guest to read status and @config again
 * @call_fd: the transport's: the eventfd that does what @notify does, until @calls_changed;
 *	     -1: there is none
 * @calls_changed: the device's: @call_fd may say otherwise now; any lock may be held, it
 *		   must not wait; may be NULL
 * @changed: the device's: the driver is ready now, or was reset; with the lock held;
 *           may be NULL
 * @goes: the device's: the driver is about to be reset: after it no queue is used, and
 *	  no memory of the guest's; with the lock held; may be NULL: the lock says it all
 * @kicked: the device's: a notification, in the thread of the vCPU that made it, which goes on
 *	    when this returns; whether that was all. May be NULL, as for most: the queue's
 *	    kick_fd tells the device's thread, mostly without an exit to us
 * @config_written: the device's: the driver wrote to @config; with the lock held; may be
 *		    NULL: it is only read
 * @lock: protects the queues and all below
 * @driver_features: what the guest accepted
 * @status: VIRTIO_CONFIG_S_*
 * @generation: of @config
 */
struct virtio_dev {
	struct vm *vm;
	u16 id;
	u64 features;
	const void *config;
	size_t config_len;
	int nr_queues;
	struct virtq queue[VIRTIO_QUEUES_MAX];
	void *transport;
	void (*notify)(struct virtio_dev *dev, struct virtq *q);
	void (*config_changed)(struct virtio_dev *dev);
	int (*call_fd)(struct virtio_dev *dev, struct virtq *q);
	void (*calls_changed)(struct virtio_dev *dev);
	void (*changed)(struct virtio_dev *dev);
	void (*goes)(struct virtio_dev *dev);
	bool (*kicked)(struct virtio_dev *dev, int queue);
	void (*config_written)(struct virtio_dev *dev, u64 offset, const void *data,
			       unsigned int len);

	pthread_mutex_t lock;
	u64 driver_features;
	u8 status;
	u8 generation;
};

int virtio_dev_init(struct virtio_dev *dev, struct vm *vm, u16 id,
		    int nr_queues);
void virtio_dev_destroy(struct virtio_dev *dev);
void virtio_dev_set_status(struct virtio_dev *dev, u8 status);
void virtio_dev_set_features(struct virtio_dev *dev, u64 features);
void virtio_dev_enable_queue(struct virtio_dev *dev, struct virtq *q);
void virtio_dev_return(struct virtio_dev *dev, struct virtq *q, u16 head, u32 written);
void virtio_dev_fail(struct virtio_dev *dev);
void virtio_dev_config_changed(struct virtio_dev *dev);
bool virtio_dev_live(const struct virtio_dev *dev);

#endif
