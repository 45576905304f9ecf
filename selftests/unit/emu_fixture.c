// SPDX-License-Identifier: GPL-2.0-only
/* One instruction in flat memory, and what it is expected to do. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "emu_fixture.h"

u8 mem[MEM_SIZE];
struct emu_env env;

/* Registers and memory cleared, the instruction at RIP, a stack. */
void prepare(enum emu_mode mode, const u8 *insn, unsigned int len)
{
	memset(mem, 0, sizeof(mem));
	emu_env_init(&env, mode, mem, 0, sizeof(mem));
	env.emu.rip = CODE;
	env.emu.regs[R_SP] = STACK;
	memcpy(mem + CODE, insn, len);
}

int run(void)
{
	env.emu.insn_len = 0;
	env.reads = 0;
	env.writes = 0;
	env.read_after_write = false;
	return emu_run(&env.emu);
}

u64 peek(u64 at, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, mem + at, len);
	return val;
}

void poke(u64 at, unsigned int len, u64 val)
{
	memcpy(mem + at, &val, len);
}

/* The instruction faults and nothing has changed. */
void assert_fault(u8 vector, bool has_error, u32 error)
{
	struct emu_env before = env;

	assert_int_equal(run(), EMU_EXCEPTION);
	assert_int_equal(env.emu.fault.vector, vector);
	assert_int_equal(env.emu.fault.has_error, has_error);
	assert_int_equal(env.emu.fault.error, error);
	assert_memory_equal(env.regs, before.regs, sizeof(before.regs));
	assert_int_equal(env.emu.rip, before.emu.rip);
	assert_int_equal(env.emu.rflags, before.emu.rflags);
}

void assert_done(unsigned int len)
{
	u64 rip = env.emu.rip;

	assert_int_equal(run(), EMU_OK);
	assert_int_equal(env.emu.rip, rip + len);
	assert_false(env.read_after_write);
}
