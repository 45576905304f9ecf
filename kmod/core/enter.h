/* SPDX-License-Identifier: GPL-2.0-only */
/* Around an entry of the guest: what the roads of KVM_RUN have in common. */
#ifndef JOIST_CORE_ENTER_H
#define JOIST_CORE_ENTER_H

#include <linux/vtime.h>
#include <asm/processor-flags.h>

#include "hardware.h"
#include "regs.h"
#include "vm.h"
#include "../compat/guest_state.h"
#include "../x86/hot.h"
#include "../x86/x86.h"

DECLARE_PER_CPU(struct vcpu *, loaded_vcpu);	/* vcpu.c */

/**
 * vcpu_arrive() - the vCPU is on this CPU from now on
 * @vcpu: vcpu->mutex held, not loaded
 * @cpu: this one; preemption off
 *
 * For as long as the thread cannot lose the CPU: see vcpu_follow().
 */
static inline void vcpu_arrive(struct vcpu *vcpu, int cpu)
{
	WRITE_ONCE(vcpu->cpu, cpu);
	__this_cpu_write(loaded_vcpu, vcpu);
	vendor_call(vcpu_load)(vcpu, cpu);
	tsc_vcpu_load(vcpu);
	/* It is told before it is entered. */
	if (vcpu->pv.steal_msr & KVM_MSR_ENABLED)
		vcpu_request(vcpu, REQ_STEAL_UPDATE);
	if (unlikely(vcpu->last_cpu != cpu))
		vcpu_moved(vcpu, cpu);
}

/**
 * vcpu_depart() - undo vcpu_arrive()
 * @vcpu: on this CPU, interrupts off
 * @comes_back: its thread loses the CPU, no more
 */
static inline void vcpu_depart(struct vcpu *vcpu, bool comes_back)
{
	if (vcpu->pv.steal_running)
		pv_steal_preempted(vcpu);
	tsc_vcpu_put(vcpu);
	vendor_call(vcpu_put)(vcpu, comes_back);
	__this_cpu_write(loaded_vcpu, NULL);
	WRITE_ONCE(vcpu->cpu, -1);
}

/* Something has come in that must be looked at outside. Interrupts off. */
static inline bool must_not_enter(struct vcpu *vcpu)
{
	return hot_must_leave(vcpu) || unlikely(!this_cpu_read(hardware_on));
}

/**
 * fpu_enter() - the guest is about to run: XCR0, XSS and PKRU become its own
 * @vcpu: interrupts off, after fpu_load_guest() or fpu_quick_in()
 *
 * Without CR4.OSXSAVE the guest can neither see nor use the first two. The guest
 * owns neither bit of CR4 that is looked at, so the cached value is right.
 */
static inline void fpu_enter(struct vcpu *vcpu)
{
	u64 cr4 = vcpu->cr4;

	vcpu->fpu_switched = cr4 & (X86_CR4_OSXSAVE | X86_CR4_PKE) ?
			     fpu_exchange(vcpu, cr4) : 0;
}

/* Undo it: interrupts off. */
static inline void fpu_leave(struct vcpu *vcpu)
{
	u8 switched = vcpu->fpu_switched;

	if (switched)
		fpu_restore(vcpu, switched);
}

/* The guest runs here, its FPU state is in the CPU. Interrupts and preemption off. */
static inline enum hot guest_run(struct vcpu *vcpu)
{
	enum hot hot;

	fpu_enter(vcpu);
	vtime_account_guest_enter();
	hot = vendor_call(run)(vcpu);
	guest_state_distrust();
	fpu_leave(vcpu);
	return hot;
}

/* And does not any more: back among interruptible code. */
static inline void guest_stay_ends(struct vcpu *vcpu)
{
	/* Who sees OUTSIDE: the guest used stale translations before it. */
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);

	/* The host's interrupt that ended the guest's run is taken here, and
	 * its time is still the guest's.
	 */
	if (unlikely(vcpu->host_vector))
		vendor_call(handle_irq)(vcpu);
	local_irq_enable();
	asm volatile("nop");		/* STI holds interrupts back for one */
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
	preempt_enable();
}

/* A bus lock is told once, whichever exit tells it. */
static inline u16 run_flags(struct vcpu *vcpu)
{
	u16 flags = vcpu->smm ? KVM_RUN_X86_SMM : 0;

	if (unlikely(vcpu->bus_lock)) {
		vcpu->bus_lock = false;
		clear_bit(REQ_BUS_LOCK, &vcpu->requests);
		flags |= KVM_RUN_X86_BUS_LOCK;
	}
	return flags;
}

/**
 * run_page_tell() - what each KVM_RUN leaves in the run page
 * @vcpu: loaded, its mutex held
 */
static inline void run_page_tell(struct vcpu *vcpu)
{
	bool irqs_on = vcpu_rflags(vcpu) & X86_EFLAGS_IF;
	struct kvm_run *run = vcpu->run;

	run->if_flag = irqs_on;
	run->cr8 = cr8_read(vcpu);
	run->apic_base = vcpu->apic_base;
	run->flags = run_flags(vcpu);
	run->ready_for_interrupt_injection = vm_has_ioapic(vcpu->vm) ||
					     (irqs_on && irq_injectable(vcpu));
}

#endif
