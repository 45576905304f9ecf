/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID: what joist can offer, what a guest was given, and the facts derived
 * from it. cpuid.c is pure; cpuid_ioctl.c is its host side.
 */
#ifndef JOIST_X86_CPUID_H
#define JOIST_X86_CPUID_H

#include <linux/types.h>
#include <linux/kvm.h>

#include "features.h"

#define CPUID_MAX_ENTRIES	256	/* as KVM */

/*
 * Instructions and MSRs that need the vendor's help; each bit is or-ed into
 * cpuid_vendor_features by the backend's setup() when it gives that help.
 */
#define VENDOR_RDTSCP		BIT(0)	/* RDTSCP and RDPID run, TSC_AUX is switched */
#define VENDOR_INVPCID		BIT(1)	/* INVPCID runs, PCIDs work */
#define VENDOR_XSAVES		BIT(2)	/* XSAVES runs, IA32_XSS is switched */
#define VENDOR_UMIP		BIT(3)	/* CR4.UMIP works */
#define VENDOR_SPEC_CTRL	BIT(4)	/* SPEC_CTRL is switched, PRED_CMD passed */

extern u32 cpuid_vendor_features;	/* written at load only */

#define CPUID_XSAVE		0xd
/* State components with an area of their own beyond x87 and SSE. */
#define CPUID_XSTATE_FIRST	2
#define CPUID_XSTATE_LAST	62

/* Where hypervisors announce themselves: each at a multiple of the step. */
#define HYPERVISOR_FIRST	0x40000000
#define HYPERVISOR_LAST		0x40010000
#define HYPERVISOR_STEP		0x100

#define CPUID_HV_VENDOR		0x40000000
#define CPUID_HV_INTERFACE	0x40000001
#define CPUID_HV_VERSION	0x40000002
#define CPUID_HV_FEATURES	0x40000003
#define CPUID_HV_ADVICE		0x40000004
#define CPUID_HV_LIMITS		0x40000005
#define CPUID_HV_HARDWARE	0x40000006
#define CPUID_HV_DEBUG_VENDOR	0x40000080
#define CPUID_HV_DEBUG_INTERFACE 0x40000081
#define CPUID_HV_DEBUG		0x40000082
#define CPUID_HV_SIGNATURE	0x31237648	/* "Hv#1" */

struct cpuid_values {
	u32 eax, ebx, ecx, edx;
};

/**
 * struct cpuid_host - the machine below, for cpuid_supported()
 * @read: CPUID with what the host's kernel has disabled masked off
 * @xcr0: state components a guest may enable
 * @xss: likewise for IA32_XSS
 * @vendor: VENDOR_*
 * @phys_bits: width of physical addresses the nested tables take
 * @tsc_stable: the TSC is constant and usable as the host's clock
 * @steal_time: the scheduler counts how long threads wait for a CPU
 */
struct cpuid_host {
	void (*read)(u32 leaf, u32 subleaf, struct cpuid_values *out);
	u64 xcr0;
	u64 xss;
	u32 vendor;
	u8 phys_bits;
	bool tsc_stable;
	bool steal_time;
};

/**
 * struct cpuid_table - what a guest was given, sorted by leaf and subleaf
 * @entries: the rows
 * @nent: how many
 */
struct cpuid_table {
	const struct kvm_cpuid_entry2 *entries;
	u32 nent;
};

/**
 * struct cpuid_state - registers that some CPUID bits mirror
 * @xcr0: XCR0
 * @xss: IA32_XSS
 * @osxsave: CR4.OSXSAVE
 * @ospke: CR4.PKE
 * @apic: IA32_APIC_BASE enables the local APIC
 * @mwait_mirrors: the MWAIT bit is that of IA32_MISC_ENABLE
 * @mwait: which is set
 */
struct cpuid_state {
	u64 xcr0;
	u64 xss;
	bool osxsave;
	bool ospke;
	bool apic;
	bool mwait_mirrors;
	bool mwait;
};

/* cpuid_supported.c: pure */
int cpuid_supported(const struct cpuid_host *host,
		    struct kvm_cpuid_entry2 *out, u32 max);

/* Is @e the row of this leaf? */
static inline bool cpuid_row_answers(const struct kvm_cpuid_entry2 *e, u32 leaf,
				     u32 subleaf)
{
	return e->function == leaf &&
	       (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		e->index == subleaf);
}

/* cpuid.c: pure */
bool cpuid_is_dynamic(u32 leaf);
u32 cpuid_xsave_size(const struct cpuid_table *table, u64 components,
		     bool compacted);
void cpuid_sort(struct kvm_cpuid_entry2 *entries, u32 nent);
const struct kvm_cpuid_entry2 *cpuid_lookup(const struct cpuid_table *table,
					    u32 leaf, u32 subleaf);
void cpuid_dynamic(const struct cpuid_table *table,
		   const struct cpuid_state *state,
		   struct kvm_cpuid_entry2 *entry);
void cpuid_query(const struct cpuid_table *table,
		 const struct cpuid_state *state, u32 leaf, u32 subleaf,
		 struct cpuid_values *out);
u32 cpuid_kvm_features(const struct cpuid_table *table);
bool cpuid_valid(const struct cpuid_table *table);
bool cpuid_same(const struct cpuid_table *a, const struct cpuid_table *b,
		const struct cpuid_state *state);
void cpuid_update_features(const struct cpuid_table *table,
			   const struct cpuid_host *host,
			   struct guest_features *feat);

/* cpuid_ioctl.c */
struct vcpu;

void cpuid_guest(struct vcpu *vcpu, u32 leaf, u32 subleaf,
		 struct cpuid_values *out);
int cpuid_setup(void);
void cpuid_init(struct vcpu *vcpu);	/* features of a vCPU without CPUID */
void cpuid_free(struct vcpu *vcpu);
void cpuid_host_get(struct cpuid_host *host);
int cpuid_to_user(struct kvm_cpuid2 __user *user,
		  const struct kvm_cpuid_entry2 *entries, u32 n);
int cpuid_get_supported(struct kvm_cpuid2 __user *user);
int cpuid_get_emulated(struct kvm_cpuid2 __user *user);
int cpuid_set_old(struct vcpu *vcpu, struct kvm_cpuid __user *user);
int cpuid_set(struct vcpu *vcpu, struct kvm_cpuid2 __user *user);
int cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *user);

#endif
