// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that systems look at, or set once, and behind which there is nothing: they
 * read the same always. Pure.
 */
#include <linux/types.h>
#include <asm/msr-index.h>

#include "msr.h"

/* What guests look at before they know better; the values KVM's guests see. */
#define PERF_STATUS_RATIO	(1000ULL | 4ULL << 40)
#define FSB_100_MHZ		3
#define EBC_RATIO		BIT(24)

#define MSR_F10H_BU_CFG2	0xc001102a

/**
 * msr_fixed_get() - read a register that always reads the same
 * @msr: in: index, host; out: data
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int msr_fixed_get(struct msr_access *msr)
{
	switch (msr->index) {
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
	case MSR_IA32_PLATFORM_ID:
	case MSR_IA32_EBL_CR_POWERON:
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_IA32_LASTBRANCHFROMIP:
	case MSR_IA32_LASTBRANCHTOIP:
	case MSR_IA32_LASTINTFROMIP:
	case MSR_IA32_LASTINTTOIP:
	case MSR_IA32_PERF_CTL:
	case MSR_AMD64_SYSCFG:
	case MSR_K8_TSEG_ADDR:
	case MSR_K8_TSEG_MASK:
	case MSR_K8_INT_PENDING_MSG:
	case MSR_AMD64_NB_CFG:
	case MSR_FAM10H_MMIO_CONF_BASE:
	case MSR_F10H_BU_CFG2:
	case MSR_AMD64_DC_CFG:
	case MSR_F15H_EX_CFG:
		msr->data = 0;
		return 0;
	case MSR_IA32_FEAT_CTL:
		msr->data = FEAT_CTL_LOCKED;
		return 0;
	case MSR_IA32_PERF_STATUS:
		msr->data = PERF_STATUS_RATIO;
		return 0;
	case MSR_FSB_FREQ:
		msr->data = FSB_100_MHZ;
		return 0;
	case MSR_EBC_FREQUENCY_ID:
		msr->data = EBC_RATIO;
		return 0;
	case MSR_IA32_PERF_CAPABILITIES:
		/* No guest is told of it; VMMs look. */
		msr->data = 0;
		return msr->host ? 0 : MSR_FAULT;
	}
	return MSR_UNKNOWN;
}

/**
 * msr_fixed_set() - write one: what has no effect is accepted, what would have,
 * not
 * @msr: index, data and host
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int msr_fixed_set(const struct msr_access *msr)
{
	u64 ignored = 0;

	switch (msr->index) {
	case MSR_IA32_UCODE_WRITE:
	case MSR_AMD64_PATCH_LOADER:
	case MSR_AMD64_NB_CFG:
	case MSR_F10H_BU_CFG2:
	case MSR_AMD64_DC_CFG:
	case MSR_F15H_EX_CFG:
	case MSR_AMD64_SYSCFG:
	case MSR_K8_INT_PENDING_MSG:
	case MSR_IA32_PERF_CTL:
		return 0;
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
	case MSR_FAM10H_MMIO_CONF_BASE:
	case MSR_IA32_EBL_CR_POWERON:
		break;
	case MSR_IA32_DEBUGCTLMSR:
		ignored = DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF;
		break;
	case MSR_IA32_FEAT_CTL:
		ignored = FEAT_CTL_LOCKED;
		fallthrough;
	case MSR_IA32_PERF_CAPABILITIES:
		if (!msr->host)
			return MSR_FAULT;
		break;
	case MSR_AMD64_DE_CFG:
		ignored = MSR_AMD64_DE_CFG_LFENCE_SERIALIZE;
		break;
	default:
		return MSR_UNKNOWN;
	}
	return msr->data & ~ignored ? MSR_FAULT : 0;
}
