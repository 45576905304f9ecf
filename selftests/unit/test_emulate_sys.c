// SPDX-License-Identifier: GPL-2.0-only
/* The emulator on what belongs to the system: ports, control, tables, MSRs. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

static void test_vm86(void **state)
{
	/* CLI, PUSHF, POPF are sensitive to IOPL */
	PREPARE(EMU_MODE_VM86, 0xfa);
	env.emu.rflags = FL_VM | FL_IF | 2;
	assert_fault(13, true, 0);
	PREPARE(EMU_MODE_VM86, 0x9c);
	env.emu.rflags = FL_VM | FL_IF | 2;
	assert_fault(13, true, 0);
	PREPARE(EMU_MODE_VM86, 0xfa);
	env.emu.rflags = FL_VM | FL_IF | FL_IOPL | 2;
	assert_done(1);
	assert_int_equal(env.emu.rflags, FL_VM | FL_IOPL | 2);
	PREPARE(EMU_MODE_VM86, 0x9d);
	env.emu.rflags = FL_VM | FL_IOPL | 2;
	poke(STACK, 2, 0x0ed5);		/* IOPL may not change */
	assert_done(1);
	assert_int_equal(env.emu.rflags, FL_VM | FL_IOPL | 0x0ed7);

	/* With VME, CLI clears VIF and PUSHF shows it as IF */
	PREPARE(EMU_MODE_VM86, 0xfa, 0x9c);
	env.emu.rflags = FL_VM | FL_IF | (1 << 19) | 2;
	env.emu.cr4 |= 1;
	assert_done(1);
	assert_int_equal(env.emu.rflags, FL_VM | FL_IF | 2);
	assert_done(1);
	assert_int_equal(peek(STACK - 2, 2), 0x3002);

	/* Ports are the bitmap's, whatever IOPL is; without a hook, #GP */
	PREPARE(EMU_MODE_VM86, 0xec);
	env.emu.rflags = FL_VM | FL_IOPL | 2;
	assert_fault(13, true, 0);
	/* No protected-mode instructions */
	PREPARE(EMU_MODE_VM86, 0x0f, 0x00, 0xd0);
	assert_fault(6, false, 0);
	PREPARE(EMU_MODE_VM86, 0x0f, 0x20, 0xc0);
	assert_fault(13, true, 0);
}

static void test_ports(void **state)
{
	/* IN AL, DX; OUT 0x80, EAX */
	PREPARE(EMU_MODE_PROT32, 0xec);
	env.emu.regs[R_DX] = 0xffff03f8;
	env.emu.regs[R_AX] = 0x11111111;
	env.port_val = 0xab;
	assert_done(1);
	assert_int_equal(env.port, 0x3f8);
	assert_int_equal(env.port_len, 1);
	assert_int_equal(env.emu.regs[R_AX], 0x111111ab);
	PREPARE(EMU_MODE_LONG, 0x48, 0xe7, 0x80);
	env.emu.regs[R_AX] = 0x1122334455667788;
	assert_done(3);
	assert_int_equal(env.port, 0x80);
	assert_int_equal(env.port_len, 4);
	assert_int_equal(env.port_val, 0x55667788);
	/* IN EAX zero-extends */
	PREPARE(EMU_MODE_LONG, 0xed);
	env.emu.regs[R_AX] = ~0ULL;
	env.port_val = 0x80000001;
	assert_done(1);
	assert_int_equal(env.emu.regs[R_AX], 0x80000001);

	/* REP INSW: an iteration at a time */
	PREPARE(EMU_MODE_PROT32, 0xf3, 0x66, 0x6d);
	env.emu.regs[R_CX] = 2;
	env.emu.regs[R_DI] = DATA;
	env.emu.regs[R_DX] = 0x1f0;
	env.port_val = 0x1234;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE);
	assert_int_equal(env.emu.regs[R_CX], 1);
	env.port_val = 0x5678;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 3);
	assert_int_equal(env.emu.regs[R_DI], DATA + 4);
	assert_int_equal(peek(DATA, 4), 0x56781234);
	/* None left */
	env.emu.rip = CODE;
	env.port = 0;
	assert_done(3);
	assert_int_equal(env.port, 0);

	/* OUTSB FS:[SI], backwards */
	PREPARE(EMU_MODE_REAL, 0x64, 0x6e);
	env.emu.rflags |= FL_DF;
	env.emu.seg[EMU_FS].base = 0x100;
	env.emu.regs[R_SI] = DATA;
	mem[DATA + 0x100] = 0x5a;
	assert_done(2);
	assert_int_equal(env.port_val, 0x5a);
	assert_int_equal(env.emu.regs[R_SI], DATA - 1);

	/* The port is not read when the data cannot be stored */
	PREPARE(EMU_MODE_PROT32, 0x6c);
	env.emu.seg[EMU_ES].writable = false;
	env.port_len = 99;
	assert_fault(13, true, 0);
	assert_int_equal(env.port_len, 99);
	/* CPL above IOPL */
	PREPARE(EMU_MODE_PROT32, 0xec);
	env.emu.cpl = 3;
	assert_fault(13, true, 0);
	env.emu.rflags |= FL_IOPL;
	assert_done(1);
}

