// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings that are made before it is forbidden to make any, for disks that come and go. A ring is of
 * the thread that used it first, and of no other. So each has a thread of its own, which does what
 * it is given, and waits for more: the next disk has both.
 */
#include <pthread.h>
#include <stdlib.h>

#include "../thread.h"
#include "aio.h"

/**
 * struct ring_thread - a ring and its thread
 * @next: in the list of those that are free
 * @ring: its ring
 * @thread: is there once it has been given something
 * @run: what it does now, or is about to; or NULL
 * @news: @run is another, or @ends is true
 * @ends: it is to end
 */
struct ring_thread {
	struct rings *rings;
	struct ring_thread *next;
	struct ring *ring;
	pthread_t thread;
	bool started;
	void *(*run)(void *arg);
	void *arg;
	pthread_cond_t news;
	bool ends;
};

/**
 * struct rings - all of them
 * @lock: protects what follows, and what changes in each
 * @free: those that nobody has, the last used one first
 */
struct rings {
	pthread_mutex_t lock;
	struct ring_thread *free;
};

static bool add_ring(struct rings *rings)
{
	struct ring_thread *rt = calloc(1, sizeof(*rt));

	if (!rt)
		return false;
	rt->ring = ring_open();
	if (!rt->ring) {
		free(rt);
		return false;
	}
	ring_keep(rt->ring);
	pthread_cond_init(&rt->news, NULL);
	rt->rings = rings;
	rt->next = rings->free;
	rings->free = rt;
	return true;
}

/* Return: up to @nr rings; NULL: no memory. */
struct rings *rings_open(int nr)
{
	struct rings *rings = calloc(1, sizeof(*rings));

	if (!rings)
		return NULL;
	pthread_mutex_init(&rings->lock, NULL);
	while (nr-- > 0 && add_ring(rings))
		;
	return rings;
}

/* Return: one of them, the caller's until rings_give(); NULL: there is none left. */
struct ring_thread *rings_take(struct rings *rings)
{
	struct ring_thread *rt;

	pthread_mutex_lock(&rings->lock);
	rt = rings->free;
	if (rt)
		rings->free = rt->next;
	pthread_mutex_unlock(&rings->lock);
	return rt;
}

struct ring *ring_of_thread(struct ring_thread *rt)
{
	return rt->ring;
}

static void *ring_main(void *arg)
{
	struct ring_thread *rt = arg;
	pthread_mutex_t *lock = &rt->rings->lock;

	pthread_mutex_lock(lock);
	for (;;) {
		while (!rt->run && !rt->ends)
			pthread_cond_wait(&rt->news, lock);
		if (!rt->run)
			break;
		pthread_mutex_unlock(lock);
		rt->run(rt->arg);
		pthread_mutex_lock(lock);
		rt->run = NULL;
		pthread_cond_broadcast(&rt->news);
	}
	pthread_mutex_unlock(lock);
	return NULL;
}

/**
 * ring_thread_start() - as thread_start(), by the thread that has the ring
 * @rt: does nothing now
 * @name: of the thread, when it is first given something
 * @run: what it does
 * @arg: for @run
 *
 * Return: 0 or -errno.
 */
int ring_thread_start(struct ring_thread *rt, const char *name, void *(*run)(void *arg), void *arg)
{
	int err = 0;

	pthread_mutex_lock(&rt->rings->lock);
	rt->run = run;
	rt->arg = arg;
	if (!rt->started)
		err = thread_start(&rt->thread, name, ring_main, rt);
	rt->started = !err;
	if (err)
		rt->run = NULL;
	pthread_cond_broadcast(&rt->news);
	pthread_mutex_unlock(&rt->rings->lock);
	return err;
}

/* As pthread_join(): it has done what it was given. */
void ring_thread_wait(struct ring_thread *rt)
{
	pthread_mutex_lock(&rt->rings->lock);
	while (rt->run)
		pthread_cond_wait(&rt->news, &rt->rings->lock);
	pthread_mutex_unlock(&rt->rings->lock);
}

static void end(struct ring_thread *rt)
{
	pthread_mutex_lock(&rt->rings->lock);
	rt->ends = true;
	pthread_cond_broadcast(&rt->news);
	pthread_mutex_unlock(&rt->rings->lock);
	if (rt->started)
		pthread_join(rt->thread, NULL);
	ring_close(rt->ring);
	free(rt);
}

/* It does nothing now: somebody else's. A ring that did not work is nobody's. */
void rings_give(struct ring_thread *rt)
{
	struct rings *rings = rt->rings;

	if (!ring_works(rt->ring)) {
		end(rt);
		return;
	}
	pthread_mutex_lock(&rings->lock);
	rt->next = rings->free;
	rings->free = rt;
	pthread_mutex_unlock(&rings->lock);
}

/* None is taken. */
void rings_close(struct rings *rings)
{
	struct ring_thread *rt;

	while (rings && (rt = rings_take(rings)))
		end(rt);
	free(rings);
}
