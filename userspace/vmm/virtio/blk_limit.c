// SPDX-License-Identifier: GPL-2.0-only
/* A disk's limits: a request begins when nothing is owed, and is paid for then. */

#include "../clock.h"
#include "blk_limit.h"

/* @iops, @bps: 0: no limit. A second's worth may come at once. */
void blk_limit_init(struct blk_limit *limit, u64 iops, u64 bps)
{
	u64 now = now_ns();

	pthread_mutex_init(&limit->lock, NULL);
	limit->on = iops || bps;
	limit->requests = (struct bucket) {
		.rate = iops, .size = iops, .level = iops, .filled = now,
	};
	limit->bytes = (struct bucket) {
		.rate = bps, .size = bps, .level = bps, .filled = now,
	};
}

static int wait_for(struct bucket *b, u64 now)
{
	if (!b->rate || bucket_fill(b, now))
		return 0;
	return bucket_wait(b, 1);
}

/* Return: ms until a request may begin; 0: now. */
int blk_limit_wait(struct blk_limit *limit)
{
	int ms, more;
	u64 now;

	if (!limit->on)
		return 0;
	now = now_ns();
	pthread_mutex_lock(&limit->lock);
	ms = wait_for(&limit->requests, now);
	more = wait_for(&limit->bytes, now);
	pthread_mutex_unlock(&limit->lock);
	return max(ms, more);
}

/* A request of so many bytes begins; they may be more than there are: the next one waits. */
void blk_limit_take(struct blk_limit *limit, u64 bytes)
{
	if (!limit->on)
		return;
	pthread_mutex_lock(&limit->lock);
	if (limit->requests.rate)
		bucket_take(&limit->requests, 1);
	if (limit->bytes.rate)
		bucket_take(&limit->bytes, bytes);
	pthread_mutex_unlock(&limit->lock);
}