static void test_control_registers(void **state)
{
	/* MOV CR0, EAX; MOV RBX, CR4; CR8 with REX and with LOCK */
	PREPARE(EMU_MODE_PROT32, 0x0f, 0x22, 0xc0);
	env.emu.regs[R_AX] = 0x80000031;
	assert_done(3);
	assert_int_equal(env.cr[0], 0x80000031);
	PREPARE(EMU_MODE_LONG, 0x0f, 0x20, 0xe3);
	env.cr[4] = 0x1234567890;
	assert_done(3);
	assert_int_equal(env.emu.regs[R_BX], 0x1234567890);
	PREPARE(EMU_MODE_LONG, 0x44, 0x0f, 0x22, 0xc1);
	env.emu.regs[R_CX] = 5;
	assert_done(4);
	assert_int_equal(env.cr[8], 5);
	PREPARE(EMU_MODE_PROT32, 0xf0, 0x0f, 0x22, 0xc1);
	env.emu.regs[R_CX] = 6;
	assert_done(4);
	assert_int_equal(env.cr[8], 6);
	env.emu.rip = CODE;
	env.emu.cpl = 3;
	assert_fault(13, true, 0);

	/* CLTS; LMSW sets PE but does not clear it; SMSW to memory */
	PREPARE(EMU_MODE_PROT32, 0x0f, 0x06);
	env.cr[0] = 0x80000039;
	assert_done(2);
	assert_int_equal(env.cr[0], 0x80000031);
	PREPARE(EMU_MODE_REAL, 0x0f, 0x01, 0xf0);
	env.cr[0] = 0x10;
	env.emu.regs[R_AX] = 0xffff;
	assert_done(3);
	assert_int_equal(env.cr[0], 0x1f);
	env.emu.rip = CODE;
	env.emu.regs[R_AX] = 0;
	assert_done(3);
	assert_int_equal(env.cr[0], 0x11);
	PREPARE(EMU_MODE_PROT32, 0x0f, 0x01, 0x23);
	env.emu.regs[R_BX] = DATA;
	env.cr[0] = 0x80050033;
	assert_done(3);
	assert_int_equal(peek(DATA, 4), 0x0033);
	env.emu.rip = CODE;
	env.emu.cpl = 3;
	env.emu.cr4 |= 1 << 11;
	assert_fault(13, true, 0);

	/* MOV DR7, EAX and back; DR8 does not exist */
	PREPARE(EMU_MODE_PROT32, 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xfb);
	env.emu.regs[R_AX] = 0x403;
	assert_done(3);
	assert_int_equal(env.dr[7], 0x403);
	assert_done(3);
	assert_int_equal(env.emu.regs[R_BX], 0x403);
	PREPARE(EMU_MODE_LONG, 0x44, 0x0f, 0x23, 0xc0);
	assert_fault(6, false, 0);
	/* CR1 does not exist */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x22, 0xc8);
	assert_fault(6, false, 0);
}

static void test_descriptor_tables(void **state)
{
	/* LGDT with 16 bits loads 24 of the base, with 32 all */
	PREPARE(EMU_MODE_REAL, 0x0f, 0x01, 0x17);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 6, 0xaabbccdd1234ULL);
	assert_done(3);
	assert_int_equal(env.dt_base[EMU_GDT], 0xbbccdd);
	assert_int_equal(env.dt_limit[EMU_GDT], 0x1234);
	PREPARE(EMU_MODE_REAL, 0x66, 0x0f, 0x01, 0x1f);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 6, 0xaabbccdd1234ULL);
	assert_done(4);
	assert_int_equal(env.dt_base[EMU_IDT], 0xaabbccdd);

	PREPARE(EMU_MODE_LONG, 0x0f, 0x01, 0x13);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 2, 0x7f);
	poke(DATA + 2, 8, 0xfffffe0000001000);
	assert_done(3);
	assert_int_equal(env.dt_base[EMU_GDT], 0xfffffe0000001000);
	env.emu.rip = CODE;
	poke(DATA + 2, 8, 0x1000000000000000);
	assert_fault(13, true, 0);
	assert_int_equal(env.dt_base[EMU_GDT], 0xfffffe0000001000);

	/* SIDT */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x01, 0x0b);
	env.emu.regs[R_BX] = DATA;
	env.dt_base[EMU_IDT] = 0xfffffe0000000000;
	env.dt_limit[EMU_IDT] = 0xfff;
	assert_done(3);
	assert_int_equal(peek(DATA, 2), 0xfff);
	assert_int_equal(peek(DATA + 2, 8), 0xfffffe0000000000);
}

