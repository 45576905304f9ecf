// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest clock (kvmclock).
 *
 * With a stable host TSC the clock is linear in it from one base per VM, so all
 * vCPUs agree to the nanosecond. Without, each page is written from the host's
 * boot-time clock and good for its own vCPU only.
 */
#include <linux/kvm_para.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <asm/msr.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"

#define CLOCK_SET_FLAGS							\
	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

/* ns = (cycles << shift) * mul >> 32, with the most precise mul. */
static void clock_scale(u64 hz, u32 *mul, s8 *shift)
{
	u64 ns = NSEC_PER_SEC;
	int s = 0;

	/* ns / hz in [1/2, 1) makes mul use all its bits. */
	while (ns >= hz) {
		hz <<= 1;
		s++;
	}
	while (ns * 2 < hz) {
		ns <<= 1;
		s--;
	}
	*mul = div64_u64(ns << 32, hz);
	*shift = s;
}

static u64 clock_cycles_to_ns(const struct vm *vm, u64 cycles)
{
	if (vm->clock_shift < 0)
		cycles >>= -vm->clock_shift;
	else
		cycles <<= vm->clock_shift;
	return mul_u64_u32_shr(cycles, vm->clock_mul, 32);
}

/* kvmclock at host TSC @tsc, which is now. */
static u64 clock_at(struct vm *vm, u64 tsc)
{
	lockdep_assert_held(&vm->tsc_lock);
	if (tsc_host_stable())
		return vm->clock_ns + clock_cycles_to_ns(vm, tsc - vm->clock_tsc);
	return ktime_get_boottime_ns() + vm->clock_offset;
}

static void clock_set_base(struct vm *vm, u64 ns)
{
	vm->clock_tsc = rdtsc();
	vm->clock_ns = ns;
	vm->clock_offset = ns - ktime_get_boottime_ns();
}

/**
 * pv_clock_rebase() - go on from the boot-time clock, which counts sleep too
 * @vm: tsc_lock held
 */
void pv_clock_rebase(struct vm *vm)
{
	lockdep_assert_held(&vm->tsc_lock);
	clock_set_base(vm, ktime_get_boottime_ns() + vm->clock_offset);
}

/**
 * pv_clock_vm_init() - a new VM's clock starts at zero
 * @vm: nobody else has it yet
 */
void pv_clock_vm_init(struct vm *vm)
{
	/* Its base is a time of the host's TSC. */
	clock_scale((u64)tsc_khz * 1000, &vm->clock_mul, &vm->clock_shift);
	clock_set_base(vm, 0);
}

/**
 * pv_clock_set_rate() - the guest's TSC counts at another rate
 * @vcpu: new, or its mutex held; its clock page is rewritten by who calls
 */
void pv_clock_set_rate(struct vcpu *vcpu)
{
	clock_scale(tsc_guest_khz(vcpu) * 1000ULL, &vcpu->clock_mul,
		    &vcpu->clock_shift);
}

/**
 * pv_clock_now() - read the VM's clock
 * @vm: whose
 * @tsc: out: the host's TSC at that moment
 *
 * Return: ns.
 */
u64 pv_clock_now(struct vm *vm, u64 *tsc)
{
	unsigned long flags;
	u64 ns;

	raw_spin_lock_irqsave(&vm->tsc_lock, flags);
	tsc_vm_sync(vm);
	*tsc = rdtsc();
	ns = clock_at(vm, *tsc);
	raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	return ns;
}

/**
 * pv_clock_get() - KVM_GET_CLOCK
 * @vm: whose clock
 * @data: out
 */
void pv_clock_get(struct vm *vm, struct kvm_clock_data *data)
{
	u64 tsc;

	memset(data, 0, sizeof(*data));
	data->clock = pv_clock_now(vm, &tsc);
	data->realtime = ktime_get_real_ns();
	data->flags = KVM_CLOCK_REALTIME;
	if (tsc_host_stable()) {
		data->host_tsc = tsc;
		data->flags |= KVM_CLOCK_TSC_STABLE | KVM_CLOCK_HOST_TSC;
	}
}

/**
 * pv_clock_set() - KVM_SET_CLOCK
 * @vm: whose clock
 * @data: new value; with KVM_CLOCK_REALTIME, the time that has passed since
 *        it was taken is added
 *
 * Return: 0, or -EINVAL: unknown flags.
 */
int pv_clock_set(struct vm *vm, const struct kvm_clock_data *data)
{
	u64 ns = data->clock, real;
	unsigned long flags;

	if (data->flags & ~CLOCK_SET_FLAGS)
		return -EINVAL;
	if (data->flags & KVM_CLOCK_REALTIME) {
		real = ktime_get_real_ns();
		if (real > data->realtime)
			ns += real - data->realtime;
	}
	raw_spin_lock_irqsave(&vm->tsc_lock, flags);
	clock_set_base(vm, ns);
	raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	vm_request_all(vm, REQ_CLOCK_UPDATE);
	return 0;
}

