// SPDX-License-Identifier: GPL-2.0-only
/* The life of a vCPU: made, moved between CPUs, woken, reset. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>
#include <asm/apicdef.h>
#include <asm/debugreg.h>
#include <asm/fpu/types.h>

#include "enter.h"
#include "regs.h"
#include "run.h"
#include "vcpu.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../passthrough/affinity.h"
#include "../x86/cpuid.h"
#include "../x86/mce.h"
#include "../x86/msr.h"
#include "../x86/x86.h"

/* vCPUs without a CPU that are offered one before anyone is. */
#define YIELD_TRIES	3

/* The vCPU that is loaded on each CPU; preemption off to write. */
DEFINE_PER_CPU(struct vcpu *, loaded_vcpu);

/**
 * vcpu_moved() - the vCPU has come to a CPU that it was not on before
 * @vcpu: loaded
 * @cpu: this one; preemption off
 */
void vcpu_moved(struct vcpu *vcpu, int cpu)
{
	WRITE_ONCE(vcpu->last_cpu, cpu);
	WRITE_ONCE(vcpu->moved, jiffies);
	__cpumask_set_cpu(cpu, vcpu->ran_on);
	vcpu_request(vcpu, REQ_TIMER_REARM);
	affinity_vcpu_moved(vcpu);
}

static void notifier_sched_in(struct preempt_notifier *pn, int cpu)
{
	vcpu_arrive(container_of(pn, struct vcpu, preempt_notifier), cpu);
}

static void notifier_sched_out(struct preempt_notifier *pn,
			       struct task_struct *next)
{
	vcpu_depart(container_of(pn, struct vcpu, preempt_notifier), true);
}

static struct preempt_ops vcpu_preempt_ops = {
	.sched_in = notifier_sched_in,
	.sched_out = notifier_sched_out,
};

/**
 * vcpu_follow() - from now on the state follows the thread, until vcpu_put()
 * @vcpu: vcpu_arrive() was called, preemption is off since
 */
void vcpu_follow(struct vcpu *vcpu)
{
	preempt_notifier_register(&vcpu->preempt_notifier);
}

/**
 * vcpu_load() - bring the vCPU's hardware state to this CPU
 * @vcpu: vcpu->mutex held
 *
 * From here to vcpu_put() the state follows the thread when it is preempted
 * or moved.
 */
void vcpu_load(struct vcpu *vcpu)
{
	int cpu = get_cpu();

	vcpu_arrive(vcpu, cpu);
	vcpu_follow(vcpu);
	put_cpu();
}

/** vcpu_put() - undo vcpu_load() */
void vcpu_put(struct vcpu *vcpu)
{
	preempt_disable();
	local_irq_disable();
	vcpu_depart(vcpu, false);
	local_irq_enable();
	preempt_notifier_unregister(&vcpu->preempt_notifier);
	preempt_enable();
}

/**
 * vcpu_running() - the vCPU that this thread has loaded
 *
 * Return: it, or NULL. It follows the thread when that is preempted or moved.
 */
struct vcpu *vcpu_running(void)
{
	return this_cpu_read(loaded_vcpu);
}

/**
 * vcpu_create() - make a vCPU, reset and not yet visible to others
 * @vm: vm->lock held
 * @id: APIC id at reset, checked by the caller
 * @idx: place in vm->vcpus, reserved by the caller
 *
 * Return: the vCPU or ERR_PTR().
 */
struct vcpu *vcpu_create(struct vm *vm, u32 id, u32 idx)
{
	struct vcpu *vcpu = kzalloc(vendor->vcpu_size, GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->idx = idx;
	vcpu->cpu = -1;
	vcpu->last_cpu = -1;
	vcpu->srcu_idx = -1;
	vcpu->regs_avail = ~0;
	mutex_init(&vcpu->mutex);
	spin_lock_init(&vcpu->pid_lock);
	rcuwait_init(&vcpu->wait);
	preempt_notifier_init(&vcpu->preempt_notifier, &vcpu_preempt_ops);

	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->pio_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run || !vcpu->pio_data ||
	    !zalloc_cpumask_var(&vcpu->ran_on, GFP_KERNEL_ACCOUNT))
		goto out_run;
	err = dirty_ring_create(&vcpu->dirty_ring,
				READ_ONCE(vm->dirty_ring_nr));
	if (err)
		goto out_run;
	err = fpu_create(vcpu);
	if (err)
		goto out_ring;
	err = emulate_create(vcpu);
	if (err)
		goto out_fpu;
	err = mce_create(vcpu);
	if (err)
		goto out_emu;
	cpuid_init(vcpu);
	if (vm_has_lapic(vm)) {
		vcpu->lapic = lapic_create(vcpu, id);
		if (IS_ERR(vcpu->lapic)) {
			err = PTR_ERR(vcpu->lapic);
			goto out_mce;
		}
	}
	err = vendor_call(vcpu_init)(vcpu);
	if (err)
		goto out_lapic;

