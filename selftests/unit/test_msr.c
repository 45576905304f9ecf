// SPDX-License-Identifier: GPL-2.0-only
/* MTRRs, PAT and the MSRs without effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <asm/msr-index.h>

#include "x86/msr.h"
#include "x86/mtrr.h"

#define PHYS_BITS	40
#define MTRR_BASE(n)	(0x200 + 2 * (n))
#define MTRR_MASK(n)	(0x201 + 2 * (n))
#define UC_ALL		0x0000000000000000ULL
#define WB_ALL		0x0606060606060606ULL

static int set(struct mtrr *mtrr, u32 index, u64 data)
{
	struct msr_access msr = { .index = index, .data = data };

	return mtrr_set(mtrr, PHYS_BITS, &msr);
}

static u64 get(struct mtrr *mtrr, u32 index)
{
	struct msr_access msr = { .index = index, .data = ~0ULL };

	assert_int_equal(mtrr_get(mtrr, &msr), 0);
	return msr.data;
}

static void mtrr_default_type(void **state)
{
	struct mtrr m = { 0 };
	u64 type;

	/* Memory types 0, 1, 4, 5, 6 exist; 2, 3, 7 and the rest do not. */
	for (type = 0; type < 256; type++) {
		bool ok = type < 8 && (0x73 >> type & 1);

		assert_int_equal(set(&m, MSR_MTRRdefType, 0xc00 | type),
				 ok ? 0 : MSR_FAULT);
		if (ok)
			assert_int_equal(get(&m, MSR_MTRRdefType), 0xc00 | type);
	}
	assert_int_equal(set(&m, MSR_MTRRdefType, 0x106), MSR_FAULT);
	assert_int_equal(set(&m, MSR_MTRRdefType, 0x1006), MSR_FAULT);
	assert_int_equal(set(&m, MSR_MTRRdefType, 6 | 1ULL << 63), MSR_FAULT);
}

static void mtrr_capabilities(void **state)
{
	struct mtrr m = { 0 };

	assert_int_equal(get(&m, MSR_MTRRcap), 0x508);
	assert_int_equal(set(&m, MSR_MTRRcap, 0x508), MSR_FAULT);
}

static void mtrr_variable(void **state)
{
	struct mtrr m = { 0 };
	int i;

	for (i = 0; i < 8; i++) {
		assert_int_equal(set(&m, MTRR_BASE(i), 0x80000006 + (i << 12)), 0);
		assert_int_equal(set(&m, MTRR_MASK(i), 0xff80000800ULL), 0);
	}
	for (i = 0; i < 8; i++) {
		assert_int_equal(get(&m, MTRR_BASE(i)), 0x80000006 + (i << 12));
		assert_int_equal(get(&m, MTRR_MASK(i)), 0xff80000800ULL);
	}
	/* Reserved bits, types that are none, addresses that are none. */
	assert_int_equal(set(&m, MTRR_BASE(0), 0x80000106), MSR_FAULT);
	assert_int_equal(set(&m, MTRR_BASE(0), 0x80000002), MSR_FAULT);
	assert_int_equal(set(&m, MTRR_BASE(0), 1ULL << PHYS_BITS), MSR_FAULT);
	assert_int_equal(set(&m, MTRR_MASK(0), 0x400), MSR_FAULT);
	assert_int_equal(set(&m, MTRR_MASK(0), 1ULL << PHYS_BITS), MSR_FAULT);
	assert_int_equal(get(&m, MTRR_BASE(0)), 0x80000006);
	/* There are eight. */
	assert_int_equal(set(&m, MTRR_BASE(8), 6), MSR_UNKNOWN);
}

static void mtrr_fixed(void **state)
{
	static const u32 regs[] = {
		0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d,
		0x26e, 0x26f,
	};
	struct mtrr m = { 0 };
	int i;

	/* Each is a register of its own. */
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		assert_int_equal(set(&m, regs[i], i & 1 ? WB_ALL : 1ULL << 8 * (i / 2)), 0);
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		assert_int_equal(get(&m, regs[i]), i & 1 ? WB_ALL : 1ULL << 8 * (i / 2));
	for (i = 0; i < 8; i++)
		assert_int_equal(set(&m, 0x250, 2ULL << 8 * i), MSR_FAULT);
	assert_int_equal(set(&m, 0x250, UC_ALL), 0);
	for (i = 0x200; i < 0x300; i++) {
		struct msr_access msr = { .index = i };
		bool there = i < 0x210 || i == 0x250 || i == 0x258 ||
			     i == 0x259 || (i >= 0x268 && i <= 0x26f) ||
			     i == 0x2ff;

		assert_int_equal(mtrr_get(&m, &msr), there ? 0 : MSR_UNKNOWN);
	}
}

