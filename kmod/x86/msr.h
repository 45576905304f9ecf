/* SPDX-License-Identifier: GPL-2.0-only */
/* Model-specific registers: the neutral table. */
#ifndef JOIST_X86_MSR_H
#define JOIST_X86_MSR_H

#include "../core/types.h"

struct vcpu;
struct kvm_msr_list;

/* Results of MSR accesses besides 0; never negative. */
#define MSR_FAULT	1	/* the guest gets #GP */
#define MSR_UNKNOWN	2	/* nobody knows this index */
#define MSR_DENIED	3	/* the VMM's filter denies it to the guest */

/* The local APIC's. */
#define X2APIC_FIRST	0x800
#define X2APIC_LAST	0x8ff

/**
 * struct msr_access - one read or write of an MSR
 * @index: which
 * @data: value, in or out
 * @host: asked by the VMM through the ioctl, not by the guest
 */
struct msr_access {
	u32 index;
	u64 data;
	bool host;
};

int msr_get(struct vcpu *vcpu, struct msr_access *msr);
int msr_set(struct vcpu *vcpu, const struct msr_access *msr);
int msr_list(struct kvm_msr_list __user *ulist, bool features);
int msr_get_feature(u32 index, u64 *data);
void msr_reset(struct vcpu *vcpu);	/* power-up values, before vcpu_reset */

/* msr_ioctl.c: KVM_GET_MSRS and KVM_SET_MSRS; vcpu NULL: the device's
 * features. How many were processed, or -errno.
 */
struct kvm_msrs;
int msr_get_many(struct vcpu *vcpu, struct kvm_msrs __user *user);
int msr_set_many(struct vcpu *vcpu, struct kvm_msrs __user *user);

/* msr_filter.c */
struct kvm_msr_filter;
struct vm;
int msr_filter_set(struct vm *vm, const struct kvm_msr_filter *user);
void msr_filter_destroy(struct vm *vm);
bool msr_allowed(struct vcpu *vcpu, u32 index, bool write);
int msr_guest_get(struct vcpu *vcpu, struct msr_access *msr);
int msr_guest_set(struct vcpu *vcpu, const struct msr_access *msr);
int msr_exit_failed(struct vcpu *vcpu, const struct msr_access *msr, bool write,
		    int result);

/* msr_fixed.c, pure: registers behind which nothing happens. 0, MSR_FAULT or
 * MSR_UNKNOWN.
 */
int msr_fixed_get(struct msr_access *msr);
int msr_fixed_set(const struct msr_access *msr);

#endif
