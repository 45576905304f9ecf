// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trials: random instructions of a family, with registers, memory and operands
 * such that emulator and CPU can both run them and must agree.
 */
#include <string.h>

#include "emu_env.h"
#include "emu_trial.h"

u8 image[DATA_SIZE];
static ZydisDecoder decoder;

/** trial_setup() - before the first trial */
void trial_setup(void)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
}

static u64 random_state = 88172645463325252ULL;

static u64 random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 below(u32 n)
{
	return (random_u64() >> 32) % n;
}

static u64 data_address(void)
{
	return DATA + 0x400 + below(DATA_SIZE - 0x800);
}

static u64 random_value(void)
{
	static const u64 edges[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff, 0xffffffff80000000,
	};

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return below(256);
	default:
		return random_u64();
	}
}

static unsigned int put_vex(u8 *bytes, unsigned int map)
{
	u64 r = random_u64();
	unsigned int n = 0;
	u8 vvvv = r & 7 ? 0x78 : (r >> 4) & 0x78;
	u8 tail = (r >> 16 & 7) | vvvv;		/* L, pp */

	if (map == 1 && (r & 0x100000)) {
		bytes[n++] = 0xc5;
		bytes[n++] = (r >> 24 & 0x80) | tail;
		return n;
	}
	bytes[n++] = 0xc4;
	bytes[n++] = (r >> 24 & 0xe0) | map;
	bytes[n++] = (r >> 32 & 0x80) | tail;
	return n;
}

static unsigned int put_prefixes(u8 *bytes, bool vector)
{
	static const u8 legacy[] = { 0x2e, 0x36, 0x3e, 0x26, 0xf2, 0xf3 };
	unsigned int n = 0;

	if (!below(4))
		bytes[n++] = 0x66;
	if (!below(8))
		bytes[n++] = 0x67;
	if (!below(12))
		bytes[n++] = 0xf0;
	if (!below(vector ? 2 : 6))
		bytes[n++] = legacy[below(ARRAY_SIZE(legacy))];
	if (below(3))
		bytes[n++] = 0x40 | below(16);
	return n;
}

static void put_opcode(struct trial *t)
{
	const struct family *f = t->family;
	bool vector = t->kind == TRIAL_VECTOR;
	unsigned int n;

	if (vector && native.has_ymm && below(2)) {
		n = put_vex(t->bytes, f->map);
	} else {
		n = put_prefixes(t->bytes, vector);
		if (f->map)
			t->bytes[n++] = 0x0f;
		if (f->map == 2)
			t->bytes[n++] = 0x38;
	}
	t->bytes[n++] = f->first + below(f->last - f->first + 1);
	while (n < sizeof(t->bytes))
		t->bytes[n++] = random_u64();
}

/* Is this one of those that the harness can run? */
static bool runnable(struct trial *t)
{
	const struct insn *insn = &t->insn;
	unsigned int ext = insn->modrm >> 3 & 7;
	u8 op = insn->opcode;

	if (insn->map == 2 && !insn->vex && op != 0x2a)
		return insn->rep != 0xf2;	/* CRC32 */
	if (insn->vex || insn->map == 2)
		return true;
	if (insn->map == 1) {
		if (op == 0xc7)
			return ext == 1 && insn->mod != 3;
		if (op == 0xbc && insn->rep == 0xf3)
			return __builtin_cpu_supports("bmi");
		if (op == 0xbd && insn->rep == 0xf3)
			return __builtin_cpu_supports("lzcnt");
		/* 16 bits: AMD and Intel differ in what follows a 66. */
		if (op >= 0x80 && op <= 0x8f)
			return !insn->opsize_prefix;
		return true;
	}
	switch (op) {
	case 0xc6 ... 0xc7:
		return ext == 0;
	case 0x63:		/* 16 bits: AMD reads 32 */
		return insn->opsize != 2;
	case 0xff:
		if (t->kind == TRIAL_BRANCH)
			return (ext == 2 || ext == 4) && !insn->opsize_prefix;
		if (t->kind == TRIAL_STACK)
			return ext == 6;
		return ext < 2;
	case 0x70 ... 0x7f:
	case 0xc2 ... 0xc3:
		return !insn->opsize_prefix;
	case 0xe0 ... 0xe1:
		/* On this AMD CPU a REP prefix decides LOOPE or LOOPNE. */
		return !insn->rep && !insn->opsize_prefix;
	case 0xe2 ... 0xe3:
	case 0xe8 ... 0xe9:
	case 0xeb:
		return !insn->opsize_prefix;
	}
	return true;
}

