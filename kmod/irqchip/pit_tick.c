// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of the PIT's channel 0. Under the reinjection policy a tick is
 * sent when the guest has acknowledged the one before, and ticks that came
 * meanwhile are made up for; without it every tick is sent as it comes.
 */
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "host.h"
#include "lapic.h"
#include "pit.h"
#include "../compat/hrtimer.h"

/* More ticks than this are not owed: a guest that long away has given up. */
#define TICKS_MAX	10000

static void tick_send(struct pit *pit)
{
	if (!atomic_read(&pit->ticks) || xchg(&pit->in_flight, 1))
		return;
	/* Masked everywhere: nobody will acknowledge, nobody misses them. */
	if (irq_host_pit_pulse(pit->vm) < 0) {
		atomic_set(&pit->ticks, 0);
		WRITE_ONCE(pit->in_flight, 0);
	}
}

static void tick(struct pit *pit, u64 n)
{
	u32 flags = READ_ONCE(pit->flags);

	if (flags & KVM_PIT_FLAGS_HPET_LEGACY)
		return;
	if (!READ_ONCE(pit->reinject)) {
		irq_host_pit_pulse(pit->vm);
		return;
	}
	if (atomic_read(&pit->ticks) < TICKS_MAX)
		atomic_add(min_t(u64, n, TICKS_MAX), &pit->ticks);
	tick_send(pit);
}

/**
 * pit_acked() - the guest ended the interrupt of GSI 0
 * @pit: the chip
 *
 * Context: no chip's lock held.
 */
void pit_acked(struct pit *pit)
{
	if (!READ_ONCE(pit->in_flight))
		return;
	atomic_dec_if_positive(&pit->ticks);
	WRITE_ONCE(pit->in_flight, 0);
	/* in_flight falls before ticks is looked at, tick() does it reversed. */
	smp_mb();
	tick_send(pit);
}

static enum hrtimer_restart pit_expired(struct hrtimer *timer)
{
	struct pit *pit = container_of(timer, struct pit, timer);
	u64 n;

	if (!pit->period) {
		tick(pit, 1);
		return HRTIMER_NORESTART;
	}
	n = hrtimer_forward_now(timer, ns_to_ktime(pit->period));
	tick(pit, n);
	return HRTIMER_RESTART;
}

/** pit_tick_init() - once, for a new chip */
void pit_tick_init(struct pit *pit)
{
	compat_hrtimer_setup(&pit->timer, pit_expired, CLOCK_MONOTONIC,
			     HRTIMER_MODE_ABS);
	pit->reinject = true;
}

static void tick_forget(struct pit *pit)
{
	atomic_set(&pit->ticks, 0);
	WRITE_ONCE(pit->in_flight, 0);
}

/** pit_tick_stop() - channel 0 does not count; pit->lock held */
void pit_tick_stop(struct pit *pit)
{
	hrtimer_cancel(&pit->timer);
	tick_forget(pit);
}

/**
 * pit_tick_start() - channel 0 was loaded
 * @pit: pit->lock held
 *
 * The interrupt is the rise of the output: at the terminal count, in the
 * periodic modes at each of them. Modes 1 and 5 wait for a rise of the gate,
 * which is tied to high.
 */
void pit_tick_start(struct pit *pit)
{
	struct kvm_pit_channel_state *s = &pit->channels[0].state;
	u64 ns = div_u64((u64)s->count * NSEC_PER_SEC, PIT_HZ);

	pit_tick_stop(pit);
	switch (s->mode) {
	case 0:
	case 4:
		pit->period = 0;
		break;
	case 2:
	case 3:
		if (ns < lapic_least_period()) {
			irq_host_short_period(pit->vm, ns);
			ns = lapic_least_period();
		}
		pit->period = ns;
		break;
	default:
		return;
	}
	hrtimer_start(&pit->timer, ns_to_ktime(s->count_load_time + ns),
		      HRTIMER_MODE_ABS);
}

/** pit_stop() - for good: no tick comes any more */
void pit_stop(struct pit *pit)
{
	hrtimer_cancel(&pit->timer);
}

/** pit_set_reinject() - KVM_REINJECT_CONTROL */
void pit_set_reinject(struct pit *pit, bool reinject)
{
	mutex_lock(&pit->lock);
	WRITE_ONCE(pit->reinject, reinject);
	tick_forget(pit);
	mutex_unlock(&pit->lock);
}
