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
 * @owed: what was taken and was not there; while anything is, it holds nothing
 * @filled: when that was so, ns
 */
struct bucket {
	u64 rate;
	u64 size;
	u64 level;
	u64 owed;
	u64 filled;
};

#define BUCKET_SECOND	1000000000ULL
#define BUCKET_LONG	(3600 * BUCKET_SECOND)

/* What comes in @ns. */
static inline u64 bucket_income(const struct bucket *b, u64 ns)
{
	unsigned __int128 more = (unsigned __int128)min(ns, BUCKET_LONG) * b->rate;

	return (u64)(more / BUCKET_SECOND);
}

/* Pour in what has come until @now, ns. Return: what there is. */
static inline u64 bucket_fill(struct bucket *b, u64 now)
{
	u64 more = bucket_income(b, now - b->filled);
	u64 paid = min(more, b->owed);

	if (more) {
		b->owed -= paid;
		b->level = min(b->level + more - paid, b->size);
		b->filled = now;
	}
	return b->level;
}

/* Take what is needed, whether it is there or not. */
static inline void bucket_take(struct bucket *b, u64 nr)
{
	u64 there = min(nr, b->level);

	b->level -= there;
	b->owed += nr - there;
}

/* Return: ms until @want tokens, no more than @size, are there. */
static inline int bucket_wait(const struct bucket *b, u64 want)
{
	u64 ms;

	if (want <= b->level)
		return 0;
	ms = (want - b->level + b->owed) * 1000 / b->rate;
	return (int)min(ms, 3600000ULL) + 1;
}

#endif