static void patch(struct trial *t, unsigned int at, unsigned int bits, u64 val)
{
	memcpy(t->bytes + at, &val, bits / 8);
}

static u64 address_mask(const struct trial *t)
{
	return t->insn.adsize == 8 ? ~0ULL : 0xffffffff;
}

static u64 effective_address(const struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 ea = insn->disp;

	if (insn->base >= 0)
		ea += t->in.regs[insn->base];
	if (insn->index >= 0)
		ea += t->in.regs[insn->index] << insn->scale;
	if (insn->rip_relative)
		ea += CODE_AT + t->len;
	return ea & address_mask(t);
}

static bool is_bit_offset(const struct insn *insn)
{
	return insn->map == 1 && (insn->opcode == 0xa3 ||
				  insn->opcode == 0xab ||
				  insn->opcode == 0xb3 ||
				  insn->opcode == 0xbb);
}

/* Choose registers or displacement such that the operand is in the data. */
static bool place_operand(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 target = data_address(), ea;

	/* At the end, to run out of the page; or aligned. */
	if (!below(16))
		target = DATA + DATA_SIZE - 1 - below(16);
	else if (below(2))
		target &= ~31ULL;
	if (insn->base < 0 && insn->index < 0) {
		u64 disp = target;

		if (insn->rip_relative)
			disp -= CODE_AT + t->len;
		patch(t, t->z.raw.disp.offset, t->z.raw.disp.size, disp);
		t->insn.disp = disp;
	} else if (insn->index < 0) {
		t->in.regs[insn->base] = target - insn->disp;
	} else {
		if (insn->base == insn->index)
			return false;
		t->in.regs[insn->index] = (s64)below(512) - 256;
		if (insn->base >= 0) {
			t->in.regs[insn->base] = target - insn->disp -
				(t->in.regs[insn->index] << insn->scale);
		} else {
			t->in.regs[insn->index] =
				(target - insn->disp) >> insn->scale;
		}
	}
	if (is_bit_offset(insn))
		t->in.regs[insn->reg] =
			(t->in.regs[insn->reg] & 0xfff) - 0x800;
	/* An address that is not canonical reaches nothing of the host's. */
	if (!below(32) && insn->base >= 0 && insn->adsize == 8 &&
	    insn->base != insn->reg)
		t->in.regs[insn->base] ^= 1ULL << (48 + below(15));

	ea = effective_address(t);
	if (is_bit_offset(insn)) {
		s64 nr = t->in.regs[insn->reg];

		if (insn->opsize == 2)
			nr = (s16)nr;
		ea += (nr >> 3) & ~(s64)(insn->opsize - 1);
	}
	if ((ea >> 47) != 0 && (ea >> 47) != 0x1ffff)
		return true;
	return ea >= DATA && ea < DATA + DATA_SIZE;
}

/* Not within the instruction itself, nor at it: that would never end. */
static u64 code_address(void)
{
	u64 at = AREA + 0x100 + below(CODE_SIZE - 0x200);

	return at - CODE_AT < 16 ? at + 16 : at;
}

static void store(u64 at, u64 val, unsigned int size)
{
	if (at >= DATA && at + size <= DATA + DATA_SIZE)
		memcpy(image + (at - DATA), &val, size);
}

