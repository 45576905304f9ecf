// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers, by guest and by VMM: the neutral ones here, those
 * that hardware switches through the vendor, the controllers' and the
 * paravirtual ones where they live.
 */
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/mtrr.h>
#include <asm/cpufeature.h>

#include "mce.h"
#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

#define MISC_ENABLE_RESET						\
	(MSR_IA32_MISC_ENABLE_FAST_STRING |				\
	 MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)
#define MISC_ENABLE_READ_ONLY						\
	(MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |				\
	 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL | MSR_IA32_MISC_ENABLE_EMON)

/* What KVM's guests see. */
#define UCODE_REV_INTEL		0x100000000ULL
#define UCODE_REV_AMD		0x01000065ULL

/**
 * msr_reset() - power-up values of the MSRs kept here
 * @vcpu: new vCPU, not loaded yet
 */
void msr_reset(struct vcpu *vcpu)
{
	vcpu->misc_enable = MISC_ENABLE_RESET;
	vcpu->pat = PAT_RESET;
	vcpu->smbase = 0x30000;
	vcpu->platform_info = MSR_PLATFORM_INFO_CPUID_FAULT;
	msr_get_feature(MSR_IA32_ARCH_CAPABILITIES, &vcpu->arch_capabilities);
}

/* CPUID faulting: announced by the one, turned on by the other. */
static int msr_get_cpuid_fault(struct vcpu *vcpu, struct msr_access *msr)
{
	if (msr->index == MSR_MISC_FEATURES_ENABLES) {
		msr->data = vcpu->misc_features;
		return 0;
	}
	if (!msr->host && READ_ONCE(vcpu->vm->platform_info_hidden))
		return MSR_FAULT;
	msr->data = vcpu->platform_info;
	return 0;
}

static int msr_set_cpuid_fault(struct vcpu *vcpu, const struct msr_access *msr)
{
	bool faults = vcpu->misc_features & MSR_MISC_FEATURES_ENABLES_CPUID_FAULT;

	if (msr->index == MSR_PLATFORM_INFO) {
		if (!msr->host ||
		    (faults && !(msr->data & MSR_PLATFORM_INFO_CPUID_FAULT)))
			return MSR_FAULT;
		vcpu->platform_info = msr->data;
		return 0;
	}
	if (msr->data & ~MSR_MISC_FEATURES_ENABLES_CPUID_FAULT ||
	    (msr->data && !(vcpu->platform_info & MSR_PLATFORM_INFO_CPUID_FAULT)))
		return MSR_FAULT;
	vcpu->misc_features = msr->data;
	return 0;
}

static int msr_get_speculation(struct vcpu *vcpu, struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_SPEC_CTRL:
		if (!msr->host && !vcpu->feat.spec_ctrl && !vcpu->feat.ssbd &&
		    !vcpu->feat.stibp)
			return MSR_FAULT;
		/* The vendor may leave it to the guest and knows it best. */
		if (vendor_call(get_msr)(vcpu, msr) == MSR_UNKNOWN)
			msr->data = vcpu->spec_ctrl;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		if (!msr->host && !vcpu->feat.arch_capabilities)
			return MSR_FAULT;
		msr->data = vcpu->arch_capabilities;
		return 0;
	}
	return MSR_FAULT;	/* the commands are write-only */
}

static int msr_set_spec_ctrl(struct vcpu *vcpu, const struct msr_access *msr)
{
	const struct guest_features *feat = &vcpu->feat;
	u64 valid = 0;
	int ret;

	if (feat->spec_ctrl)
		valid |= SPEC_CTRL_IBRS | SPEC_CTRL_STIBP;
	if (feat->stibp)
		valid |= SPEC_CTRL_STIBP;
	if (feat->ssbd)
		valid |= SPEC_CTRL_SSBD;
	if (msr->host)
		valid = SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD;
	else if (!valid)
		return MSR_FAULT;
	if (msr->data & ~valid)
		return MSR_FAULT;
	vcpu->spec_ctrl = msr->data;
	ret = vendor_call(set_msr)(vcpu, msr);
	return ret == MSR_UNKNOWN ? 0 : ret;
}

