// SPDX-License-Identifier: GPL-2.0-only
/*
 * The opcode maps, from the vendors' manuals (Intel SDM volume 2 appendix A,
 * AMD APM volume 3 appendix A). Vector opcodes of VEX and EVEX need no table:
 * all have ModRM, and a map fixes who has an immediate (see decode.c).
 */
#include "decode_table.h"

#define M	OP_M
#define ML	(OP_M | OP_LOCK)
#define MG	(OP_M | OP_GRP)
#define BAD	OP_BAD
#define X64	OP_N64

/*
 * Prefixes are consumed before the lookup; a REX byte that is followed by
 * another prefix too, so 40..4f here are INC and DEC alone.
 */
const u32 decode_map_one[256] = {
	/* ADD, OR, ADC, SBB, AND, SUB, XOR, CMP; PUSH and POP Sreg; BCD */
	[0x00 ... 0x01] = ML, [0x02 ... 0x03] = M,
	[0x04] = OP_IB, [0x05] = OP_IZ, [0x06] = X64, [0x07] = X64,
	[0x08 ... 0x09] = ML, [0x0a ... 0x0b] = M,
	[0x0c] = OP_IB, [0x0d] = OP_IZ, [0x0e] = X64, [0x0f] = BAD,
	[0x10 ... 0x11] = ML, [0x12 ... 0x13] = M,
	[0x14] = OP_IB, [0x15] = OP_IZ, [0x16] = X64, [0x17] = X64,
	[0x18 ... 0x19] = ML, [0x1a ... 0x1b] = M,
	[0x1c] = OP_IB, [0x1d] = OP_IZ, [0x1e] = X64, [0x1f] = X64,
	[0x20 ... 0x21] = ML, [0x22 ... 0x23] = M,
	[0x24] = OP_IB, [0x25] = OP_IZ, [0x26] = BAD, [0x27] = X64,
	[0x28 ... 0x29] = ML, [0x2a ... 0x2b] = M,
	[0x2c] = OP_IB, [0x2d] = OP_IZ, [0x2e] = BAD, [0x2f] = X64,
	[0x30 ... 0x31] = ML, [0x32 ... 0x33] = M,
	[0x34] = OP_IB, [0x35] = OP_IZ, [0x36] = BAD, [0x37] = X64,
	[0x38 ... 0x39] = M, [0x3a ... 0x3b] = M,
	[0x3c] = OP_IB, [0x3d] = OP_IZ, [0x3e] = BAD, [0x3f] = X64,

	[0x40 ... 0x4f] = X64,				/* INC, DEC */
	[0x50 ... 0x5f] = OP_D64,			/* PUSH, POP */
	[0x60 ... 0x61] = X64,				/* PUSHA, POPA */
	[0x62] = X64 | M | OP_MEM,			/* BOUND */
	[0x63] = M,					/* ARPL, MOVSXD */
	[0x64 ... 0x67] = BAD,
	[0x68] = OP_IZ | OP_D64,
	[0x69] = M | OP_IZ,
	[0x6a] = OP_IB | OP_D64,
	[0x6b] = M | OP_IB,
	[0x6c ... 0x6f] = 0,				/* INS, OUTS */
	[0x70 ... 0x7f] = OP_JB | OP_F64,

	[0x80] = MG | OP_IB, [0x81] = MG | OP_IZ,
	[0x82] = MG | OP_IB | X64, [0x83] = MG | OP_IB,
	[0x84 ... 0x85] = M,				/* TEST */
	[0x86 ... 0x87] = ML,				/* XCHG */
	[0x88 ... 0x8b] = M,				/* MOV */
	[0x8c] = MG,					/* MOV Ev, Sreg */
	[0x8d] = M | OP_MEM,				/* LEA */
	[0x8e] = MG,
	[0x8f] = MG | OP_D64,				/* POP Ev */

	[0x90 ... 0x99] = 0,
	[0x9a] = OP_FAR | X64,				/* CALL far */
	[0x9b] = 0,
	[0x9c ... 0x9d] = OP_D64,			/* PUSHF, POPF */
	[0x9e ... 0x9f] = 0,
	[0xa0 ... 0xa3] = OP_OFFS,
	[0xa4 ... 0xa7] = 0,
	[0xa8] = OP_IB, [0xa9] = OP_IZ,
	[0xaa ... 0xaf] = 0,
	[0xb0 ... 0xb7] = OP_IB,
	[0xb8 ... 0xbf] = OP_IV,

	[0xc0 ... 0xc1] = M | OP_IB,
	[0xc2] = OP_IW | OP_F64, [0xc3] = OP_F64,	/* RET */
	[0xc4 ... 0xc5] = X64 | M | OP_MEM,		/* LES, LDS */
	[0xc6] = MG | OP_IB, [0xc7] = MG | OP_IZ,
	[0xc8] = OP_ENTER | OP_D64, [0xc9] = OP_D64,
	[0xca] = OP_IW, [0xcb ... 0xcc] = 0,
	[0xcd] = OP_IB, [0xce] = X64, [0xcf] = 0,
	[0xd0 ... 0xd3] = M,
	[0xd4 ... 0xd5] = OP_IB | X64,			/* AAM, AAD */
	[0xd6] = X64,					/* SALC */
	[0xd7] = 0,
	[0xd8 ... 0xdf] = MG,				/* x87 */

	[0xe0 ... 0xe3] = OP_JB | OP_F64,		/* LOOP, JCXZ */
	[0xe4 ... 0xe7] = OP_IB,			/* IN, OUT */
	[0xe8 ... 0xe9] = OP_JZ | OP_F64,
	[0xea] = OP_FAR | X64,
	[0xeb] = OP_JB | OP_F64,
	[0xec ... 0xef] = 0,
	[0xf0] = BAD, [0xf1] = 0, [0xf2 ... 0xf3] = BAD,
	[0xf4 ... 0xf5] = 0,
	[0xf6 ... 0xf7] = MG,
	[0xf8 ... 0xfd] = 0,
	[0xfe ... 0xff] = MG,
};