/* Branches stay within the page of INT3s. */
static bool place_branch(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u8 op = insn->opcode;

	if (insn->map == 0 && op == 0xff) {
		if (insn->mod == 3) {
			t->in.regs[insn->rm] = code_address();
			return insn->rm != R_SP;
		}
		store(effective_address(t), code_address(), 8);
	} else if (insn->map == 0 && (op == 0xc2 || op == 0xc3)) {
		store(t->in.regs[R_SP], code_address(), 8);
	} else if (t->z.raw.imm[0].size == 32) {
		patch(t, t->z.raw.imm[0].offset, 32,
		      code_address() - CODE_AT - t->len);
	} else if (t->z.raw.imm[0].size == 8 && insn->imm < 0) {
		patch(t, t->z.raw.imm[0].offset, 8, insn->imm - 16 < -128 ?
		      insn->imm : insn->imm - 16);
	}
	return true;
}

/* What only some instructions have by way of operands and undefined flags. */
static void place_special(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 *regs = t->in.regs;

	if (t->kind == TRIAL_STRING) {
		regs[R_SI] = data_address();
		regs[R_DI] = below(4) ? data_address() : regs[R_SI];
		regs[R_CX] = below(9);
	}
	if (insn->map == 0 && insn->opcode == 0xd7)
		regs[R_BX] = data_address();
	if (insn->map == 0 && insn->opcode == 0x9d) {
		u64 flags = random_u64() & ~(FL_TF | FL_AC | FL_NT | FL_RF);

		store(regs[R_SP], flags & 0xffffffff, 8);
	}
	if (insn->map == 0 && insn->opcode >= 0xc8 && insn->opcode <= 0xc9)
		regs[R_BP] = data_address();
	/*
	 * ENTER: the CPU also probes where the stack pointer ends; and the
	 * frame pointers that it copies do not overlap what it pushes.
	 */
	if (insn->map == 0 && insn->opcode == 0xc8) {
		patch(t, t->z.raw.imm[0].offset, 16, below(0x200));
		regs[R_BP] = regs[R_SP] + 0x100 + below(0x100);
	}
	/* CMPXCHG: be equal now and then. */
	if (insn->map == 1 && (insn->opcode == 0xb0 || insn->opcode == 0xb1) &&
	    below(2)) {
		if (insn->mod == 3)
			regs[R_AX] = regs[insn->rm];
		else
			store(effective_address(t), regs[R_AX], 8);
	}
	if (insn->map == 1 && insn->opcode == 0xc7 && below(2)) {
		unsigned int half = insn->opsize == 8 ? 8 : 4;

		store(effective_address(t), regs[R_AX], half);
		store(effective_address(t) + half, regs[R_DX], half);
	}
}

/* Shifts and rotates, SHLD, SHRD; the rest of the bits are tests and scans. */
static bool is_shift(const struct insn *insn)
{
	return insn->map == 0 || (insn->opcode & 0xf6) == 0xa4;
}

static u32 shift_count(const struct trial *t)
{
	const struct insn *insn = &t->insn;
	u32 count = t->in.regs[R_CX];

	if (insn->map == 0 && insn->opcode < 0xd0)
		count = insn->imm;
	else if (insn->map == 0 && insn->opcode < 0xd2)
		count = 1;
	else if (insn->map == 1 && !(insn->opcode & 1))
		count = insn->imm;
	return count & (insn->opsize == 8 &&
			(insn->map || (insn->opcode & 1)) ? 63 : 31);
}

