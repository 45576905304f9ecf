// SPDX-License-Identifier: GPL-2.0-only
/* MSRs for the VMM: which there are, the machine's features, batches. */
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/hyperv-tlfs.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/mtrr.h>

#include "cpuid.h"
#include "msr.h"
#include "../core/vcpu.h"

#define MSR_BATCH_MAX	256	/* as KVM: fewer than this per call */

/* What a VMM saves and restores to move a guest. */
static const u32 msr_saved[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE,
	MSR_IA32_TSC, MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_DEADLINE,
	MSR_IA32_CR_PAT, MSR_IA32_MISC_ENABLE, MSR_IA32_MCG_STATUS,
	MSR_IA32_MCG_CTL, MSR_IA32_SMBASE, MSR_SMI_COUNT, MSR_IA32_UCODE_REV,
	MSR_PLATFORM_INFO, MSR_MISC_FEATURES_ENABLES, MSR_IA32_POWER_CTL,
	MSR_IA32_PERF_CAPABILITIES, MSR_K7_HWCR,
	MTRRphysBase_MSR(0), MTRRphysMask_MSR(0),
	MTRRphysBase_MSR(1), MTRRphysMask_MSR(1),
	MTRRphysBase_MSR(2), MTRRphysMask_MSR(2),
	MTRRphysBase_MSR(3), MTRRphysMask_MSR(3),
	MTRRphysBase_MSR(4), MTRRphysMask_MSR(4),
	MTRRphysBase_MSR(5), MTRRphysMask_MSR(5),
	MTRRphysBase_MSR(6), MTRRphysMask_MSR(6),
	MTRRphysBase_MSR(7), MTRRphysMask_MSR(7),
	MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
	MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000,
	MSR_MTRRfix4K_D8000, MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000,
	MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000, MSR_MTRRdefType,
	MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME,
	MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW,
	HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL, HV_X64_MSR_VP_INDEX,
	HV_X64_MSR_RESET, HV_X64_MSR_VP_RUNTIME, HV_X64_MSR_TIME_REF_COUNT,
	HV_X64_MSR_REFERENCE_TSC, HV_X64_MSR_TSC_FREQUENCY,
	HV_X64_MSR_APIC_FREQUENCY, HV_X64_MSR_VP_ASSIST_PAGE,
	HV_X64_MSR_SCONTROL, HV_X64_MSR_STIMER0_CONFIG,
	HV_X64_MSR_CRASH_P0, HV_X64_MSR_CRASH_P1, HV_X64_MSR_CRASH_P2,
	HV_X64_MSR_CRASH_P3, HV_X64_MSR_CRASH_P4, HV_X64_MSR_CRASH_CTL,
	HV_X64_MSR_REENLIGHTENMENT_CONTROL, HV_X64_MSR_TSC_EMULATION_CONTROL,
	HV_X64_MSR_TSC_EMULATION_STATUS, HV_MSR_SYNDBG_OPTIONS,
	HV_MSR_SYNDBG_CONTROL, HV_MSR_SYNDBG_STATUS, HV_MSR_SYNDBG_SEND,
	HV_MSR_SYNDBG_RECV, HV_MSR_SYNDBG_PENDING,
	MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN, MSR_KVM_POLL_CONTROL,
	/* the vector before what uses it */
	MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_ACK,
	/* there or not by the machine: msr_offered() */
	MSR_TSC_AUX, MSR_IA32_SPEC_CTRL, MSR_IA32_XSS,
	MSR_IA32_ARCH_CAPABILITIES, MSR_IA32_FEAT_CTL,
};

/* Facts about the machine, readable on the device. */
static const u32 msr_features[] = {
	MSR_IA32_UCODE_REV, MSR_IA32_ARCH_CAPABILITIES, MSR_AMD64_DE_CFG,
	MSR_PLATFORM_INFO, MSR_IA32_PERF_CAPABILITIES,
};

#define ARCH_CAP_PASSED							\
	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_RSBA |		\
	 ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO |	\
	 ARCH_CAP_TAA_NO | ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO |	\
	 ARCH_CAP_PSDP_NO | ARCH_CAP_FB_CLEAR | ARCH_CAP_RRSBA |		\
	 ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO | ARCH_CAP_GDS_NO |	\
	 ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR)

