/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's high-resolution timers on the test's clock: fake_clock.c. */
#ifndef JOIST_SHIM_HRTIMER_H
#define JOIST_SHIM_HRTIMER_H

#include <time.h>
#include <linux/ktime.h>

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS, HRTIMER_MODE_ABS_PINNED_HARD };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	ktime_t expires;
	bool queued;
	struct hrtimer *next;
};

void hrtimer_init(struct hrtimer *timer, clockid_t clock,
		  enum hrtimer_mode mode);
void hrtimer_start(struct hrtimer *timer, ktime_t at, enum hrtimer_mode mode);
void hrtimer_start_expires(struct hrtimer *timer, enum hrtimer_mode mode);
int hrtimer_cancel(struct hrtimer *timer);
static inline bool hrtimer_is_queued(struct hrtimer *timer)
{
	return timer->queued;
}

u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval);

/* The clock goes on; timers fire in order, each at its time. */
void fake_clock_advance(u64 ns);
/* It jumps: timers fire late, in order, once it is there. */
void fake_clock_jump(u64 ns);
void fake_clock_reset(void);
unsigned int fake_clock_fired(void);	/* expiries since the reset */

#endif
