// SPDX-License-Identifier: GPL-2.0-only
/*
 * The straight road of KVM_RUN: into the guest, and back to the VMM if that is what the
 * guest exits for, with interrupts off all the way. The thread cannot lose the CPU
 * meanwhile: neither the scheduler nor the owner of the FPU needs to hear of it.
 * Whatever is not so plain is the long road's: from the beginning, if the guest was not
 * entered, else from the exit on.
 */
#include <linux/sched.h>

#include "enter.h"
#include "io.h"
#include "regs.h"
#include "run.h"
#include "vm.h"
#include "../compat/compat.h"

/**
 * straight_possible() - is there nothing that only the long road sees to?
 * @vcpu: its guest has just exited to userspace by the hot road
 *
 * What is asked here is changed by the vCPU's other ioctls, which forbid the road, by
 * the long road, and by the guest in exits that are the long road's.
 */
bool straight_possible(const struct vcpu *vcpu)
{
	const struct pv_vcpu *pv = &vcpu->pv;

	return vcpu->fpu_quick && !vcpu->sigset_active && !vcpu->debug.control &&
	       !vcpu->enter_unsure && !vcpu->vapic.gpa && !pv->eoi_offered &&
	       !pv->apf_telling && !(pv->steal_msr & KVM_MSR_ENABLED);
}

/* Neither does the run page ask for anything. */
static bool plain_run(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	return !(READ_ONCE(run->kvm_valid_regs) | READ_ONCE(run->kvm_dirty_regs) |
		 READ_ONCE(run->request_interrupt_window)) &&
	       !compat_immediate_exit(run) &&
	       (vcpu->lapic || READ_ONCE(run->cr8) == vcpu->cr8) &&
	       vcpu->pid == task_pid(current);
}

/* Interrupts off. False: not here, not now; nothing has happened. */
static bool straight_enter(struct vcpu *vcpu, enum hot *hot)
{
	int cpu = smp_processor_id();

	/* On another CPU something of the vCPU's may still be to be fetched. */
	if (unlikely(vcpu->last_cpu != cpu))
		return false;
	vcpu_arrive(vcpu, cpu);
	vendor_call(prepare_guest)(vcpu);
	/* Before the requests are looked at: as in guest_enter(). */
	smp_store_mb(vcpu->mode, VCPU_IN_GUEST);
	if (unlikely(must_not_enter(vcpu))) {
		/* What was done as IN_GUEST comes before. */
		smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
		vcpu_depart(vcpu, false);
		return false;
	}
	fpu_quick_in(vcpu);
	*hot = guest_run(vcpu);
	fpu_quick_out(vcpu);
	return true;
}

/**
 * run_straight() - KVM_RUN, or its beginning
 * @vcpu: vcpu->mutex held, not loaded, vcpu->straight
 *
 * Return: HOT_AGAIN: nothing has happened. HOT_USERSPACE: KVM_RUN is over. Anything
 * else: the guest has exited, and the vCPU is loaded; guest_stay_ends() is due.
 */
enum hot run_straight(struct vcpu *vcpu)
{
	enum hot hot;

	if (!plain_run(vcpu) || (vcpu->io.complete && !io_answer_hot(vcpu)))
		return HOT_AGAIN;
	local_irq_disable();
	if (!straight_enter(vcpu, &hot)) {
		local_irq_enable();
		return HOT_AGAIN;
	}
	if (unlikely(hot != HOT_USERSPACE)) {
		preempt_disable();
		vcpu_follow(vcpu);
		return hot;
	}
	run_page_tell(vcpu);
	vcpu_depart(vcpu, false);
	/* Who sees OUTSIDE: the guest used stale translations before it. */
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
	/* No interrupt of the host's ended the guest's run: what is pending is not of
	 * the guest's time.
	 */
	vtime_account_guest_exit();
	local_irq_enable();
	return HOT_USERSPACE;
}
