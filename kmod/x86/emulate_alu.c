// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic and logic, with exact flags. */
#include "emulate_priv.h"

/* ZF, SF and PF are of the result whatever was done. */
static void flags_result(struct emu *emu, u64 res, unsigned int size)
{
	u8 parity = res;

	parity ^= parity >> 4;
	parity ^= parity >> 2;
	parity ^= parity >> 1;
	set_flag(emu, FL_PF, !(parity & 1));
	set_flag(emu, FL_ZF, !(res & size_mask(size)));
	set_flag(emu, FL_SF, res & sign_bit(size));
}

/**
 * flags_logic() - flags of a logic operation: CF, OF and AF are cleared
 * @emu: whose
 * @res: result
 * @size: bytes
 */
void flags_logic(struct emu *emu, u64 res, unsigned int size)
{
	emu->rflags &= ~(FL_CF | FL_OF | FL_AF);
	flags_result(emu, res, size);
}

/**
 * alu_add() - a + b + carry, and its flags
 * @emu: whose flags
 * @a: augend
 * @b: addend
 * @carry: in
 * @size: bytes
 *
 * Return: the sum.
 */
u64 alu_add(struct emu *emu, u64 a, u64 b, bool carry, unsigned int size)
{
	u64 res = a + b + carry;
	u64 carries = (a & b) | ((a | b) & ~res);

	set_flag(emu, FL_CF, carries & sign_bit(size));
	set_flag(emu, FL_AF, carries & 8);
	set_flag(emu, FL_OF, (a ^ res) & (b ^ res) & sign_bit(size));
	flags_result(emu, res, size);
	return res & size_mask(size);
}

/**
 * alu_sub() - a - b - borrow, and its flags
 * @emu: whose flags
 * @a: minuend
 * @b: subtrahend
 * @borrow: in
 * @size: bytes
 *
 * Return: the difference.
 */
u64 alu_sub(struct emu *emu, u64 a, u64 b, bool borrow, unsigned int size)
{
	u64 res = a - b - borrow;
	u64 borrows = (~a & b) | ((~a | b) & res);

	set_flag(emu, FL_CF, borrows & sign_bit(size));
	set_flag(emu, FL_AF, borrows & 8);
	set_flag(emu, FL_OF, (a ^ b) & (a ^ res) & sign_bit(size));
	flags_result(emu, res, size);
	return res & size_mask(size);
}

/**
 * flags_cond() - does a condition hold?
 * @emu: whose flags
 * @cc: the low four bits of the opcode
 */
bool flags_cond(const struct emu *emu, unsigned int cc)
{
	u64 fl = emu->rflags;
	bool res;

	switch (cc >> 1 & 7) {
	case 0:
		res = fl & FL_OF;
		break;
	case 1:
		res = fl & FL_CF;
		break;
	case 2:
		res = fl & FL_ZF;
		break;
	case 3:
		res = fl & (FL_CF | FL_ZF);
		break;
	case 4:
		res = fl & FL_SF;
		break;
	case 5:
		res = fl & FL_PF;
		break;
	case 6:
		res = !(fl & FL_SF) != !(fl & FL_OF);
		break;
	default:
		res = (fl & FL_ZF) || !(fl & FL_SF) != !(fl & FL_OF);
	}
	return res != (cc & 1);
}

enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* One of the eight, as opcode or ModRM.reg number them. */
static u64 alu_op(struct emu *emu, unsigned int op, u64 a, u64 b,
		  unsigned int size)
{
	u64 res;

	switch (op) {
	case ALU_ADD:
		return alu_add(emu, a, b, false, size);
	case ALU_ADC:
		return alu_add(emu, a, b, emu->rflags & FL_CF, size);
	case ALU_SBB:
		return alu_sub(emu, a, b, emu->rflags & FL_CF, size);
	case ALU_SUB:
	case ALU_CMP:
		return alu_sub(emu, a, b, false, size);
	case ALU_OR:
		res = a | b;
		break;
	case ALU_AND:
		res = a & b;
		break;
	default:
		res = a ^ b;
	}
	flags_logic(emu, res, size);
	return res;
}

