// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue of a disk's: its thread takes requests in batches, has them done, and returns
 * them in batches. No lock is held over I/O.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../disk_error.h"
#include "../log.h"
#include "../thread.h"
#include "../vm.h"
#include "blk_queue.h"

#define BATCH		32	/* requests taken before those that are done are returned */
#define CODE_LATER	0xff	/* no VIRTIO_BLK_S_*: it depends on the I/O */

static struct blk_req *req_of(struct aio_req *aio)
{
	return container_of(aio, struct blk_req, aio);
}

/* A request that is not in use, or NULL. The last used one is still in the cache. */
static struct blk_req *get_req(struct blk_queue *bq)
{
	struct aio_req *aio = bq->free;

	if (aio) {
		bq->free = aio->next;
		return req_of(aio);
	}
	return bq->nr_used < AIO_DEPTH ? &bq->req[bq->nr_used++] : NULL;
}

static void put_req(struct blk_queue *bq, struct blk_req *req)
{
	req->aio.next = bq->free;
	bq->free = &req->aio;
}

/* A driver that cannot flush takes what is written as safe. */
static bool must_flush(const struct blk_queue *bq, const struct blk_req *req)
{
	return req->aio.op == AIO_WRITE && !req->aio.error && bq->blk->disk.can_flush &&
	       !(bq->blk->dev.driver_features & BIT_ULL(VIRTIO_BLK_F_FLUSH));
}

/* The I/O of a request is over. Return: whether the request is. */
static bool finish(struct blk_queue *bq, struct blk_req *req)
{
	struct virtio_blk *blk = bq->blk;

	if (req->code == CODE_LATER) {
		if (must_flush(bq, req)) {
			req->aio.op = AIO_FLUSH;
			aio_start(bq->aio, &req->aio);
			return false;
		}
		req->code = blk_result(req);
		if (req->code == VIRTIO_BLK_S_IOERR)
			disk_error(blk->dev.vm, blk->index, blk->disk.path,
				   req->aio.error);
	}
	*req->status = req->code;
	return true;
}

/* Return what is done to the guest. The lock is held. Return: whether it wants to hear. */
static bool return_requests(struct blk_queue *bq, struct aio_req *done)
{
	struct aio_req *aio, *next;
	u16 nr = 0;

	for (aio = done; aio; aio = next) {
		struct blk_req *req = req_of(aio);

		next = aio->next;
		queue_fill(bq->q, nr++, req->chain.head, req->written + 1);
		put_req(bq, req);
	}
	if (!nr)
		return false;
	queue_commit(bq->q, nr);
	bq->inflight -= nr;
	if (!bq->inflight)
		pthread_cond_broadcast(&bq->idle);
	return queue_wants_interrupt(bq->q);
}

/* The lock is held. Return: the next request; NULL: there is none now. */
static struct blk_req *take_request(struct blk_queue *bq, int *timeout_ms)
{
	struct blk_req *req;
	int ret;

	*timeout_ms = blk_limit_wait(&bq->blk->limit);
	if (*timeout_ms)
		return NULL;
	*timeout_ms = -1;
	req = get_req(bq);
	if (!req)
		return NULL;
	do {
		ret = queue_pop(bq->q, &req->chain);
	} while (!ret && queue_arm(bq->q));
	if (ret > 0) {
		req->code = CODE_LATER;
		req->step = blk_understand(bq->blk, req);
		if (req->step == BLK_BROKEN)
			ret = -EINVAL;
	}
	if (ret > 0)
		return req;
	put_req(bq, req);
	if (ret < 0) {
		bq->live = false;
		bq->broken = true;
	}
	return NULL;
}

/* Likewise, a batch of them. @timeout_ms: how long to wait before there may be more. */
static struct aio_req *take_requests(struct blk_queue *bq, int *timeout_ms)
{
	struct aio_req *first = NULL, **last = &first;
	struct blk_req *req;
	int nr;

	*timeout_ms = -1;
	for (nr = 0; bq->live && !bq->stop; nr++) {
		if (nr == BATCH) {
			*timeout_ms = 0;
			break;
		}
		req = take_request(bq, timeout_ms);
		if (!req)
			break;
		blk_limit_take(&bq->blk->limit, req->aio.len);
		bq->inflight++;
		*last = &req->aio;
		last = &req->aio.next;
	}
	*last = NULL;
	return first;
}

static void begin(struct blk_queue *bq, struct aio_req *todo)
{
	struct aio_req *next;

	for (; todo; todo = next) {
		next = todo->next;
		if (req_of(todo)->step == BLK_START)
			aio_start(bq->aio, todo);
		else
			aio_finish(bq->aio, todo, 0);
	}
}

