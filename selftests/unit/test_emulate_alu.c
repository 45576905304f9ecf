// SPDX-License-Identifier: GPL-2.0-only
/* The emulator's arithmetic where a CPU in 64-bit mode has none, or faults. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

static void test_bound(void **state)
{
	PREPARE(EMU_MODE_PROT32, 0x62, 0x03);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 4, (u32)-5);
	poke(DATA + 4, 4, 5);
	env.emu.regs[R_AX] = (u32)-5;
	assert_done(2);
	env.emu.rip = CODE;
	env.emu.regs[R_AX] = 6;
	assert_fault(5, false, 0);
}

static u64 reference_flags(u8 al)
{
	return (al & 0x80 ? FL_SF : 0) | (al ? 0 : FL_ZF) |
	       (__builtin_parity(al) ? 0 : FL_PF);
}

/* DAA and DAS as the manual has them, over all inputs. */
static void reference_daa(bool sub, u8 *al, bool *cf, bool *af)
{
	u8 old = *al;
	bool old_cf = *cf;

	*cf = false;
	if ((*al & 15) > 9 || *af) {
		*cf = old_cf || (sub ? *al < 6 : *al > 0xff - 6);
		*al = sub ? *al - 6 : *al + 6;
		*af = true;
	} else {
		*af = false;
	}
	if (old > 0x99 || old_cf) {
		*al = sub ? *al - 0x60 : *al + 0x60;
		*cf = true;
	}
}

static void test_decimal(void **state)
{
	unsigned int i, in;

	for (i = 0; i < 0x800; i++) {
		bool sub = i & 0x400, cf = i & 0x200, af = i & 0x100;
		u8 al = i;

		PREPARE(EMU_MODE_PROT32, sub ? 0x2f : 0x27);
		env.emu.regs[R_AX] = 0x12345600 | al;
		env.emu.rflags = 2 | (cf ? FL_CF : 0) | (af ? FL_AF : 0);
		assert_done(1);
		reference_daa(sub, &al, &cf, &af);
		assert_int_equal(env.emu.regs[R_AX], 0x12345600 | al);
		assert_int_equal(env.emu.rflags, 2 | (cf ? FL_CF : 0) |
				 (af ? FL_AF : 0) | reference_flags(al));
	}
	/* AAA, AAS; AAM, AAD in base 10 */
	for (in = 0; in < 0x10000; in += 7) {
		bool af = in & 0x4000;
		bool adjust = (in & 15) > 9 || af;
		u16 ax = in;

		PREPARE(EMU_MODE_PROT32, 0x37);
		env.emu.regs[R_AX] = in;
		env.emu.rflags = 2 | (af ? FL_AF : 0);
		assert_done(1);
		if (adjust)
			ax += 0x106;
		assert_int_equal(env.emu.regs[R_AX], ax & 0xff0f);
		assert_int_equal(!!(env.emu.rflags & FL_CF), adjust);

		ax = in;
		PREPARE(EMU_MODE_PROT32, 0x3f);
		env.emu.regs[R_AX] = in;
		env.emu.rflags = 2 | (af ? FL_AF : 0);
		assert_done(1);
		if (adjust) {
			ax -= 6;
			ax -= 0x100;
		}
		assert_int_equal(env.emu.regs[R_AX], ax & 0xff0f);

		PREPARE(EMU_MODE_PROT32, 0xd4, 0x0a);
		env.emu.regs[R_AX] = in;
		assert_done(2);
		assert_int_equal(env.emu.regs[R_AX],
				 (in & 0xff) / 10 << 8 | (in & 0xff) % 10);
		PREPARE(EMU_MODE_PROT32, 0xd5, 0x0a);
		env.emu.regs[R_AX] = in;
		assert_done(2);
		assert_int_equal(env.emu.regs[R_AX],
				 ((in & 0xff) + (in >> 8) * 10) & 0xff);
	}
	PREPARE(EMU_MODE_PROT32, 0xd4, 0x00);
	assert_fault(0, false, 0);
}

/* The quotients at the edges of what fits, by all sizes. */
static void test_divide_edges(void **state)
{
	static const u8 idiv[4][3] = {
		{ 0xf6, 0xfb }, { 0x66, 0xf7, 0xfb }, { 0xf7, 0xfb },
		{ 0x48, 0xf7, 0xfb },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(idiv); i++) {
		unsigned int size = 1 << i, len = i & 1 ? 3 : 2;
		u64 min = 1ULL << (8 * size - 1);
		u64 low = size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
		u64 *regs = env.emu.regs;

		/* min / 1 fits; min / -1 does not */
		prepare(EMU_MODE_LONG, idiv[i], len);
		regs[R_AX] = size == 1 ? 0xff80 : min;
		regs[R_DX] = low;
		regs[R_BX] = 1;
		assert_done(len);
		assert_int_equal(regs[R_AX] & low, min);
		prepare(EMU_MODE_LONG, idiv[i], len);
		regs[R_AX] = size == 1 ? 0xff80 : min;
		regs[R_DX] = low;
		regs[R_BX] = low;
		assert_fault(0, false, 0);
		/* The same as a positive dividend: by 1 no, by -1 yes */
		prepare(EMU_MODE_LONG, idiv[i], len);
		regs[R_AX] = min;
		regs[R_BX] = 1;
		assert_fault(0, false, 0);
		regs[R_BX] = low;
		assert_done(len);
		assert_int_equal(regs[R_AX] & low, min);
		/* By zero */
		prepare(EMU_MODE_LONG, idiv[i], len);
		regs[R_AX] = 1;
		assert_fault(0, false, 0);
	}
}

static void test_arpl(void **state)
{
	PREPARE(EMU_MODE_PROT32, 0x63, 0xd8);
	env.emu.regs[R_AX] = 0x10;
	env.emu.regs[R_BX] = 0x1b;
	assert_done(2);
	assert_int_equal(env.emu.regs[R_AX], 0x13);
	assert_true(env.emu.rflags & FL_ZF);
	PREPARE(EMU_MODE_REAL, 0x63, 0xd8);
	assert_fault(6, false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_divide_edges),
		cmocka_unit_test(test_arpl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
