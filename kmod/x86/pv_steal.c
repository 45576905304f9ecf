// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steal time: how long the vCPU's thread waited for a CPU, and whether it has
 * one. A vCPU that has none is not interrupted to flush its TLB: the byte that
 * says so takes the wish, and it flushes before it runs again.
 */
#include <linux/kvm_para.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "msr.h"
#include "x86.h"
#include "../core/vm.h"

/* Of the page that the guest may write while this looks at it. */
#define TAKE_TRIES	8

static_assert(sizeof(struct kvm_steal_time) == 64);
static_assert(offsetof(struct kvm_steal_time, version) == 8);
static_assert(offsetof(struct kvm_steal_time, preempted) == 16);

/** pv_steal_supported() - does the host's scheduler count? */
bool pv_steal_supported(void)
{
	return IS_ENABLED(CONFIG_SCHED_INFO);
}

/* How long this thread has been ready to run without a CPU, ns. */
static u64 run_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

static gpa_t steal_gpa(struct vcpu *vcpu)
{
	return vcpu->pv.steal_msr & KVM_STEAL_VALID_BITS;
}

/* Time stolen since last asked. Another thread's past is not this vCPU's. */
static u64 steal_take(struct vcpu *vcpu)
{
	struct pv_vcpu *pv = &vcpu->pv;
	u64 now = run_delay(), stolen = 0;

	if (pv->steal_task == current->pid && now > pv->steal_delay)
		stolen = now - pv->steal_delay;
	pv->steal_task = current->pid;
	pv->steal_delay = now;
	return stolen;
}

/**
 * pv_steal_msr_set() - MSR_KVM_STEAL_TIME is written
 * @vcpu: loaded vCPU
 * @data: address and KVM_MSR_ENABLED
 *
 * Return: 0; MSR_FAULT: reserved bits, or the host does not count.
 */
int pv_steal_msr_set(struct vcpu *vcpu, u64 data)
{
	struct pv_vcpu *pv = &vcpu->pv;

	if (data & KVM_STEAL_RESERVED_MASK || !pv_steal_supported())
		return MSR_FAULT;
	preempt_disable();
	pv->steal_running = false;
	pv->steal_msr = data;
	preempt_enable();
	if (!(data & KVM_MSR_ENABLED))
		return 0;
	steal_take(vcpu);
	vcpu_request(vcpu, REQ_STEAL_UPDATE);
	return 0;
}

/**
 * pv_steal_preempted() - the vCPU loses its CPU, which its guest thinks it has
 * @vcpu: was loaded; this thread is in the VMM's mm
 *
 * If the guest's page is not there right now, it just goes on to believe that
 * the vCPU runs. Context: preemption off, maybe in the scheduler.
 */
void pv_steal_preempted(struct vcpu *vcpu)
{
	static const u8 preempted = KVM_VCPU_PREEMPTED;
	int idx;

	vcpu->pv.steal_running = false;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	guest_write_atomic(vcpu->vm, steal_gpa(vcpu) +
			   offsetof(struct kvm_steal_time, preempted),
			   &preempted, sizeof(preempted));
	srcu_read_unlock(&vcpu->vm->srcu, idx);
}

/*
 * The vCPU is not preempted any more. What others left in the byte is taken in
 * the same step: after it they interrupt again. *@old: that.
 */
static int preempted_take(struct vcpu *vcpu, gpa_t gpa, u8 *old)
{
	static const u8 none;
	int i;

	*old = KVM_VCPU_PREEMPTED;
	for (i = 0; i < TAKE_TRIES; i++) {
		u8 expected = *old;

		if (space_cmpxchg(vcpu->vm, SPACE_NORMAL, gpa, old, &none,
				  sizeof(none)))
			return -EFAULT;
		if (*old == expected)
			return 0;
	}
	/* Who changes it all the time may have wished for anything. */
	*old = KVM_VCPU_FLUSH_TLB;
	return guest_write(vcpu->vm, gpa, &none, sizeof(none));
}

/* The version is odd while the time is being written. */
static void steal_publish(struct vcpu *vcpu, gpa_t gpa, u64 stolen)
{
	const gpa_t version = gpa + offsetof(struct kvm_steal_time, version);
	struct vm *vm = vcpu->vm;
	struct kvm_steal_time st;

	if (guest_read(vm, gpa, &st, offsetof(struct kvm_steal_time, flags)))
		return;
	st.version = (st.version & ~1U) + 1;
	st.steal += stolen;
	if (guest_write(vm, version, &st.version, sizeof(st.version)))
		return;
	smp_wmb();	/* odd version before the time */
	guest_write(vm, gpa, &st.steal, sizeof(st.steal));
	smp_wmb();	/* the time before the even version */
	st.version++;
	guest_write(vm, version, &st.version, sizeof(st.version));
}

/**
 * pv_steal_update() - the vCPU runs again: say so, and how long it did not
 * @vcpu: owner thread, in a read section of vm->srcu
 *
 * What is already in the guest's memory is counted on: it may have come from
 * another host.
 */
void pv_steal_update(struct vcpu *vcpu)
{
	gpa_t gpa = steal_gpa(vcpu);
	u8 old;

	if (!(vcpu->pv.steal_msr & KVM_MSR_ENABLED))
		return;
	if (preempted_take(vcpu, gpa + offsetof(struct kvm_steal_time, preempted),
			   &old)) {
		/* The wish of others cannot be read: as if there were one. */
		vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
		return;
	}
	vcpu->pv.steal_running = true;
	if (old & KVM_VCPU_FLUSH_TLB && pv_has(vcpu, KVM_FEATURE_PV_TLB_FLUSH))
		vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	steal_publish(vcpu, gpa, steal_take(vcpu));
}
