// SPDX-License-Identifier: GPL-2.0-only
/* Shifts, rotates, bit tests and bit scans. */
#include "emulate_priv.h"

enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAL, SH_SAR };

static bool top_bit(u64 val, unsigned int size)
{
	return val & sign_bit(size);
}

/* ROL and ROR change CF and OF alone. */
static u64 rotate(struct emu *emu, bool right, u64 val, unsigned int count,
		  unsigned int size)
{
	unsigned int bits = 8 * size, n = count % bits;
	u64 res = val;

	if (right)
		n = (bits - n) % bits;
	if (n)
		res = (val << n | val >> (bits - n)) & size_mask(size);
	if (right) {
		set_flag(emu, FL_CF, top_bit(res, size));
		set_flag(emu, FL_OF, top_bit(res ^ res << 1, size));
	} else {
		set_flag(emu, FL_CF, res & 1);
		set_flag(emu, FL_OF, top_bit(res, size) != (res & 1));
	}
	return res;
}

/* RCL and RCR: a rotation of size + 1 bits, a step at a time. */
static u64 rotate_carry(struct emu *emu, bool right, u64 val,
			unsigned int count, unsigned int size)
{
	unsigned int bits = 8 * size;
	bool carry = emu->rflags & FL_CF;

	count %= bits + 1;
	if (right)
		set_flag(emu, FL_OF, top_bit(val, size) != carry);
	while (count--) {
		bool out = right ? val & 1 : top_bit(val, size);

		if (right)
			val = val >> 1 | (u64)carry << (bits - 1);
		else
			val = (val << 1 | carry) & size_mask(size);
		carry = out;
	}
	set_flag(emu, FL_CF, carry);
	if (!right)
		set_flag(emu, FL_OF, top_bit(val, size) != carry);
	return val;
}

/* SHL, SHR, SAR with @count in 1..63, which may be beyond a narrow operand. */
static u64 shift(struct emu *emu, unsigned int op, u64 val, unsigned int count,
		 unsigned int size)
{
	unsigned int bits = 8 * size;
	bool carry, overflow;
	s64 wide;
	u64 res;

	switch (op) {
	case SH_SHR:
		res = val >> count;
		carry = val >> (count - 1) & 1;
		overflow = top_bit(val, size);
		break;
	case SH_SAR:
		wide = sign_extend_from(val, size);
		res = wide >> count;
		carry = wide >> (count - 1) & 1;
		overflow = false;
		break;
	default:
		res = val << count;
		carry = count <= bits && (val >> (bits - count) & 1);
		overflow = top_bit(res, size) != carry;
	}
	res &= size_mask(size);
	flags_logic(emu, res, size);
	set_flag(emu, FL_CF, carry);
	set_flag(emu, FL_OF, overflow);
	return res;
}

/* Group 2: by an immediate, by one, by CL. */
int em_shift(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	unsigned int op = insn_ext(&c->insn);
	unsigned int count;
	u64 val, res;
	int rc;

	if (c->insn.opcode < 0xd0)
		count = c->insn.imm;
	else if (c->insn.opcode < 0xd2)
		count = 1;
	else
		count = emu->regs[RCX];
	count &= c->size == 8 ? 63 : 31;

	rc = rm_read(c, c->size, &val);
	if (rc)
		return rc;
	/* No flag changes; a 32-bit register is still zero-extended. */
	if (!count)
		return rm_write(c, c->size, val);
	switch (op) {
	case SH_ROL:
	case SH_ROR:
		res = rotate(emu, op == SH_ROR, val, count, c->size);
		break;
	case SH_RCL:
	case SH_RCR:
		res = rotate_carry(emu, op == SH_RCR, val, count, c->size);
		break;
	default:
		res = shift(emu, op, val, count, c->size);
	}
	return rm_write(c, c->size, res);
}

