// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator by hand: modes, faults and devices that test_emulate_native.c
 * cannot have from a CPU in user mode.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_env.h"

#define MEM_SIZE	0x20000
#define CODE		0x7c00
#define DATA		0x5000
#define STACK		0x4000

static u8 mem[MEM_SIZE];
static struct emu_env env;

/* Registers and memory cleared, the instruction at RIP, a stack. */
static void prepare(enum emu_mode mode, const u8 *insn, unsigned int len)
{
	memset(mem, 0, sizeof(mem));
	emu_env_init(&env, mode, mem, 0, sizeof(mem));
	env.emu.rip = CODE;
	env.emu.regs[R_SP] = STACK;
	memcpy(mem + CODE, insn, len);
}

#define PREPARE(mode, ...)						\
	prepare(mode, (const u8[]) { __VA_ARGS__ },			\
		sizeof((const u8[]) { __VA_ARGS__ }))

static int run(void)
{
	env.emu.insn_len = 0;
	env.reads = 0;
	env.writes = 0;
	env.read_after_write = false;
	return emu_run(&env.emu);
}

static u64 peek(u64 at, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, mem + at, len);
	return val;
}

static void poke(u64 at, unsigned int len, u64 val)
{
	memcpy(mem + at, &val, len);
}

/* The instruction faults and nothing has changed. */
static void assert_fault(u8 vector, bool has_error, u32 error)
{
	struct emu before = env.emu;

	assert_int_equal(run(), EMU_EXCEPTION);
	assert_int_equal(env.emu.fault.vector, vector);
	assert_int_equal(env.emu.fault.has_error, has_error);
	assert_int_equal(env.emu.fault.error, error);
	assert_memory_equal(env.emu.regs, before.regs, sizeof(before.regs));
	assert_int_equal(env.emu.rip, before.rip);
	assert_int_equal(env.emu.rflags, before.rflags);
}

static void assert_done(unsigned int len)
{
	u64 rip = env.emu.rip;

	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, rip + len);
	assert_false(env.read_after_write);
}

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
	/* INTO without overflow; INT in protected mode is the caller's */
	PREPARE(EMU_MODE_REAL, 0xce);
	assert_done(1);
	PREPARE(EMU_MODE_PROT32, 0xcd, 0x80);
	assert_int_equal(run(), EMU_UNHANDLED);
	PREPARE(EMU_MODE_PROT32, 0xcf);
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

/* A device's reads come from userspace: nothing may have changed till then. */
static void test_io_replay(void **state)
{
	static const struct {
		u8 insn[4];
		u8 len;
	} rows[] = {
		{ { 0x8b, 0x03 }, 2 },			/* MOV EAX, [RBX] */
		{ { 0x01, 0x03 }, 2 },			/* ADD [RBX], EAX */
		{ { 0xf0, 0x01, 0x03 }, 3 },
		{ { 0x87, 0x03 }, 2 },			/* XCHG */
		{ { 0xff, 0x33 }, 2 },			/* PUSH [RBX] */
		{ { 0xa5 }, 1 },			/* MOVSD */
		{ { 0xa7 }, 1 },			/* CMPSD */
		{ { 0xac }, 1 },			/* LODSB */
		{ { 0x0f, 0xc1, 0x03 }, 3 },		/* XADD */
		{ { 0x0f, 0xb1, 0x03 }, 3 },		/* CMPXCHG */
		{ { 0x0f, 0xc7, 0x0b }, 3 },		/* CMPXCHG8B */
		{ { 0xd1, 0x23 }, 2 },			/* SHL */
		{ { 0x0f, 0xab, 0x03 }, 3 },		/* BTS */
		{ { 0xf7, 0x23 }, 2 },			/* MUL */
		{ { 0x0f, 0x10, 0x03 }, 3 },		/* MOVUPS */
	};
	struct emu before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(EMU_MODE_LONG, rows[i].insn, rows[i].len);
		env.device = DATA;
		env.device_len = 16;
		env.emu.regs[R_BX] = DATA;
		env.emu.regs[R_SI] = DATA;
		env.emu.regs[R_DI] = DATA + 0x100;
		poke(DATA, 8, 0x8765432112345678);
		before = env.emu;
		assert_int_equal(run(), EMU_IO);
		assert_memory_equal(env.emu.regs, before.regs,
				    sizeof(before.regs));
		assert_int_equal(env.emu.rip, CODE);
		assert_int_equal(env.emu.rflags, before.rflags);
		assert_int_equal(env.writes, 0);
		env.device_ready = true;
		assert_done(rows[i].len);
	}
}

