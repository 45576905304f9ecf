// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory type range registers and the page attribute table: what a guest writes
 * is checked and kept. With nested paging they have no further effect: the
 * nested tables decide the memory type. Pure.
 */
#include <linux/nospec.h>
#include <asm/msr-index.h>

#include "msr.h"
#include "mtrr.h"

#define MTRR_VAR_FIRST		0x200
#define MTRR_CAP		(MTRR_VAR_COUNT / 2 | BIT(8) | BIT(10))
#define MTRR_DEF_TYPE_VALID	(0xff | BIT(10) | BIT(11))
#define MTRR_MASK_VALID		BIT(11)
#define MTRR_BASE_TYPE		0xff

/* UC, WC, WT, WP, WB */
static bool mtrr_type_valid(u8 type)
{
	return type < 8 && BIT(type) & 0x73;
}

static bool mtrr_fixed_valid(u64 val)
{
	int i;

	for (i = 0; i < 8; i++)
		if (!mtrr_type_valid(val >> (8 * i)))
			return false;
	return true;
}

/**
 * pat_valid() - may this be written to IA32_PAT?
 * @pat: eight memory types; UC- counts as one here
 */
bool pat_valid(u64 pat)
{
	const u64 bit1 = 0x0202020202020202ULL, all = 0x0707070707070707ULL;

	/* Types are 0, 1 and 4 to 7: bit 1 comes with bit 2. */
	return !(pat & ~all) && !(pat & bit1 & ~(pat >> 1));
}

static bool mtrr_var_valid(u8 maxphyaddr, u32 nr, u64 val)
{
	u64 high = ~0ULL << maxphyaddr;

	if (val & high)
		return false;
	if (nr & 1)
		return !(val & (MTRR_MASK_VALID - 1));
	return !(val & 0xf00) && mtrr_type_valid(val & MTRR_BASE_TYPE);
}

/* Where a fixed-range register is kept, or NULL. */
static u64 *mtrr_fixed(struct mtrr *mtrr, u32 index)
{
	switch (index) {
	case MSR_MTRRfix64K_00000:
		return &mtrr->fixed[0];
	case MSR_MTRRfix16K_80000:
	case MSR_MTRRfix16K_A0000:
		return &mtrr->fixed[1 + (index & 1)];
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
		index = array_index_nospec(index - MSR_MTRRfix4K_C0000, 8);
		return &mtrr->fixed[3 + index];
	}
	return NULL;
}

/* Where a variable-range register is kept, or NULL. */
static u64 *mtrr_var(struct mtrr *mtrr, u32 index)
{
	if (index - MTRR_VAR_FIRST >= MTRR_VAR_COUNT)
		return NULL;
	index = array_index_nospec(index - MTRR_VAR_FIRST, MTRR_VAR_COUNT);
	return &mtrr->var[index];
}

/**
 * mtrr_get() - read MTRRcap, the default type or a range register
 * @mtrr: the vCPU's, its mutex held
 * @msr: in: index; out: data
 *
 * Return: 0, or MSR_UNKNOWN.
 */
int mtrr_get(struct mtrr *mtrr, struct msr_access *msr)
{
	const u64 *reg;

	switch (msr->index) {
	case MSR_MTRRcap:
		msr->data = MTRR_CAP;
		return 0;
	case MSR_MTRRdefType:
		msr->data = mtrr->def_type;
		return 0;
	}
	reg = mtrr_var(mtrr, msr->index);
	if (!reg)
		reg = mtrr_fixed(mtrr, msr->index);
	if (!reg)
		return MSR_UNKNOWN;
	msr->data = *reg;
	return 0;
}

/**
 * mtrr_set() - write the default type or a range register
 * @mtrr: the vCPU's, its mutex held
 * @maxphyaddr: width of the guest's physical addresses in bits
 * @msr: index and data
 *
 * Return: 0; MSR_FAULT: reserved bits or an unknown memory type; MSR_UNKNOWN.
 */
int mtrr_set(struct mtrr *mtrr, u8 maxphyaddr, const struct msr_access *msr)
{
	u64 *reg;

	switch (msr->index) {
	case MSR_MTRRcap:
		return MSR_FAULT;
	case MSR_MTRRdefType:
		if (msr->data & ~(u64)MTRR_DEF_TYPE_VALID ||
		    !mtrr_type_valid(msr->data & 0xff))
			return MSR_FAULT;
		mtrr->def_type = msr->data;
		return 0;
	}
	reg = mtrr_var(mtrr, msr->index);
	if (reg) {
		if (!mtrr_var_valid(maxphyaddr, msr->index & 1, msr->data))
			return MSR_FAULT;
		*reg = msr->data;
		return 0;
	}
	reg = mtrr_fixed(mtrr, msr->index);
	if (!reg)
		return MSR_UNKNOWN;
	if (!mtrr_fixed_valid(msr->data))
		return MSR_FAULT;
	*reg = msr->data;
	return 0;
}
