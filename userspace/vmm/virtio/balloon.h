/* SPDX-License-Identifier: GPL-2.0-only */
/* A balloon in the guest: what it holds the host has back. */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include "libjoist/types.h"

struct virtio_balloon;
struct vm;

/**
 * struct balloon_state - how things are
 * @ready: the guest has a driver for it
 * @target: bytes of memory that the guest is to keep
 * @actual: bytes that it keeps now
 * @reported: bytes of free memory that it has told of by itself, all in all
 * @has_stats: it has told what follows, in bytes
 * @free: not used for anything
 * @available: could be used without swapping
 * @total: as the guest sees it, without the balloon
 */
struct balloon_state {
	bool ready;
	u64 target;
	u64 actual;
	u64 reported;
	bool has_stats;
	u64 free;
	u64 available;
	u64 total;
};

int virtio_balloon_create(struct vm *vm, struct virtio_balloon **out);
void virtio_balloon_destroy(struct virtio_balloon *b);
int virtio_balloon_start(struct virtio_balloon *b);
void virtio_balloon_stop(struct virtio_balloon *b);
u64 virtio_balloon_set(struct virtio_balloon *b, u64 target);
void virtio_balloon_state(struct virtio_balloon *b, struct balloon_state *state);

#endif
