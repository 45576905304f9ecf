// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's time stamp counter: the host's, scaled where the VMM wants another rate
 * and the CPU can, plus an offset per vCPU. The offsets of a VM are equal unless a
 * guest or a VMM insists, or the rates differ, so that its counters are in step.
 */
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "x86.h"
#include "vendor_ops.h"
#include "../core/vm.h"

/* A rate this near to the host's counts as the host's, as in KVM. */
#define TSC_TOLERANCE_PPM	250

static bool param_scaling = true;
module_param_named(tsc_scaling, param_scaling, bool, 0444);
MODULE_PARM_DESC(tsc_scaling, "guests' TSC can have rates of their own, where the CPU can (default: 1)");

struct tsc_scaling tsc_scaling __ro_after_init;

/**
 * tsc_scaling_setup() - at load: this machine's CPUs scale guests' TSC
 * @bits: binary places of a ratio
 * @max: largest ratio
 */
void tsc_scaling_setup(u8 bits, u64 max)
{
	if (!param_scaling)
		return;
	tsc_scaling.bits = bits;
	tsc_scaling.max = max;
}

static u64 ratio_one(void)
{
	return 1ULL << tsc_scaling.bits;
}

static u64 tsc_scale(u64 cycles, u64 ratio)
{
	if (likely(ratio == ratio_one()))
		return cycles;
	return mul_u64_u64_shr(cycles, ratio, tsc_scaling.bits);
}

/* What makes the host's rate @khz; 0, the host's, becomes it. 0 or -EINVAL. */
static int tsc_ratio(u32 *khz, u64 *ratio)
{
	u32 tolerance = div_u64((u64)tsc_khz * TSC_TOLERANCE_PPM, 1000000);

	if (!*khz)
		*khz = tsc_khz;
	*ratio = ratio_one();
	if (*khz >= tsc_khz - tolerance && *khz <= tsc_khz + tolerance)
		return 0;
	if (!tsc_scaling.bits || *khz > INT_MAX ||
	    *khz / tsc_khz >= tsc_scaling.max >> tsc_scaling.bits)
		return -EINVAL;
	*ratio = mul_u64_u32_div(ratio_one(), *khz, tsc_khz);
	return *ratio ? 0 : -EINVAL;
}

/**
 * tsc_guest_khz() - the rate at which the guest's TSC really counts
 * @vcpu: vCPU, its mutex held
 */
u32 tsc_guest_khz(struct vcpu *vcpu)
{
	return vcpu->tsc_ratio == ratio_one() ? tsc_khz : vcpu->tsc_khz;
}

/* The kernel keeps time by the TSC: it has found it good. */
static bool tsc_keeps_time __ro_after_init;

/** tsc_setup() - at load: what the host thinks of its TSC */
void __init tsc_setup(void)
{
	struct system_time_snapshot snapshot;
	u64 before = rdtsc_ordered();

	ktime_get_snapshot(&snapshot);
	tsc_keeps_time = snapshot.cycles >= before &&
			 snapshot.cycles <= rdtsc_ordered();
}

/**
 * tsc_host_stable() - does the host's TSC count alike always and everywhere?
 *
 * If so, kvmclock is a function of the TSC alone.
 */
bool tsc_host_stable(void)
{
	return (tsc_keeps_time || boot_cpu_has(X86_FEATURE_CONSTANT_TSC) ||
		boot_cpu_has(X86_FEATURE_TSC_RELIABLE)) &&
	       !check_tsc_unstable();
}

/*
 * Cycles that the host's TSC went back by, in all its sleeps. Written by the one
 * CPU that is awake; vCPUs compare it when they are loaded.
 */
u64 tsc_lost;
static u64 tsc_at_suspend;

/** tsc_host_suspend() - the host goes to sleep */
void tsc_host_suspend(void)
{
	tsc_at_suspend = rdtsc();
}

/** tsc_host_resume() - and wakes: a TSC that began anew must not reach guests */
void tsc_host_resume(void)
{
	u64 now = rdtsc();

	if (now < tsc_at_suspend)
		WRITE_ONCE(tsc_lost, tsc_lost + tsc_at_suspend - now);
}

