// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator by hand: how an instruction is fetched, replayed, locked and
 * counted; what test_emulate_native.c cannot have from a CPU in user mode.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

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
	struct emu_env before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(EMU_MODE_LONG, rows[i].insn, rows[i].len);
		env.device = DATA;
		env.device_len = 16;
		env.emu.regs[R_BX] = DATA;
		env.emu.regs[R_SI] = DATA;
		env.emu.regs[R_DI] = DATA + 0x100;
		poke(DATA, 8, 0x8765432112345678);
		before = env;
		assert_int_equal(run(), EMU_IO);
		assert_memory_equal(env.regs, before.regs,
				    sizeof(before.regs));
		assert_int_equal(env.emu.rip, CODE);
		assert_int_equal(env.emu.rflags, before.emu.rflags);
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

/* Any bytes, any registers: no crash, no hang, and failures change nothing. */
static void test_random_bytes(void **state)
{
	static const enum emu_mode modes[] = {
		EMU_MODE_REAL, EMU_MODE_VM86, EMU_MODE_PROT16,
		EMU_MODE_PROT32, EMU_MODE_LONG,
	};
	struct emu_env before;
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
		before = env;
		switch (run()) {
		case EMU_OK:
			assert_false(env.read_after_write);
			break;
		case EMU_EXCEPTION:
		case EMU_UNHANDLED:
			assert_memory_equal(env.regs, before.regs,
					    sizeof(before.regs));
			assert_int_equal(env.emu.rip, before.emu.rip);
			assert_int_equal(env.emu.rflags, before.emu.rflags);
			break;
		default:
			fail();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_replay),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_vector_state),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
