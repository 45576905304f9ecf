// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_SUPPORTED_HV_CPUID: what of Hyper-V's interface is here. */
#include <linux/cpu.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/hyperv-tlfs.h>

#include "cpuid.h"
#include "x86.h"
#include "../core/vm.h"

/* A version that has what is announced: Windows Server 2016's. */
#define HV_BUILD		14393
#define HV_VERSION		0x000a0000	/* 10.0 */

#define HV_DEBUG_SIGNATURE	0x31235356	/* "VS#1" */
#define HV_DEBUG_KERNEL		BIT(1)

/* Spins before a guest tells that it spins. */
#define HV_SPINS		0xfff
#define HV_MAX_LPS		64

#define FEAT_A								\
	(HV_MSR_VP_RUNTIME_AVAILABLE | HV_MSR_TIME_REF_COUNT_AVAILABLE |	\
	 HV_MSR_SYNIC_AVAILABLE | HV_MSR_SYNTIMER_AVAILABLE |		\
	 HV_MSR_APIC_ACCESS_AVAILABLE | HV_MSR_HYPERCALL_AVAILABLE |	\
	 HV_MSR_VP_INDEX_AVAILABLE | HV_MSR_RESET_AVAILABLE |		\
	 HV_MSR_REFERENCE_TSC_AVAILABLE | HV_ACCESS_FREQUENCY_MSRS |	\
	 HV_ACCESS_REENLIGHTENMENT)
#define FEAT_B	(HV_POST_MESSAGES | HV_SIGNAL_EVENTS | HV_DEBUGGING)
#define FEAT_D								\
	(HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE |				\
	 HV_FEATURE_FREQUENCY_MSRS_AVAILABLE |				\
	 HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE |				\
	 HV_FEATURE_DEBUG_MSRS_AVAILABLE | HV_STIMER_DIRECT_MODE_AVAILABLE)
#define ADVICE_A							\
	(HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED |				\
	 HV_X64_APIC_ACCESS_RECOMMENDED |				\
	 HV_X64_RELAXED_TIMING_RECOMMENDED |				\
	 HV_X64_CLUSTER_IPI_RECOMMENDED |				\
	 HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED)

/* The name is the VMM's to change: guests that look at it want Microsoft's. */
#define NAME	"Linux KVM Hv"

static void name_set(struct kvm_cpuid_entry2 *row)
{
	static const u32 words[3];

	BUILD_BUG_ON(sizeof(NAME) != sizeof(words) + 1);
	row->eax = CPUID_HV_DEBUG;
	memcpy(&row->ebx, NAME, 4);
	memcpy(&row->ecx, &NAME[4], 4);
	memcpy(&row->edx, &NAME[8], 4);
}

/**
 * hv_cpuid_get() - KVM_GET_SUPPORTED_HV_CPUID
 * @vcpu: loaded vCPU; NULL: asked on the device
 * @user: nent rows fit
 *
 * Return: 0; -E2BIG: they do not fit; -EFAULT.
 */
int hv_cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid_entry2 rows[] = {
		{ .function = CPUID_HV_VENDOR },
		{ .function = CPUID_HV_INTERFACE, .eax = CPUID_HV_SIGNATURE },
		{ .function = CPUID_HV_VERSION,
		  .eax = HV_BUILD, .ebx = HV_VERSION },
		{ .function = CPUID_HV_FEATURES,
		  .eax = FEAT_A, .ebx = FEAT_B, .edx = FEAT_D },
		{ .function = CPUID_HV_ADVICE,
		  .eax = ADVICE_A, .ebx = HV_SPINS },
		{ .function = CPUID_HV_LIMITS,
		  .eax = JOIST_MAX_VCPUS, .ebx = HV_MAX_LPS },
		{ .function = CPUID_HV_HARDWARE },
		{ .function = CPUID_HV_DEBUG_VENDOR },
		{ .function = CPUID_HV_DEBUG_INTERFACE,
		  .eax = HV_DEBUG_SIGNATURE },
		{ .function = CPUID_HV_DEBUG, .eax = HV_DEBUG_KERNEL },
	};
	u32 nent;
	int i;

	/* Where they do not fit, nent stays what it was. */
	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent < ARRAY_SIZE(rows))
		return -E2BIG;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		switch (rows[i].function) {
		case CPUID_HV_VENDOR:
		case CPUID_HV_DEBUG_VENDOR:
			name_set(&rows[i]);
			break;
		case CPUID_HV_FEATURES:
			/* Its interrupts go to the local APIC. */
			if (vcpu && !vcpu->lapic)
				rows[i].edx &= ~HV_STIMER_DIRECT_MODE_AVAILABLE;
			break;
		case CPUID_HV_ADVICE:
			if (!cpu_smt_possible())
				rows[i].eax |= HV_X64_NO_NONARCH_CORESHARING;
			break;
		}
	}
	return cpuid_to_user(user, rows, ARRAY_SIZE(rows));
}
