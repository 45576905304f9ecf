/* SPDX-License-Identifier: GPL-2.0-only */
/* A token bucket: so much a second, and so much at once. */
#ifndef VMM_VIRTIO_BUCKET_H
#define VMM_VIRTIO_BUCKET_H

#include "libjoist/types.h"

/**
 * struct bucket - what may still be taken
 * @rate: tokens a second
 * @size: what it holds at most, no more than a second's
 * @level: what it holds
 * @filled: when that was so, ns
 */
struct bucket {
	u64 rate;
	u64 size;
	u64 level;
	u64 filled;
};

#define BUCKET_SECOND	1000000000ULL

/* Pour in what has come until @now, ns. Return: what there is. */
static inline u64 bucket_fill(struct bucket *b, u64 now)
{
	u64 ns = now - b->filled;
	u64 more;

	if (ns >= BUCKET_SECOND) {
		b->level = b->size;
		b->filled = now;
		return b->level;
	}
	more = ns * b->rate / BUCKET_SECOND;
	if (more) {
		b->level = min(b->level + more, b->size);
		b->filled = now;
	}
	return b->level;
}

/* Return: ms until @want tokens, no more than @size, are there. */
static inline int bucket_wait(const struct bucket *b, u64 want)
{
	if (want <= b->level)
		return 0;
	return (int)((want - b->level) * 1000 / b->rate) + 1;
}

#endif
