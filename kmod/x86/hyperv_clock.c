// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's reference time: 100 ns units of the VM's clock. While the reference
 * TSC page is valid the counter follows the page, so that both agree always; a
 * guest that is told of migrations keeps the page it has through a KVM_SET_CLOCK.
 */
#include <linux/math64.h>
#include <asm/msr.h>

#include "x86.h"
#include "../core/vm.h"

#define UNIT_NS			100
#define TSC_EMULATION_ON	BIT_ULL(0)
#define REENLIGHTENMENT_ON	BIT_ULL(16)

/* Slower, and the scale does not fit its 64 bits. */
#define TSC_LEAST_KHZ		20000

/* By the specification; the last word of the page's first line is not used. */
struct tsc_page {
	u32 sequence;
	u32 reserved;
	u64 scale;
	u64 offset;
};

static_assert(sizeof(struct tsc_page) == 24);

static u64 page_time(const struct hv_tsc *tsc, u64 guest_tsc)
{
	return mul_u64_u64_shr(guest_tsc, tsc->scale, 64) + tsc->offset;
}

/* Units at a moment, by the VM's clock; and the guest's TSC then. */
static u64 clock_time(struct vcpu *vcpu, u64 *guest_tsc)
{
	u64 tsc, ns = pv_clock_now(vcpu->vm, &tsc);

	*guest_tsc = tsc_guest(vcpu, tsc);
	return div_u64(ns, UNIT_NS);
}

/**
 * hv_ref_time() - the partition's reference time now
 * @vcpu: vCPU, its mutex held
 */
u64 hv_ref_time(struct vcpu *vcpu)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	u64 now, tsc;

	mutex_lock(&hv->lock);
	if (hv->tsc.valid)
		now = page_time(&hv->tsc, tsc_guest(vcpu, rdtsc()));
	else
		now = clock_time(vcpu, &tsc);
	mutex_unlock(&hv->lock);
	return now;
}

/** hv_clock_used() - would hv_clock_update() have anything to do? */
bool hv_clock_used(struct vm *vm)
{
	return READ_ONCE(vm->hv.tsc_page) & HV_PAGE_ENABLE;
}

/* The TSC of this vCPU and all others gives the VM's clock: how. */
static bool tsc_measure(struct vcpu *vcpu, struct hv_tsc *tsc)
{
	u64 now, guest_tsc;

	if (!tsc_host_stable() || tsc_guest_khz(vcpu) < TSC_LEAST_KHZ ||
	    !pv_tsc_in_step(vcpu))
		return false;
	/* ns = cycles * mul * 2^(shift - 32): as precise as the VM's clock. */
	tsc->scale = mul_u64_u64_div_u64(vcpu->clock_mul,
					 1ULL << (32 + vcpu->clock_shift),
					 UNIT_NS);
	now = clock_time(vcpu, &guest_tsc);
	tsc->offset = now - mul_u64_u64_shr(guest_tsc, tsc->scale, 64);
	return true;
}

/* The guest is told of changes of the TSC and has not yet agreed to this one. */
static bool page_frozen(const struct hv_vm *hv)
{
	return hv->tsc.valid && hv->reenlightenment & REENLIGHTENMENT_ON &&
	       hv->tsc_emulation & TSC_EMULATION_ON;
}

/* But for rounding. */
static bool tsc_same(const struct hv_tsc *a, const struct hv_tsc *b)
{
	if (!a->valid || !b->valid)
		return a->valid == b->valid;
	return a->scale == b->scale && b->offset - a->offset + 2 <= 4;
}

/* Sequence zero says: not this page, the MSR. 0 or -EFAULT. */
static int page_publish(struct vm *vm, gpa_t gpa, const struct hv_tsc *tsc)
{
	struct tsc_page page = {
		.scale = tsc->scale,
		.offset = tsc->offset,
	};

	if (guest_write(vm, gpa, &page.sequence, sizeof(page.sequence)))
		return -EFAULT;
	if (!tsc->valid)
		return 0;
	smp_wmb();	/* it is void before it changes */
	if (guest_write(vm, gpa, &page, sizeof(page)))
		return -EFAULT;
	smp_wmb();	/* and has changed before it is valid */
	return guest_write(vm, gpa, &tsc->sequence, sizeof(tsc->sequence));
}

/* What the page is to say now, and where it is. False: what it says already. */
static bool page_next(struct vcpu *vcpu, struct hv_tsc *new, u64 *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	bool differs = false;

	mutex_lock(&hv->lock);
	*msr = hv->tsc_page;
	if (!(*msr & HV_PAGE_ENABLE) || page_frozen(hv))
		goto out;
	new->valid = tsc_measure(vcpu, new);
	differs = !hv->tsc.shown || !tsc_same(&hv->tsc, new);
	if (!differs)
		goto out;
	/* Neither of the two values that mean something else. */
	new->sequence = hv->tsc.sequence + 1;
	if (!new->sequence || new->sequence == U32_MAX)
		new->sequence = 1;
	/* Void until it is written. */
	hv->tsc.sequence = new->sequence;
	hv->tsc.valid = false;
	hv->tsc.shown = false;
out:
	mutex_unlock(&hv->lock);
	return differs;
}

static void page_update(struct vcpu *vcpu)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	struct hv_tsc new = { };
	u64 msr;

	lockdep_assert_held(&hv->page_lock);
	if (!page_next(vcpu, &new, &msr))
		return;
	new.shown = !page_publish(vcpu->vm, msr & HV_PAGE_ADDR, &new);
	new.valid &= new.shown;
	mutex_lock(&hv->lock);
	/* Who has moved it meanwhile has asked for another update. */
	if (hv->tsc_page == msr)
		hv->tsc = new;
	mutex_unlock(&hv->lock);
}

/**
 * hv_clock_update() - the VM's clock or a TSC has jumped (REQ_CLOCK_UPDATE)
 * @vcpu: owner thread, in a read section of vm->srcu
 *
 * Where a signal ends the wait for another vCPU, which is at the page, it is asked
 * for again: the guest is not entered before.
 */
void hv_clock_update(struct vcpu *vcpu)
{
	struct hv_vm *hv = &vcpu->vm->hv;

	if (hv_clock_used(vcpu->vm)) {
		if (mutex_lock_interruptible(&hv->page_lock)) {
			vcpu_request(vcpu, REQ_CLOCK_UPDATE);
			return;
		}
		page_update(vcpu);
		mutex_unlock(&hv->page_lock);
	}
	hv_timers_rearm(vcpu);
}