static void test_system(void **state)
{
	static const struct {
		u8 insn[3];
		u8 len;
		enum emu_system what;
		bool privileged;
	} rows[] = {
		{ { 0xf4 }, 1, EMU_SYS_HLT, true },
		{ { 0x0f, 0xa2 }, 2, EMU_SYS_CPUID, false },
		{ { 0x0f, 0xaa }, 2, EMU_SYS_RSM, false },
		{ { 0x0f, 0x31 }, 2, EMU_SYS_RDTSC, false },
		{ { 0x0f, 0x33 }, 2, EMU_SYS_RDPMC, true },
		{ { 0x0f, 0x08 }, 2, EMU_SYS_INVD, true },
		{ { 0x0f, 0x09 }, 2, EMU_SYS_WBINVD, true },
		{ { 0x0f, 0x01, 0x3b }, 3, EMU_SYS_INVLPG, true },
		{ { 0x0f, 0x01, 0xd0 }, 3, EMU_SYS_XGETBV, false },
		{ { 0x0f, 0x01, 0xd1 }, 3, EMU_SYS_XSETBV, true },
		{ { 0x0f, 0x01, 0xc1 }, 3, EMU_SYS_HYPERCALL, false },
		{ { 0x0f, 0x01, 0xd9 }, 3, EMU_SYS_HYPERCALL, false },
		{ { 0x0f, 0x01, 0xf8 }, 3, EMU_SYS_SWAPGS, true },
		{ { 0x0f, 0x01, 0xf9 }, 3, EMU_SYS_RDTSCP, false },
		{ { 0x0f, 0x00, 0xd0 }, 3, EMU_SYS_LLDT, true },
		{ { 0x0f, 0x00, 0xd8 }, 3, EMU_SYS_LTR, true },
		{ { 0x0f, 0x00, 0xc0 }, 3, EMU_SYS_SLDT, false },
		{ { 0x0f, 0x00, 0xc8 }, 3, EMU_SYS_STR, false },
	};
	static struct emu_ops bare;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(EMU_MODE_LONG, rows[i].insn, rows[i].len);
		env.emu.regs[R_BX] = 0x8000000000001000;
		assert_done(rows[i].len);
		assert_int_equal(env.system, rows[i].what);
		if (rows[i].what == EMU_SYS_INVLPG)
			assert_int_equal(env.system_arg, 0x8000000000001000);
		env.emu.rip = CODE;
		env.emu.cpl = 3;
		if (rows[i].privileged)
			assert_fault(13, true, 0);
		else
			assert_done(rows[i].len);
	}

	/* Without the hook they are the caller's */
	bare = emu_env_ops;
	bare.system = NULL;
	PREPARE(EMU_MODE_LONG, 0xf4);
	env.emu.ops = &bare;
	assert_int_equal(run(), EMU_UNHANDLED);
	assert_int_equal(env.emu.rip, CODE);

	/* SLDT EAX zero-extends the selector */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x00, 0xc0);
	env.emu.regs[R_AX] = ~0ULL;
	env.system_arg = 0xfff8;
	assert_done(3);
	assert_int_equal(env.emu.regs[R_AX], 0xfff8);

	/* TSD; OSXSAVE off */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x31);
	env.emu.cr4 |= 4;
	env.emu.cpl = 3;
	assert_fault(13, true, 0);
	PREPARE(EMU_MODE_LONG, 0x0f, 0x01, 0xd1);
	env.emu.cr4 = 0;
	assert_fault(6, false, 0);

	/* RDMSR, WRMSR */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x32, 0x0f, 0x30);
	env.emu.regs[R_CX] = 0xffffffffc0000080;
	env.msr_val = 0x1122334455667788;
	assert_done(2);
	assert_int_equal(env.msr_index, 0xc0000080);
	assert_int_equal(env.emu.regs[R_AX], 0x55667788);
	assert_int_equal(env.emu.regs[R_DX], 0x11223344);
	env.emu.regs[R_AX] = 0xffffffff00000001;
	env.emu.regs[R_DX] = 0xffffffff00000002;
	assert_done(2);
	assert_int_equal(env.msr_val, 0x200000001);

	/* STI opens the shadow only when IF was clear */
	PREPARE(EMU_MODE_PROT32, 0xfb, 0xfb);
	assert_done(1);
	assert_true(env.emu.interrupt_shadow);
	assert_true(env.emu.rflags & FL_IF);
	assert_done(1);
	assert_false(env.emu.interrupt_shadow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vm86),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_descriptor_tables),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
