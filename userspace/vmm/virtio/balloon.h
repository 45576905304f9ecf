/* SPDX-License-Identifier: GPL-2.0-only */
/* A balloon in the guest: what it holds the host has back. */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include "libjoist/types.h"

struct virtio_balloon;
struct vm;

int virtio_balloon_create(struct vm *vm, struct virtio_balloon **out);
void virtio_balloon_destroy(struct virtio_balloon *b);
int virtio_balloon_start(struct virtio_balloon *b);
void virtio_balloon_stop(struct virtio_balloon *b);
u64 virtio_balloon_set(struct virtio_balloon *b, u64 target);

#endif
