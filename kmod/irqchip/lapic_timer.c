// SPDX-License-Identifier: GPL-2.0-only
/*
 * The APIC timer: one-shot, periodic and TSC-deadline. The host's timer is
 * armed only while an interrupt is due and only once: a periodic timer is
 * armed again when its vCPU takes the expiry, so that what a guest asks for
 * never costs more than it runs. Counts are computed when they are read.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "lapic.h"
#include "../compat/hrtimer.h"

/* A period below this is stretched to it. Module parameter (host.c). */
unsigned int lapic_min_period_us = 200;

/* A deadline this close counts as reached: the clocks differ in their rate. */
#define DEADLINE_SLACK_NS	2000
/* Farther ones are the host's: the CPU's own timer does not count so far. */
#define DEADLINE_CPU_NS		NSEC_PER_SEC
/* Farther deadlines are looked at again after this many guest TSC ticks. */
#define DEADLINE_MAX_TICKS	BIT_ULL(50)

static enum lapic_timer_mode timer_mode(const struct lapic *lapic)
{
	return lapic_reg(lapic, LAPIC_REG_LVTT) >> LAPIC_LVT_TIMER_SHIFT & 3;
}

static bool timer_masked(const struct lapic *lapic)
{
	return lapic_reg(lapic, LAPIC_REG_LVTT) & LAPIC_LVT_MASKED;
}

static u64 timer_initial_ns(const struct lapic *lapic)
{
	return (u64)lapic_reg(lapic, LAPIC_REG_TMICT) * lapic->timer.divide;
}

/** lapic_least_period() - the shortest period a guest's timer may have, ns */
u64 lapic_least_period(void)
{
	return max(READ_ONCE(lapic_min_period_us), 1u) * 1000ULL;
}

/* Of the periodic mode, ns. */
static u64 timer_period(const struct lapic *lapic)
{
	return max(timer_initial_ns(lapic), lapic_least_period());
}

/* Step a periodic target that has passed over all that was missed. */
static void timer_advance(struct lapic *lapic, s64 now)
{
	struct lapic_timer *timer = &lapic->timer;
	u64 period = timer_period(lapic);

	if (timer->target <= now)
		timer->target += (div64_u64(now - timer->target, period) + 1) *
				 period;
}

