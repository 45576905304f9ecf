/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread of a device, which serves its queues in turn. */
#ifndef VMM_VIRTIO_WORKER_H
#define VMM_VIRTIO_WORKER_H

#include <pthread.h>

#include "device.h"

/**
 * struct virtio_worker - a thread that waits for the guest's notifications
 * @dev: whose queues it serves
 * @serve: one request of a queue's, or the news that there is none; with the device's lock
 *         held; returns whether to be called again
 * @wait_ms: set by @serve: how long to wait for a notification before it is called again;
 *           -1: until there is one
 * @fd: one that is waited for besides; -1: none
 * @events: of @fd; set by @serve and @ready
 * @ready: @fd is, and then all queues are served; with the device's lock held
 * @stop_fd: eventfd that ends the thread
 */
struct virtio_worker {
	struct virtio_dev *dev;
	bool (*serve)(struct virtio_dev *dev, int queue);
	int wait_ms;
	int fd;
	short events;
	void (*ready)(struct virtio_dev *dev, short revents);
	int stop_fd;
	pthread_t thread;
	bool started;
};

int worker_init(struct virtio_worker *worker, struct virtio_dev *dev,
		bool (*serve)(struct virtio_dev *dev, int queue));
void worker_destroy(struct virtio_worker *worker);
int worker_start(struct virtio_worker *worker, const char *name);
void worker_stop(struct virtio_worker *worker);

#endif