#define P_NP	OP_NP
#define P_66	OP_66
#define P_NP66	(OP_NP | OP_66)
#define P_ALL	OP_PP

const u32 decode_map_0f[256] = {
	[0x00 ... 0x01] = MG,
	[0x02 ... 0x03] = M,				/* LAR, LSL */
	[0x04] = BAD,
	[0x05 ... 0x09] = 0,
	[0x0a] = BAD, [0x0b] = 0, [0x0c] = BAD,
	[0x0d] = M,					/* PREFETCHW */
	[0x0e] = 0, [0x0f] = M | OP_IB,			/* 3DNow! */

	[0x10 ... 0x11] = M | P_ALL,
	[0x12] = MG | P_ALL,
	[0x13] = M | OP_MEM | P_NP66,
	[0x14 ... 0x15] = M | P_NP66,
	[0x16] = MG | P_NP66 | OP_F3,
	[0x17] = M | OP_MEM | P_NP66,
	[0x18 ... 0x1f] = M,				/* hints, NOP Ev */
	[0x20 ... 0x23] = MG | OP_NOSIB | OP_F64,	/* MOV CR, DR */
	[0x24 ... 0x27] = BAD,
	[0x28 ... 0x29] = M | P_NP66,
	[0x2a] = M | P_ALL,
	[0x2b] = M | OP_MEM | P_ALL,
	[0x2c ... 0x2d] = M | P_ALL,
	[0x2e ... 0x2f] = M | P_NP66,
	[0x30 ... 0x35] = 0,
	[0x36] = BAD, [0x37] = P_NP,
	[0x38 ... 0x3f] = BAD,

	[0x40 ... 0x4f] = M,				/* CMOVcc */
	[0x50] = M | OP_REG | P_NP66,
	[0x51] = M | P_ALL,
	[0x52 ... 0x53] = M | OP_NP | OP_F3,
	[0x54 ... 0x57] = M | P_NP66,
	[0x58 ... 0x5a] = M | P_ALL,
	[0x5b] = M | P_NP66 | OP_F3,
	[0x5c ... 0x5f] = M | P_ALL,
	[0x60 ... 0x6b] = M | P_NP66,
	[0x6c ... 0x6d] = M | P_66,
	[0x6e] = M | P_NP66,
	[0x6f] = M | P_NP66 | OP_F3,
	[0x70] = M | OP_IB | P_ALL,
	[0x71 ... 0x73] = MG | OP_REG | OP_IB | P_NP66,
	[0x74 ... 0x76] = M | P_NP66,
	[0x77] = P_NP,					/* EMMS */
	[0x78] = MG | OP_NP | OP_66 | OP_F2,		/* VMREAD, EXTRQ, INSERTQ */
	[0x79] = MG | OP_NP | OP_66 | OP_F2,
	[0x7a ... 0x7b] = BAD,
	[0x7c ... 0x7d] = M | OP_66 | OP_F2,
	[0x7e ... 0x7f] = M | P_NP66 | OP_F3,

	[0x80 ... 0x8f] = OP_JZ | OP_F64,
	[0x90 ... 0x9f] = M,				/* SETcc */
	[0xa0 ... 0xa1] = OP_D64,			/* PUSH, POP FS */
	[0xa2] = 0,
	[0xa3] = M, [0xa4] = M | OP_IB, [0xa5] = M,
	[0xa6 ... 0xa7] = BAD,
	[0xa8 ... 0xa9] = OP_D64,
	[0xaa] = 0,
	[0xab] = ML, [0xac] = M | OP_IB, [0xad] = M,
	[0xae] = MG, [0xaf] = M,
	[0xb0 ... 0xb1] = ML,				/* CMPXCHG */
	[0xb2] = M | OP_MEM, [0xb3] = ML,		/* LSS, BTR */
	[0xb4 ... 0xb5] = M | OP_MEM,			/* LFS, LGS */
	[0xb6 ... 0xb7] = M,
	[0xb8] = M | OP_F3,				/* POPCNT */
	[0xb9] = M,					/* UD1 */
	[0xba] = MG | OP_IB, [0xbb] = ML,
	[0xbc ... 0xbf] = M,

	[0xc0 ... 0xc1] = ML,				/* XADD */
	[0xc2] = M | OP_IB | P_ALL,
	[0xc3] = M | OP_MEM | P_NP,			/* MOVNTI */
	[0xc4] = M | OP_IB | P_NP66,
	[0xc5] = M | OP_REG | OP_IB | P_NP66,
	[0xc6] = M | OP_IB | P_NP66,
	[0xc7] = MG,
	[0xc8 ... 0xcf] = 0,				/* BSWAP */
	[0xd0] = M | OP_66 | OP_F2,
	[0xd1 ... 0xd5] = M | P_NP66,
	[0xd6] = MG | OP_66 | OP_F3 | OP_F2,
	[0xd7] = M | OP_REG | P_NP66,
	[0xd8 ... 0xe5] = M | P_NP66,
	[0xe6] = M | OP_66 | OP_F3 | OP_F2,
	[0xe7] = M | OP_MEM | P_NP66,
	[0xe8 ... 0xef] = M | P_NP66,
	[0xf0] = M | OP_MEM | OP_F2,			/* LDDQU */
	[0xf1 ... 0xf6] = M | P_NP66,
	[0xf7] = M | OP_REG | P_NP66,
	[0xf8 ... 0xfe] = M | P_NP66,
	[0xff] = M,					/* UD0 */
};