static void timer_start(struct lapic *lapic, s64 at)
{
	hrtimer_start(&lapic->timer.hrtimer, ns_to_ktime(at),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

/* ns until the deadline, 0: reached. */
static u64 deadline_remaining(struct lapic *lapic)
{
	u64 deadline = lapic->timer.tsc_deadline;
	u64 now = irq_host_guest_tsc(lapic->vcpu);
	u64 khz = max(irq_host_tsc_khz(lapic->vcpu), 1000ULL);
	u64 ns;

	if (now >= deadline)
		return 0;
	ns = mul_u64_u64_div_u64(min(deadline - now, DEADLINE_MAX_TICKS),
				 1000000, khz);
	return ns > DEADLINE_SLACK_NS ? ns : 0;
}

static void cpu_disarm(struct lapic *lapic)
{
	if (!lapic->timer.in_cpu)
		return;
	lapic->timer.in_cpu = false;
	irq_host_deadline(lapic->vcpu, 0);
}

/* True: it was armed, and has not expired. */
static bool timer_stop(struct lapic *lapic)
{
	cpu_disarm(lapic);
	return hrtimer_cancel(&lapic->timer.hrtimer);
}

/* @runs: the guest does, or soon will. */
static void deadline_arm(struct lapic *lapic, bool runs)
{
	struct lapic_timer *timer = &lapic->timer;
	u64 ns;

	cpu_disarm(lapic);
	if (!timer->tsc_deadline)
		return;
	ns = deadline_remaining(lapic);
	if (!ns) {
		timer->tsc_deadline = 0;
		lapic_local_deliver(lapic, LAPIC_REG_LVTT);
		return;
	}
	timer->in_cpu = runs && ns < DEADLINE_CPU_NS &&
			irq_host_deadline(lapic->vcpu, timer->tsc_deadline);
	if (!timer->in_cpu)
		timer_start(lapic, ktime_get_ns() + ns);
	else if (hrtimer_is_queued(&timer->hrtimer))
		hrtimer_cancel(&timer->hrtimer);
}

/* Arm the host's timer for the next interrupt; it is not armed now. */
static void timer_arm(struct lapic *lapic)
{
	struct lapic_timer *timer = &lapic->timer;
	s64 now;

	if (timer_masked(lapic) || !lapic_hw_enabled(lapic))
		return;
	switch (timer_mode(lapic)) {
	case LAPIC_TIMER_DEADLINE:
		deadline_arm(lapic, true);
		break;
	case LAPIC_TIMER_PERIODIC:
		if (!timer->running)
			break;
		now = ktime_get_ns();
		timer_advance(lapic, now);
		timer_start(lapic, timer->target);
		break;
	case LAPIC_TIMER_ONESHOT:
		if (timer->running)
			timer_start(lapic, timer->target);
		break;
	case LAPIC_TIMER_RESERVED:
		break;
	}
}

static enum hrtimer_restart timer_expired(struct hrtimer *hrtimer)
{
	struct lapic *lapic = container_of(hrtimer, struct lapic,
					   timer.hrtimer);

	WRITE_ONCE(lapic->timer.pending, 1);
	irq_host_timer(lapic->vcpu);
	return HRTIMER_NORESTART;
}

/**
 * lapic_timer_inject() - the vCPU takes an expiry: its vector becomes pending
 * @lapic: vcpu->mutex held
 */
void lapic_timer_inject(struct lapic *lapic)
{
	struct lapic_timer *timer = &lapic->timer;

	if (!READ_ONCE(timer->pending) || !xchg(&timer->pending, 0))
		return;
	switch (timer_mode(lapic)) {
	case LAPIC_TIMER_DEADLINE:
		/* Delivers, or waits on: the guest's TSC may run slower. */
		if (!timer_masked(lapic))
			deadline_arm(lapic, true);
		return;
	case LAPIC_TIMER_ONESHOT:
		timer->running = false;
		break;
	default:
		break;
	}
	lapic_local_deliver(lapic, LAPIC_REG_LVTT);
	if (timer_mode(lapic) == LAPIC_TIMER_PERIODIC)
		timer_arm(lapic);
}

bool lapic_timer_pending(struct lapic *lapic)
{
	return READ_ONCE(lapic->timer.pending);
}

/**
 * lapic_timer_poll() - has the deadline come that the CPU looks after?
 * @lapic: vcpu->mutex held, outside of the guest
 */
void lapic_timer_poll(struct lapic *lapic)
{
	if (lapic->timer.in_cpu)
		deadline_arm(lapic, true);
}

/**
 * lapic_timer_to_host() - the guest is about to halt: the CPU looks after nothing then
 * @lapic: vcpu->mutex held
 */
void lapic_timer_to_host(struct lapic *lapic)
{
	if (lapic->timer.in_cpu)
		deadline_arm(lapic, false);
}

/* Stop the host's timer; what has expired until now is not lost, unless it was
 * masked.
 */
static void timer_settle(struct lapic *lapic)
{
	struct lapic_timer *timer = &lapic->timer;
	bool armed = timer_stop(lapic);

	if (timer->running && timer_mode(lapic) != LAPIC_TIMER_DEADLINE &&
	    timer->target <= (s64)ktime_get_ns()) {
		if (armed)
			WRITE_ONCE(timer->pending, 1);
		else if (!READ_ONCE(timer->pending) &&
			 timer_mode(lapic) == LAPIC_TIMER_ONESHOT)
			timer->running = false;
	}
	if (READ_ONCE(timer->pending)) {
		lapic_timer_inject(lapic);
		timer_stop(lapic);
	}
}

/** lapic_timer_init() - once, for a new APIC */
void lapic_timer_init(struct lapic *lapic)
{
	compat_hrtimer_setup(&lapic->timer.hrtimer, timer_expired,
			     CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	lapic->timer.divide = 2;
}

/** lapic_timer_reset() - stopped, nothing loaded; the registers' reset follows */
void lapic_timer_reset(struct lapic *lapic)
{
	timer_stop(lapic);
	WRITE_ONCE(lapic->timer.pending, 0);
	lapic->timer.running = false;
	lapic->timer.tsc_deadline = 0;
	lapic->timer.divide = 2;
}

/**
 * lapic_timer_update() - mask, guest TSC or CPU has changed
 * @lapic: vcpu->mutex held
 *
 * The timer is armed anew, on the CPU that this runs on.
 */
void lapic_timer_update(struct lapic *lapic)
{
	timer_settle(lapic);
	timer_arm(lapic);
}

/**
 * lapic_timer_write_lvtt() - the timer's LVT register
 * @lapic: vcpu->mutex held
 * @val: checked value
 *
 * Going to or from TSC-deadline mode disarms, as the SDM says.
 */
void lapic_timer_write_lvtt(struct lapic *lapic, u32 val)
{
	bool was_deadline;

	timer_settle(lapic);
	was_deadline = timer_mode(lapic) == LAPIC_TIMER_DEADLINE;
	lapic_reg_set(lapic, LAPIC_REG_LVTT, val);
	if (was_deadline != (timer_mode(lapic) == LAPIC_TIMER_DEADLINE)) {
		lapic_reg_set(lapic, LAPIC_REG_TMICT, 0);
		lapic->timer.running = false;
		lapic->timer.tsc_deadline = 0;
	}
	timer_arm(lapic);
}

/** lapic_timer_write_tmict() - the initial count: starts, or stops with 0 */
void lapic_timer_write_tmict(struct lapic *lapic, u32 count)
{
	struct lapic_timer *timer = &lapic->timer;

	if (timer_mode(lapic) == LAPIC_TIMER_DEADLINE)
		return;
	timer_settle(lapic);
	lapic_reg_set(lapic, LAPIC_REG_TMICT, count);
	if (count && timer_mode(lapic) == LAPIC_TIMER_PERIODIC &&
	    timer_initial_ns(lapic) < lapic_least_period())
		irq_host_short_period(lapic->vm, timer_initial_ns(lapic));
	timer->running = count;
	timer->target = ktime_get_ns() +
			(timer_mode(lapic) == LAPIC_TIMER_PERIODIC ?
			 timer_period(lapic) : timer_initial_ns(lapic));
	timer_arm(lapic);
}

static void timer_load_divide(struct lapic *lapic)
{
	u32 tdcr = lapic_reg(lapic, LAPIC_REG_TDCR);
	u32 shift = ((tdcr & 3) | (tdcr & 8) >> 1) + 1;

	lapic->timer.divide = 1 << (shift & 7);
}

/** lapic_timer_write_tdcr() - the divider: the present count goes on */
void lapic_timer_write_tdcr(struct lapic *lapic, u32 val)
{
	u32 count;

	timer_settle(lapic);
	count = lapic_timer_count(lapic);
	lapic_reg_set(lapic, LAPIC_REG_TDCR, val);
	timer_load_divide(lapic);
	lapic->timer.target = ktime_get_ns() +
			      (u64)count * lapic->timer.divide;
	timer_arm(lapic);
}

/**
 * lapic_timer_count() - the current count
 * @lapic: vcpu->mutex held
 */
u32 lapic_timer_count(struct lapic *lapic)
{
	struct lapic_timer *timer = &lapic->timer;
	s64 remaining;
	u64 rest;

	if (!timer->running || timer_mode(lapic) == LAPIC_TIMER_DEADLINE)
		return 0;
	remaining = timer->target - (s64)ktime_get_ns();
	if (remaining <= 0) {
		if (timer_mode(lapic) != LAPIC_TIMER_PERIODIC)
			return 0;
		div64_u64_rem(-remaining, timer_period(lapic), &rest);
		remaining = timer_period(lapic) - rest;
	}
	return min_t(u64, div_u64(remaining, timer->divide),
		     lapic_reg(lapic, LAPIC_REG_TMICT));
}

/**
 * lapic_timer_restore() - the registers were restored: go on from there
 * @lapic: vcpu->mutex held
 * @count: current count at the time of saving
 */
void lapic_timer_restore(struct lapic *lapic, u32 count)
{
	struct lapic_timer *timer = &lapic->timer;
	u32 initial = lapic_reg(lapic, LAPIC_REG_TMICT);

	timer_load_divide(lapic);
	if (timer_mode(lapic) == LAPIC_TIMER_DEADLINE)
		return;
	count = min(count, initial);
	if (!count && timer_mode(lapic) == LAPIC_TIMER_PERIODIC)
		count = initial;
	timer->running = count;
	timer->target = ktime_get_ns() + (u64)count * timer->divide;
	timer_arm(lapic);
}

u64 lapic_get_tsc_deadline(struct lapic *lapic)
{
	struct lapic_timer *timer = &lapic->timer;

	if (timer_mode(lapic) != LAPIC_TIMER_DEADLINE)
		return 0;
	/* Masked, it runs out without a sound. */
	if (timer->tsc_deadline && timer_masked(lapic) &&
	    !deadline_remaining(lapic))
		timer->tsc_deadline = 0;
	return timer->tsc_deadline;
}

/**
 * lapic_set_tsc_deadline() - IA32_TSC_DEADLINE was written
 * @lapic: vcpu->mutex held
 * @guest_tsc: when; 0 disarms; ignored in the other modes
 */
void lapic_set_tsc_deadline(struct lapic *lapic, u64 guest_tsc)
{
	struct lapic_timer *timer = &lapic->timer;

	if (timer_mode(lapic) != LAPIC_TIMER_DEADLINE)
		return;
	lapic_timer_inject(lapic);
	timer->tsc_deadline = guest_tsc;
	timer_arm(lapic);
	/* Armed anew is moved; an old expiry must not be left. */
	if (!timer->tsc_deadline || timer_masked(lapic))
		timer_stop(lapic);
}

/**
 * lapic_tsc_deadline_hot() - likewise, if it only starts the timer
 * @lapic: vcpu->mutex held
 * @guest_tsc: when
 *
 * Context: any.
 *
 * Return: false: nothing was done.
 */
bool lapic_tsc_deadline_hot(struct lapic *lapic, u64 guest_tsc)
{
	if (!guest_tsc || timer_masked(lapic) || lapic_timer_pending(lapic) ||
	    timer_mode(lapic) != LAPIC_TIMER_DEADLINE)
		return false;
	lapic_set_tsc_deadline(lapic, guest_tsc);
	return true;
}