static int msr_set_speculation(struct vcpu *vcpu, const struct msr_access *msr)
{
	u64 cap;

	switch (msr->index) {
	case MSR_IA32_SPEC_CTRL:
		return msr_set_spec_ctrl(vcpu, msr);
	case MSR_IA32_PRED_CMD:
		if ((!msr->host && !vcpu->feat.ibpb) ||
		    msr->data & ~PRED_CMD_IBPB)
			return MSR_FAULT;
		if (msr->data && boot_cpu_has(X86_FEATURE_IBPB))
			wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
		return 0;
	case MSR_IA32_FLUSH_CMD:
		if ((!msr->host && !vcpu->feat.flush_l1d) ||
		    msr->data & ~L1D_FLUSH)
			return MSR_FAULT;
		if (msr->data && boot_cpu_has(X86_FEATURE_FLUSH_L1D))
			wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		if (!msr->host || msr_get_feature(msr->index, &cap) ||
		    msr->data & ~cap)
			return MSR_FAULT;
		vcpu->arch_capabilities = msr->data;
		return 0;
	}
	return MSR_UNKNOWN;
}

static int msr_get_time(struct vcpu *vcpu, struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_TSC:
		msr->data = tsc_guest(vcpu, rdtsc());
		return 0;
	case MSR_IA32_TSC_ADJUST:
		msr->data = vcpu->tsc_adjust;
		return 0;
	case MSR_TSC_AUX:
		if (!msr->host && !vcpu->feat.rdtscp && !vcpu->feat.rdpid)
			return MSR_FAULT;
		msr->data = vcpu->tsc_aux;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		msr->data = vcpu->lapic ? lapic_get_tsc_deadline(vcpu->lapic) : 0;
		return 0;
	}
	return MSR_UNKNOWN;
}

static int msr_set_tsc_aux(struct vcpu *vcpu, const struct msr_access *msr)
{
	int ret;

	if (!msr->host && !vcpu->feat.rdtscp && !vcpu->feat.rdpid)
		return MSR_FAULT;
	/* AMD ignores the upper half, Intel faults. */
	if (!vcpu->feat.amd && msr->data >> 32)
		return MSR_FAULT;
	vcpu->tsc_aux = (u32)msr->data;
	ret = vendor_call(set_msr)(vcpu, msr);
	return ret == MSR_UNKNOWN ? 0 : ret;
}

static int msr_set_time(struct vcpu *vcpu, const struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_TSC:
		tsc_write(vcpu, msr->data, msr->host);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		if (!msr->host) {
			if (!vcpu->feat.tsc_adjust)
				return MSR_FAULT;
			tsc_set_offset(vcpu, vcpu->tsc_offset + msr->data -
					     vcpu->tsc_adjust);
		}
		vcpu->tsc_adjust = msr->data;
		return 0;
	case MSR_TSC_AUX:
		return msr_set_tsc_aux(vcpu, msr);
	case MSR_IA32_TSC_DEADLINE:
		if (!vcpu->lapic)
			return msr->host && !msr->data ? 0 : MSR_FAULT;
		/* Of no effect but in the timer's mode, which needs the feature. */
		lapic_set_tsc_deadline(vcpu->lapic, msr->data);
		return 0;
	}
	return MSR_UNKNOWN;
}

static int msr_get_x2apic(struct vcpu *vcpu, struct msr_access *msr)
{
	if (!vcpu->lapic || !lapic_x2apic(vcpu->lapic))
		return MSR_FAULT;
	return lapic_msr_read(vcpu->lapic, msr->index, &msr->data);
}

static int msr_set_mtrr(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct msr_access old = { .index = msr->index };
	int err = mtrr_get(&vcpu->mtrr, &old);

	err = err ?: mtrr_set(&vcpu->mtrr, vcpu->feat.maxphyaddr, msr);
	/* While they are off, they say nothing. */
	if (!err && old.data != msr->data &&
	    (mtrr_enabled(&vcpu->mtrr) || msr->index == MSR_MTRRdefType))
		mmu_memtypes_changed(vcpu->vm);
	return err;
}

static int msr_set_x2apic(struct vcpu *vcpu, const struct msr_access *msr)
{
	if (!vcpu->lapic || !lapic_x2apic(vcpu->lapic))
		return MSR_FAULT;
	return lapic_msr_write(vcpu->lapic, msr->index, msr->data);
}

