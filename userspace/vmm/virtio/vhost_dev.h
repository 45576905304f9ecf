/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues of a device that the kernel serves, not a thread of ours. */
#ifndef VMM_VIRTIO_VHOST_DEV_H
#define VMM_VIRTIO_VHOST_DEV_H

#include <pthread.h>

#include "../backend/vhost.h"
#include "device.h"

/**
 * struct vhost_dev - queues, and the kernel's device that serves them
 * @dev: whose they are
 * @name: in messages
 * @first: of its queues
 * @nr: how many, at most VHOST_RINGS_MAX
 * @vhost: who serves them; the device's lock protects it, but for its descriptor
 * @running: it does; the device's lock protects it, too
 * @call_fd: where the kernel calls for each; likewise
 * @relay_fd: eventfds: what is called for there is passed on by our thread
 * @err_fd: eventfd: a queue makes no sense
 * @wake_fd: eventfd: the guest may want to be called otherwise, or the thread is to end
 */
struct vhost_dev {
	struct virtio_dev *dev;
	const char *name;
	int first, nr;
	struct vhost vhost;
	bool running;
	int call_fd[VHOST_RINGS_MAX];
	int relay_fd[VHOST_RINGS_MAX];
	int err_fd;
	int wake_fd;
	bool ending;
	pthread_t thread;
	bool started;
};

int vhost_dev_init(struct vhost_dev *vd, struct virtio_dev *dev, int fd);
void vhost_dev_destroy(struct vhost_dev *vd);
int vhost_dev_start(struct vhost_dev *vd);
void vhost_dev_end(struct vhost_dev *vd);
void vhost_dev_changed(struct vhost_dev *vd);
void vhost_dev_goes(struct vhost_dev *vd);
void vhost_dev_calls(struct vhost_dev *vd);

#endif
