// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: epoll and timers, one thread, one loop in a process. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define BATCH	64

static int epoll_fd = -1;
static bool ending;
static struct timer *timers;
static struct epoll_event batch[BATCH];
static int batch_nr;

u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

double wall_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)(ts.tv_nsec / 1000000) / 1000;
}

int loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -errno : 0;
}

int watch_add(struct watch *watch, int fd, u32 events,
	      void (*fn)(struct watch *watch, u32 events))
{
	struct epoll_event ev = { .events = events, .data.ptr = watch };

	watch->fd = fd;
	watch->events = events;
	watch->fn = fn;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		watch->fd = -1;
		return -errno;
	}
	return 0;
}

void watch_events(struct watch *watch, u32 events)
{
	struct epoll_event ev = { .events = events, .data.ptr = watch };

	if (watch->fd < 0 || watch->events == events)
		return;
	watch->events = events;
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &ev);
}

/* Its descriptor stays open. What the loop has already seen of it is forgotten. */
void watch_remove(struct watch *watch)
{
	int i;

	if (watch->fd < 0)
		return;
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	for (i = 0; i < batch_nr; i++)
		if (batch[i].data.ptr == watch)
			batch[i].data.ptr = NULL;
}

void timer_clear(struct timer *timer)
{
	if (!timer->due)
		return;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	timer->due = 0;
}

void timer_set(struct timer *timer, u64 ms, void (*fn)(struct timer *timer))
{
	struct timer **link = &timers;

	timer_clear(timer);
	timer->due = now_ms() + ms;
	timer->fn = fn;
	while (*link && (*link)->due <= timer->due)
		link = &(*link)->next;
	timer->next = *link;
	timer->link = link;
	if (timer->next)
		timer->next->link = &timer->next;
	*link = timer;
}

static int run_timers(void)
{
	u64 now = now_ms();

	while (timers && timers->due <= now) {
		struct timer *timer = timers;

		timer_clear(timer);
		timer->fn(timer);
	}
	if (!timers)
		return -1;
	now = now_ms();
	return timers->due <= now ? 0 : (int)min(timers->due - now, 1000000ULL);
}

void loop_run(void)
{
	int i;

	while (!ending) {
		int timeout = run_timers();

		if (ending)
			break;
		batch_nr = epoll_wait(epoll_fd, batch, BATCH, timeout);
		for (i = 0; i < batch_nr; i++) {
			struct watch *watch = batch[i].data.ptr;

			if (watch)
				watch->fn(watch, batch[i].events);
		}
		batch_nr = 0;
	}
	close(epoll_fd);
	epoll_fd = -1;
	ending = false;
}

void loop_end(void)
{
	ending = true;
}
