/* SPDX-License-Identifier: GPL-2.0-only */
/* A balloon in the guest: what it holds the host has back. */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include "balloon_hint.h"
#include "balloon_stats.h"
#include "libjoist/types.h"

struct virtio_balloon;
struct vm;

/**
 * struct balloon_state - how a balloon is
 * @driver: the guest has one that works
 * @reached: @actual is @target
 * @inhibited: nothing would go back to the host: the guest's devices use its memory
 * @refreshing: new figures of the guest's are on their way
 * @target: bytes that the guest is asked to keep
 * @actual: bytes that it keeps, as it says
 * @stats: the guest's figures
 * @age_ms: how old they are
 */
struct balloon_state {
	bool driver;
	bool reached;
	bool inhibited;
	bool refreshing;
	u64 target;
	u64 actual;
	struct balloon_stats stats;
	u64 age_ms;
};

int virtio_balloon_create(struct vm *vm, struct virtio_balloon **out);
void virtio_balloon_destroy(struct virtio_balloon *b);
int virtio_balloon_start(struct virtio_balloon *b);
void virtio_balloon_stop(struct virtio_balloon *b);
int virtio_balloon_set(struct virtio_balloon *b, u64 target);
bool virtio_balloon_refresh(struct virtio_balloon *b);
bool virtio_balloon_state(struct virtio_balloon *b, struct balloon_state *state);
int virtio_balloon_reclaim(struct virtio_balloon *b);
void virtio_balloon_reclaim_end(struct virtio_balloon *b);
bool virtio_balloon_reclaimed(struct virtio_balloon *b, u64 *bytes, int *err);

#endif
