// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's synthetic timers: four per virtual processor, on the reference time. One
 * that expires asks its vCPU to send the message, or the interrupt in direct mode.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <asm/hyperv-tlfs.h>

#include "../compat/hrtimer.h"
#include "features.h"
#include "msr.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

#define CONFIG_ENABLE		BIT_ULL(0)
#define CONFIG_PERIODIC		BIT_ULL(1)
#define CONFIG_AUTO_ENABLE	BIT_ULL(3)
#define CONFIG_DIRECT		BIT_ULL(12)
#define CONFIG_VECTOR(c)	((c) >> 4 & 0xff)
#define CONFIG_SINT(c)		((c) >> 16 & 0xf)
#define CONFIG_RESERVED							\
	(GENMASK_ULL(63, 20) | GENMASK_ULL(15, 13))

#define UNIT_NS			100
#define FIRST_VECTOR		16

/* What a guest finds in the slot. */
struct timer_payload {
	u32 index;
	u32 reserved;
	u64 expiration;
	u64 delivery;
};

static_assert(sizeof(struct timer_payload) == 24);

static void timer_ask(struct hv_timer *timer)
{
	struct hv_synic *synic = timer->vcpu->hv.synic;

	set_bit(timer->index, &synic->timers_due);
	vcpu_request(timer->vcpu, REQ_HV_TIMER);
}

static enum hrtimer_restart timer_expired(struct hrtimer *hrtimer)
{
	struct hv_timer *timer = container_of(hrtimer, struct hv_timer, hrtimer);

	timer_ask(timer);
	vcpu_kick(timer->vcpu);
	return HRTIMER_NORESTART;
}

/** hv_timers_init() - of a SynIC that nobody else has yet */
void hv_timers_init(struct vcpu *vcpu, struct hv_synic *synic)
{
	unsigned int i;

	for (i = 0; i < HV_TIMERS; i++) {
		struct hv_timer *timer = &synic->timers[i];

		timer->vcpu = vcpu;
		timer->index = i;
		compat_hrtimer_setup(&timer->hrtimer, timer_expired,
				     CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	}
}

/** hv_timers_destroy() - the vCPU goes away */
void hv_timers_destroy(struct hv_synic *synic)
{
	unsigned int i;

	for (i = 0; i < HV_TIMERS; i++)
		hrtimer_cancel(&synic->timers[i].hrtimer);
}

/* Starts anew, by what it is set to. */
static void timer_restart(struct hv_timer *timer)
{
	hrtimer_cancel(&timer->hrtimer);
	timer->expiry = 0;
	timer_ask(timer);
}

/**
 * hv_timers_rearm() - the reference time has jumped
 * @vcpu: owner thread
 */
void hv_timers_rearm(struct vcpu *vcpu)
{
	struct hv_synic *synic = vcpu->hv.synic;
	unsigned int i;

	for (i = 0; synic && i < HV_TIMERS; i++)
		if (synic->timers[i].config & CONFIG_ENABLE)
			timer_ask(&synic->timers[i]);
}

/**
 * hv_timers_slot_free() - EOM: what waits for a slot may find it free
 * @vcpu: owner thread, with a SynIC
 */
void hv_timers_slot_free(struct vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < HV_TIMERS; i++)
		if (vcpu->hv.synic->timers[i].config & CONFIG_ENABLE)
			timer_ask(&vcpu->hv.synic->timers[i]);
}

static struct hv_timer *timer_of(struct vcpu *vcpu, u32 index)
{
	struct hv_synic *synic = vcpu->hv.synic;

	return synic ? &synic->timers[(index - HV_X64_MSR_STIMER0_CONFIG) / 2] :
	       NULL;
}

static bool is_config(u32 index)
{
	return !((index - HV_X64_MSR_STIMER0_CONFIG) & 1);
}

/**
 * hv_timer_get() - read an MSR
 * @vcpu: vCPU, its mutex held
 * @msr: in: index, host; out: data
 *
 * Return: 0, or MSR_FAULT: the SynIC is not enabled, which only the guest minds.
 */
int hv_timer_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct hv_timer *timer = timer_of(vcpu, msr->index);

	msr->data = 0;
	if (!timer)
		return msr->host ? 0 : MSR_FAULT;
	msr->data = is_config(msr->index) ? timer->config : timer->count;
	return 0;
}

/* Messages of the source 0 do not exist: such a timer does not run. */
static bool has_target(u64 config)
{
	return config & CONFIG_DIRECT || CONFIG_SINT(config);
}