	tsc_vcpu_init(vcpu);
	hv_vcpu_init(vcpu);
	pv_create(vcpu);
	vcpu->mp_state = !vcpu->lapic || id == vm->bsp_id ?
			 KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED;
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	vcpu_reset(vcpu, false);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	return vcpu;

out_lapic:
	if (vcpu->lapic)
		lapic_destroy(vcpu->lapic);
out_mce:
	kfree(vcpu->mce);
out_emu:
	emulate_destroy(vcpu);
out_fpu:
	fpu_destroy(vcpu);
out_ring:
	dirty_ring_destroy(&vcpu->dirty_ring);
out_run:
	free_cpumask_var(vcpu->ran_on);
	free_page((unsigned long)vcpu->pio_data);
	free_page((unsigned long)vcpu->run);
	kfree(vcpu);
	return ERR_PTR(err);
}

/** vcpu_destroy() - nobody has a file of it, no thread is in it */
void vcpu_destroy(struct vcpu *vcpu)
{
	hv_vcpu_destroy(vcpu);
	pv_apf_destroy(vcpu);
	if (vcpu->lapic)
		lapic_destroy(vcpu->lapic);
	vendor_call(vcpu_free)(vcpu);
	kfree(vcpu->mce);
	emulate_destroy(vcpu);
	fpu_destroy(vcpu);
	cpuid_free(vcpu);
	put_pid(vcpu->pid);
	dirty_ring_destroy(&vcpu->dirty_ring);
	free_cpumask_var(vcpu->ran_on);
	free_page((unsigned long)vcpu->pio_data);
	free_page((unsigned long)vcpu->run);
	kfree(vcpu);
}

/**
 * vcpu_wake() - a halted vCPU looks for work again
 * @vcpu: any vCPU of a live VM
 *
 * Context: any, hard interrupts included.
 */
void vcpu_wake(struct vcpu *vcpu)
{
	rcuwait_wake_up(&vcpu->wait);
}

/**
 * vcpu_kick() - make a vCPU see its requests: wake it, or out of the guest
 * @vcpu: any vCPU of a live VM
 *
 * Context: any, hard interrupts included.
 */
void vcpu_kick(struct vcpu *vcpu)
{
	int cpu;

	vcpu_wake(vcpu);
	cpu = get_cpu();
	if (cmpxchg(&vcpu->mode, VCPU_IN_GUEST, VCPU_EXITING) == VCPU_IN_GUEST) {
		int target = READ_ONCE(vcpu->cpu);

		if (target >= 0 && target != cpu && cpu_online(target))
			smp_send_reschedule(target);
	}
	put_cpu();
}

/**
 * vcpu_yield_to() - let another vCPU's thread have this CPU, if it wants one
 * @vcpu: owner thread, in the read section of vm->srcu, which it leaves meanwhile
 * @target: another of the VM
 *
 * Return: the other has it, or had it.
 */
bool vcpu_yield_to(struct vcpu *vcpu, struct vcpu *target)
{
	struct task_struct *task;
	int ret;

	spin_lock(&target->pid_lock);
	task = get_pid_task(target->pid, PIDTYPE_PID);
	spin_unlock(&target->pid_lock);
	if (!task)
		return false;
	vcpu_srcu_drop(vcpu);
	ret = yield_to(task, true);
	vcpu_srcu_hold(vcpu);
	put_task_struct(task);
	return ret > 0;
}

/**
 * vcpu_yield() - the guest spins for what another vCPU has, that is without a CPU
 * @vcpu: owner thread, in the read section of vm->srcu, which it leaves meanwhile
 */
