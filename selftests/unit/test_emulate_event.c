// SPDX-License-Identifier: GPL-2.0-only
/* The emulator delivers events, and returns from them; the x87's state. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

#define IDT	0x1000
#define HANDLER	0x18100

static int deliver(u8 vector, bool soft, u8 len, bool has_error, u32 error)
{
	const struct emu_event ev = {
		.vector = vector, .soft = soft, .len = len,
		.has_error = has_error, .error = error,
	};

	return emu_deliver(&env.emu, &ev);
}

/* Nothing has changed, and how it faults. */
static void assert_undeliverable(u8 vector, u8 fault, bool has_error, u32 error)
{
	struct emu_env before = env;

	assert_int_equal(deliver(vector, false, 0, true, 0x5555), EMU_EXCEPTION);
	assert_int_equal(env.emu.fault.vector, fault);
	assert_int_equal(env.emu.fault.has_error, has_error);
	assert_int_equal(env.emu.fault.error, error);
	assert_memory_equal(env.regs, before.regs, sizeof(before.regs));
	assert_int_equal(env.emu.rip, before.emu.rip);
	assert_int_equal(env.emu.rflags, before.emu.rflags);
}

static void real_mode(void)
{
	PREPARE(EMU_MODE_REAL, 0x90);
	env.dt_base[EMU_IDT] = IDT;
	env.dt_limit[EMU_IDT] = 0x3ff;
	env.emu.seg[EMU_CS].selector = 0x123;
	poke(IDT + 0x21 * 4, 4, 0x10008100);
}

static void test_real(void **state)
{
	real_mode();
	env.emu.rflags = FL_IF | FL_TF | FL_AC | FL_RF | FL_CF | 2;
	assert_int_equal(deliver(0x21, false, 0, true, 0x1234), EMU_OK);
	assert_int_equal(env.emu.rip, 0x8100);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0x1000);
	assert_int_equal(env.emu.rflags, FL_CF | 2);
	/* No error code there. */
	assert_int_equal(env.regs[R_SP], STACK - 6);
	assert_int_equal(peek(STACK - 2, 2), FL_IF | FL_TF | FL_CF | 2);
	assert_int_equal(peek(STACK - 4, 2), 0x123);
	assert_int_equal(peek(STACK - 6, 2), CODE);

	/* Behind an instruction. */
	real_mode();
	assert_int_equal(deliver(0x21, true, 2, false, 0), EMU_OK);
	assert_int_equal(peek(STACK - 6, 2), CODE + 2);

	/* The table ends before it, and in it. */
	real_mode();
	env.dt_limit[EMU_IDT] = 0x21 * 4 - 1;
	assert_undeliverable(0x21, 13, false, 0);
	env.dt_limit[EMU_IDT] = 0x21 * 4 + 2;
	assert_undeliverable(0x21, 13, false, 0);
	/* The stack wraps at 64 KiB; nothing is below. */
	real_mode();
	env.regs[R_SP] = 1;
	assert_undeliverable(0x21, 12, false, 0);
}

static void gate(u8 vector, u16 selector, u32 offset, u8 type)
{
	poke(IDT + vector * 8, 8, (offset & 0xffff) | (u64)selector << 16 |
	     (u64)type << 40 | (u64)(offset >> 16) << 48);
}

static void protected_mode(u8 type)
{
	PREPARE(EMU_MODE_PROT32, 0x90);
	env.dt_base[EMU_IDT] = IDT;
	env.dt_limit[EMU_IDT] = 0x7ff;
	env.emu.seg[EMU_CS].selector = 0x8;
	gate(0x21, 0x13, HANDLER, type);
}

static void test_gate(void **state)
{
	/* A 32-bit interrupt gate, with and without an error code */
	protected_mode(0x8e);
	env.emu.rflags = FL_IF | FL_TF | FL_NT | FL_RF | FL_ZF | 2;
	assert_int_equal(deliver(0x21, false, 0, true, 0x1234), EMU_OK);
	assert_int_equal(env.emu.rip, HANDLER);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 0x10);
	assert_int_equal(env.emu.rflags, FL_ZF | 2);
	assert_int_equal(env.regs[R_SP], STACK - 16);
	assert_int_equal(peek(STACK - 4, 4),
			 FL_IF | FL_TF | FL_NT | FL_RF | FL_ZF | 2);
	assert_int_equal(peek(STACK - 8, 4), 8);
	assert_int_equal(peek(STACK - 12, 4), CODE);
	assert_int_equal(peek(STACK - 16, 4), 0x1234);
	protected_mode(0x8e);
	assert_int_equal(deliver(0x21, false, 0, false, 0), EMU_OK);
	assert_int_equal(env.regs[R_SP], STACK - 12);

	/* A trap gate leaves IF; a 16-bit one has a small frame */
	protected_mode(0x8f);
	env.emu.rflags |= FL_IF;
	assert_int_equal(deliver(0x21, false, 0, false, 0), EMU_OK);
	assert_int_equal(env.emu.rflags, FL_IF | 2);
	protected_mode(0x87);
	gate(0x21, 0x10, 0x8100, 0x87);
	assert_int_equal(deliver(0x21, false, 0, true, 0x77), EMU_OK);
	assert_int_equal(env.regs[R_SP], STACK - 8);
	assert_int_equal(peek(STACK - 8, 2), 0x77);
	assert_int_equal(env.emu.rip, 0x8100);
}

