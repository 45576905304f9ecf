/* SPDX-License-Identifier: GPL-2.0-only */
/* One instruction in flat memory, and what it is expected to do. */
#ifndef JOIST_UNIT_EMU_FIXTURE_H
#define JOIST_UNIT_EMU_FIXTURE_H

#include "emu_env.h"

#define MEM_SIZE	0x20000
#define CODE		0x7c00
#define DATA		0x5000
#define STACK		0x4000

extern u8 mem[MEM_SIZE];
extern struct emu_env env;

void prepare(enum emu_mode mode, const u8 *insn, unsigned int len);

#define PREPARE(mode, ...)						\
	prepare(mode, (const u8[]) { __VA_ARGS__ },			\
		sizeof((const u8[]) { __VA_ARGS__ }))

int run(void);
u64 peek(u64 at, unsigned int len);
void poke(u64 at, unsigned int len, u64 val);
void assert_fault(u8 vector, bool has_error, u32 error);
void assert_done(unsigned int len);

#endif
