// SPDX-License-Identifier: GPL-2.0-only
/* Data movement between general registers and memory. */
#include "emulate_priv.h"

int em_mov_rm_reg(struct emu_ctx *c)
{
	return rm_write(c, c->size, reg_read(c, c->insn.reg, c->size));
}

int em_mov_reg_rm(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (!rc)
		reg_write(c, c->insn.reg, c->size, val);
	return rc;
}

int em_mov_rm_imm(struct emu_ctx *c)
{
	if (insn_ext(&c->insn))		/* XABORT, XBEGIN */
		return EMU_UNHANDLED;
	return rm_write(c, c->size, c->insn.imm);
}

int em_mov_reg_imm(struct emu_ctx *c)
{
	reg_write(c, insn_opreg(&c->insn),
		  c->insn.opcode < 0xb8 ? 1 : c->size, c->insn.imm);
	return EMU_OK;
}

/* MOV between the accumulator and memory at an offset in the instruction */
int em_mov_offset(struct emu_ctx *c)
{
	u64 off = mem_offset(c), val;
	int rc;

	if (c->insn.opcode & 2)
		return mem_write_int(c, mem_segment(c), off, c->size,
				     reg_read(c, RAX, c->size));
	rc = mem_read_int(c, mem_segment(c), off, c->size, &val);
	if (!rc)
		reg_write(c, RAX, c->size, val);
	return rc;
}

/* MOVZX and MOVSX */
int em_movx(struct emu_ctx *c)
{
	unsigned int from = c->insn.opcode & 1 ? 2 : 1;
	u64 val;
	int rc = rm_read(c, from, &val);

	if (rc)
		return rc;
	if (c->insn.opcode & 8)
		val = sign_extend_from(val, from);
	reg_write(c, c->insn.reg, c->size, val);
	return EMU_OK;
}

/* MOVSXD; ARPL elsewhere */
int em_movsxd(struct emu_ctx *c)
{
	unsigned int from = c->size == 2 ? 2 : 4;
	u64 val;
	int rc;

	if (!emu_long(c->emu)) {
		if (emu_real_segments(c->emu))
			return emu_raise(c, VEC_UD);
		rc = rm_read(c, 2, &val);
		if (rc)
			return rc;
		from = reg_read(c, c->insn.reg, 2) & 3;
		set_flag(c->emu, FL_ZF, (val & 3) < from);
		return (val & 3) < from ?
			rm_write(c, 2, (val & ~3ULL) | from) : EMU_OK;
	}
	rc = rm_read(c, from, &val);
	if (!rc)
		reg_write(c, c->insn.reg, c->size, sign_extend_from(val, from));
	return rc;
}

static u64 swap_bytes(u64 val, unsigned int size)
{
	return __builtin_bswap64(val) >> (64 - 8 * size);
}

int em_movbe(struct emu_ctx *c)
{
	u64 val;
	int rc;

	if (c->insn.opcode & 1) {
		val = reg_read(c, c->insn.reg, c->size);
		return rm_write(c, c->size, swap_bytes(val, c->size));
	}
	rc = rm_read(c, c->size, &val);
	if (!rc)
		reg_write(c, c->insn.reg, c->size, swap_bytes(val, c->size));
	return rc;
}

int em_lea(struct emu_ctx *c)
{
	reg_write(c, c->insn.reg, c->size, mem_offset(c));
	return EMU_OK;
}

/* With memory it is locked, LOCK or not. */
int em_xchg(struct emu_ctx *c)
{
	u64 reg = reg_read(c, c->insn.reg, c->size), val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	if (c->insn.mod == 3)
		rc = rm_write(c, c->size, reg);
	else
		rc = mem_exchange(c, mem_segment(c), mem_offset(c), c->size,
				  &val, &reg);
	if (!rc)
		reg_write(c, c->insn.reg, c->size, val);
	return rc;
}

/* XCHG with the accumulator; 90 without REX.B is NOP, and PAUSE with F3 */
int em_xchg_acc(struct emu_ctx *c)
{
	unsigned int reg = insn_opreg(&c->insn);
	u64 val = reg_read(c, reg, c->size);

	if (reg == RAX)
		return EMU_OK;
	reg_write(c, reg, c->size, reg_read(c, RAX, c->size));
	reg_write(c, RAX, c->size, val);
	return EMU_OK;
}

/* For a 16-bit operand the result is undefined; CPUs give zero. */
int em_bswap(struct emu_ctx *c)
{
	unsigned int reg = insn_opreg(&c->insn);

	reg_write(c, reg, c->size, c->size == 2 ? 0 :
		  swap_bytes(reg_read(c, reg, c->size), c->size));
	return EMU_OK;
}

/* CBW, CWDE, CDQE */
int em_cbw(struct emu_ctx *c)
{
	u64 val = reg_read(c, RAX, c->size);

	reg_write(c, RAX, c->size, sign_extend_from(val, c->size / 2));
	return EMU_OK;
}

/* CWD, CDQ, CQO */
int em_cwd(struct emu_ctx *c)
{
	u64 val = reg_read(c, RAX, c->size);

	reg_write(c, RDX, c->size, val & sign_bit(c->size) ? ~0ULL : 0);
	return EMU_OK;
}

int em_xlat(struct emu_ctx *c)
{
	enum emu_seg seg = c->insn.seg == EMU_NR_SEGS ? EMU_DS : c->insn.seg;
	u64 off = c->emu->regs[RBX] + (c->emu->regs[RAX] & 0xff);
	u64 val;
	int rc = mem_read_int(c, seg, off & size_mask(c->insn.adsize), 1, &val);

	if (!rc)
		c->emu->regs[RAX] = (c->emu->regs[RAX] & ~0xffULL) | val;
	return rc;
}

int em_setcc(struct emu_ctx *c)
{
	return rm_write(c, 1, flags_cond(c->emu, c->insn.opcode));
}

/* The source is read, and the upper half cleared, whatever the condition. */
int em_cmov(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	if (rc)
		return rc;
	if (!flags_cond(c->emu, c->insn.opcode))
		val = reg_read(c, c->insn.reg, c->size);
	reg_write(c, c->insn.reg, c->size, val);
	return EMU_OK;
}

int em_salc(struct emu_ctx *c)
{
	bool carry = c->emu->rflags & FL_CF;

	c->emu->regs[RAX] = (c->emu->regs[RAX] & ~0xffULL) | (carry ? 0xff : 0);
	return EMU_OK;
}

/* Hints: NOP Ev, PREFETCH, ENDBR. They touch no memory and never fault. */
int em_nop_rm(struct emu_ctx *c)
{
	/* RDSSP reads the shadow stack, which this emulator does not know. */
	if (c->insn.opcode == 0x1e && c->insn.rep == 0xf3 &&
	    c->insn.mod == 3 && insn_ext(&c->insn) == 1)
		return EMU_UNHANDLED;
	return EMU_OK;
}
