// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog timer of Intel's 6300ESB I/O controller hub (datasheet 300641, chapter 16). Two
 * stages count down, one after the other; the guest reloads them in time, or the end of the
 * second one drives the output. Times are nanoseconds of a clock that the caller has.
 */
#include "esb_timer.h"

#define PCI_CLOCK_NS	30ULL
#define SLOW_CLOCKS	32768ULL	/* a millisecond, about */
#define FAST_CLOCKS	32ULL		/* a microsecond, about */
#define SHORTEST_NS	1000000ULL	/* a guest cannot have the host wake more often */

void esb_timer_init(struct esb_timer *t)
{
	*t = (struct esb_timer) { .preload = { ESB_PRELOAD_MAX, ESB_PRELOAD_MAX } };
}

static u64 length(const struct esb_timer *t, int stage)
{
	u64 clocks = t->config & ESB_CONFIG_FAST ? FAST_CLOCKS : SLOW_CLOCKS;

	return max(t->preload[stage] * clocks * PCI_CLOCK_NS, SHORTEST_NS);
}

static void begin(struct esb_timer *t, int stage, u64 now)
{
	t->running = true;
	t->stage = stage;
	t->left = length(t, stage);
	t->end = now + t->left;
}

static void reload(struct esb_timer *t, u64 now)
{
	if (t->lock & ESB_LOCK_ENABLE)
		begin(t, t->lock & ESB_LOCK_FREE ? 1 : 0, now);
}

u32 esb_timer_read(const struct esb_timer *t, u64 reg)
{
	switch (reg) {
	case ESB_PRELOAD1:
		return t->preload[0];
	case ESB_PRELOAD2:
		return t->preload[1];
	case ESB_STATUS:
		return t->active ? ESB_STATUS_ACTIVE : 0;
	case ESB_RELOAD:
		return t->timed_out ? ESB_RELOAD_TIMED_OUT : 0;
	default:
		return 0;
	}
}

/* Return: whether the write is one of the two that unlock the next. */
static bool unlock(struct esb_timer *t, u64 reg, u32 value)
{
	if (reg == ESB_RELOAD && t->unlocked == 0 && value == ESB_UNLOCK1)
		t->unlocked = 1;
	else if (reg == ESB_RELOAD && t->unlocked == 1 && value == ESB_UNLOCK2)
		t->unlocked = 2;
	else
		return false;
	return true;
}

void esb_timer_write(struct esb_timer *t, u64 reg, u32 value, u64 now)
{
	bool unlocked;

	if (unlock(t, reg, value))
		return;
	unlocked = t->unlocked == 2;
	t->unlocked = 0;
	if (reg == ESB_STATUS && (value & ESB_STATUS_ACTIVE))
		t->active = false;
	if (!unlocked)
		return;
	switch (reg) {
	case ESB_PRELOAD1:
		t->preload[0] = value & ESB_PRELOAD_MAX;
		break;
	case ESB_PRELOAD2:
		t->preload[1] = value & ESB_PRELOAD_MAX;
		break;
	case ESB_RELOAD:
		if (value & ESB_RELOAD_TIMED_OUT)
			t->timed_out = false;
		if (value & ESB_RELOAD_NOW)
			reload(t, now);
		break;
	}
}

/* The guest wrote to the configuration space. */
void esb_timer_config(struct esb_timer *t, u16 config, u8 lock, u64 now)
{
	bool was = t->lock & ESB_LOCK_ENABLE, is = lock & ESB_LOCK_ENABLE;

	t->config = config;
	t->lock = lock;
	if (is && !was)
		reload(t, now);
	if (!is)
		t->running = false;
}

/* When there may be something to do; ESB_NEVER: not before the guest does something. */
u64 esb_timer_next(const struct esb_timer *t)
{
	return t->running && !t->held ? t->end : ESB_NEVER;
}

/* Return: whether the output is driven now. */
bool esb_timer_expire(struct esb_timer *t, u64 now)
{
	if (now < esb_timer_next(t))
		return false;
	if (!t->stage) {
		t->active |= !(t->config & ESB_CONFIG_INT);
		begin(t, 1, now);
		return false;
	}
	t->timed_out = true;
	t->running = false;
	if (t->lock & ESB_LOCK_FREE)
		begin(t, 1, now);
	return !(t->config & ESB_CONFIG_NO_OUTPUT);
}

/* The guest does not run meanwhile, so neither does this. */
void esb_timer_hold(struct esb_timer *t, bool hold, u64 now)
{
	if (hold == t->held)
		return;
	t->held = hold;
	if (hold)
		t->left = t->end > now ? t->end - now : 0;
	else
		t->end = now + t->left;
}
