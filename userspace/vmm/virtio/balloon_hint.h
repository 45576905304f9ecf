/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest tells which of its memory is free, because it is asked to. */
#ifndef VMM_VIRTIO_BALLOON_HINT_H
#define VMM_VIRTIO_BALLOON_HINT_H

#include "libjoist/types.h"

struct iovec;

/**
 * struct balloon_hint - a run of it
 * @id: the run's, or the last one's
 * @running: the guest is asked, and it is not over
 * @taking: the guest has begun: what it hints is of this run
 * @bytes: that the guest has hinted in it
 */
struct balloon_hint {
	u32 id;
	bool running;
	bool taking;
	u64 bytes;
};

u32 balloon_hint_begin(struct balloon_hint *hint);
void balloon_hint_end(struct balloon_hint *hint);
int balloon_hint_take(struct balloon_hint *hint, const struct iovec *iov, int nr_out, int nr_in,
		      u64 most, u64 (*give_up)(void *ctx, void *hva, u64 len), void *ctx);

#endif