/* Nothing of it is under way. The device's lock is not to be had while anything is. */
static void fail(struct blk_queue *bq, u32 epoch)
{
	struct virtio_dev *dev = &bq->blk->dev;

	log_warn("the guest broke the queue of the disk %s", bq->blk->disk.path);
	pthread_mutex_lock(&dev->lock);
	if (bq->epoch == epoch)
		virtio_dev_fail(dev);
	pthread_mutex_unlock(&dev->lock);
}

/* Those of @done that are over are returned, others taken. Return: whether to go on. */
static bool step(struct blk_queue *bq, struct aio_req *done)
{
	struct virtio_dev *dev = &bq->blk->dev;
	bool wanted, broken, over;
	struct aio_req *todo;
	int timeout_ms;
	u32 epoch;

	pthread_mutex_lock(&bq->lock);
	wanted = return_requests(bq, done);
	todo = take_requests(bq, &timeout_ms);
	broken = bq->broken && !bq->inflight;
	if (broken)
		bq->broken = false;
	epoch = bq->epoch;
	over = bq->stop && !bq->inflight;
	pthread_mutex_unlock(&bq->lock);

	if (wanted)
		dev->notify(dev, bq->q);
	if (broken)
		fail(bq, epoch);
	if (over)
		return false;
	begin(bq, todo);
	aio_wait(bq->aio, timeout_ms);
	return true;
}

static void *queue_thread(void *arg)
{
	struct blk_queue *bq = arg;
	struct aio_req *all, *done, **last, *next;

	bq->aio = aio_open(&bq->blk->disk, bq->q->kick_fd, bq->ring);
	bq->ring = NULL;
	if (!bq->aio) {
		vm_stop(bq->blk->dev.vm, VMM_ERROR, "error", NULL,
			"no memory for the disk %s", bq->blk->disk.path);
		return NULL;
	}
	do {
		done = NULL;
		last = &done;
		for (all = aio_take_done(bq->aio); all; all = next) {
			next = all->next;
			if (finish(bq, req_of(all))) {
				*last = all;
				last = &all->next;
			}
		}
		*last = NULL;
	} while (step(bq, done));
	aio_close(bq->aio);
	return NULL;
}

/**
 * blk_queue_init() - a queue, without its thread
 * @bq: zeroed
 * @blk: disk
 * @i: which of its queues
 *
 * Return: 0 or -errno; blk_queue_destroy() is due in both cases.
 */
int blk_queue_init(struct blk_queue *bq, struct virtio_blk *blk, int i)
{
	struct rings *rings = blk->dev.vm->config->rings;

	bq->blk = blk;
	bq->q = &blk->dev.queue[i];
	if (!blk->disk.nbd && rings)
		bq->home = rings_take(rings);
	else if (!blk->disk.nbd)
		bq->ring = ring_open();
	if (bq->home)
		bq->ring = ring_of_thread(bq->home);
	pthread_mutex_init(&bq->lock, NULL);
	pthread_cond_init(&bq->idle, NULL);
	/* Of it only what is used becomes memory. */
	bq->req = calloc(AIO_DEPTH, sizeof(*bq->req));
	return bq->req ? 0 : -ENOMEM;
}

void blk_queue_destroy(struct blk_queue *bq)
{
	ring_leave(bq->ring);
	if (bq->home)
		rings_give(bq->home);
	free(bq->req);
}

/* Return: 0 or -errno. */
int blk_queue_start(struct blk_queue *bq)
{
	int err = bq->home ? ring_thread_start(bq->home, "blk", queue_thread, bq) :
			     thread_start(&bq->thread, "blk", queue_thread, bq);

	bq->started = !err;
	return err;
}

/* Requests that were taken are finished, the others are lost. */
void blk_queue_stop(struct blk_queue *bq)
{
	if (!bq->started)
		return;
	pthread_mutex_lock(&bq->lock);
	bq->stop = true;
	pthread_mutex_unlock(&bq->lock);
	eventfd_write(bq->q->kick_fd, 1);
	if (bq->home)
		ring_thread_wait(bq->home);
	else
		pthread_join(bq->thread, NULL);
	bq->started = false;
}

/**
 * blk_queue_live() - whether requests are to be taken
 * @bq: queue
 * @live: from now on; if not, none is under way any longer
 *
 * The device's lock is held.
 */
void blk_queue_live(struct blk_queue *bq, bool live)
{
	pthread_mutex_lock(&bq->lock);
	bq->live = live;
	bq->broken = false;
	bq->epoch++;
	while (!live && bq->inflight)
		pthread_cond_wait(&bq->idle, &bq->lock);
	pthread_mutex_unlock(&bq->lock);
}
