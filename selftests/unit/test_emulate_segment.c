// SPDX-License-Identifier: GPL-2.0-only
/* The emulator in each mode: addresses, segments, far transfers, the stack. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

static void test_real_addressing(void **state)
{
	/* MOV AX, ES:[BX+SI+0x10] */
	PREPARE(EMU_MODE_REAL, 0x26, 0x8b, 0x40, 0x10);
	env.emu.seg[EMU_ES].base = 0x1000;
	env.emu.regs[R_AX] = 0xaaaa5555;
	env.emu.regs[R_BX] = 0xffff0100;	/* the upper half is not used */
	env.emu.regs[R_SI] = 0x20;
	poke(0x1130, 2, 0x1234);
	assert_done(4);
	assert_int_equal(env.emu.regs[R_AX], 0xaaaa1234);

	/* MOV [BP], AL: SS, not DS; offsets wrap at 64 KiB */
	PREPARE(EMU_MODE_REAL, 0x88, 0x46, 0x7f);
	env.emu.seg[EMU_SS].base = 0x2000;
	env.emu.regs[R_BP] = 0xff90;
	env.emu.regs[R_AX] = 0x77;
	assert_done(3);
	assert_int_equal(peek(0x200f, 1), 0x77);

	/* A word at the end of the segment: #GP, #SS, without error codes */
	PREPARE(EMU_MODE_REAL, 0xa1, 0xff, 0xff);
	assert_fault(13, false, 0);
	PREPARE(EMU_MODE_REAL, 0x8b, 0x46, 0x00);
	env.emu.regs[R_BP] = 0xffff;
	assert_fault(12, false, 0);

	/* MOV EAX, [EDI] with 67 and 66 prefixes, big real mode */
	PREPARE(EMU_MODE_REAL, 0x67, 0x66, 0x8b, 0x07);
	env.emu.regs[R_DI] = 0x12345;
	poke(0x12345, 4, 0xdeadbeef);
	assert_fault(13, false, 0);
	env.emu.seg[EMU_DS].limit = 0xffffffff;
	assert_done(4);
	assert_int_equal(env.emu.regs[R_AX], 0xdeadbeef);
}

static void test_real_far(void **state)
{
	/* JMP 0x1234:0x0056 */
	PREPARE(EMU_MODE_REAL, 0xea, 0x56, 0x00, 0x34, 0x12);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, 0x56);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0x1234);
	assert_int_equal(env.emu.seg[EMU_CS].base, 0x12340);

	/* CALL 0x0800:0x0010, then RETF 2 */
	PREPARE(EMU_MODE_REAL, 0x9a, 0x10, 0x00, 0x00, 0x08);
	env.emu.seg[EMU_CS].selector = 0x00aa;
	poke(0x8010, 3, 0x0002ca);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, 0x10);
	assert_int_equal(env.emu.regs[R_SP], STACK - 4);
	assert_int_equal(peek(STACK - 2, 2), 0xaa);
	assert_int_equal(peek(STACK - 4, 2), CODE + 5);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 5);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0xaa);
	assert_int_equal(env.emu.regs[R_SP], STACK + 2);

	/* JMP FAR [BX]; a target beyond the limit leaves CS as it was */
	PREPARE(EMU_MODE_REAL, 0xff, 0x2f);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 4, 0x20003000);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, 0x3000);
	assert_int_equal(env.emu.seg[EMU_CS].base, 0x20000);
	PREPARE(EMU_MODE_REAL, 0x66, 0xea, 0, 0, 1, 0, 0x34, 0x12);
	assert_fault(13, false, 0);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0);
}