/**
 * pv_clock_paused() - KVM_KVMCLOCK_CTRL: tell the guest that it was stopped
 * @vcpu: vCPU, its mutex held
 *
 * Return: 0, or -EINVAL: it has no clock page.
 */
int pv_clock_paused(struct vcpu *vcpu)
{
	if (!(vcpu->pv_time_msr & KVM_MSR_ENABLED))
		return -EINVAL;
	vcpu->pv_time.flags |= PVCLOCK_GUEST_STOPPED;
	vcpu_request(vcpu, REQ_CLOCK_UPDATE);
	return 0;
}

/**
 * pv_tsc_in_step() - does every vCPU's TSC read the same? One page serves them all.
 * @vcpu: one of them, its mutex held
 */
bool pv_tsc_in_step(struct vcpu *vcpu)
{
	struct vcpu *other;
	u32 i;

	vm_for_each_vcpu(vcpu->vm, other, i)
		if (READ_ONCE(other->tsc_offset) != vcpu->tsc_offset ||
		    READ_ONCE(other->tsc_ratio) != vcpu->tsc_ratio)
			return false;
	return true;
}

/* The page's version is odd while it is being written. */
static void pv_clock_publish(struct vcpu *vcpu, gpa_t gpa)
{
	struct pvclock_vcpu_time_info *pv = &vcpu->pv_time;
	struct vm *vm = vcpu->vm;

	pv->version = (pv->version & ~1U) + 1;
	if (guest_write(vm, gpa, &pv->version, sizeof(pv->version)))
		return;
	smp_wmb();	/* odd version before the contents */
	guest_write(vm, gpa + sizeof(pv->version), &pv->version + 1,
		    sizeof(*pv) - sizeof(pv->version));
	smp_wmb();	/* contents before the even version */
	pv->version++;
	guest_write(vm, gpa, &pv->version, sizeof(pv->version));
}

/**
 * pv_clock_update() - rewrite the vCPU's clock page (REQ_CLOCK_UPDATE)
 * @vcpu: owner thread, in a read section of vm->srcu
 */
void pv_clock_update(struct vcpu *vcpu)
{
	struct pvclock_vcpu_time_info *pv = &vcpu->pv_time;
	u8 stopped = pv->flags & PVCLOCK_GUEST_STOPPED;
	struct vm *vm = vcpu->vm;
	unsigned long flags;
	u64 tsc;

	if (!(vcpu->pv_time_msr & KVM_MSR_ENABLED))
		return;
	raw_spin_lock_irqsave(&vm->tsc_lock, flags);
	tsc_vm_sync(vm);
	tsc = tsc_host_stable() ? vm->clock_tsc : rdtsc();
	pv->system_time = clock_at(vm, tsc);
	raw_spin_unlock_irqrestore(&vm->tsc_lock, flags);
	pv->tsc_timestamp = tsc_guest(vcpu, tsc);
	pv->tsc_to_system_mul = vcpu->clock_mul;
	pv->tsc_shift = vcpu->clock_shift;
	pv->flags = stopped;
	if (tsc_host_stable() && pv_tsc_in_step(vcpu))
		pv->flags |= PVCLOCK_TSC_STABLE_BIT;
	pv_clock_publish(vcpu, vcpu->pv_time_msr & ~(u64)KVM_MSR_ENABLED);
	pv->flags &= ~PVCLOCK_GUEST_STOPPED;
}

/* The wall clock at which the VM's clock was zero, once, at @gpa. */
static void pv_wall_clock_write(struct vcpu *vcpu, gpa_t gpa)
{
	struct pvclock_wall_clock wc = { };
	struct vm *vm = vcpu->vm;
	u64 tsc, ns;
	u32 nsec;
	int idx;

	if (!gpa)
		return;
	ns = ktime_get_real_ns() - pv_clock_now(vm, &tsc);
	idx = srcu_read_lock(&vm->srcu);
	if (guest_read(vm, gpa, &wc.version, sizeof(wc.version)))
		goto out;
	wc.version = (wc.version & ~1U) + 1;
	if (guest_write(vm, gpa, &wc.version, sizeof(wc.version)))
		goto out;
	smp_wmb();	/* odd version before the contents */
	wc.sec = div_u64_rem(ns, NSEC_PER_SEC, &nsec);
	wc.nsec = nsec;
	if (guest_write(vm, gpa, &wc, sizeof(wc)))
		goto out;
	smp_wmb();	/* contents before the even version */
	wc.version++;
	guest_write(vm, gpa, &wc.version, sizeof(wc.version));
out:
	srcu_read_unlock(&vm->srcu, idx);
}

/**
 * pv_clock_msr_set() - one of the clock's MSRs is written
 * @vcpu: loaded vCPU, its mutex held
 * @msr: index and data; allowed
 */
void pv_clock_msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		WRITE_ONCE(vcpu->vm->wall_clock_msr, msr->data);
		pv_wall_clock_write(vcpu, msr->data);
		break;
	default:
		vcpu->pv_time_msr = msr->data;
		if (msr->data & KVM_MSR_ENABLED)
			vcpu_request(vcpu, REQ_CLOCK_UPDATE);
	}
}
