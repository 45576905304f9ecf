// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs of KVM's paravirtual services: who may, and which is whose. */
#include <linux/kvm_para.h>

#include "msr.h"
#include "x86.h"
#include "../core/vm.h"

/* The feature that an MSR of KVM's belongs to, or -1: none that is here. */
static int pv_msr_feature(u32 index)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_SYSTEM_TIME:
		return KVM_FEATURE_CLOCKSOURCE;
	case MSR_KVM_WALL_CLOCK_NEW:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return KVM_FEATURE_CLOCKSOURCE2;
	case MSR_KVM_STEAL_TIME:
		return KVM_FEATURE_STEAL_TIME;
	case MSR_KVM_PV_EOI_EN:
		return KVM_FEATURE_PV_EOI;
	case MSR_KVM_POLL_CONTROL:
		return KVM_FEATURE_POLL_CONTROL;
	case MSR_KVM_ASYNC_PF_EN:
		return KVM_FEATURE_ASYNC_PF;
	case MSR_KVM_ASYNC_PF_INT:
	case MSR_KVM_ASYNC_PF_ACK:
		return KVM_FEATURE_ASYNC_PF_INT;
	}
	return -1;
}

/* Checked for the guest; the VMM may always save and restore. */
static int pv_msr_check(struct vcpu *vcpu, const struct msr_access *msr)
{
	int feature = pv_msr_feature(msr->index);

	if (feature < 0)
		return MSR_UNKNOWN;
	return msr->host || pv_has(vcpu, feature) ? 0 : MSR_FAULT;
}

/**
 * pv_msr_get() - read one of KVM's own MSRs
 * @vcpu: vCPU, its mutex held
 * @msr: in: index; out: data
 *
 * Return: 0, MSR_FAULT: not announced to the guest, or MSR_UNKNOWN.
 */
int pv_msr_get(struct vcpu *vcpu, struct msr_access *msr)
{
	const struct pv_vcpu *pv = &vcpu->pv;
	int ret = pv_msr_check(vcpu, msr);

	if (ret)
		return ret;
	switch (msr->index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		msr->data = READ_ONCE(vcpu->vm->wall_clock_msr);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		msr->data = vcpu->pv_time_msr;
		return 0;
	case MSR_KVM_STEAL_TIME:
		msr->data = pv->steal_msr;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		msr->data = pv->eoi_msr;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		msr->data = pv->poll_msr;
		return 0;
	case MSR_KVM_ASYNC_PF_EN:
		msr->data = pv->apf_msr;
		return 0;
	case MSR_KVM_ASYNC_PF_INT:
		msr->data = pv->apf_vector;
		return 0;
	case MSR_KVM_ASYNC_PF_ACK:
		msr->data = 0;
		return 0;
	}
	return MSR_UNKNOWN;
}

static int pv_poll_msr_set(struct vcpu *vcpu, u64 data)
{
	if (data & ~1ULL)
		return MSR_FAULT;
	vcpu->pv.poll_msr = data;
	return 0;
}

/**
 * pv_msr_set() - write one of KVM's own MSRs
 * @vcpu: loaded vCPU, its mutex held
 * @msr: index and data
 *
 * Return: 0, MSR_FAULT: not announced to the guest, or a bad value, or
 * MSR_UNKNOWN.
 */
int pv_msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	int ret = pv_msr_check(vcpu, msr);

	if (ret)
		return ret;
	switch (msr->index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		pv_clock_msr_set(vcpu, msr);
		return 0;
	case MSR_KVM_STEAL_TIME:
		return pv_steal_msr_set(vcpu, msr->data);
	case MSR_KVM_PV_EOI_EN:
		return pv_eoi_msr_set(vcpu, msr->data);
	case MSR_KVM_POLL_CONTROL:
		return pv_poll_msr_set(vcpu, msr->data);
	case MSR_KVM_ASYNC_PF_EN:
		return pv_apf_msr_set(vcpu, msr);
	case MSR_KVM_ASYNC_PF_INT:
		return pv_apf_int_set(vcpu, msr->data);
	case MSR_KVM_ASYNC_PF_ACK:
		pv_apf_ack(vcpu, msr->data);
		return 0;
	}
	return MSR_UNKNOWN;
}

/**
 * pv_writable() - is there memory that a service could use?
 * @vcpu: in a read section of vm->srcu
 * @gpa: guest physical address
 */
bool pv_writable(struct vcpu *vcpu, gpa_t gpa)
{
	const struct memslot *slot = gfn_to_memslot(vcpu->vm, gpa_to_gfn(gpa));

	return slot && !(slot->flags & KVM_MEM_READONLY);
}

/**
 * pv_memory_came() - guest memory is there that was not
 * @vm: slots_lock held, the slot is published
 *
 * What could not be told a guest while its page was gone is told now. A vCPU that
 * runs would otherwise be taken for preempted, and its TLB not flushed, until it
 * loses its CPU.
 */
void pv_memory_came(struct vm *vm)
{
	struct vcpu *vcpu;
	u32 i;

	vm_for_each_vcpu(vm, vcpu, i) {
		vcpu_request(vcpu, REQ_CLOCK_UPDATE);
		vcpu_request(vcpu, REQ_STEAL_UPDATE);
		vcpu_request(vcpu, REQ_APF);
		vcpu_kick(vcpu);
	}
}

/** pv_create() - a new vCPU: nothing is on but the host's own polling */
void pv_create(struct vcpu *vcpu)
{
	vcpu->pv.poll_msr = 1;
}

/**
 * pv_reset() - reset and INIT: whoever comes next does not know of the memory
 * that was lent to the services
 * @vcpu: vcpu->mutex held, loaded
 */
void pv_reset(struct vcpu *vcpu)
{
	struct pv_vcpu *pv = &vcpu->pv;

	preempt_disable();
	pv->steal_running = false;
	pv->steal_msr = 0;
	preempt_enable();
	pv->eoi_offered = false;
	pv->eoi_msr = 0;
	pv_apf_reset(vcpu);
	vcpu->pv_time_msr = 0;
	vcpu->pv_unhalted = false;
}