static void pat(void **state)
{
	int i, type;

	assert_true(pat_valid(0x0007040600070406ULL));
	for (i = 0; i < 8; i++)
		for (type = 0; type < 256; type++)
			assert_int_equal(pat_valid((u64)type << 8 * i),
					 type < 8 && (0xf3 >> type & 1));
}

static void fixed(void **state)
{
	struct msr_access msr = { .index = MSR_IA32_FEAT_CTL };

	/* Locked, and nothing turned on: no VMX for the guest. */
	assert_int_equal(msr_fixed_get(&msr), 0);
	assert_int_equal(msr.data, 1);
	assert_int_equal(msr_fixed_set(&msr), MSR_FAULT);
	msr.host = true;
	assert_int_equal(msr_fixed_set(&msr), 0);
	msr.data = 5;
	assert_int_equal(msr_fixed_set(&msr), MSR_FAULT);

	/* There is none: the VMM may say so. */
	msr = (struct msr_access) { .index = MSR_IA32_PERF_CAPABILITIES,
				    .data = 1 };
	assert_int_equal(msr_fixed_get(&msr), MSR_FAULT);
	assert_int_equal(msr_fixed_set(&msr), MSR_FAULT);
	msr.host = true;
	assert_int_equal(msr_fixed_get(&msr), 0);
	assert_int_equal(msr.data, 0);
	assert_int_equal(msr_fixed_set(&msr), 0);
	msr.data = 1;
	assert_int_equal(msr_fixed_set(&msr), MSR_FAULT);

	msr = (struct msr_access) { .index = MSR_IA32_DEBUGCTLMSR, .data = 3 };
	assert_int_equal(msr_fixed_set(&msr), 0);
	msr.data = 1 << 6;
	assert_int_equal(msr_fixed_set(&msr), MSR_FAULT);

	msr = (struct msr_access) { .index = 0xdeadbeef };
	assert_int_equal(msr_fixed_get(&msr), MSR_UNKNOWN);
	assert_int_equal(msr_fixed_set(&msr), MSR_UNKNOWN);
}

#define PAGE		0x1000ULL
#define LARGE		0x200000ULL
#define MASK(bits)	(0xff00000000ULL | (0xffffffffULL & ~((1ULL << (bits)) - 1)) | BIT(11))
enum { UC, WC, WT = 4, WP, WB };

static int type(const struct mtrr *m, u64 addr)
{
	return mtrr_memtype(m, addr & ~(PAGE - 1), PAGE);
}

static void memtype_default(void **state)
{
	struct mtrr m = { 0 };

	/* After reset they are off: all is uncached. */
	assert_int_equal(type(&m, 0), UC);
	assert_int_equal(set(&m, MSR_MTRRdefType, WB), 0);
	assert_int_equal(type(&m, 0), UC);
	assert_int_equal(mtrr_memtype(&m, 0, LARGE), UC);
	assert_int_equal(set(&m, MSR_MTRRdefType, BIT(11) | WB), 0);
	assert_int_equal(type(&m, 0), WB);
	assert_int_equal(mtrr_memtype(&m, 0, LARGE), WB);
	assert_int_equal(mtrr_memtype(&m, 1ULL << 39, 1 << 30), WB);
}

static void memtype_fixed(void **state)
{
	static const struct { u64 addr; u8 type; } want[] = {
		{ 0, WB }, { 0x7f000, WB }, { 0x80000, WT }, { 0x83fff, WT }, { 0x84000, WP },
		{ 0x9f000, WP }, { 0xa0000, UC }, { 0xbf000, UC }, { 0xc0000, WC },
		{ 0xc1000, WP }, { 0xc7000, WP }, { 0xc8000, UC }, { 0xff000, WT },
		{ 0x100000, WB },
	};
	struct mtrr m = { 0 };
	unsigned int i;

	assert_int_equal(set(&m, MSR_MTRRdefType, BIT(11) | BIT(10) | WB), 0);
	assert_int_equal(set(&m, MSR_MTRRfix64K_00000, WB_ALL), 0);
	assert_int_equal(set(&m, MSR_MTRRfix16K_80000, 0x0505050505050504ULL), 0);
	assert_int_equal(set(&m, MSR_MTRRfix16K_A0000, UC_ALL), 0);
	assert_int_equal(set(&m, MSR_MTRRfix4K_C0000, 0x0505050505050501ULL), 0);
	assert_int_equal(set(&m, MSR_MTRRfix4K_F8000, 0x0400000000000000ULL), 0);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(type(&m, want[i].addr), want[i].type);
	assert_int_equal(mtrr_memtype(&m, 0, LARGE), -1);
	assert_int_equal(mtrr_memtype(&m, LARGE, LARGE), WB);
	/* Off, they do not count. */
	assert_int_equal(set(&m, MSR_MTRRdefType, BIT(11) | WB), 0);
	assert_int_equal(type(&m, 0xa0000), WB);
	assert_int_equal(mtrr_memtype(&m, 0, LARGE), WB);
}

