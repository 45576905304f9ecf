// SPDX-License-Identifier: GPL-2.0-only
/* I/O by a few threads: where the kernel has no io_uring for us. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../thread.h"
#include "aio.h"

#define THREADS		4

/**
 * struct aio_pool - threads, and what they have to do
 * @done_fd: eventfd: a request was put on @finished
 * @lock: protects all below
 * @work: there is something to do, or no more will be
 * @todo: the next request, and where to add one
 * @idle: threads that wait
 */
struct aio_pool {
	struct aio aio;
	int done_fd;
	int nr_threads;
	pthread_t thread[THREADS];
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct aio_req *todo, **last;
	struct aio_req *finished;
	int idle;
	bool closing;
};

static void *pool_thread(void *arg)
{
	struct aio_pool *pool = arg;
	struct aio_req *req;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->todo && !pool->closing) {
			pool->idle++;
			pthread_cond_wait(&pool->work, &pool->lock);
			pool->idle--;
		}
		req = pool->todo;
		if (!req)
			break;
		pool->todo = req->next;
		if (!pool->todo)
			pool->last = &pool->todo;
		pthread_mutex_unlock(&pool->lock);
		req->error = aio_do(pool->aio.disk, req);
		pthread_mutex_lock(&pool->lock);
		req->next = pool->finished;
		pool->finished = req;
		if (!req->next)
			eventfd_write(pool->done_fd, 1);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* One more, as long as all are busy. */
static void grow(struct aio_pool *pool)
{
	if (pool->nr_threads < THREADS && !thread_start(&pool->thread[pool->nr_threads],
							"blk-io", pool_thread, pool))
		pool->nr_threads++;
}

static void pool_start(struct aio *aio, struct aio_req *req)
{
	struct aio_pool *pool = container_of(aio, struct aio_pool, aio);
	bool busy;

	pthread_mutex_lock(&pool->lock);
	busy = !pool->idle;
	req->next = NULL;
	*pool->last = req;
	pool->last = &req->next;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	if (busy)
		grow(pool);
}

/* Without any thread we are the one. */
static void serve_alone(struct aio_pool *pool)
{
	struct aio_req *req;

	while (!pool->nr_threads && pool->todo) {
		req = pool->todo;
		pool->todo = req->next;
		if (!pool->todo)
			pool->last = &pool->todo;
		aio_finish(&pool->aio, req, aio_do(pool->aio.disk, req));
	}
}

static bool pool_wait(struct aio *aio, int timeout_ms)
{
	struct aio_pool *pool = container_of(aio, struct aio_pool, aio);
	struct pollfd fds[] = {
		{ aio->kick_fd, POLLIN, 0 }, { pool->done_fd, POLLIN, 0 },
	};
	struct aio_req *req, *next;
	eventfd_t count;

	serve_alone(pool);
	if (poll(fds, ARRAY_SIZE(fds), aio->done ? 0 : timeout_ms) <= 0)
		return false;
	if (fds[1].revents) {
		eventfd_read(pool->done_fd, &count);
		pthread_mutex_lock(&pool->lock);
		req = pool->finished;
		pool->finished = NULL;
		pthread_mutex_unlock(&pool->lock);
		for (; req; req = next) {
			next = req->next;
			aio_finish(aio, req, req->error);
		}
	}
	if (!fds[0].revents)
		return false;
	eventfd_read(aio->kick_fd, &count);
	return true;
}

static void pool_close(struct aio *aio)
{
	struct aio_pool *pool = container_of(aio, struct aio_pool, aio);

	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	while (pool->nr_threads)
		pthread_join(pool->thread[--pool->nr_threads], NULL);
	close(pool->done_fd);
	free(pool);
}

static const struct aio_ops pool_ops = {
	.start = pool_start,
	.wait = pool_wait,
	.close = pool_close,
};

/* Return: NULL: no memory. */
struct aio *aio_open_pool(void)
{
	struct aio_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->aio.ops = &pool_ops;
	pool->last = &pool->todo;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pool->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->done_fd < 0) {
		free(pool);
		return NULL;
	}
	return &pool->aio;
}
