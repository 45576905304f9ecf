/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's vhost: devices whose queues it serves itself. */
#ifndef LIBJOIST_VHOST_H
#define LIBJOIST_VHOST_H

#include <linux/vhost.h>

#include "types.h"

#define VHOST_VSOCK_DEVICE	"/dev/vhost-vsock"

int vhost_open(const char *path);
int vhost_set_owner(int fd);
int vhost_get_features(int fd, u64 *features);
int vhost_set_features(int fd, u64 features);
int vhost_set_memory(int fd, const struct vhost_memory *mem);
int vhost_set_size(int fd, u32 ring, u32 size);
int vhost_set_rings(int fd, const struct vhost_vring_addr *addr);
int vhost_set_base(int fd, u32 ring, u16 base);
int vhost_get_base(int fd, u32 ring);
int vhost_set_kick(int fd, u32 ring, int eventfd);
int vhost_set_call(int fd, u32 ring, int eventfd);
int vhost_set_err(int fd, u32 ring, int eventfd);
int vhost_vsock_set_cid(int fd, u64 cid);
int vhost_vsock_run(int fd, bool on);

#endif
