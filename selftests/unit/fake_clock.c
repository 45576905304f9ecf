// SPDX-License-Identifier: GPL-2.0-only
/* The clock and the timers of unit tests. */
#include <linux/hrtimer.h>
#include <stddef.h>

static u64 now = NSEC_PER_SEC;
static struct hrtimer *queue;
static unsigned int fired;

u64 ktime_get_ns(void)
{
	return now;
}

void hrtimer_init(struct hrtimer *timer, clockid_t clock,
		  enum hrtimer_mode mode)
{
	*timer = (struct hrtimer) {};
}

int hrtimer_cancel(struct hrtimer *timer)
{
	struct hrtimer **p;

	if (!timer->queued)
		return 0;
	for (p = &queue; *p != timer; p = &(*p)->next)
		;
	*p = timer->next;
	timer->queued = false;
	return 1;
}

void hrtimer_start(struct hrtimer *timer, ktime_t at, enum hrtimer_mode mode)
{
	struct hrtimer **p;

	hrtimer_cancel(timer);
	timer->expires = at;
	for (p = &queue; *p && (*p)->expires <= at; p = &(*p)->next)
		;
	timer->next = *p;
	*p = timer;
	timer->queued = true;
}

void hrtimer_start_expires(struct hrtimer *timer, enum hrtimer_mode mode)
{
	hrtimer_start(timer, timer->expires, mode);
}

u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval)
{
	u64 n;

	if ((ktime_t)now < timer->expires)
		return 0;
	n = (now - timer->expires) / interval + 1;
	timer->expires += n * interval;
	return n;
}

static void fire(void)
{
	struct hrtimer *timer = queue;

	hrtimer_cancel(timer);
	fired++;
	if (timer->function(timer) == HRTIMER_RESTART)
		hrtimer_start(timer, timer->expires, HRTIMER_MODE_ABS);
}

void fake_clock_advance(u64 ns)
{
	u64 end = now + ns;

	while (queue && queue->expires <= (ktime_t)end) {
		if (queue->expires > (ktime_t)now)
			now = queue->expires;
		fire();
	}
	now = end;
}

void fake_clock_jump(u64 ns)
{
	now += ns;
	while (queue && queue->expires <= (ktime_t)now)
		fire();
}

void fake_clock_reset(void)
{
	queue = NULL;
	now = NSEC_PER_SEC;
	fired = 0;
}

unsigned int fake_clock_fired(void)
{
	return fired;
}
