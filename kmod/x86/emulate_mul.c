// SPDX-License-Identifier: GPL-2.0-only
/* Multiplication, division and decimal adjustment. */
#include "emulate_priv.h"

/* The double-wide product or dividend: DX:AX, or AX for bytes. */
static void write_wide(struct emu_ctx *c, u64 hi, u64 lo)
{
	if (c->size == 1) {
		reg_write(c, RAX, 2, (hi & 0xff) << 8 | (lo & 0xff));
		return;
	}
	reg_write(c, RAX, c->size, lo);
	reg_write(c, RDX, c->size, hi);
}

static void read_wide(struct emu_ctx *c, u64 *hi, u64 *lo)
{
	if (c->size == 1) {
		*lo = c->emu->regs[RAX] & 0xff;
		*hi = c->emu->regs[RAX] >> 8 & 0xff;
		return;
	}
	*lo = reg_read(c, RAX, c->size);
	*hi = reg_read(c, RDX, c->size);
}

/* CF and OF say that the upper half matters; the others are undefined. */
static void flags_mul(struct emu *emu, bool wide)
{
	set_flag(emu, FL_CF | FL_OF, wide);
}

int em_mul(struct emu_ctx *c, u64 src)
{
	unsigned __int128 product;
	unsigned int bits = 8 * c->size;
	u64 hi, lo;

	product = (unsigned __int128)reg_read(c, RAX, c->size) * src;
	lo = (u64)product & size_mask(c->size);
	hi = (u64)(product >> bits) & size_mask(c->size);
	write_wide(c, hi, lo);
	flags_mul(c->emu, hi);
	return EMU_OK;
}

/* Signed product of two operands; true if it needs more than their size. */
static bool signed_product(struct emu_ctx *c, u64 a, u64 b, u64 *hi, u64 *lo)
{
	unsigned int size = c->size;
	__int128 product = (__int128)sign_extend_from(a, size) *
			   sign_extend_from(b, size);

	*lo = (u64)product & size_mask(size);
	*hi = (u64)(product >> (8 * size)) & size_mask(size);
	return product != sign_extend_from(*lo, size);
}

int em_imul(struct emu_ctx *c, u64 src)
{
	u64 hi, lo;
	bool wide = signed_product(c, reg_read(c, RAX, c->size), src, &hi, &lo);

	write_wide(c, hi, lo);
	flags_mul(c->emu, wide);
	return EMU_OK;
}

static int imul_to_reg(struct emu_ctx *c, u64 other)
{
	u64 val, hi, lo;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	flags_mul(c->emu, signed_product(c, val, other, &hi, &lo));
	reg_write(c, c->insn.reg, c->size, lo);
	return EMU_OK;
}

int em_imul_reg(struct emu_ctx *c)
{
	return imul_to_reg(c, reg_read(c, c->insn.reg, c->size));
}

int em_imul_imm(struct emu_ctx *c)
{
	return imul_to_reg(c, c->insn.imm);
}

/*
 * hi:lo / by, all of the operand's size, hi < by. The instruction, because a
 * kernel has no 128-bit division.
 */
static u64 divide(unsigned int size, u64 hi, u64 lo, u64 by, u64 *rem)
{
	u64 quot;

	if (size < 8) {
		u64 val = hi << (8 * size) | lo;

		*rem = val % by;
		return val / by;
	}
	asm("divq %4" : "=a" (quot), "=d" (*rem)
	    : "0" (lo), "1" (hi), "r" (by) : "cc");
	return quot;
}

int em_div(struct emu_ctx *c, u64 src)
{
	u64 hi, lo, quot, rem;

	read_wide(c, &hi, &lo);
	if (hi >= src)		/* zero, or the quotient does not fit */
		return emu_raise(c, VEC_DE);
	quot = divide(c->size, hi, lo, src, &rem);
	write_wide(c, rem, quot);
	return EMU_OK;
}

/* By magnitudes: the remainder has the dividend's sign. */
int em_idiv(struct emu_ctx *c, u64 src)
{
	unsigned int size = c->size;
	u64 mask = size_mask(size), sign = sign_bit(size);
	bool neg_dividend, neg_divisor = src & sign;
	u64 hi, lo, quot, rem;

	read_wide(c, &hi, &lo);
	neg_dividend = hi & sign;
	if (neg_dividend) {
		lo = -lo & mask;
		hi = (~hi + !lo) & mask;
	}
	if (neg_divisor)
		src = -src & mask;
	if (hi >= src)
		return emu_raise(c, VEC_DE);
	quot = divide(size, hi, lo, src, &rem);
	if (neg_dividend != neg_divisor) {
		if (quot > sign)
			return emu_raise(c, VEC_DE);
		quot = -quot;
	} else if (quot >= sign) {
		return emu_raise(c, VEC_DE);
	}
	write_wide(c, neg_dividend ? -rem : rem, quot);
	return EMU_OK;
}

int em_aam(struct emu_ctx *c)
{
	u8 base = c->insn.imm, al = c->emu->regs[RAX];

	if (!base)
		return emu_raise(c, VEC_DE);
	reg_write(c, RAX, 2, (al / base) << 8 | al % base);
	flags_logic(c->emu, al % base, 1);
	return EMU_OK;
}

int em_aad(struct emu_ctx *c)
{
	u64 rax = c->emu->regs[RAX];
	u8 al = rax + (rax >> 8 & 0xff) * (u8)c->insn.imm;

	reg_write(c, RAX, 2, al);
	flags_logic(c->emu, al, 1);
	return EMU_OK;
}

/* DAA and DAS */
int em_daa(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	bool sub = c->insn.opcode == 0x2f;
	u8 old = emu->regs[RAX], by = 0;
	bool carry = emu->rflags & FL_CF;
	bool low = (old & 15) > 9 || (emu->rflags & FL_AF);
	bool high = old > 0x99 || carry;
	bool out = high;
	u8 al;

	if (low) {
		by = 6;
		/* The low step may borrow or carry by itself. */
		out |= sub ? old < 6 : old > 0xf9;
	}
	if (high)
		by += 0x60;
	al = sub ? old - by : old + by;
	emu->regs[RAX] = (emu->regs[RAX] & ~0xffULL) | al;
	flags_logic(emu, al, 1);
	set_flag(emu, FL_AF, low);
	set_flag(emu, FL_CF, out);
	return EMU_OK;
}

/* AAA and AAS */
int em_aaa(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u16 ax = emu->regs[RAX];
	bool adjust = (ax & 15) > 9 || (emu->rflags & FL_AF);

	if (adjust)
		ax = c->insn.opcode == 0x3f ? ax - 0x106 : ax + 0x106;
	reg_write(c, RAX, 2, ax & 0xff0f);
	set_flag(emu, FL_AF | FL_CF, adjust);
	return EMU_OK;
}
