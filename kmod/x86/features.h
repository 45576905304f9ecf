/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts that CPUID grants a guest. Pure: builds in unit tests too. */
#ifndef JOIST_X86_FEATURES_H
#define JOIST_X86_FEATURES_H

#include <linux/types.h>

/* Registers of Hyper-V's CPUID leaves that say what is there. */
enum hv_word {
	HV_FEAT_A,		/* 0x40000003: EAX */
	HV_FEAT_B,
	HV_FEAT_D,
	HV_ADVICE_A,		/* 0x40000004: EAX */
	HV_ADVICE_B,
	HV_DEBUG_A,		/* 0x40000082: EAX */
	NR_HV_WORDS,
};

/**
 * struct guest_features - cached by cpuid_update_features()
 * @maxphyaddr: width of guest physical addresses in bits
 * @cr4_reserved: bits the guest may not set
 * @efer_valid: bits the guest may set
 * @xcr0_valid: bits of XCR0 the guest may set
 * @xss_valid: bits of IA32_XSS the guest may set
 * @amd: the vendor string is AMD's or Hygon's
 * @pv: KVM_FEATURE_* bits that CPUID announces
 * @hyperv: CPUID announces Hyper-V's interface
 * @hv: what of it, by enum hv_word
 * @syscall_amd: SYSCALL works in compatibility mode too, as AMD defines it
 *
 * The rest are CPUID bits of the same name. Protection: vcpu->mutex.
 */
struct guest_features {
	u8 maxphyaddr;
	u64 cr4_reserved;
	u64 efer_valid;
	u64 xcr0_valid;
	u64 xss_valid;
	u32 pv;
	u32 hv[NR_HV_WORDS];
	bool hyperv;
	bool amd, x2apic, tsc_deadline, xsave, xsaves, nx, lm, pcid, rdtscp,
	     gbpages, spec_ctrl, stibp, ssbd, ibpb, flush_l1d,
	     arch_capabilities, invpcid, rdpid, fsgsbase, pku, tsc_adjust,
	     mtrr, pat, mce, rtm, syscall_amd;
};

#endif