static void test_lock(void **state)
{
	/* LOCK INC [RBX] against another CPU that adds one at a time */
	PREPARE(EMU_MODE_LONG, 0xf0, 0xff, 0x03);
	env.emu.regs[R_BX] = DATA;
	env.lose = 3;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 3);
	assert_int_equal(peek(DATA, 4), 4);

	/* It keeps losing: the guest goes on, nothing has changed */
	PREPARE(EMU_MODE_LONG, 0x87, 0x03);
	env.emu.regs[R_BX] = DATA;
	env.emu.regs[R_AX] = 0x99;
	env.lose = 1000;
	assert_int_equal(run(), EMU_RETRY);
	assert_int_equal(env.emu.rip, CODE);
	assert_int_equal(env.emu.regs[R_AX], 0x99);

	/* CMPXCHG16B needs alignment; it is locked with and without equality */
	PREPARE(EMU_MODE_LONG, 0xf0, 0x48, 0x0f, 0xc7, 0x0b);
	env.emu.regs[R_BX] = DATA + 8;
	assert_fault(13, true, 0);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 8, 1);
	assert_done(5);
	assert_false(env.emu.rflags & FL_ZF);
	assert_int_equal(env.emu.regs[R_AX], 1);
	env.emu.rip = CODE;
	env.emu.regs[R_CX] = 0x77;
	assert_done(5);
	assert_true(env.emu.rflags & FL_ZF);
	assert_int_equal(peek(DATA, 8), DATA);
	assert_int_equal(peek(DATA + 8, 8), 0x77);

	/* LOCK misused */
	PREPARE(EMU_MODE_LONG, 0xf0, 0x8b, 0x03);
	assert_fault(6, false, 0);
	PREPARE(EMU_MODE_LONG, 0xf0, 0x01, 0xc3);
	assert_fault(6, false, 0);
}

static void test_fetch(void **state)
{
	u8 bytes[16];

	/* Too long; as long as allowed */
	memset(bytes, 0x66, sizeof(bytes));
	bytes[15] = 0x90;
	prepare(EMU_MODE_LONG, bytes, sizeof(bytes));
	assert_fault(13, true, 0);
	prepare(EMU_MODE_LONG, bytes + 1, 15);
	assert_done(15);

	/* Over the end of a page, and of memory */
	PREPARE(EMU_MODE_LONG, 0);
	env.emu.rip = 0x8ffe;
	poke(0x8ffe, 6, 0x0000123489c0c748 & 0xffffffffffff);
	assert_int_equal(run(), EMU_OK);
	PREPARE(EMU_MODE_LONG, 0);
	env.emu.rip = MEM_SIZE - 1;
	mem[MEM_SIZE - 1] = 0x90;
	assert_int_equal(run(), EMU_OK);
	mem[MEM_SIZE - 1] = 0x05;
	env.emu.rip = MEM_SIZE - 1;
	assert_int_equal(run(), EMU_EXCEPTION);
	assert_int_equal(env.emu.fault.vector, 14);
	assert_int_equal(env.emu.fault.cr2, MEM_SIZE);

	/* Beyond CS's limit */
	PREPARE(EMU_MODE_PROT32, 0xb8, 1, 0, 0, 0);
	env.emu.seg[EMU_CS].limit = CODE + 4;
	assert_done(5);
	env.emu.rip = CODE;
	env.emu.seg[EMU_CS].limit = CODE + 3;
	assert_fault(13, true, 0);

	/* With the bytes given, nothing is fetched */
	PREPARE(EMU_MODE_LONG, 0);
	env.emu.rip = 0x7fff00000000;
	env.emu.insn[0] = 0x31;
	env.emu.insn[1] = 0xc0;
	env.emu.insn_len = 2;
	env.emu.regs[R_AX] = 5;
	assert_int_equal(emu_run(&env.emu), EMU_OK);
	assert_int_equal(env.emu.regs[R_AX], 0);
	assert_int_equal(env.emu.rip, 0x7fff00000002);

	/* No such instruction; one that is not ours */
	PREPARE(EMU_MODE_LONG, 0x0f, 0x0a);
	assert_fault(6, false, 0);
	PREPARE(EMU_MODE_LONG, 0x06);
	assert_fault(6, false, 0);
	PREPARE(EMU_MODE_LONG, 0x0f, 0x58, 0x03);
	assert_int_equal(run(), EMU_UNHANDLED);
	PREPARE(EMU_MODE_LONG, 0xd9, 0x03);
	assert_int_equal(run(), EMU_UNHANDLED);
}

