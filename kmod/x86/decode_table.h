/* SPDX-License-Identifier: GPL-2.0-only */
/* What follows each opcode: the rows of the decoder's tables. */
#ifndef JOIST_X86_DECODE_TABLE_H
#define JOIST_X86_DECODE_TABLE_H

#include <linux/bits.h>

#include "../core/types.h"

/* Immediate kinds: the low four bits. */
enum {
	OP_IMM_NONE,
	OP_IB,		/* imm8 */
	OP_IW,		/* imm16 */
	OP_IZ,		/* imm16 or imm32 by operand size */
	OP_IV,		/* imm16, imm32 or imm64 by operand size */
	OP_JB,		/* rel8 */
	OP_JZ,		/* rel16 or rel32; in long mode always rel32 */
	OP_OFFS,	/* an offset as wide as an address */
	OP_FAR,		/* 16:16 or 16:32 */
	OP_ENTER,	/* imm16, imm8 */
	OP_IBIB,	/* imm8, imm8 */
	OP_IMM_MASK = 0xf,
};

#define OP_M	BIT(4)		/* has ModRM */
#define OP_N64	BIT(5)		/* not in long mode */
#define OP_D64	BIT(6)		/* operand size defaults to 64 in long mode */
#define OP_F64	BIT(7)		/* is always 64 in long mode */
#define OP_LOCK	BIT(8)		/* LOCK is allowed with a memory operand */
#define OP_MEM	BIT(9)		/* memory operand only */
#define OP_REG	BIT(10)		/* register operand only */
#define OP_GRP	BIT(11)		/* ModRM.reg decides: see decode_group() */
#define OP_NOSIB BIT(12)	/* ModRM.mod is ignored: registers (MOV CR/DR) */
#define OP_O64	BIT(13)		/* only in long mode */
#define OP_BAD	BIT(14)		/* no such instruction */

/* The mandatory prefixes that the opcode exists with; none given: any. */
#define OP_NP	BIT(16)
#define OP_66	BIT(17)
#define OP_F3	BIT(18)
#define OP_F2	BIT(19)
#define OP_PP	(OP_NP | OP_66 | OP_F3 | OP_F2)

extern const u32 decode_map_one[256];
extern const u32 decode_map_0f[256];
extern const u32 decode_map_0f38[256];
extern const u32 decode_map_0f3a[256];

#endif