static bool msr_offered(u32 index)
{
	switch (index) {
	case MSR_TSC_AUX:
		return cpuid_vendor_features & VENDOR_RDTSCP;
	case MSR_IA32_SPEC_CTRL:
		return cpuid_vendor_features & VENDOR_SPEC_CTRL;
	case MSR_IA32_XSS:
		return cpuid_vendor_features & VENDOR_XSAVES;
	case MSR_IA32_ARCH_CAPABILITIES:
		return boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES);
	case MSR_IA32_FEAT_CTL:
		return boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
	case MSR_AMD64_DE_CFG:
		return boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) &&
		       (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
			boot_cpu_data.x86_vendor == X86_VENDOR_HYGON);
	}
	return true;
}

/**
 * msr_get_feature() - a fact about the machine, as an MSR
 * @index: one of KVM_GET_MSR_FEATURE_INDEX_LIST
 * @data: out; zero where the machine does not have it
 *
 * Return: 0 or MSR_UNKNOWN.
 */
int msr_get_feature(u32 index, u64 *data)
{
	*data = 0;
	switch (index) {
	case MSR_IA32_UCODE_REV:
		rdmsrl_safe(index, data);
		return 0;
	case MSR_PLATFORM_INFO:
		*data = MSR_PLATFORM_INFO_CPUID_FAULT;
		return 0;
	case MSR_IA32_PERF_CAPABILITIES:
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES)) {
			rdmsrl(index, *data);
			*data &= ARCH_CAP_PASSED;
		}
		return 0;
	case MSR_AMD64_DE_CFG:
		if (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC))
			*data = MSR_AMD64_DE_CFG_LFENCE_SERIALIZE;
		return 0;
	}
	return MSR_UNKNOWN;
}

/**
 * msr_list() - KVM_GET_MSR_INDEX_LIST, KVM_GET_MSR_FEATURE_INDEX_LIST
 * @ulist: nmsrs indices fit; nmsrs receives how many there are
 * @features: the machine's features, not the vCPUs' MSRs
 *
 * Return: 0; -E2BIG: they do not fit; -EFAULT.
 */
int msr_list(struct kvm_msr_list __user *ulist, bool features)
{
	const u32 *all = features ? msr_features : msr_saved;
	u32 max = features ? ARRAY_SIZE(msr_features) : ARRAY_SIZE(msr_saved);
	u32 room, i, n = 0;

	if (get_user(room, &ulist->nmsrs))
		return -EFAULT;
	for (i = 0; i < max; i++)
		n += msr_offered(all[i]);
	if (put_user(n, &ulist->nmsrs))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	for (i = 0, n = 0; i < max; i++) {
		if (!msr_offered(all[i]))
			continue;
		if (put_user(all[i], &ulist->indices[n++]))
			return -EFAULT;
	}
	return 0;
}

static int msr_batch(struct vcpu *vcpu, struct kvm_msr_entry *entries, u32 n,
		     bool set)
{
	struct msr_access msr = { .host = true };
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		msr.index = entries[i].index;
		msr.data = entries[i].data;
		if (!vcpu)
			err = msr_get_feature(msr.index, &msr.data);
		else if (set)
			err = msr_set(vcpu, &msr);
		else
			err = msr_get(vcpu, &msr);
		if (err)
			break;
		entries[i].data = msr.data;
	}
	return i;
}

static int msr_many(struct vcpu *vcpu, struct kvm_msrs __user *user, bool set)
{
	struct kvm_msr_entry *entries;
	size_t size;
	u32 n;
	int ret;

	if (get_user(n, &user->nmsrs))
		return -EFAULT;
	if (n >= MSR_BATCH_MAX)
		return -E2BIG;
	size = n * sizeof(*entries);
	entries = memdup_user(user->entries, size);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	ret = msr_batch(vcpu, entries, n, set);
	if (!set && copy_to_user(user->entries, entries, size))
		ret = -EFAULT;
	kfree(entries);
	return ret;
}

/**
 * msr_get_many() - KVM_GET_MSRS
 * @vcpu: loaded vCPU, or NULL: features of the machine
 * @user: indices in, values out
 *
 * Return: how many were read before one failed; -E2BIG, -EFAULT, -ENOMEM.
 */
int msr_get_many(struct vcpu *vcpu, struct kvm_msrs __user *user)
{
	return msr_many(vcpu, user, false);
}

/**
 * msr_set_many() - KVM_SET_MSRS
 * @vcpu: loaded vCPU
 * @user: indices and values
 *
 * Return: how many were written before one failed; -E2BIG, -EFAULT, -ENOMEM.
 */
int msr_set_many(struct vcpu *vcpu, struct kvm_msrs __user *user)
{
	return msr_many(vcpu, user, true);
}