static void test_vector_state(void **state)
{
	static const u8 movaps[] = { 0x0f, 0x28, 0x03 };
	static const u8 vmovups[] = { 0xc5, 0xfc, 0x10, 0x03 };

	prepare(EMU_MODE_LONG, movaps, sizeof(movaps));
	env.emu.regs[R_BX] = DATA;
	env.emu.cr0 |= 8;
	assert_fault(7, false, 0);
	env.emu.cr0 |= 4;
	assert_fault(6, false, 0);
	env.emu.cr0 &= ~0xcULL;
	env.emu.cr4 &= ~(1ULL << 9);
	assert_fault(6, false, 0);
	env.emu.cr4 |= 1 << 9;
	env.emu.regs[R_BX] = DATA + 8;
	assert_fault(13, true, 0);
	env.emu.regs[R_BX] = DATA;
	poke(DATA, 8, 0x1122334455667788);
	assert_done(3);
	assert_int_equal(*(u64 *)env.xmm[0], 0x1122334455667788);

	prepare(EMU_MODE_LONG, vmovups, sizeof(vmovups));
	env.emu.regs[R_BX] = DATA + 1;
	poke(DATA + 25, 8, 0x99);
	assert_done(4);
	assert_int_equal(*(u64 *)(env.xmm[0] + 24), 0x99);
	env.emu.rip = CODE;
	env.emu.cr4 &= ~(1ULL << 18);
	assert_fault(6, false, 0);
	env.emu.sse_read = NULL;
	assert_int_equal(run(), EMU_UNHANDLED);
}

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

static void test_counters(void **state)
{
	/* JCXZ and LOOP count in CX; with 67 in ECX */
	PREPARE(EMU_MODE_REAL, 0xe3, 0x10);
	env.emu.regs[R_CX] = 0x10000;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 0x12);
	PREPARE(EMU_MODE_REAL, 0x67, 0xe3, 0x10);
	env.emu.regs[R_CX] = 0x10000;
	assert_done(3);
	PREPARE(EMU_MODE_REAL, 0xe2, 0xfe);
	env.emu.regs[R_CX] = 0x10000;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE);
	assert_int_equal(env.emu.regs[R_CX], 0x1ffff);

	/* REP MOVSB with 16-bit addresses: SI and DI wrap, CX counts */
	PREPARE(EMU_MODE_REAL, 0xf3, 0xa4);
	env.emu.regs[R_CX] = 0x50002;
	env.emu.regs[R_SI] = 0x1ffff;
	env.emu.regs[R_DI] = DATA;
	mem[0xffff] = 0xaa;
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE);
	assert_int_equal(env.emu.regs[R_CX], 0x50001);
	assert_int_equal(env.emu.regs[R_SI], 0x10000);
	assert_int_equal(mem[DATA], 0xaa);
	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, CODE + 2);
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

/* Any bytes, any registers: no crash, no hang, and failures change nothing. */
static void test_random_bytes(void **state)
{
	static const enum emu_mode modes[] = {
		EMU_MODE_REAL, EMU_MODE_VM86, EMU_MODE_PROT16,
		EMU_MODE_PROT32, EMU_MODE_LONG,
	};
	struct emu before;
	unsigned int i, k;
	u8 bytes[15];

	srandom(1);
	for (i = 0; i < 300000; i++) {
		for (k = 0; k < sizeof(bytes); k++)
			bytes[k] = random();
		if (i & 1)
			bytes[i & 2 ? 0 : 1] = 0x0f;
		emu_env_init(&env, modes[i % ARRAY_SIZE(modes)], mem, 0,
			     sizeof(mem));
		memcpy(mem + CODE, bytes, sizeof(bytes));
		env.emu.rip = CODE;
		env.emu.cpl = env.emu.mode == EMU_MODE_VM86 ? 3 :
			      i & 8 && env.emu.mode != EMU_MODE_REAL ? 3 : 0;
		for (k = 0; k < 16; k++)
			env.emu.regs[k] = random() % MEM_SIZE;
		before = env.emu;
		switch (run()) {
		case EMU_OK:
			assert_false(env.read_after_write);
			break;
		case EMU_EXCEPTION:
		case EMU_UNHANDLED:
			assert_memory_equal(env.emu.regs, before.regs,
					    sizeof(before.regs));
			assert_int_equal(env.emu.rip, before.rip);
			assert_int_equal(env.emu.rflags, before.rflags);
			break;
		default:
			fail();
		}
	}
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
		cmocka_unit_test(test_stack_widths),
		cmocka_unit_test(test_vm86),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_descriptor_tables),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_io_replay),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_vector_state),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_divide_edges),
		cmocka_unit_test(test_arpl),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
