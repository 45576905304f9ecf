/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory type range registers. Pure: builds in unit tests too. */
#ifndef JOIST_X86_MTRR_H
#define JOIST_X86_MTRR_H

#include <linux/bits.h>
#include <linux/types.h>

#define MTRR_FIXED_COUNT	11
#define MTRR_VAR_COUNT		16	/* eight pairs of base and mask */
#define MTRR_DEF_FIXED		BIT(10)
#define MTRR_DEF_ENABLE		BIT(11)

struct msr_access;

/**
 * struct mtrr - a vCPU's registers as it wrote them
 * @def_type: IA32_MTRR_DEF_TYPE
 * @fixed: 64K, two 16K, eight 4K
 * @var: base and mask, by turns
 *
 * Protection: vcpu->mutex.
 */
struct mtrr {
	u64 def_type;
	u64 fixed[MTRR_FIXED_COUNT];
	u64 var[MTRR_VAR_COUNT];
};

/* 0, MSR_FAULT or MSR_UNKNOWN */
int mtrr_get(struct mtrr *mtrr, struct msr_access *msr);
int mtrr_set(struct mtrr *mtrr, u8 maxphyaddr, const struct msr_access *msr);
int mtrr_memtype(const struct mtrr *mtrr, u64 start, u64 bytes);
bool pat_valid(u64 pat);

/* Else all memory is uncached. */
static inline bool mtrr_enabled(const struct mtrr *mtrr)
{
	return mtrr->def_type & MTRR_DEF_ENABLE;
}

#endif
