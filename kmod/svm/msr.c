// SPDX-License-Identifier: GPL-2.0-only
/* MSRs that VMLOAD, VMSAVE and VMRUN switch, and those that only AMD has. */
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/msr.h>

#include "svm.h"
#include "../x86/msr.h"

/** svm_has_tsc_aux() - this machine has TSC_AUX */
bool svm_has_tsc_aux(void)
{
	return boot_cpu_has(X86_FEATURE_RDTSCP) ||
	       boot_cpu_has(X86_FEATURE_RDPID);
}

/* Where the VMCB holds an MSR, or NULL. */
static u64 *vmcb_msr(struct vmcb_save_area *save, u32 index)
{
	switch (index) {
	case MSR_FS_BASE:
		return &save->fs.base;
	case MSR_GS_BASE:
		return &save->gs.base;
	case MSR_KERNEL_GS_BASE:
		return &save->kernel_gs_base;
	case MSR_STAR:
		return &save->star;
	case MSR_LSTAR:
		return &save->lstar;
	case MSR_CSTAR:
		return &save->cstar;
	case MSR_SYSCALL_MASK:
		return &save->sfmask;
	case MSR_IA32_SYSENTER_CS:
		return &save->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &save->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &save->sysenter_eip;
	}
	return NULL;
}

/**
 * svm_get_msr() - read an MSR of the guest that the neutral table leaves to us
 * @vcpu: mutex held, loaded
 * @msr: index in, data out
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN
 */
int svm_get_msr(struct vcpu *vcpu, struct msr_access *msr)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_save_area *save = &svm->vmcb->save;
	const u64 *slot = vmcb_msr(save, msr->index);

	if (slot) {
		msr->data = *slot;
		return 0;
	}
	switch (msr->index) {
	case MSR_IA32_SPEC_CTRL:
		msr->data = svm_caps.v_spec_ctrl ? save->spec_ctrl :
						   svm->spec_ctrl.guest;
		return 0;
	case MSR_VM_CR:
		msr->data = SVM_VM_CR_SVM_DIS_MASK | SVM_VM_CR_SVM_LOCK_MASK;
		return 0;
	case MSR_AMD64_LS_CFG:
	case MSR_VM_HSAVE_PA:
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL3:
	case MSR_K7_PERFCTR0 ... MSR_K7_PERFCTR3:
		msr->data = 0;
		return 0;
	}
	return MSR_UNKNOWN;
}

/* The guest reads it with RDTSCP and RDPID without an exit. */
static void load_tsc_aux(struct vcpu *vcpu)
{
	preempt_disable();
	if (to_svm(vcpu)->tsc_aux_loaded)
		wrmsrl(MSR_TSC_AUX, vcpu->tsc_aux);
	preempt_enable();
}

static void set_spec_ctrl(struct vcpu *vcpu, u64 data)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (svm_caps.v_spec_ctrl) {
		svm->vmcb->save.spec_ctrl = data;
		return;
	}
	svm->spec_ctrl.guest = data;
	if (data && !svm->spec_ctrl_native) {
		/* From now on it is switched, so it need not exit. */
		svm->spec_ctrl_native = true;
		svm_intercept_msr(vcpu, MSR_IA32_SPEC_CTRL, false, false);
	}
}

/**
 * svm_set_msr() - write an MSR of the guest that the neutral table leaves to us
 * @vcpu: mutex held, loaded
 * @msr: index and data; what vcpu keeps of it is set already
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN
 */
int svm_set_msr(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	u64 *slot = vmcb_msr(&vmcb->save, msr->index);

	if (slot) {
		/* VMLOAD takes it as it is: the table has checked it. */
		*slot = msr->data;
		return 0;
	}
	switch (msr->index) {
	case MSR_IA32_CR_PAT:
		vmcb->save.g_pat = msr->data;
		vmcb_mark_dirty(vmcb, VMCB_CLEAN_NPT);
		return 0;
	case MSR_TSC_AUX:
		load_tsc_aux(vcpu);
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
			return msr->data ? MSR_FAULT : 0;
		set_spec_ctrl(vcpu, msr->data);
		return 0;
	case MSR_VM_CR:
		/* Locked: writes of the value it has are harmless. */
		return msr->data & ~(SVM_VM_CR_SVM_DIS_MASK |
				     SVM_VM_CR_SVM_LOCK_MASK) ? MSR_FAULT : 0;
	case MSR_VM_HSAVE_PA:
		return msr->data ? MSR_FAULT : 0;
	case MSR_AMD64_LS_CFG:
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL3:
	case MSR_K7_PERFCTR0 ... MSR_K7_PERFCTR3:
		return 0;	/* chipset workarounds and idle counters */
	}
	return MSR_UNKNOWN;
}