/* SHLD and SHRD; for 16 bits a count above 16 is undefined. */
int em_shift_double(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	bool right = c->insn.opcode & 8;
	unsigned int bits = 8 * c->size;
	unsigned int count = c->insn.opcode & 1 ? emu->regs[RCX] : c->insn.imm;
	u64 dst, src = reg_read(c, c->insn.reg, c->size), res;
	bool carry;
	int rc;

	rc = rm_read(c, c->size, &dst);
	if (rc)
		return rc;
	count &= c->size == 8 ? 63 : 31;
	if (!count)
		return rm_write(c, c->size, dst);
	if (count > bits) {
		/* What CPUs do: the operands rotate as one. */
		u64 tmp = dst;

		dst = src;
		src = tmp;
		count -= bits;
	}
	if (right) {
		res = dst >> count | src << (bits - count);
		carry = dst >> (count - 1) & 1;
	} else {
		res = dst << count | src >> (bits - count);
		carry = dst >> (bits - count) & 1;
	}
	res &= size_mask(c->size);
	flags_logic(emu, res, c->size);
	set_flag(emu, FL_CF, carry);
	set_flag(emu, FL_OF, top_bit(res ^ dst, c->size));
	return rm_write(c, c->size, res);
}

enum { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

static u64 bit_change(unsigned int op, u64 val, u64 bit)
{
	switch (op) {
	case BT_SET:
		return val | bit;
	case BT_RESET:
		return val & ~bit;
	case BT_COMPLEMENT:
		return val ^ bit;
	}
	return val;
}

/*
 * BT, BTS, BTR, BTC. A register bit offset reaches beyond the operand in
 * memory: it selects the word as well as the bit.
 */
int em_bt(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	unsigned int size = c->size;
	unsigned int op = c->insn.opcode >> 3 & 3;
	u64 off = 0, val, res, bit;
	s64 nr;
	int rc;

	if (c->insn.opcode == 0xba) {
		op = insn_ext(&c->insn) & 3;
		nr = (u8)c->insn.imm & (8 * size - 1);
	} else {
		nr = sign_extend_from(reg_read(c, c->insn.reg, size), size);
	}
	if (c->insn.mod != 3) {
		off = mem_offset(c) + (nr >> 3 & ~(s64)(size - 1));
		off &= size_mask(c->insn.adsize);
		rc = mem_read_int(c, mem_segment(c), off, size, &val);
	} else {
		rc = rm_read(c, size, &val);
	}
	if (rc)
		return rc;

	bit = 1ULL << (nr & (8 * size - 1));
	res = bit_change(op, val, bit);
	set_flag(emu, FL_CF, val & bit);
	if (op == BT_TEST)
		return EMU_OK;
	if (c->insn.mod == 3)
		return rm_write(c, size, res);
	if (c->insn.lock)
		return mem_exchange(c, mem_segment(c), off, size, &val, &res);
	return mem_write_int(c, mem_segment(c), off, size, res);
}

/*
 * BSF, BSR; with F3 TZCNT, LZCNT. A scan of zero leaves the destination
 * alone, as all CPUs do.
 */
int em_bit_scan(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	bool reverse = c->insn.opcode & 1;
	bool count = c->insn.rep == 0xf3;
	unsigned int bits = 8 * c->size;
	unsigned int n;
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	set_flag(emu, FL_ZF, !val);
	if (!val && !count)
		return EMU_OK;
	if (!val)
		n = bits;
	else if (!reverse)
		n = __builtin_ctzll(val);
	else
		n = 63 - __builtin_clzll(val);
	if (count) {
		if (val && reverse)
			n = bits - 1 - n;
		set_flag(emu, FL_CF, !val);
		set_flag(emu, FL_ZF, !n);
	}
	reg_write(c, c->insn.reg, c->size, n);
	return EMU_OK;
}

int em_popcnt(struct emu_ctx *c)
{
	unsigned int n = 0;
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	c->emu->rflags &= ~FL_STATUS;
	set_flag(c->emu, FL_ZF, !val);
	for (; val; val &= val - 1)
		n++;
	reg_write(c, c->insn.reg, c->size, n);
	return EMU_OK;
}