/* Flags and results that are undefined by the operands' values. */
static bool undefined_by_value(struct trial *t)
{
	const struct insn *insn = &t->insn;
	unsigned int ext = insn->modrm >> 3 & 7;
	unsigned int size = insn->opsize;
	u32 count;

	if (t->kind == TRIAL_BITS && is_shift(insn)) {
		if (insn->map == 0 && !(insn->opcode & 1))
			size = 1;
		count = shift_count(t);
		if (!count)
			t->undefined = 0;
		if (insn->map == 0 && ext < 4)
			t->undefined = 0;
		if (count > 1)
			t->undefined |= FL_OF;
		if (insn->map == 0 && ext >= 4 && count >= 8 * size)
			t->undefined |= FL_CF;
		/* SHLD, SHRD beyond 16 bits: all is undefined */
		if (insn->map == 1 && size == 2 && count > 16)
			return true;
	}
	if (insn->map == 0 && (insn->opcode & 0xfe) == 0xf6) {
		if (ext < 2)
			t->undefined = FL_AF;
		else if (ext >= 6)
			t->undefined = FL_STATUS;
		else if (ext >= 4)
			t->undefined = FL_SF | FL_ZF | FL_AF | FL_PF;
	}
	/* AF of the immediate forms is undefined for logic alone. */
	if (insn->map == 0 && insn->opcode >= 0x80 && insn->opcode <= 0x83 &&
	    ext != 1 && ext != 4 && ext != 6)
		t->undefined = 0;
	/* TZCNT, LZCNT: CF is defined */
	if (insn->map == 1 && (insn->opcode & 0xfe) == 0xbc &&
	    insn->rep == 0xf3)
		t->undefined = FL_STATUS & ~(FL_ZF | FL_CF);
	/* BSWAP of 16 bits */
	return insn->map == 1 && insn->opcode >= 0xc8 && size == 2;
}

/**
 * make_trial() - the next one at random
 * @t: result
 * @set: of these instructions
 *
 * Return: false if what came out cannot be run or compared; try again.
 */
bool make_trial(struct trial *t, const struct family_set *set)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZyanStatus status;
	unsigned int i;
	u8 *p;

	memset(t, 0, sizeof(*t));
	t->kind = set->kind;
	t->family = &set->rows[below(set->nr)];
	t->undefined = t->family->undefined;
	put_opcode(t);

	for (i = 0; i < 16; i++)
		t->in.regs[i] = random_value();
	t->in.regs[R_SP] = data_address();
	t->in.rip = CODE_AT;
	/* ID and others that user mode cannot choose are as they are. */
	t->in.rflags = (__builtin_ia32_readeflags_u64() & ~FLAGS_SEEN) |
		       (random_u64() & FLAGS_SEEN);
	for (p = (u8 *)t->in.xmm; p < (u8 *)(t->in.xmm + 16); p++)
		*p = native.has_ymm || ((p - (u8 *)t->in.xmm) & 16) == 0 ?
			random_u64() : 0;
	for (i = 0; i < DATA_SIZE; i += 8) {
		u64 val = random_value();

		memcpy(image + i, &val, 8);
	}

	status = ZydisDecoderDecodeFull(&decoder, t->bytes, 15, &t->z, ops);
	if (status == ZYDIS_STATUS_ILLEGAL_LOCK) {
		/* 8F is XOP for the most part, whose #UD may be something else. */
		if (!t->family->map && t->family->first == 0x8f)
			return false;
		t->illegal = true;
		t->len = 15;
		return true;
	}
	if (!ZYAN_SUCCESS(status))
		return false;
	if (decode_insn(&t->insn, EMU_MODE_LONG, t->bytes, 15) != t->z.length)
		return false;
	t->len = t->z.length;
	if (!runnable(t))
		return false;
	if ((t->insn.has_modrm && t->insn.mod != 3 && t->insn.opcode != 0x8d) ||
	    (t->insn.map == 0 && t->insn.opcode >= 0xa0 &&
	     t->insn.opcode <= 0xa3)) {
		if (!place_operand(t))
			return false;
	}
	place_special(t);
	if (t->kind == TRIAL_BRANCH && !place_branch(t))
		return false;
	/* RSP as a base may have left the data: the stack would be the host's. */
	if ((t->kind == TRIAL_STACK || t->kind == TRIAL_BRANCH) &&
	    (t->in.regs[R_SP] < DATA ||
	     t->in.regs[R_SP] >= DATA + DATA_SIZE))
		return false;
	/* Undone by the rest? */
	if (t->insn.has_modrm && t->insn.mod != 3 && t->insn.opcode != 0x8d) {
		u64 ea = effective_address(t);

		if (ea < 0x800000000000 &&
		    (ea < DATA - 0x200 || ea >= DATA + DATA_SIZE))
			return false;
	}
	decode_insn(&t->insn, EMU_MODE_LONG, t->bytes, 15);
	return !undefined_by_value(t);
}
