// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory type range registers and the page attribute table: what a guest writes
 * is checked and kept. With nested paging they have an effect only if the nested
 * tables are made by them: of a VM that has a device whose DMA does not look in
 * caches. Pure.
 */
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include <asm/mtrr.h>

#include "msr.h"
#include "mtrr.h"

#define MTRR_VAR_FIRST		0x200
#define MTRR_CAP		(MTRR_VAR_COUNT / 2 | BIT(8) | BIT(10))
#define MTRR_DEF_TYPE_VALID	(0xff | MTRR_DEF_FIXED | MTRR_DEF_ENABLE)
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

/* The type of what lies below 1 MiB: 64 KiB each, then 16, then 4. */
static int mtrr_fixed_type(const struct mtrr *mtrr, u64 addr)
{
	unsigned int i;

	if (addr < 0x80000)
		i = addr >> 16;
	else if (addr < 0xc0000)
		i = 8 + ((addr - 0x80000) >> 14);
	else
		i = 8 + 16 + ((addr - 0xc0000) >> 12);
	return mtrr->fixed[i / 8] >> (i % 8 * 8) & 0xff;
}

/* Two variable ranges have it: SDM volume 3, "MTRR Precedences". */
static int mtrr_combine(int a, int b)
{
	if (a == b)
		return a;
	if ((a == MTRR_TYPE_WRTHROUGH && b == MTRR_TYPE_WRBACK) ||
	    (a == MTRR_TYPE_WRBACK && b == MTRR_TYPE_WRTHROUGH))
		return MTRR_TYPE_WRTHROUGH;
	/* Uncached goes before all; all else is undefined. */
	return MTRR_TYPE_UNCACHABLE;
}

/**
 * mtrr_memtype() - the memory type of a piece of guest-physical memory
 * @mtrr: the vCPU's, its mutex held
 * @start: its first byte, aligned to @bytes
 * @bytes: a power of two, 4096 or more
 *
 * Return: MTRR_TYPE_*, or -1: it may have more than one, which 4 KiB never have.
 */
int mtrr_memtype(const struct mtrr *mtrr, u64 start, u64 bytes)
{
	int i, type = -1;

	if (!mtrr_enabled(mtrr))
		return MTRR_TYPE_UNCACHABLE;
	if (start < 0x100000 && mtrr->def_type & MTRR_DEF_FIXED)
		return bytes > 4096 ? -1 : mtrr_fixed_type(mtrr, start);
	for (i = 0; i < MTRR_VAR_COUNT; i += 2) {
		u64 mask = mtrr->var[i + 1] & ~0xfffULL;
		u64 base = mtrr->var[i];

		if (!(mtrr->var[i + 1] & MTRR_MASK_VALID) ||
		    (start ^ base) & mask & ~(bytes - 1))
			continue;
		if (mask & (bytes - 1))
			return -1;	/* a part of it */
		base &= MTRR_BASE_TYPE;
		type = type < 0 ? base : mtrr_combine(type, base);
	}
	return type < 0 ? mtrr->def_type & 0xff : type;
}