void vcpu_yield(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 n = atomic_read(&vm->online_vcpus);
	u32 at = READ_ONCE(vm->last_yield), i;
	int tries = YIELD_TRIES;

	for (i = 1; i <= n && tries; i++) {
		u32 idx = (at + i) % n;
		struct vcpu *other = vm_vcpu(vm, idx);

		/* Halted ones wait for something else. */
		if (!other || other == vcpu || READ_ONCE(other->cpu) >= 0 ||
		    READ_ONCE(other->mp_state) != KVM_MP_STATE_RUNNABLE)
			continue;
		if (vcpu_yield_to(vcpu, other)) {
			WRITE_ONCE(vm->last_yield, idx);
			return;
		}
		tries--;
	}
	vcpu_srcu_drop(vcpu);
	yield();
	vcpu_srcu_hold(vcpu);
}

static void reset_segments(struct vcpu *vcpu)
{
	static const struct kvm_segment data = {
		.limit = 0xffff, .type = 3, .present = 1, .s = 1,
	};
	static const struct kvm_segment code = {
		.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
		.type = 11, .present = 1, .s = 1,
	};
	static const struct kvm_segment tr = {
		.limit = 0xffff, .type = 11, .present = 1,
	};
	static const struct kvm_segment ldtr = {
		.limit = 0xffff, .type = 2, .present = 1,
	};
	static const struct kvm_dtable dt = { .limit = 0xffff };
	enum vcpu_sreg sreg;

	for (sreg = VCPU_SREG_ES; sreg <= VCPU_SREG_GS; sreg++)
		vendor_call(set_segment)(vcpu, sreg == VCPU_SREG_CS ? &code :
					 &data, sreg);
	vendor_call(set_segment)(vcpu, &tr, VCPU_SREG_TR);
	vendor_call(set_segment)(vcpu, &ldtr, VCPU_SREG_LDTR);
	vendor_call(set_dt)(vcpu, &dt, VCPU_GDT);
	vendor_call(set_dt)(vcpu, &dt, VCPU_IDT);
}

/* Signature of family, model and stepping that reset leaves in EDX. */
static u32 reset_edx(struct vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(vcpu, 1, 0);

	return e ? e->eax : 0x600;
}

/**
 * vcpu_reset() - power-up or INIT, by the rules of the Intel SDM and AMD APM
 * tables of register state after them
 * @vcpu: vcpu->mutex held, loaded
 * @init: INIT: caches, FPU state, most MSRs and the APIC base survive
 */
void vcpu_reset(struct vcpu *vcpu, bool init)
{
	u64 old_cr0 = vcpu->cr0;

	lockdep_assert_held(&vcpu->mutex);
	vendor_call(vcpu_reset)(vcpu, init);
	smm_reset(vcpu);
	events_reset(vcpu);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = DR6_RESERVED;
	vcpu->dr7 = DR7_RESET;
	guest_debug_update_dr7(vcpu);
	vcpu->cr2 = 0;
	vcpu->cr8 = 0;
	pv_reset(vcpu);

	if (!init) {
		msr_reset(vcpu);
		vcpu->xcr0 = XFEATURE_MASK_FP;
		vcpu->xss = 0;
		vcpu->apic_base = APIC_DEFAULT_PHYS_BASE |
				  MSR_IA32_APICBASE_ENABLE |
				  (vcpu->id == vcpu->vm->bsp_id ?
				   MSR_IA32_APICBASE_BSP : 0);
	}
	if (vcpu->lapic) {
		if (!init)
			lapic_set_base(vcpu->lapic, vcpu->apic_base);
		lapic_reset(vcpu->lapic, init);
	}

	memset(vcpu->regs, 0, sizeof(vcpu->regs));
	reg_write(vcpu, REG_RDX, reset_edx(vcpu));
	reg_write(vcpu, REG_RSP, 0);
	reg_write(vcpu, REG_RFLAGS, X86_EFLAGS_FIXED);
	reg_write(vcpu, REG_RIP, 0xfff0);
	reset_segments(vcpu);

	/* Paging goes before long mode does; CD and NW survive INIT. */
	vendor_call(set_cr0)(vcpu, X86_CR0_ET |
			     (init ? old_cr0 & (X86_CR0_NW | X86_CR0_CD) :
			      X86_CR0_NW | X86_CR0_CD));
	vendor_call(set_cr4)(vcpu, 0);
	vendor_call(set_efer)(vcpu, 0);
	vendor_call(set_cr3)(vcpu, 0);
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	vcpu_request(vcpu, REQ_LOAD_ROOT);
	vcpu_request(vcpu, REQ_EVENT);
}