/* rm = rm op @src, or only the flags for CMP. */
static int arith_to_rm(struct emu_ctx *c, unsigned int op, u64 src)
{
	u64 dst, res;
	int rc = rm_read(c, c->size, &dst);

	if (rc)
		return rc;
	res = alu_op(c->emu, op, dst, src & size_mask(c->size), c->size);
	return op == ALU_CMP ? EMU_OK : rm_commit(c, c->size, dst, res);
}

static int arith_to_reg(struct emu_ctx *c, unsigned int op, unsigned int reg,
			u64 src)
{
	u64 res = alu_op(c->emu, op, reg_read(c, reg, c->size),
			 src & size_mask(c->size), c->size);

	if (op != ALU_CMP)
		reg_write(c, reg, c->size, res);
	return EMU_OK;
}

int em_arith(struct emu_ctx *c)
{
	unsigned int op = c->insn.opcode >> 3 & 7;
	u64 src;
	int rc;

	switch (c->insn.opcode >> 1 & 3) {
	case 0:
		return arith_to_rm(c, op, reg_read(c, c->insn.reg, c->size));
	case 1:
		rc = rm_read(c, c->size, &src);
		return rc ? rc : arith_to_reg(c, op, c->insn.reg, src);
	}
	return arith_to_reg(c, op, RAX, c->insn.imm);
}

int em_arith_imm(struct emu_ctx *c)
{
	return arith_to_rm(c, insn_ext(&c->insn), c->insn.imm);
}

int em_test(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (!rc)
		flags_logic(c->emu, val & reg_read(c, c->insn.reg, c->size),
			    c->size);
	return rc;
}

int em_test_imm(struct emu_ctx *c)
{
	flags_logic(c->emu, reg_read(c, RAX, c->size) & c->insn.imm, c->size);
	return EMU_OK;
}

/* INC and DEC leave CF alone. */
static u64 incdec(struct emu *emu, u64 val, bool dec, unsigned int size)
{
	bool carry = emu->rflags & FL_CF;
	u64 res = dec ? alu_sub(emu, val, 1, false, size) :
			alu_add(emu, val, 1, false, size);

	set_flag(emu, FL_CF, carry);
	return res;
}

int em_incdec_reg(struct emu_ctx *c)
{
	unsigned int reg = c->insn.opcode & 7;

	reg_write(c, reg, c->size,
		  incdec(c->emu, reg_read(c, reg, c->size),
			 c->insn.opcode & 8, c->size));
	return EMU_OK;
}

/* TEST, NOT, NEG, MUL, IMUL, DIV, IDIV */
int em_group3(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	switch (insn_ext(&c->insn)) {
	case 0:
	case 1:
		flags_logic(c->emu, val & c->insn.imm, c->size);
		return EMU_OK;
	case 2:
		return rm_commit(c, c->size, val, ~val);
	case 3:
		return rm_commit(c, c->size, val,
				 alu_sub(c->emu, 0, val, false, c->size));
	case 4:
		return em_mul(c, val);
	case 5:
		return em_imul(c, val);
	case 6:
		return em_div(c, val);
	default:
		return em_idiv(c, val);
	}
}

/* INC and DEC of rm: also the first two of group 5 */
int em_group4(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	return rm_commit(c, c->size, val,
			 incdec(c->emu, val, insn_ext(&c->insn), c->size));
}

/* The destination is written whatever the outcome, as the CPU does. */
int em_cmpxchg(struct emu_ctx *c)
{
	unsigned int size = c->size;
	u64 acc = reg_read(c, RAX, size);
	u64 dst;
	int rc = rm_read(c, size, &dst);

	if (rc)
		return rc;
	alu_sub(c->emu, acc, dst, false, size);
	if (c->emu->rflags & FL_ZF)
		return rm_commit(c, size, dst, reg_read(c, c->insn.reg, size));
	/* A register destination is not changed, not even its upper half. */
	rc = c->insn.mod == 3 ? EMU_OK : rm_commit(c, size, dst, dst);
	if (!rc)
		reg_write(c, RAX, size, dst);
	return rc;
}

