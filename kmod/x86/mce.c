// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine checks, by the Intel SDM's chapter "Machine-Check Architecture". The
 * banks are the VMM's to fill: it hears of the host's memory errors.
 */
#include <linux/errno.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "mce.h"
#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../irqchip/irqchip.h"

#define BANK_MSRS	4	/* from IA32_MC0_CTL on, of each bank */
#define CTL2_VALID	(MCI_CTL2_CMCI_EN | MCI_CTL2_CMCI_THRESHOLD_MASK)
#define CTL_ON		(~0ULL)

/* Of MCG_CAP what AMD's guests see: the rest is Intel's. */
#define MCG_CAP_AMD	(MCG_BANKCNT_MASK | MCG_CTL_P)

/* K7_HWCR: flush filter, IGNNE emulation, slow flush do nothing */
#define HWCR_IGNORED		(BIT(3) | BIT(6) | BIT(8))
#define HWCR_STATUS_WRITE	BIT(18)
#define HWCR_TSC_AT_P0		BIT(24)

/* Of MCi_CTL: what Linux turns off for old AMD (GART) and Intel (bank 0) CPUs. */
#define CTL_MAY_BE_OFF	(BIT_ULL(10) | BIT_ULL(0))

static unsigned int nr_banks(const struct vcpu_mce *mce)
{
	return mce->cap & MCG_BANKCNT_MASK;
}

/** mce_create() - the banks of a new vCPU, all of them; no error is reported yet */
int mce_create(struct vcpu *vcpu)
{
	vcpu->mce = kzalloc(sizeof(*vcpu->mce), GFP_KERNEL_ACCOUNT);
	if (!vcpu->mce)
		return -ENOMEM;
	vcpu->mce->cap = MCE_BANKS_MAX;
	vcpu->mce->hwcr = HWCR_TSC_AT_P0;
	return 0;
}

/**
 * mce_set_cap() - KVM_X86_SETUP_MCE
 * @vcpu: vcpu->mutex held
 * @cap: IA32_MCG_CAP
 *
 * Return: 0, -EINVAL: no or too many banks, a capability that is not offered.
 */
int mce_set_cap(struct vcpu *vcpu, u64 cap)
{
	const u64 valid = MCE_CAPS | MCG_BANKCNT_MASK | MCG_EXT_CNT_MASK;
	struct vcpu_mce *mce = vcpu->mce;
	unsigned int i, n = cap & MCG_BANKCNT_MASK;

	if (!n || n > MCE_BANKS_MAX || cap & ~valid)
		return -EINVAL;
	mce->cap = cap;
	if (cap & MCG_CTL_P)
		mce->ctl = CTL_ON;
	for (i = 0; i < n; i++) {
		mce->bank[i].ctl = CTL_ON;
		mce->bank[i].ctl2 = 0;
	}
	if (vcpu->lapic)
		lapic_set_cmci(vcpu->lapic, cap & MCG_CMCI_P);
	return 0;
}

/* Uncorrected, but nothing to be done about it now: no exception. */
static bool no_action_required(const struct kvm_x86_mce *mce)
{
	return mce->status & MCI_STATUS_UC && !mce->mcg_status &&
	       !(mce->status & (MCI_STATUS_PCC | MCI_STATUS_S | MCI_STATUS_AR));
}

static void record(struct mce_bank *bank, const struct kvm_x86_mce *mce)
{
	u64 lost = bank->status & MCI_STATUS_VAL ? MCI_STATUS_OVER : 0;

	bank->addr = mce->addr;
	bank->misc = mce->misc;
	bank->status = mce->status | lost;
}

/* Recorded always; told to whoever wants corrected errors told. */
static void inject_ucna(struct vcpu *vcpu, struct mce_bank *bank,
			const struct kvm_x86_mce *mce)
{
	bank->addr = mce->addr;
	bank->misc = mce->misc;
	bank->status = mce->status;
	vcpu->mce->status = 0;
	if (vcpu->mce->cap & MCG_CMCI_P && bank->ctl2 & MCI_CTL2_CMCI_EN &&
	    vcpu->lapic)
		lapic_cmci(vcpu->lapic);
}

static void inject_uncorrected(struct vcpu *vcpu, struct mce_bank *bank,
			       const struct kvm_x86_mce *mce)
{
	if ((vcpu->mce->cap & MCG_CTL_P && vcpu->mce->ctl != CTL_ON) ||
	    bank->ctl != CTL_ON)
		return;
	/* One in the middle of another is the machine's end. */
	if (vcpu->mce->status & MCG_STATUS_MCIP ||
	    !(vcpu_cr4(vcpu) & X86_CR4_MCE)) {
		vcpu_request(vcpu, REQ_TRIPLE_FAULT);
		return;
	}
	record(bank, mce);
	vcpu->mce->status = mce->mcg_status;
	exception_queue(vcpu, X86_TRAP_MC);
}

/**
 * mce_inject() - KVM_X86_SET_MCE
 * @vcpu: vcpu->mutex held, loaded
 * @mce: the error, kernel copy
 *
 * A corrected error is recorded, unless an uncorrected one is there. An
 * uncorrected one raises #MC, or shuts the guest down that cannot take it now;
 * with no action required it is recorded, and signalled by CMCI.
 *
 * Return: 0, -EINVAL: no such bank, or nothing valid to put there.
 */