/**
 * tsc_vm_sync() - make up for what the host's TSC lost, in the VM's own time
 * @vm: tsc_lock held
 */
void tsc_vm_sync(struct vm *vm)
{
	u64 lost = READ_ONCE(tsc_lost) - vm->tsc_lost;

	lockdep_assert_held(&vm->tsc_lock);
	if (likely(!lost))
		return;
	vm->tsc_lost += lost;
	vm->tsc_last_host -= lost;
	pv_clock_rebase(vm);
}

/* With which a vCPU is on the VM's line: in step with all others of its rate. */
static u64 vm_offset(struct vm *vm, u64 ratio)
{
	lockdep_assert_held(&vm->tsc_lock);
	return vm->tsc_last_write - tsc_scale(vm->tsc_last_host, ratio);
}

/**
 * tsc_vcpu_catch_up() - the guest's TSC does not go back, whatever the host's did
 * @vcpu: just loaded, preemption off
 */
void tsc_vcpu_catch_up(struct vcpu *vcpu)
{
	u64 lost = READ_ONCE(tsc_lost) - vcpu->tsc_lost;
	u64 offset = vcpu->tsc_offset, now;

	vcpu->tsc_lost += lost;
	offset += tsc_scale(lost, vcpu->tsc_ratio);
	now = tsc_scale(rdtsc(), vcpu->tsc_ratio);
	if (check_tsc_unstable() && (s64)(now + offset - vcpu->tsc_left) < 0)
		offset = vcpu->tsc_left - now;
	if (offset != vcpu->tsc_offset) {
		WRITE_ONCE(vcpu->tsc_offset, offset);
		vendor_call(write_tsc)(vcpu);
		vcpu_request(vcpu, REQ_TIMER_REARM);
	}
	if (vcpu->pv_time_msr || hv_clock_used(vcpu->vm))
		vcpu_request(vcpu, REQ_CLOCK_UPDATE);
}

/**
 * tsc_vm_init() - a new VM's TSC starts at zero
 * @vm: nobody else has it yet
 */
void tsc_vm_init(struct vm *vm)
{
	u64 now = rdtsc();

	vm->tsc_khz = tsc_khz;
	vm->tsc_ratio = ratio_one();
	vm->tsc_lost = READ_ONCE(tsc_lost);
	vm->tsc_last_write = 0;
	vm->tsc_last_host = now;
}

/**
 * tsc_vcpu_init() - a new vCPU's TSC is in step with the VM's others
 * @vcpu: not loaded, vm->lock held; the vendor takes the offset from it at reset
 */
void tsc_vcpu_init(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned long flags;

	vcpu->tsc_khz = vm->tsc_khz;
	vcpu->tsc_ratio = vm->tsc_ratio;
	pv_clock_set_rate(vcpu);
	raw_spin_lock_irqsave(&vm->tsc_lock, flags);
	tsc_vm_sync(vm);
	vcpu->tsc_lost = vm->tsc_lost;
	vcpu->tsc_offset = vm_offset(vm, vcpu->tsc_ratio);
	raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	vcpu->tsc_left = tsc_guest(vcpu, rdtsc());
}

/**
 * tsc_guest() - what the guest's TSC reads
 * @vcpu: vCPU
 * @host_tsc: when the host's reads this
 */
u64 tsc_guest(struct vcpu *vcpu, u64 host_tsc)
{
	return tsc_scale(host_tsc, vcpu->tsc_ratio) + vcpu->tsc_offset;
}

/* The offset or the rate has changed. */
static void tsc_changed(struct vcpu *vcpu)
{
	vendor_call(write_tsc)(vcpu);
	vcpu->tsc_left = tsc_guest(vcpu, rdtsc());
	vcpu_request(vcpu, REQ_TIMER_REARM);
	/* Each vCPU's clock page tells whether all TSCs are in step. */
	vm_request_all(vcpu->vm, REQ_CLOCK_UPDATE);
}

