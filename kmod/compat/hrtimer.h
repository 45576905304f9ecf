/* SPDX-License-Identifier: GPL-2.0-only */
/* hrtimers are set up in one call since 6.13, in two before. */
#ifndef JOIST_COMPAT_HRTIMER_H
#define JOIST_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>

static inline void
compat_hrtimer_setup(struct hrtimer *timer,
		     enum hrtimer_restart (*function)(struct hrtimer *),
		     clockid_t clock, enum hrtimer_mode mode)
{
#ifdef HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}

#endif
