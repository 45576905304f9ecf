/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine-check banks of a vCPU. */
#ifndef JOIST_X86_MCE_H
#define JOIST_X86_MCE_H

#include <linux/build_bug.h>
#include <linux/kvm.h>
#include <asm/mce.h>

struct msr_access;
struct vcpu;

#define MCE_BANKS_MAX	32
/* Capabilities that a VMM may give to a vCPU. */
#define MCE_CAPS	(MCG_CTL_P | MCG_SER_P | MCG_CMCI_P)

static_assert(sizeof(struct kvm_x86_mce) == 64);

/**
 * struct mce_bank - IA32_MCi_*
 * @ctl: all ones: errors are reported
 * @status: what is recorded, if MCI_STATUS_VAL
 * @addr: of that
 * @misc: of that
 * @ctl2: corrected errors are signalled, and from how many on
 */
struct mce_bank {
	u64 ctl;
	u64 status;
	u64 addr;
	u64 misc;
	u64 ctl2;
};

/* The first four are MSRs in this order. */
static_assert(offsetof(struct mce_bank, misc) == 3 * sizeof(u64));

/**
 * struct vcpu_mce - a vCPU's machine-check architecture
 * @cap: IA32_MCG_CAP: KVM_X86_SETUP_MCE
 * @status: IA32_MCG_STATUS
 * @ctl: IA32_MCG_CTL
 * @hwcr: K7_HWCR: whether AMD's guests may write what is recorded; and more
 * @bank: those below the number in @cap are there
 *
 * Protected by the vCPU's mutex.
 */
struct vcpu_mce {
	u64 cap;
	u64 status;
	u64 ctl;
	u64 hwcr;
	struct mce_bank bank[MCE_BANKS_MAX];
};

int mce_create(struct vcpu *vcpu);	/* vcpu->mce: 0 or -ENOMEM */
int mce_set_cap(struct vcpu *vcpu, u64 cap);
int mce_inject(struct vcpu *vcpu, const struct kvm_x86_mce *mce);
int mce_msr_get(struct vcpu *vcpu, struct msr_access *msr);
int mce_msr_set(struct vcpu *vcpu, const struct msr_access *msr);

#endif