int mce_inject(struct vcpu *vcpu, const struct kvm_x86_mce *mce)
{
	unsigned int nr = nr_banks(vcpu->mce);
	struct mce_bank *bank;

	if (mce->bank >= nr || !(mce->status & MCI_STATUS_VAL))
		return -EINVAL;
	bank = &vcpu->mce->bank[array_index_nospec(mce->bank, nr)];
	if (no_action_required(mce))
		inject_ucna(vcpu, bank, mce);
	else if (mce->status & MCI_STATUS_UC)
		inject_uncorrected(vcpu, bank, mce);
	else if ((bank->status & (MCI_STATUS_VAL | MCI_STATUS_UC)) ==
		 (MCI_STATUS_VAL | MCI_STATUS_UC))
		bank->status |= MCI_STATUS_OVER;
	else
		record(bank, mce);
	return 0;
}

/* Registers of banks: the field, NULL: there is no such bank. */
static u64 *bank_field(struct vcpu_mce *mce, u32 index)
{
	unsigned int nr = nr_banks(mce), bank, field;

	if (index >= MSR_IA32_MC0_CTL) {
		bank = (index - MSR_IA32_MC0_CTL) / BANK_MSRS;
		field = (index - MSR_IA32_MC0_CTL) % BANK_MSRS;
	} else {
		bank = index - MSR_IA32_MC0_CTL2;
		field = BANK_MSRS;
	}
	if (bank >= nr)
		return NULL;
	return &mce->bank[array_index_nospec(bank, nr)].ctl + field;
}

/**
 * mce_msr_get() - read a machine-check MSR
 * @vcpu: vcpu->mutex held
 * @msr: in: IA32_MCG_*, IA32_MCi_*, K7_HWCR, host; out: data
 *
 * Return: 0 or MSR_FAULT.
 */
int mce_msr_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct vcpu_mce *mce = vcpu->mce;
	u64 *field;

	switch (msr->index) {
	case MSR_IA32_MCG_CAP:
		msr->data = mce->cap;
		if (vcpu->feat.amd && !msr->host)
			msr->data &= MCG_CAP_AMD;
		return 0;
	case MSR_IA32_MCG_STATUS:
		msr->data = mce->status;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(mce->cap & MCG_CTL_P) && !msr->host)
			return MSR_FAULT;
		msr->data = mce->ctl;
		return 0;
	case MSR_K7_HWCR:
		msr->data = mce->hwcr;
		return 0;
	}
	field = bank_field(mce, msr->index);
	if (!field || (msr->index < MSR_IA32_MC0_CTL &&
		       !(mce->cap & MCG_CMCI_P) && !msr->host))
		return MSR_FAULT;
	msr->data = *field;
	return 0;
}

static int set_hwcr(struct vcpu_mce *mce, const struct msr_access *msr)
{
	u64 kept = msr->data & ~(u64)HWCR_IGNORED;

	if (kept & ~(u64)(HWCR_STATUS_WRITE | HWCR_TSC_AT_P0))
		return MSR_FAULT;
	mce->hwcr = kept;
	return 0;
}

/* Of a register that is there: what it may hold. */
static bool bank_value_valid(struct vcpu *vcpu, const struct msr_access *msr)
{
	const struct vcpu_mce *mce = vcpu->mce;

	if (msr->index < MSR_IA32_MC0_CTL) {
		/* Without CMCI it is not there; a VMM may write back the zero. */
		if (!(mce->cap & MCG_CMCI_P))
			return msr->host && !msr->data;
		return !(msr->data & ~CTL2_VALID);
	}
	switch ((msr->index - MSR_IA32_MC0_CTL) % BANK_MSRS) {
	case 0:
		return !msr->data || (msr->data | CTL_MAY_BE_OFF) == CTL_ON;
	case 1:
		/* Guests clear it. */
		return msr->host || !msr->data ||
		       (vcpu->feat.amd && mce->hwcr & HWCR_STATUS_WRITE);
	}
	return true;
}

/**
 * mce_msr_set() - write a machine-check MSR
 * @vcpu: vcpu->mutex held
 * @msr: index, data, host
 *
 * Return: 0 or MSR_FAULT.
 */
int mce_msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct vcpu_mce *mce = vcpu->mce;
	u64 *field;

	switch (msr->index) {
	case MSR_IA32_MCG_CAP:
		return MSR_FAULT;
	case MSR_IA32_MCG_STATUS:
		mce->status = msr->data;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(mce->cap & MCG_CTL_P) && (msr->data || !msr->host))
			return MSR_FAULT;
		if (msr->data && msr->data != CTL_ON)
			return MSR_FAULT;
		mce->ctl = msr->data;
		return 0;
	case MSR_K7_HWCR:
		return set_hwcr(mce, msr);
	}
	field = bank_field(mce, msr->index);
	if (!field || !bank_value_valid(vcpu, msr))
		return MSR_FAULT;
	*field = msr->data;
	return 0;
}
