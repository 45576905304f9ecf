// SPDX-License-Identifier: GPL-2.0-only
/* Nested page-table entries: both layouts, made and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mmu/spte.h"

static const struct spte_layout *const layouts[] = {
	&spte_layout_ept, &spte_layout_ept_noad, &spte_layout_npt,
};

static u64 random_u64(void)
{
	return (u64)random() << 42 ^ (u64)random() << 21 ^ random();
}

static void one_leaf(const struct spte_layout *l, u64 pfn, int level, u32 flags)
{
	u64 spte = spte_make_leaf(l, pfn, level, flags);
	bool write = flags & SPTE_WRITE;
	bool exec = flags & SPTE_EXEC;

	assert_true(spte_present(l, spte));
	assert_true(spte_is_leaf(l, spte, level));
	assert_int_equal(spte_pfn(l, spte), pfn);
	assert_int_equal(spte_writable(l, spte), write);
	assert_int_equal(!!(spte & SPTE_HOST_WRITABLE),
			 !!(flags & SPTE_MAY_WRITE));
	assert_true(spte_allows(l, spte, false, false));
	assert_int_equal(spte_allows(l, spte, true, false), write);
	assert_int_equal(spte_allows(l, spte, false, true), exec);
	assert_int_equal(spte_allows(l, spte, true, true), write && exec);
	if (l->accessed)
		assert_true(spte & l->accessed);
	if (l->dirty)
		assert_int_equal(!!(spte & l->dirty), write);
	if (flags & SPTE_UNCACHED)
		assert_int_equal(spte & (l->memtype_wb | l->memtype_uc),
				 l->memtype_uc);
	else
		assert_int_equal(spte & (l->memtype_wb | l->memtype_uc),
				 l->memtype_wb);
}

static void test_leaves(void **state)
{
	unsigned int i, n;

	srandom(1);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		for (n = 0; n < 100000; n++) {
			int level = 1 + random() % 3;
			u64 pfn = random_u64() & (SPTE_ADDR_MASK >> 12) &
				  ~(spte_level_pages(level) - 1);

			one_leaf(layouts[i], pfn, level, random() & 15);
		}
	}
}

static void test_tables(void **state)
{
	unsigned int i, n;

	srandom(2);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct spte_layout *l = layouts[i];

		assert_false(spte_present(l, 0));
		for (n = 0; n < 1000; n++) {
			hpa_t table = random_u64() & SPTE_ADDR_MASK;
			u64 spte = spte_make_table(l, table);

			assert_true(spte_present(l, spte));
			assert_int_equal(spte_addr(l, spte), table);
			for (int level = 2; level <= 5; level++)
				assert_false(spte_is_leaf(l, spte, level));
		}
	}
}

/* Host memory encryption's bit is an address bit: never part of the address. */
static void test_encrypt(void **state)
{
	struct spte_layout l = spte_layout_npt;
	u64 spte;

	l.encrypt = BIT_ULL(47);
	spte = spte_make_leaf(&l, 0x12345, 1, SPTE_WRITE);
	assert_true(spte & BIT_ULL(47));
	assert_int_equal(spte_pfn(&l, spte), 0x12345);
	spte = spte_make_leaf(&l, 0x12345, 1, SPTE_WRITE | SPTE_UNCACHED);
	assert_false(spte & BIT_ULL(47));
	spte = spte_make_table(&l, 0x54321000);
	assert_true(spte & BIT_ULL(47));
	assert_int_equal(spte_addr(&l, spte), 0x54321000);
}

/* Write-only and write-and-execute entries misconfigure EPT; reserved too is a
 * leaf's memory type 2, 3 or 7, and bits 6:3 of a table.
 */