static void test_real_interrupt(void **state)
{
	/* INT 0x10 through the table, then IRET */
	PREPARE(EMU_MODE_REAL, 0xcd, 0x10);
	env.dt_limit[EMU_IDT] = 0x3ff;
	env.emu.rflags = 0x202 | FL_CF;
	poke(0x40, 4, 0x08000100);
	mem[0x8100] = 0xcf;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, 0x100);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0x800);
	assert_int_equal(env.emu.rflags, 2 | FL_CF);
	assert_int_equal(peek(STACK - 2, 2), 0x203);
	assert_int_equal(peek(STACK - 6, 2), CODE + 2);
	assert_int_equal(run(), EMU_OK);
	assert_true(env.emu.iret);
	assert_int_equal(env.emu.rip, CODE + 2);
	assert_int_equal(env.emu.rflags, 0x203);
	assert_int_equal(env.emu.regs[R_SP], STACK);

	/* Beyond the table */
	PREPARE(EMU_MODE_REAL, 0xcd, 0x10);
	env.dt_limit[EMU_IDT] = 0x42;
	assert_fault(13, false, 0);
	/* INTO without overflow; INT to another stack is the caller's */
	PREPARE(EMU_MODE_REAL, 0xce);
	assert_done(1);
	PREPARE(EMU_MODE_PROT32, 0xcd, 0x80);
	env.emu.cpl = 3;
	assert_int_equal(run(), EMU_UNHANDLED);
	PREPARE(EMU_MODE_PROT32, 0xcf);
	env.emu.cpl = 3;
	assert_int_equal(run(), EMU_UNHANDLED);
}

static void test_segment_loads(void **state)
{
	/* MOV SS, AX blocks interrupts; POP DS does not */
	PREPARE(EMU_MODE_REAL, 0x8e, 0xd0);
	env.emu.regs[R_AX] = 0x300;
	assert_done(2);
	assert_true(env.emu.interrupt_shadow);
	assert_int_equal(env.emu.seg[EMU_SS].base, 0x3000);
	PREPARE(EMU_MODE_REAL, 0x1f);
	poke(STACK, 2, 0x400);
	assert_done(1);
	assert_false(env.emu.interrupt_shadow);
	assert_int_equal(env.emu.seg[EMU_DS].base, 0x4000);
	assert_int_equal(env.emu.regs[R_SP], STACK + 2);

	/* LDS SI, [BX]; LSS ESP, [EAX] */
	PREPARE(EMU_MODE_REAL, 0xc5, 0x37);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 4, 0x12345678);
	assert_done(2);
	assert_int_equal(env.emu.regs[R_SI], 0x5678);
	assert_int_equal(env.emu.seg[EMU_DS].selector, 0x1234);
	PREPARE(EMU_MODE_PROT32, 0x0f, 0xb2, 0x20);
	env.emu.regs[R_AX] = DATA;
	poke(DATA, 6, 0x0018deadbeef);
	assert_done(3);
	assert_int_equal(env.emu.regs[R_SP], 0xdeadbeef);
	assert_int_equal(env.emu.seg[EMU_SS].selector, 0x18);

	/* The load faults: the register stays */
	PREPARE(EMU_MODE_PROT32, 0x0f, 0xb2, 0x20);
	env.emu.regs[R_AX] = DATA;
	poke(DATA, 6, 0xbad0deadbeefULL);
	assert_fault(13, true, 0xbad0);

	/* PUSH ES with 32 bits writes two bytes of the four */
	PREPARE(EMU_MODE_PROT32, 0x06);
	env.emu.seg[EMU_ES].selector = 0x1234;
	poke(STACK - 4, 4, 0xffffffff);
	assert_done(1);
	assert_int_equal(peek(STACK - 4, 4), 0xffff1234);
}

