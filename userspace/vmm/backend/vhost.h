/* SPDX-License-Identifier: GPL-2.0-only */
/* Rings of the guest's that the kernel serves by itself: its vhost. */
#ifndef VMM_BACKEND_VHOST_H
#define VMM_BACKEND_VHOST_H

#include "libjoist/vhost.h"

#define VHOST_RINGS_MAX	2

struct memory;

/**
 * struct vhost_ring - a split ring that was checked, in our memory
 * @size: entries, a power of two
 * @kick_fd: eventfd that the guest signals
 * @call_fd: eventfd to signal for it
 * @err_fd: eventfd to signal when the ring makes no sense
 */
struct vhost_ring {
	const void *desc, *avail;
	void *used;
	u16 size;
	int kick_fd;
	int call_fd;
	int err_fd;
};

/**
 * struct vhost - a vhost device, with one thread of the kernel's
 * @fd: it; -1: there is none
 * @features: VIRTIO_* bits that it can be asked for
 * @run: the kind's: the rings are served from here on, or no longer; 0 or -errno
 * @ctx: for @run
 * @attached: rings whose eventfds it holds
 */
struct vhost {
	int fd;
	u64 features;
	int (*run)(struct vhost *vhost, bool on);
	void *ctx;
	int attached;
};

int vhost_init(struct vhost *vhost, int fd);
void vhost_destroy(struct vhost *vhost);
int vhost_start(struct vhost *vhost, const struct memory *mem, u64 features,
		const struct vhost_ring *rings, int nr);
void vhost_stop(struct vhost *vhost);
int vhost_use_memory(const struct vhost *vhost, const struct memory *mem);

#endif
