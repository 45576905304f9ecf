/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: bytes in, struct insn out. Pure and table-driven.
 * Used alone to find an instruction's length where the CPU does not report it.
 */
#ifndef JOIST_X86_DECODE_H
#define JOIST_X86_DECODE_H

#include "emulate.h"

#define INSN_MAX_LEN	15

/* decode_insn() results below zero. */
#define DECODE_MORE	(-1)	/* valid so far: needs more bytes than given */
#define DECODE_INVALID	(-2)	/* no such instruction: #UD */
#define DECODE_TOO_LONG	(-3)	/* over 15 bytes: #GP(0) */

/**
 * struct insn - one decoded instruction
 * @map: opcode map: 0 one-byte, 1 0F, 2 0F38, 3 0F3A (5 and 6 of EVEX)
 * @opcode: the last opcode byte
 * @vex: 0, or 2, 3 for a VEX form, 4 for EVEX
 * @len: in bytes, prefixes included
 * @opsize: operand size in bytes (2, 4, 8), the byte forms by opcode
 * @adsize: address size in bytes (2, 4, 8)
 * @rex: the REX byte, or 0
 * @rep: 0, 0xf2 or 0xf3: the last of these prefixes, or what VEX stands for
 * @lock: LOCK prefix seen, and the instruction allows it
 * @opsize_prefix: 66 seen, or what VEX stands for
 * @vvvv: second source register of a VEX form
 * @vl: vector length of a VEX form: 0 128 bits, 1 256, 2 512
 * @seg: segment override, or EMU_NR_SEGS
 * @has_modrm: @modrm is valid
 * @modrm: byte
 * @mod: with @reg and @rm extended by REX
 * @reg: as above
 * @rm: as above
 * @base: base register number of a memory operand, or -1
 * @index: index register number or -1
 * @scale: shift, 0..3
 * @rip_relative: displacement counts from the next instruction
 * @disp: sign-extended displacement (or moffs); EVEX: disp8 not yet scaled
 * @imm: sign-extended immediate as the form defines
 * @imm2: second immediate (ENTER, far pointer's selector)
 */
struct insn {
	u8 map;
	u8 opcode;
	u8 vex;
	u8 len;
	u8 opsize;
	u8 adsize;
	u8 rex;
	u8 rep;
	bool lock;
	bool opsize_prefix;
	u8 vvvv;
	u8 vl;
	u8 seg;
	bool has_modrm;
	u8 modrm;
	u8 mod;
	u8 reg;
	u8 rm;
	s8 base;
	s8 index;
	u8 scale;
	bool rip_relative;
	s64 disp;
	s64 imm;
	u16 imm2;
};

int decode_insn(struct insn *insn, enum emu_mode mode, const u8 *bytes,
		unsigned int len);

#endif