static void test_protected_segments(void **state)
{
	static const u8 store[] = { 0x89, 0x03 };	/* MOV [EBX], EAX */
	static const u8 load[] = { 0x8b, 0x03 };
	struct emu_segment *ds = &env.emu.seg[EMU_DS];

	prepare(EMU_MODE_PROT32, store, sizeof(store));
	ds->limit = DATA + 3;
	ds->base = 0x100;
	env.emu.regs[R_BX] = DATA;
	env.emu.regs[R_AX] = 0x11223344;
	assert_done(2);
	assert_int_equal(peek(DATA + 0x100, 4), 0x11223344);
	env.emu.rip = CODE;
	env.emu.regs[R_BX] = DATA + 1;
	assert_fault(13, true, 0);
	/* No wrap around the end of the address space */
	env.emu.regs[R_BX] = 0xffffffff;
	assert_fault(13, true, 0);
	ds->limit = 0xffffffff;
	assert_fault(13, true, 0);

	prepare(EMU_MODE_PROT32, store, sizeof(store));
	env.emu.regs[R_BX] = DATA;
	ds->writable = false;
	assert_fault(13, true, 0);
	memcpy(mem + CODE, load, sizeof(load));
	assert_done(2);
	env.emu.rip = CODE;
	ds->execute_only = true;
	assert_fault(13, true, 0);
	ds->execute_only = false;
	ds->unusable = true;
	assert_fault(13, true, 0);

	/* Expand-down: valid above the limit */
	prepare(EMU_MODE_PROT32, load, sizeof(load));
	ds->expand_down = true;
	ds->limit = DATA - 1;
	env.emu.regs[R_BX] = DATA;
	assert_done(2);
	env.emu.rip = CODE;
	env.emu.regs[R_BX] = DATA - 1;
	assert_fault(13, true, 0);
	ds->big = false;
	env.emu.regs[R_BX] = 0xfffd;
	assert_fault(13, true, 0);
	env.emu.regs[R_BX] = 0xfffc;
	assert_done(2);

	/* The stack's faults are #SS */
	PREPARE(EMU_MODE_PROT32, 0x50);
	env.emu.seg[EMU_SS].limit = STACK - 5;
	env.emu.regs[R_SP] = STACK;
	assert_fault(12, true, 0);
}

static void test_long_canonical(void **state)
{
	/* MOV RAX, [RBX]; [RBP]; with LA57 */
	PREPARE(EMU_MODE_LONG, 0x48, 0x8b, 0x03);
	env.emu.regs[R_BX] = 0x800000000000;
	assert_fault(13, true, 0);
	env.emu.regs[R_BX] = 0x7ffffffffff9;	/* the end is beyond */
	assert_fault(13, true, 0);
	env.emu.cr4 |= 1 << 12;
	assert_fault(14, true, 0);
	PREPARE(EMU_MODE_LONG, 0x48, 0x8b, 0x45, 0x00);
	env.emu.regs[R_BP] = 0x8000000000000000;
	assert_fault(12, true, 0);

	/* Bases of FS and GS count, that of DS does not */
	PREPARE(EMU_MODE_LONG, 0x65, 0x48, 0x8b, 0x03);
	env.emu.seg[EMU_GS].base = DATA;
	env.emu.seg[EMU_DS].base = 0x123456;
	env.emu.regs[R_BX] = 8;
	poke(DATA + 8, 8, 0x1122334455667788);
	assert_done(4);
	assert_int_equal(env.emu.regs[R_AX], 0x1122334455667788);

	/* JMP RAX to nowhere */
	PREPARE(EMU_MODE_LONG, 0xff, 0xe0);
	env.emu.regs[R_AX] = 0x8000000000000000;
	assert_fault(13, true, 0);
}

static unsigned int segments_asked;

static void ask_segment(struct emu *emu, enum emu_seg seg)
{
	assert_false(segments_asked & 1 << seg);
	segments_asked |= 1 << seg;
	emu->seg[seg] = (struct emu_segment) {
		.base = seg == EMU_CS ? 0 : DATA, .limit = 0xffffffff,
		.writable = true, .big = true,
	};
}