static void test_ept_valid(void **state)
{
	u32 flags;
	int level;

	for (flags = 0; flags < 16; flags++) {
		for (level = 1; level <= 3; level++) {
			u64 spte = spte_make_leaf(&spte_layout_ept, 0, level,
						  flags);
			u64 type = (spte >> 3) & 7;

			assert_true(spte & 1);
			assert_true(type == 0 || type == 6);
		}
	}
	assert_int_equal(spte_make_table(&spte_layout_ept, 0) & 0xf8, 0);
	assert_int_equal(spte_make_table(&spte_layout_ept_noad, 0), 7);
}

/* The guest's own types: on EPT its PAT counts too, on NPT nothing but RAM is cached. */
static void test_guest_types(void **state)
{
	static const u8 types[] = { 0, 1, 4, 5, 6 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		u32 flags = SPTE_WRITE | SPTE_GUEST_TYPE | SPTE_TYPE(types[i]);
		u64 ept = spte_make_leaf(&spte_layout_ept, 0x200, 2, flags);
		u64 npt = spte_make_leaf(&spte_layout_npt, 0x200, 2, flags);

		assert_int_equal(ept >> 3 & 7, types[i]);
		assert_false(ept & BIT(6));
		assert_int_equal(npt & 0x18, types[i] == 6 ? 0 : 0x18);
		assert_int_equal(spte_pfn(&spte_layout_ept, ept), 0x200);
		assert_true(spte_writable(&spte_layout_ept, ept));
	}
	/* Without them it is write-back, whatever its PAT says. */
	assert_int_equal(spte_make_leaf(&spte_layout_ept, 0, 1, 0) & 0x78, 0x70);
	assert_int_equal(spte_make_leaf(&spte_layout_ept, 0, 1, SPTE_UNCACHED) & 0x78, 0);
}

static void one_split(const struct spte_layout *l, u64 pfn, int level, u32 flags)
{
	u64 large = spte_make_leaf(l, pfn, level, flags);
	unsigned int i = random() % SPTE_PER_TABLE;
	u64 part = spte_make_part(l, large, level, i);
	u64 kept = l->memtype_mask | l->encrypt | l->write | SPTE_HOST_WRITABLE;

	assert_true(spte_is_leaf(l, part, level - 1));
	assert_int_equal(spte_pfn(l, part), pfn + i * spte_level_pages(level - 1));
	assert_int_equal(part & kept, large & kept);
	assert_int_equal(!!(part & l->large), level > 2);
	assert_int_equal(spte_allows(l, part, false, true),
			 level == 2 || spte_allows(l, large, false, true));
}

static void test_parts(void **state)
{
	static const u32 types[] = {
		0, SPTE_UNCACHED, SPTE_GUEST_TYPE | SPTE_TYPE(0), SPTE_GUEST_TYPE | SPTE_TYPE(1),
		SPTE_GUEST_TYPE | SPTE_TYPE(4), SPTE_GUEST_TYPE | SPTE_TYPE(6),
	};
	unsigned int i, n;

	srandom(3);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct spte_layout l = *layouts[i];

		for (n = 0; n < 10000; n++) {
			int level = 2 + random() % 2;
			u64 pfn = (random_u64() & 0x3ffffffff) & ~(spte_level_pages(level) - 1);

			l.encrypt = n & 1 ? BIT_ULL(47) : 0;
			one_split(&l, pfn, level,
				  (random() & 7) | types[random() % ARRAY_SIZE(types)]);
		}
	}
}

static void test_index(void **state)
{
	gfn_t gfn = 0x123456789ULL;

	assert_int_equal(spte_index(gfn, 1), gfn & 511);
	assert_int_equal(spte_index(gfn, 2), (gfn >> 9) & 511);
	assert_int_equal(spte_index(gfn, 5), (gfn >> 36) & 511);
	assert_int_equal(spte_level_pages(1), 1);
	assert_int_equal(spte_level_pages(2), 512);
	assert_int_equal(spte_level_pages(3), 512 * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_encrypt),
		cmocka_unit_test(test_ept_valid),
		cmocka_unit_test(test_guest_types),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
