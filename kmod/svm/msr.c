// SPDX-License-Identifier: GPL-2.0-only
/* MSRs that VMLOAD, VMSAVE and VMRUN switch, and those that only AMD has. */
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/msr.h>

#include "svm.h"
#include "../x86/msr.h"

#define HWCR_MC_STATUS_WR	BIT_ULL(18)
/* Bits of HWCR that BIOS or a driver sets out of habit: accepted, forgotten. */
#define HWCR_IGNORED		(BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8) | \
				 HWCR_MC_STATUS_WR)
#define HWCR_TSC_FREQ_SEL	BIT_ULL(24)	/* TSC counts at P0 rate */
#define DE_CFG_LFENCE		BIT_ULL(1)	/* LFENCE serializes */

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

static bool has_spec_ctrl(struct vcpu *vcpu, const struct msr_access *msr)
{
	return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) &&
	       (msr->host || vcpu->feat.spec_ctrl || vcpu->feat.stibp ||
		vcpu->feat.ssbd);
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
	case MSR_IA32_CR_PAT:
		msr->data = vcpu->pat;
		return 0;
	case MSR_TSC_AUX:
		msr->data = vcpu->tsc_aux;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!has_spec_ctrl(vcpu, msr))
			return MSR_FAULT;
		msr->data = svm_caps.v_spec_ctrl ? save->spec_ctrl :
						   svm->spec_ctrl.guest;
		return 0;
	case MSR_K7_HWCR:
		msr->data = HWCR_TSC_FREQ_SEL;
		return 0;
	case MSR_AMD64_DE_CFG:
		msr->data = DE_CFG_LFENCE;
		return 0;
	case MSR_VM_CR:
		msr->data = SVM_VM_CR_SVM_DIS_MASK | SVM_VM_CR_SVM_LOCK_MASK;
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_AMD64_SYSCFG:
	case MSR_AMD64_NB_CFG:
	case MSR_AMD64_LS_CFG:
	case MSR_AMD64_BU_CFG2:
	case MSR_AMD64_DC_CFG:
	case MSR_AMD64_TSC_RATIO:
	case MSR_FAM10H_MMIO_CONF_BASE:
	case MSR_K8_INT_PENDING_MSG:
	case MSR_K8_TSEG_ADDR:
	case MSR_K8_TSEG_MASK:
	case MSR_VM_HSAVE_PA:
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL3:
	case MSR_K7_PERFCTR0 ... MSR_K7_PERFCTR3:
		msr->data = 0;
		return 0;
	}
	return MSR_UNKNOWN;
}

static int set_pat(struct vcpu *vcpu, u64 data)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	vcpu->pat = data;
	vmcb->save.g_pat = data;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_NPT);
	return 0;
}

/* The guest reads it with RDTSCP and RDPID without an exit. */
static int set_tsc_aux(struct vcpu *vcpu, u64 data)
{
	if (!svm_has_tsc_aux() || data >> 32)
		return MSR_FAULT;
	vcpu->tsc_aux = data;
	preempt_disable();
	if (to_svm(vcpu)->tsc_aux_loaded)
		wrmsrl(MSR_TSC_AUX, data);
	preempt_enable();
	return 0;
}

static u64 spec_ctrl_valid(const struct vcpu *vcpu)
{
	return (vcpu->feat.spec_ctrl ? SPEC_CTRL_IBRS : 0) |
	       (vcpu->feat.stibp ? SPEC_CTRL_STIBP : 0) |
	       (vcpu->feat.ssbd ? SPEC_CTRL_SSBD : 0);
}

static int set_spec_ctrl(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (!has_spec_ctrl(vcpu, msr) || msr->data & ~spec_ctrl_valid(vcpu))
		return MSR_FAULT;
	vcpu->spec_ctrl = msr->data;
	if (svm_caps.v_spec_ctrl) {
		svm->vmcb->save.spec_ctrl = msr->data;
		return 0;
	}
	svm->spec_ctrl.guest = msr->data;
	if (msr->data && !svm->spec_ctrl_native) {
		/* From now on it is switched, so it need not exit. */
		svm->spec_ctrl_native = true;
		svm_intercept_msr(vcpu, MSR_IA32_SPEC_CTRL, false, false);
	}
	return 0;
}

/**
 * svm_set_msr() - write an MSR of the guest that the neutral table leaves to us
 * @vcpu: mutex held, loaded
 * @msr: index and data
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN
 */
int svm_set_msr(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct vmcb_save_area *save = &to_svm(vcpu)->vmcb->save;
	u64 *slot = vmcb_msr(save, msr->index);

	if (slot) {
		/* VMLOAD takes it as it is: the table has checked it. */
		*slot = msr->data;
		return 0;
	}
	switch (msr->index) {
	case MSR_IA32_CR_PAT:
		return set_pat(vcpu, msr->data);
	case MSR_TSC_AUX:
		return set_tsc_aux(vcpu, msr->data);
	case MSR_IA32_SPEC_CTRL:
		return set_spec_ctrl(vcpu, msr);
	case MSR_IA32_PRED_CMD:
		/* The first from a guest that has it; later ones do not exit. */
		if (!vcpu->feat.ibpb || msr->data & ~PRED_CMD_IBPB)
			return MSR_FAULT;
		if (msr->data)
			wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
		return 0;
	case MSR_K7_HWCR:
		return msr->data & ~(HWCR_IGNORED | HWCR_TSC_FREQ_SEL) ?
		       MSR_FAULT : 0;
	case MSR_AMD64_DE_CFG:
		return msr->data & ~DE_CFG_LFENCE ? MSR_FAULT : 0;
	case MSR_VM_CR:
		/* Locked: writes of the value it has are harmless. */
		return msr->data & ~(SVM_VM_CR_SVM_DIS_MASK |
				     SVM_VM_CR_SVM_LOCK_MASK) ? MSR_FAULT : 0;
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_VM_HSAVE_PA:
		return msr->data ? MSR_FAULT : 0;
	case MSR_AMD64_SYSCFG:
	case MSR_AMD64_NB_CFG:
	case MSR_AMD64_LS_CFG:
	case MSR_AMD64_BU_CFG2:
	case MSR_AMD64_DC_CFG:
	case MSR_FAM10H_MMIO_CONF_BASE:
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL3:
	case MSR_K7_PERFCTR0 ... MSR_K7_PERFCTR3:
		return 0;	/* chipset workarounds and idle counters */
	}
	return MSR_UNKNOWN;
}
