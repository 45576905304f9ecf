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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtrr_default_type),
		cmocka_unit_test(mtrr_capabilities),
		cmocka_unit_test(mtrr_variable),
		cmocka_unit_test(mtrr_fixed),
		cmocka_unit_test(pat),
		cmocka_unit_test(fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
