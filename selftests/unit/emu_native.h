/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions on this machine's CPU, in 64-bit user mode. */
#ifndef JOIST_UNIT_EMU_NATIVE_H
#define JOIST_UNIT_EMU_NATIVE_H

#include <linux/types.h>

/* Below 4 GiB, so that 32-bit addresses reach it. Nothing is around it. */
#define AREA		0x20000000UL
#define CODE_SIZE	0x1000UL
#define DATA		(AREA + CODE_SIZE)
#define DATA_SIZE	0x2000UL
#define AREA_SIZE	(CODE_SIZE + DATA_SIZE)
#define CODE_AT		(AREA + 0x800)

struct cpu_state {
	u64 regs[16];
	u64 rip;
	u64 rflags;
	u8 xmm[16][32];
};

/**
 * struct native - one run on the CPU
 * @in: registers it starts with
 * @out: with which it trapped
 * @signal: of that trap: SIGTRAP when the instruction was executed
 * @has_ymm: the upper halves of the vector registers are there; known from
 *           the first run on
 */
struct native {
	struct cpu_state in;
	struct cpu_state out;
	int signal;
	bool has_ymm;
};

extern struct native native;

int native_setup(void);
void native_take_signals(void);
void native_run(const u8 *bytes, unsigned int len);

#endif
