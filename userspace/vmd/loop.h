/* SPDX-License-Identifier: GPL-2.0-only */
/* The event loop of the daemon's processes: epoll and timers, one thread. */
#ifndef VMD_LOOP_H
#define VMD_LOOP_H

#include <sys/epoll.h>

#include "libjoist/types.h"

/**
 * struct watch - a descriptor that is waited for
 * @fd: the descriptor; -1: it is not watched
 * @events: EPOLL*
 * @fn: called with what happened; may remove this watch or any other
 */
struct watch {
	int fd;
	u32 events;
	void (*fn)(struct watch *watch, u32 events);
};

/**
 * struct timer - something to do later, once
 * @due: when, of now_ms(); 0: not set
 * @fn: called once; may set it again
 */
struct timer {
	u64 due;
	void (*fn)(struct timer *timer);
	struct timer *next;
	struct timer **link;
};

int loop_init(void);
int watch_add(struct watch *watch, int fd, u32 events,
	      void (*fn)(struct watch *watch, u32 events));
void watch_events(struct watch *watch, u32 events);
void watch_remove(struct watch *watch);
void timer_set(struct timer *timer, u64 ms, void (*fn)(struct timer *timer));
void timer_clear(struct timer *timer);
void loop_run(void);
void loop_end(void);
u64 now_ms(void);
double wall_time(void);

#endif