/**
 * tsc_set_offset() - set guest TSC less host TSC, scaled
 * @vcpu: loaded vCPU, its mutex held
 * @offset: in cycles, modulo 2^64
 */
void tsc_set_offset(struct vcpu *vcpu, u64 offset)
{
	if (vcpu->tsc_offset == offset)
		return;
	WRITE_ONCE(vcpu->tsc_offset, offset);
	tsc_changed(vcpu);
}

/*
 * A VMM starts or restores its vCPUs by writing each one's TSC, one after the
 * other. Writes of what the TSC would read by now, give or take a second, and
 * of zero mean the same moment: the vCPUs stay in step.
 */
static u64 tsc_match(struct vcpu *vcpu, u64 guest_tsc, u64 now)
{
	u64 second = (u64)tsc_guest_khz(vcpu) * 1000;
	struct vm *vm = vcpu->vm;
	u64 expected;

	tsc_vm_sync(vm);
	expected = vm->tsc_last_write +
		   tsc_scale(now - vm->tsc_last_host, vcpu->tsc_ratio);
	if (guest_tsc && guest_tsc - expected + second > 2 * second) {
		vm->tsc_last_write = guest_tsc;
		vm->tsc_last_host = now;
	}
	return vm_offset(vm, vcpu->tsc_ratio);
}

/**
 * tsc_write() - IA32_TIME_STAMP_COUNTER is written
 * @vcpu: loaded vCPU, its mutex held
 * @guest_tsc: value
 * @host: by the VMM: kept in step with the other vCPUs where it can be meant
 *        so; a guest gets exactly what it wrote, and IA32_TSC_ADJUST follows
 */
void tsc_write(struct vcpu *vcpu, u64 guest_tsc, bool host)
{
	struct vm *vm = vcpu->vm;
	unsigned long flags;
	u64 offset;

	if (host) {
		raw_spin_lock_irqsave(&vm->tsc_lock, flags);
		offset = tsc_match(vcpu, guest_tsc, rdtsc());
		raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	} else {
		offset = guest_tsc - tsc_scale(rdtsc(), vcpu->tsc_ratio);
		vcpu->tsc_adjust += offset - vcpu->tsc_offset;
	}
	tsc_set_offset(vcpu, offset);
}

/**
 * tsc_set_khz() - KVM_SET_TSC_KHZ of a vCPU
 * @vcpu: loaded vCPU, its mutex held
 * @khz: wanted rate; 0: the host's
 *
 * One that was in step with the VM's others still is, once they have this rate too;
 * any other's TSC goes on from where it is.
 *
 * Return: 0; -EINVAL: a rate that cannot be had here.
 */
int tsc_set_khz(struct vcpu *vcpu, u32 khz)
{
	struct vm *vm = vcpu->vm;
	unsigned long flags;
	u64 ratio, offset, now;
	int err = tsc_ratio(&khz, &ratio);

	if (err)
		return err;
	vcpu->tsc_khz = khz;
	if (ratio == vcpu->tsc_ratio)
		return 0;
	raw_spin_lock_irqsave(&vm->tsc_lock, flags);
	tsc_vm_sync(vm);
	now = rdtsc();
	if (vcpu->tsc_offset == vm_offset(vm, vcpu->tsc_ratio))
		offset = vm_offset(vm, ratio);
	else
		offset = tsc_guest(vcpu, now) - tsc_scale(now, ratio);
	raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	WRITE_ONCE(vcpu->tsc_ratio, ratio);
	WRITE_ONCE(vcpu->tsc_offset, offset);
	pv_clock_set_rate(vcpu);
	tsc_changed(vcpu);
	return 0;
}

/** tsc_vm_set_khz() - KVM_SET_TSC_KHZ of a VM, likewise: what new vCPUs get */
int tsc_vm_set_khz(struct vm *vm, u32 khz)
{
	u64 ratio;
	int err;

	lockdep_assert_held(&vm->lock);
	err = tsc_ratio(&khz, &ratio);
	if (err)
		return err;
	vm->tsc_khz = khz;
	vm->tsc_ratio = ratio;
	return 0;
}