static void test_gate_faults(void **state)
{
	u32 external = 0x21 * 8 + 3;

	protected_mode(0x0e);			/* not present */
	assert_undeliverable(0x21, 11, true, external);
	protected_mode(0x8c);			/* a call gate */
	assert_undeliverable(0x21, 13, true, external);
	protected_mode(0x9e);			/* a data segment */
	assert_undeliverable(0x21, 13, true, external);
	protected_mode(0x8e);
	env.dt_limit[EMU_IDT] = 0x21 * 8 + 6;
	assert_undeliverable(0x21, 13, true, external);
	protected_mode(0x8e);			/* its segment faults */
	gate(0x21, 0xbad0, HANDLER, 0x8e);
	assert_undeliverable(0x21, 13, true, 0xbad0);
	protected_mode(0x8e);			/* no stack */
	env.emu.seg[EMU_SS].limit = 0x100;
	assert_undeliverable(0x21, 12, true, 0);

	/* Tasks, other stacks and frames are not done. */
	protected_mode(0x85);
	assert_int_equal(deliver(0x21, false, 0, false, 0), EMU_UNHANDLED);
	protected_mode(0x8e);
	env.emu.cpl = 3;
	assert_int_equal(deliver(0x21, false, 0, false, 0), EMU_UNHANDLED);
	protected_mode(0x8e);
	env.emu.efer = 1 << 10;
	assert_int_equal(deliver(0x21, false, 0, false, 0), EMU_UNHANDLED);
}

/* INT n and IRET of protected mode, at CPL 0. */
static void test_there_and_back(void **state)
{
	protected_mode(0x8e);
	poke(CODE, 2, 0x21cd);
	poke(HANDLER, 1, 0xcf);
	env.emu.rflags |= FL_IF;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, HANDLER);
	assert_int_equal(env.emu.rflags, 2);
	assert_int_equal(peek(STACK - 12, 4), CODE + 2);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 2);
	assert_int_equal(env.emu.seg[EMU_CS].selector, 8);
	assert_int_equal(env.emu.rflags, FL_IF | 2);
	assert_int_equal(env.regs[R_SP], STACK);
	assert_true(env.emu.iret);

	/* The error code of INT's fault says: the program's own doing. */
	protected_mode(0x0e);
	poke(CODE, 2, 0x21cd);
	assert_fault(11, true, 0x21 * 8 + 2);
	/* Back to a user, to VM86, by a task: not done. */
	PREPARE(EMU_MODE_PROT32, 0xcf);
	poke(STACK + 4, 4, 0x1b);
	assert_int_equal(run(), EMU_UNHANDLED);
	PREPARE(EMU_MODE_PROT32, 0xcf);
	poke(STACK + 4, 4, 0x8);
	poke(STACK + 8, 4, FL_VM | 2);
	assert_int_equal(run(), EMU_UNHANDLED);
	PREPARE(EMU_MODE_PROT32, 0xcf);
	env.emu.rflags |= FL_NT;
	assert_int_equal(run(), EMU_UNHANDLED);
}

static void test_fpu(void **state)
{
	/* FNINIT, FNSTSW AX, FNSTCW, FLDCW, FNCLEX */
	PREPARE(EMU_MODE_REAL, 0xdb, 0xe3);
	env.fpu_status = 0x3841;
	assert_done(2);
	assert_int_equal(env.fpu_status, 0);
	assert_int_equal(env.fpu_control, 0x37f);
	PREPARE(EMU_MODE_REAL, 0xdf, 0xe0);
	env.fpu_status = 0x3841;
	env.regs[R_AX] = 0x11111111;
	assert_done(2);
	assert_int_equal(env.regs[R_AX], 0x11113841);
	PREPARE(EMU_MODE_REAL, 0xdd, 0x3e, 0x00, 0x50);
	env.fpu_status = 0x3841;
	assert_done(4);
	assert_int_equal(peek(DATA, 4), 0x3841);
	PREPARE(EMU_MODE_REAL, 0xd9, 0x3e, 0x00, 0x50);
	env.fpu_control = 0x27f;
	assert_done(4);
	assert_int_equal(peek(DATA, 4), 0x27f);
	PREPARE(EMU_MODE_REAL, 0xd9, 0x2e, 0x00, 0x50);
	poke(DATA, 2, 0x27f);
	assert_done(4);
	assert_int_equal(env.fpu_control, 0x27f);
	PREPARE(EMU_MODE_REAL, 0xdb, 0xe2);
	env.fpu_status = 0x80ff;
	assert_done(2);
	assert_int_equal(env.fpu_status, 0);

	/* FWAIT and FLDCW raise what waits, FNSTSW does not. */
	PREPARE(EMU_MODE_REAL, 0x9b);
	assert_done(1);
	PREPARE(EMU_MODE_REAL, 0x9b);
	env.fpu_status = 0x81;
	assert_fault(16, false, 0);
	PREPARE(EMU_MODE_REAL, 0xd9, 0x2e, 0x00, 0x50);
	env.fpu_status = 0x81;
	assert_fault(16, false, 0);
	/* TS, EM; FWAIT heeds TS with MP alone. */
	PREPARE(EMU_MODE_REAL, 0xdb, 0xe3);
	env.emu.cr0 |= 8;
	assert_fault(7, false, 0);
	env.emu.cr0 = 0x14;
	assert_fault(7, false, 0);
	PREPARE(EMU_MODE_REAL, 0x9b);
	env.emu.cr0 |= 8;
	assert_done(1);
	PREPARE(EMU_MODE_REAL, 0x9b);
	env.emu.cr0 |= 0xa;
	assert_fault(7, false, 0);
	/* FLDPI is not known. */
	PREPARE(EMU_MODE_REAL, 0xd9, 0xeb);
	assert_int_equal(run(), EMU_UNHANDLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_gate_faults),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_fpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