static u64 ucode_rev(struct vcpu *vcpu)
{
	if (vcpu->ucode_rev)
		return vcpu->ucode_rev;
	return vcpu->feat.amd ? UCODE_REV_AMD : UCODE_REV_INTEL;
}

/* Whoever else may know it: the vendor, the guest clock, the fixed ones. */
static int msr_get_rest(struct vcpu *vcpu, struct msr_access *msr)
{
	int ret = vendor_call(get_msr)(vcpu, msr);

	if (ret == MSR_UNKNOWN)
		ret = pv_msr_get(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = hv_msr_get(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = msr_fixed_get(msr);
	return ret;
}

static int msr_set_rest(struct vcpu *vcpu, const struct msr_access *msr)
{
	int ret;

	switch (msr->index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		if (!canonical(vcpu_cr4(vcpu), msr->data))
			return MSR_FAULT;
	}
	ret = vendor_call(set_msr)(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = pv_msr_set(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = hv_msr_set(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = msr_fixed_set(msr);
	return ret;
}

/**
 * msr_get() - read an MSR
 * @vcpu: loaded vCPU
 * @msr: in: index, host; out: data, if 0 is returned
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int msr_get(struct vcpu *vcpu, struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_TSC:
	case MSR_IA32_TSC_ADJUST:
	case MSR_TSC_AUX:
	case MSR_IA32_TSC_DEADLINE:
		return msr_get_time(vcpu, msr);
	case MTRRphysBase_MSR(0) ... MTRRphysMask_MSR(7):
	case MSR_MTRRfix64K_00000:
	case MSR_MTRRfix16K_80000 ... MSR_MTRRfix16K_A0000:
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
	case MSR_MTRRdefType:
	case MSR_MTRRcap:
		return mtrr_get(&vcpu->mtrr, msr);
	case X2APIC_FIRST ... X2APIC_LAST:
		return msr_get_x2apic(vcpu, msr);
	case MSR_IA32_SPEC_CTRL:
	case MSR_IA32_PRED_CMD:
	case MSR_IA32_FLUSH_CMD:
	case MSR_IA32_ARCH_CAPABILITIES:
		return msr_get_speculation(vcpu, msr);
	case MSR_IA32_APICBASE:
		msr->data = vcpu->apic_base;
		return 0;
	case MSR_EFER:
		msr->data = vcpu->efer;
		return 0;
	case MSR_IA32_CR_PAT:
		msr->data = vcpu->pat;
		return 0;
	case MSR_IA32_MISC_ENABLE:
		msr->data = vcpu->misc_enable;
		return 0;
	case MSR_IA32_XSS:
		if (!msr->host && !vcpu->feat.xsaves)
			return MSR_FAULT;
		msr->data = vcpu->xss;
		return 0;
	case MSR_IA32_SMBASE:
		if (!msr->host && !vcpu->smm)
			return MSR_FAULT;
		msr->data = vcpu->smbase;
		return 0;
	case MSR_SMI_COUNT:
		msr->data = vcpu->smi_count;
		return 0;
	case MSR_IA32_UCODE_REV:
		msr->data = ucode_rev(vcpu);
		return 0;
	case MSR_IA32_MCG_CAP:
	case MSR_IA32_MCG_STATUS:
	case MSR_IA32_MCG_CTL:
	case MSR_K7_HWCR:
	case MSR_IA32_MCx_CTL2(0) ... MSR_IA32_MCx_CTL2(MCE_BANKS_MAX - 1):
	case MSR_IA32_MCx_CTL(0) ... MSR_IA32_MCx_CTL(MCE_BANKS_MAX) - 1:
		return mce_msr_get(vcpu, msr);
	case MSR_IA32_POWER_CTL:
		msr->data = vcpu->power_ctl;
		return 0;
	case MSR_PLATFORM_INFO:
	case MSR_MISC_FEATURES_ENABLES:
		return msr_get_cpuid_fault(vcpu, msr);
	case MSR_AMD64_DE_CFG:
		return msr_get_feature(msr->index, &msr->data);
	}
	return msr_get_rest(vcpu, msr);
}

static int msr_set_pat(struct vcpu *vcpu, const struct msr_access *msr)
{
	int ret;

	if (!pat_valid(msr->data))
		return MSR_FAULT;
	vcpu->pat = msr->data;
	ret = vendor_call(set_msr)(vcpu, msr);
	return ret == MSR_UNKNOWN ? 0 : ret;
}

static int msr_set_misc_enable(struct vcpu *vcpu, const struct msr_access *msr)
{
	if (!msr->host && (msr->data ^ vcpu->misc_enable) & MISC_ENABLE_READ_ONLY)
		return MSR_FAULT;
	vcpu->misc_enable = msr->data;
	return 0;
}

static int msr_set_xss(struct vcpu *vcpu, const struct msr_access *msr)
{
	int ret;

	if (!msr->host && !vcpu->feat.xsaves)
		return MSR_FAULT;
	if (msr->data & ~vcpu->feat.xss_valid)
		return MSR_FAULT;
	vcpu->xss = msr->data;
	ret = vendor_call(set_msr)(vcpu, msr);
	return ret == MSR_UNKNOWN ? 0 : ret;
}

/**
 * msr_set() - write an MSR
 * @vcpu: loaded vCPU
 * @msr: index, data, host
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN; nothing is changed but with 0.
 */
int msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_TSC:
	case MSR_IA32_TSC_ADJUST:
	case MSR_TSC_AUX:
	case MSR_IA32_TSC_DEADLINE:
		return msr_set_time(vcpu, msr);
	case MTRRphysBase_MSR(0) ... MTRRphysMask_MSR(7):
	case MSR_MTRRfix64K_00000:
	case MSR_MTRRfix16K_80000 ... MSR_MTRRfix16K_A0000:
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
	case MSR_MTRRdefType:
	case MSR_MTRRcap:
		return msr_set_mtrr(vcpu, msr);
	case X2APIC_FIRST ... X2APIC_LAST:
		return msr_set_x2apic(vcpu, msr);
	case MSR_IA32_SPEC_CTRL:
	case MSR_IA32_PRED_CMD:
	case MSR_IA32_FLUSH_CMD:
	case MSR_IA32_ARCH_CAPABILITIES:
		return msr_set_speculation(vcpu, msr);
	case MSR_IA32_APICBASE:
		return apic_base_write(vcpu, msr->data, msr->host) ? MSR_FAULT : 0;
	case MSR_EFER:
		return efer_write(vcpu, msr->data, msr->host) ? MSR_FAULT : 0;
	case MSR_IA32_CR_PAT:
		return msr_set_pat(vcpu, msr);
	case MSR_IA32_MISC_ENABLE:
		return msr_set_misc_enable(vcpu, msr);
	case MSR_IA32_XSS:
		return msr_set_xss(vcpu, msr);
	case MSR_IA32_SMBASE:
		if (!msr->host)
			return MSR_FAULT;
		vcpu->smbase = msr->data;
		return 0;
	case MSR_SMI_COUNT:
		if (!msr->host)
			return MSR_FAULT;
		vcpu->smi_count = msr->data;
		return 0;
	case MSR_IA32_UCODE_REV:
		/* A guest writes zero here before CPUID: no effect. */
		if (msr->host)
			vcpu->ucode_rev = msr->data;
		return 0;
	case MSR_IA32_MCG_CAP:
	case MSR_IA32_MCG_STATUS:
	case MSR_IA32_MCG_CTL:
	case MSR_K7_HWCR:
	case MSR_IA32_MCx_CTL2(0) ... MSR_IA32_MCx_CTL2(MCE_BANKS_MAX - 1):
	case MSR_IA32_MCx_CTL(0) ... MSR_IA32_MCx_CTL(MCE_BANKS_MAX) - 1:
		return mce_msr_set(vcpu, msr);
	case MSR_IA32_POWER_CTL:
		vcpu->power_ctl = msr->data;
		return 0;
	case MSR_PLATFORM_INFO:
	case MSR_MISC_FEATURES_ENABLES:
		return msr_set_cpuid_fault(vcpu, msr);
	}
	return msr_set_rest(vcpu, msr);
}
