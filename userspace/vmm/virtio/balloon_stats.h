/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest says of its memory. */
#ifndef VMM_VIRTIO_BALLOON_STATS_H
#define VMM_VIRTIO_BALLOON_STATS_H

#include "libjoist/types.h"

#define BALLOON_STATS	16	/* VIRTIO_BALLOON_S_*, and the tags of later kernels */

struct iovec;

/**
 * struct balloon_stats - the guest's figures, as far as it tells them
 * @known: those that it tells, a bit for each tag
 * @value: by tag; none of them is to be believed
 */
struct balloon_stats {
	u32 known;
	u64 value[BALLOON_STATS];
};

void balloon_stats_take(struct balloon_stats *stats, const struct iovec *iov, int nr);

#endif