/* Every row of the next two has ModRM: an empty one is no instruction. */
const u32 decode_map_0f38[256] = {
	[0x00 ... 0x0b] = M | P_NP66,
	[0x10] = M | P_66, [0x14 ... 0x15] = M | P_66, [0x17] = M | P_66,
	[0x1c ... 0x1e] = M | P_NP66,
	[0x20 ... 0x25] = M | P_66,
	[0x28 ... 0x29] = M | P_66,
	[0x2a] = M | OP_MEM | P_66,
	[0x2b] = M | P_66,
	[0x30 ... 0x35] = M | P_66,
	[0x37 ... 0x41] = M | P_66,
	[0x80 ... 0x82] = M | OP_MEM | P_66 | OP_F64,	/* INVEPT, INVVPID, INVPCID */
	[0xc8 ... 0xcd] = M | P_NP,			/* SHA */
	[0xcf] = M | P_66,
	[0xd8] = MG | OP_MEM | OP_F3,
	[0xdb] = M | P_66,
	[0xdc] = M | P_66 | OP_F3,
	[0xdd ... 0xdf] = MG | P_66 | OP_F3,		/* AES, Key Locker */
	[0xf0 ... 0xf1] = MG | P_NP66 | OP_F2,		/* MOVBE, CRC32 */
	[0xf5] = M | OP_MEM | P_66,			/* WRUSS */
	[0xf6] = MG | P_NP66 | OP_F3,			/* WRSS, ADCX, ADOX */
	[0xf8] = M | OP_MEM | OP_66 | OP_F2 | OP_F3,	/* MOVDIR64B, ENQCMD */
	[0xf9] = M | OP_MEM | P_NP,			/* MOVDIRI */
	[0xfa ... 0xfb] = M | OP_REG | OP_F3,		/* ENCODEKEY */
	[0xfc] = M | OP_MEM | P_ALL,			/* AADD and kin */
};

const u32 decode_map_0f3a[256] = {
	[0x08 ... 0x0e] = M | OP_IB | P_66,
	[0x0f] = M | OP_IB | P_NP66,
	[0x14 ... 0x17] = M | OP_IB | P_66,
	[0x20 ... 0x22] = M | OP_IB | P_66,
	[0x40 ... 0x42] = M | OP_IB | P_66,
	[0x44] = M | OP_IB | P_66,
	[0x60 ... 0x63] = M | OP_IB | P_66,
	[0xcc] = M | OP_IB | P_NP,
	[0xce ... 0xcf] = M | OP_IB | P_66,
	[0xdf] = M | OP_IB | P_66,
	[0xf0] = MG | OP_REG | OP_IB | OP_F3,		/* HRESET */
};