/* A segment is asked for when it is used, once. */
static void test_segments_asked(void **state)
{
	static const struct {
		enum emu_mode mode;
		u8 len;
		u8 insn[3];
		u8 asked;
		u64 written;
	} rows[] = {
		/* MOV [RBX], EAX; with FS and with DS */
		{ EMU_MODE_LONG, 2, { 0x89, 0x03 }, 0, 8 },
		{ EMU_MODE_LONG, 3, { 0x64, 0x89, 0x03 }, 1 << EMU_FS,
		  DATA + 8 },
		{ EMU_MODE_LONG, 3, { 0x3e, 0x89, 0x03 }, 0, 8 },
		{ EMU_MODE_PROT32, 2, { 0x89, 0x03 }, 1 << EMU_CS | 1 << EMU_DS,
		  DATA + 8 },
		{ EMU_MODE_PROT32, 3, { 0x26, 0x89, 0x03 },
		  1 << EMU_CS | 1 << EMU_ES, DATA + 8 },
		/* PUSH RAX */
		{ EMU_MODE_LONG, 1, { 0x50 }, 0, STACK - 8 },
		{ EMU_MODE_PROT32, 1, { 0x50 }, 1 << EMU_CS | 1 << EMU_SS,
		  DATA + STACK - 4 },
	};
	struct emu_ops ops = emu_env_ops;
	unsigned int i;

	ops.get_segment = ask_segment;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(rows[i].mode, rows[i].insn, rows[i].len);
		env.emu.ops = &ops;
		env.emu.seg_known = 0;
		env.emu.regs[R_AX] = 0x11223344;
		env.emu.regs[R_BX] = 8;
		segments_asked = 0;
		assert_done(rows[i].len);
		assert_int_equal(segments_asked, rows[i].asked);
		assert_int_equal(peek(rows[i].written, 4), 0x11223344);
	}
}

static void test_stack_widths(void **state)
{
	/* A 16-bit stack in 32-bit code: only SP moves, and wraps */
	PREPARE(EMU_MODE_PROT32, 0x50);
	env.emu.seg[EMU_SS].big = false;
	env.emu.regs[R_SP] = 0xabcd0002;
	env.emu.regs[R_AX] = 0x11223344;
	assert_done(1);
	assert_int_equal(env.emu.regs[R_SP], 0xabcdfffe);
	assert_int_equal(peek(0xfffe, 4), 0x11223344);

	/* PUSHA and POPA, 16 and 32 bits */
	PREPARE(EMU_MODE_PROT32, 0x60, 0x61);
	for (unsigned int i = 0; i < 8; i++)
		if (i != R_SP)
			env.emu.regs[i] = 0x1000 + i;
	assert_done(1);
	assert_int_equal(env.emu.regs[R_SP], STACK - 32);
	assert_int_equal(peek(STACK - 4, 4), 0x1000);
	assert_int_equal(peek(STACK - 20, 4), STACK);
	assert_int_equal(peek(STACK - 32, 4), 0x1007);
	memset(env.emu.regs, 0, 4 * sizeof(u64));
	assert_done(1);
	assert_int_equal(env.emu.regs[R_SP], STACK);
	assert_int_equal(env.emu.regs[R_BX], 0x1003);

	/* PUSH imm8 in 64-bit code, and 16 bits wide */
	PREPARE(EMU_MODE_LONG, 0x6a, 0xff, 0x66, 0x6a, 0xfe);
	assert_done(2);
	assert_int_equal(peek(STACK - 8, 8), ~0ULL);
	assert_done(3);
	assert_int_equal(env.emu.regs[R_SP], STACK - 10);
	assert_int_equal(peek(STACK - 10, 2), 0xfffe);

	/* POP [ESP]: the address counts from the popped stack */
	PREPARE(EMU_MODE_PROT32, 0x8f, 0x04, 0x24);
	poke(STACK, 4, 0x55667788);
	assert_done(3);
	assert_int_equal(peek(STACK + 4, 4), 0x55667788);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_addressing),
		cmocka_unit_test(test_real_far),
		cmocka_unit_test(test_real_interrupt),
		cmocka_unit_test(test_segment_loads),
		cmocka_unit_test(test_protected_segments),
		cmocka_unit_test(test_long_canonical),
		cmocka_unit_test(test_segments_asked),
		cmocka_unit_test(test_stack_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