static int config_set(struct vcpu *vcpu, struct hv_timer *timer,
		      const struct msr_access *msr)
{
	u64 config = msr->data;

	if (config & CONFIG_RESERVED)
		return MSR_FAULT;
	if (config & CONFIG_DIRECT && !msr->host &&
	    !hv_has(vcpu, HV_FEAT_D, HV_STIMER_DIRECT_MODE_AVAILABLE))
		return MSR_FAULT;
	if (!has_target(config))
		config &= ~CONFIG_ENABLE;
	timer->config = config;
	timer_restart(timer);
	return 0;
}

/* A VMM restores what was, and starts nothing by it. */
static int count_set(struct hv_timer *timer, const struct msr_access *msr)
{
	timer->count = msr->data;
	if (!msr->host) {
		if (!timer->count)
			timer->config &= ~CONFIG_ENABLE;
		else if (timer->config & CONFIG_AUTO_ENABLE &&
			 has_target(timer->config))
			timer->config |= CONFIG_ENABLE;
	}
	timer_restart(timer);
	return 0;
}

/**
 * hv_timer_set() - write an MSR
 * @vcpu: loaded vCPU, its mutex held
 * @msr: index, data, host
 *
 * Return: 0 or MSR_FAULT.
 */
int hv_timer_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct hv_timer *timer = timer_of(vcpu, msr->index);

	if (!timer)
		return msr->host && !msr->data ? 0 : MSR_FAULT;
	if (is_config(msr->index))
		return config_set(vcpu, timer, msr);
	return count_set(timer, msr);
}

/* No longer than what can be added to any time, some thousands of years. */
static u64 timer_period(const struct hv_timer *timer)
{
	u64 least = div_u64(lapic_least_period(), UNIT_NS);

	return clamp_t(u64, timer->count, max(least, 1ULL), S64_MAX);
}

/* 0, or -EAGAIN: its slot is taken. */
static int timer_deliver(struct hv_timer *timer, u64 now)
{
	struct timer_payload payload = {
		.index = timer->index,
		.expiration = timer->expiry,
		.delivery = now,
	};
	struct vcpu *vcpu = timer->vcpu;
	struct lapic_msg msg = {
		.mode = LAPIC_DM_FIXED,
		.vector = CONFIG_VECTOR(timer->config),
		.dest = vcpu->id,
		.assert = true,
		.x2apic = true,
	};

	if (!(timer->config & CONFIG_DIRECT))
		return hv_synic_message(vcpu, CONFIG_SINT(timer->config),
					&payload, sizeof(payload),
					HVMSG_TIMER_EXPIRED);
	if (msg.vector >= FIRST_VECTOR)
		lapic_deliver(vcpu->vm, NULL, &msg);
	return 0;
}

/* Wake the vCPU when the time comes, or in some years and look again. */
static void timer_arm(struct hv_timer *timer, u64 now)
{
	u64 ns = min_t(u64, timer->expiry - now, KTIME_MAX / 4 / UNIT_NS) *
		 UNIT_NS;

	hrtimer_start(&timer->hrtimer, ktime_add_ns(ktime_get(), ns),
		      HRTIMER_MODE_ABS);
}

static void timer_run(struct hv_timer *timer)
{
	bool periodic = timer->config & CONFIG_PERIODIC;
	u64 now, period;

	if (!(timer->config & CONFIG_ENABLE) || !timer->count)
		return;
	now = hv_ref_time(timer->vcpu);
	period = timer_period(timer);
	if (!timer->expiry)
		timer->expiry = periodic ? now + period : timer->count;
	/* The time went back: no longer than a period. */
	if (periodic && timer->expiry > now + period)
		timer->expiry = now + period;
	if (timer->expiry > now) {
		timer_arm(timer, now);
		return;
	}
	if (timer_deliver(timer, now))
		return;		/* EOM asks again */
	if (!periodic) {
		timer->config &= ~CONFIG_ENABLE;
		timer->expiry = 0;
		return;
	}
	/* Those that it has missed are not made up for. */
	timer->expiry += (div64_u64(now - timer->expiry, period) + 1) * period;
	timer_arm(timer, now);
}

/**
 * hv_timers_run() - REQ_HV_TIMER
 * @vcpu: owner thread, in a read section of vm->srcu
 */
void hv_timers_run(struct vcpu *vcpu)
{
	struct hv_synic *synic = vcpu->hv.synic;
	unsigned int i;

	if (!synic)
		return;
	for (i = 0; i < HV_TIMERS; i++)
		if (test_and_clear_bit(i, &synic->timers_due))
			timer_run(&synic->timers[i]);
}