static void memtype_variable(void **state)
{
	struct mtrr m = { 0 };

	assert_int_equal(set(&m, MSR_MTRRdefType, BIT(11) | UC), 0);
	/* 2 GiB of RAM, 64 KiB of it write-combined, 1 MiB written through. */
	assert_int_equal(set(&m, MTRR_BASE(0), WB), 0);
	assert_int_equal(set(&m, MTRR_MASK(0), MASK(31)), 0);
	assert_int_equal(set(&m, MTRR_BASE(3), 0x40000000 | WC), 0);
	assert_int_equal(set(&m, MTRR_MASK(3), MASK(16)), 0);
	assert_int_equal(set(&m, MTRR_BASE(7), 0x50000000 | WT), 0);
	assert_int_equal(set(&m, MTRR_MASK(7), MASK(20)), 0);
	assert_int_equal(type(&m, 0), WB);
	assert_int_equal(type(&m, 0x7ffff000), WB);
	assert_int_equal(type(&m, 0x80000000), UC);
	assert_int_equal(type(&m, 0x50000000), WT);
	assert_int_equal(type(&m, 0x500ff000), WT);
	assert_int_equal(type(&m, 0x50100000), WB);
	/* Write-combined and write-back is undefined: the safest. */
	assert_int_equal(type(&m, 0x40000000), UC);
	assert_int_equal(type(&m, 0x40010000), WB);
	assert_int_equal(mtrr_memtype(&m, 0x40000000, LARGE), -1);
	assert_int_equal(mtrr_memtype(&m, 0x40200000, LARGE), WB);
	assert_int_equal(mtrr_memtype(&m, 0x40000000, 1 << 30), -1);
	assert_int_equal(mtrr_memtype(&m, 0x80000000, 1 << 30), UC);
	assert_int_equal(set(&m, MTRR_BASE(0), UC), 0);
	assert_int_equal(type(&m, 0x50000000), UC);
	/* Not valid, it does not count. */
	assert_int_equal(set(&m, MTRR_MASK(0), MASK(31) & ~BIT(11)), 0);
	assert_int_equal(type(&m, 0x50000000), WT);
	assert_int_equal(type(&m, 0x40000000), WC);
}

/* Whatever the registers: large is what all its pages are, or says that it does not know. */
static void memtype_large(void **state)
{
	static const u8 types[] = { UC, WC, WT, WP, WB };
	struct mtrr m = { .def_type = BIT(11) | WB };
	int n, i, large;
	u64 start, at;

	srandom(4);
	for (n = 0; n < 3000; n++) {
		for (i = 0; i < MTRR_VAR_COUNT; i += 2) {
			m.var[i] = ((u64)random() << 12 & 0xfff000) | types[random() % 5];
			m.var[i + 1] = ((u64)random() << 12 & 0xfff000) | MASK(24) |
				       (random() & BIT(11));
		}
		start = (random() & 7) * LARGE;
		large = mtrr_memtype(&m, start, LARGE);
		for (at = start; at < start + LARGE && large >= 0; at += PAGE)
			assert_int_equal(type(&m, at), large);
		assert_true(type(&m, start) >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtrr_default_type),
		cmocka_unit_test(mtrr_capabilities),
		cmocka_unit_test(mtrr_variable),
		cmocka_unit_test(mtrr_fixed),
		cmocka_unit_test(pat),
		cmocka_unit_test(fixed),
		cmocka_unit_test(memtype_default),
		cmocka_unit_test(memtype_fixed),
		cmocka_unit_test(memtype_variable),
		cmocka_unit_test(memtype_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
