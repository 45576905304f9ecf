/* SPDX-License-Identifier: GPL-2.0-only */
/* How much a disk may do: requests and bytes a second, all its queues together. */
#ifndef VMM_VIRTIO_BLK_LIMIT_H
#define VMM_VIRTIO_BLK_LIMIT_H

#include <pthread.h>

#include "bucket.h"

/**
 * struct blk_limit - limits
 * @on: there are any
 * @lock: protects the others
 * @requests: a token a request; no rate: no limit
 * @bytes: likewise
 */
struct blk_limit {
	bool on;
	pthread_mutex_t lock;
	struct bucket requests;
	struct bucket bytes;
};

void blk_limit_init(struct blk_limit *limit, u64 iops, u64 bps);
int blk_limit_wait(struct blk_limit *limit);
void blk_limit_take(struct blk_limit *limit, u64 bytes);

#endif