/* CMPXCHG8B and CMPXCHG16B; the rest of group 9 is not for device memory. */
int em_cmpxchg_wide(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	unsigned int half = c->size == 8 ? 8 : 4;
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c);
	u64 old[2] = {}, new[2];
	u8 was[16], be[16];
	unsigned int i;
	bool equal;
	int rc;

	if (insn_ext(&c->insn) != 1 || c->insn.mod == 3)
		return EMU_UNHANDLED;
	if (half == 8) {
		u64 lin;

		rc = mem_linear(c, seg, off, 16, true, &lin);
		if (rc)
			return rc;
		if (lin & 15)
			return emu_raise_error(c, VEC_GP, 0);
	}
	rc = mem_read(c, seg, off, was, 2 * half);
	if (rc)
		return rc;
	for (i = 0; i < 2 * half; i++)
		old[i / half] |= (u64)was[i] << (8 * (i % half));

	equal = old[0] == reg_read(c, RAX, half) &&
		old[1] == reg_read(c, RDX, half);
	new[0] = equal ? reg_read(c, RBX, half) : old[0];
	new[1] = equal ? reg_read(c, RCX, half) : old[1];
	for (i = 0; i < 2 * half; i++)
		be[i] = new[i / half] >> (8 * (i % half));
	rc = c->insn.lock ? mem_exchange(c, seg, off, 2 * half, was, be) :
			    mem_write(c, seg, off, be, 2 * half);
	if (rc)
		return rc;
	set_flag(emu, FL_ZF, equal);
	if (!equal) {
		reg_write(c, RAX, half, old[0]);
		reg_write(c, RDX, half, old[1]);
	}
	return EMU_OK;
}

int em_xadd(struct emu_ctx *c)
{
	u64 dst, src = reg_read(c, c->insn.reg, c->size);
	u64 sum;
	int rc = rm_read(c, c->size, &dst);

	if (rc)
		return rc;
	sum = alu_add(c->emu, dst, src, false, c->size);
	if (c->insn.mod != 3) {
		rc = rm_commit(c, c->size, dst, sum);
		if (!rc)
			reg_write(c, c->insn.reg, c->size, dst);
		return rc;
	}
	/* Both are registers, maybe the same: the sum is what stays. */
	reg_write(c, c->insn.reg, c->size, dst);
	reg_write(c, c->insn.rm, c->size, sum);
	return EMU_OK;
}

/* CMC, CLC, STC, CLD, STD */
int em_flag_op(struct emu_ctx *c)
{
	struct emu *emu = c->emu;

	switch (c->insn.opcode) {
	case 0xf5:
		emu->rflags ^= FL_CF;
		break;
	case 0xf8:
	case 0xf9:
		set_flag(emu, FL_CF, c->insn.opcode & 1);
		break;
	default:
		set_flag(emu, FL_DF, c->insn.opcode & 1);
	}
	return EMU_OK;
}

#define FL_LAHF	(FL_SF | FL_ZF | FL_AF | FL_PF | FL_CF)

int em_lahf(struct emu_ctx *c)
{
	u64 *rax = &c->emu->regs[RAX];
	u64 ah = (c->emu->rflags & FL_LAHF) | FL_FIXED;

	*rax = (*rax & ~0xff00ULL) | ah << 8;
	return EMU_OK;
}

int em_sahf(struct emu_ctx *c)
{
	u64 ah = c->emu->regs[RAX] >> 8;

	c->emu->rflags = (c->emu->rflags & ~FL_LAHF) | (ah & FL_LAHF);
	return EMU_OK;
}
