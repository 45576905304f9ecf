// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space identifiers. Each physical CPU hands its own out in order; when
 * they run out it flushes them all once and starts a new generation, and every
 * vCPU that comes with an ASID of an older one gets a fresh one.
 */
#include "svm.h"

#define FIRST_ASID	1	/* 0 is the host's */

/**
 * svm_asid_cpu_init() - this CPU's SVM was just enabled: nothing is known
 * @cpu: this CPU
 *
 * The next entry here takes a new generation and with it a full flush.
 */
void svm_asid_cpu_init(struct svm_cpu *cpu)
{
	cpu->asid_generation++;
	cpu->next_asid = svm_caps.nr_asids;
}

/**
 * svm_asid_assign() - give a vCPU an ASID that no translation is tagged with
 * @svm: about to be entered
 * @cpu: this CPU, preemption off
 */
void svm_asid_assign(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct vmcb_control_area *control = &svm->vmcb->control;

	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	if (cpu->next_asid >= svm_caps.nr_asids) {
		cpu->asid_generation++;
		cpu->next_asid = FIRST_ASID;
		control->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	}
	svm->asid_generation = cpu->asid_generation;
	control->asid = cpu->next_asid++;
	vmcb_mark_dirty(svm->vmcb, VMCB_CLEAN_ASID);
}

/**
 * svm_flush_tlb() - drop all translations of a vCPU at its next entry
 * @vcpu: loaded
 *
 * Linear and nested translations carry the same ASID: both go.
 */
void svm_flush_tlb(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (svm_caps.flush_by_asid)
		svm->vmcb->control.tlb_ctl = TLB_CONTROL_FLUSH_ASID;
	else
		svm->asid_generation = 0;
}
