// SPDX-License-Identifier: GPL-2.0-only
/* The stack: push and pop in all their forms, frames, flags. */
#include "emulate_priv.h"

/* Bytes of the stack pointer that count. */
static unsigned int stack_width(struct emu *emu)
{
	if (emu_long(emu))
		return 8;
	return emu_segment(emu, EMU_SS)->big ? 4 : 2;
}

/* The stack pointer moves; what is above its width stays. */
static void stack_set(struct emu_ctx *c, u64 val)
{
	u64 mask = size_mask(stack_width(c->emu));
	u64 *rsp = &c->emu->regs[RSP];

	*rsp = (*rsp & ~mask) | (val & mask);
}

/**
 * stack_adjust() - move the stack pointer within its width
 * @c: instruction
 * @by: bytes, two's complement
 */
void stack_adjust(struct emu_ctx *c, u64 by)
{
	stack_set(c, c->emu->regs[RSP] + by);
}

/* Write below the stack pointer without moving it. */
static int stack_poke(struct emu_ctx *c, u64 below, unsigned int size, u64 val)
{
	u64 off = c->emu->regs[RSP] - below;

	return mem_write_int(c, EMU_SS, off & size_mask(stack_width(c->emu)),
			     size, val);
}

/**
 * stack_peek() - read from the stack without popping
 * @c: instruction
 * @skip: bytes above the stack pointer
 * @size: bytes to read
 * @val: out, zero-extended
 *
 * Return: an enum emu_result.
 */
int stack_peek(struct emu_ctx *c, unsigned int skip, unsigned int size,
	       u64 *val)
{
	u64 off = c->emu->regs[RSP] + skip;

	return mem_read_int(c, EMU_SS, off & size_mask(stack_width(c->emu)),
			    size, val);
}

/**
 * stack_push() - push one value
 * @c: instruction
 * @size: bytes
 * @val: value
 *
 * Return: an enum emu_result.
 */
int stack_push(struct emu_ctx *c, unsigned int size, u64 val)
{
	int rc = stack_poke(c, size, size, val);

	if (!rc)
		stack_adjust(c, -(u64)size);
	return rc;
}

/**
 * stack_pop() - pop one value
 * @c: instruction
 * @size: bytes
 * @val: out, zero-extended
 *
 * Return: an enum emu_result.
 */
int stack_pop(struct emu_ctx *c, unsigned int size, u64 *val)
{
	int rc = stack_peek(c, 0, size, val);

	if (!rc)
		stack_adjust(c, size);
	return rc;
}

int em_push_reg(struct emu_ctx *c)
{
	return stack_push(c, c->size,
			  reg_read(c, insn_opreg(&c->insn), c->size));
}

int em_pop_reg(struct emu_ctx *c)
{
	u64 val;
	int rc = stack_pop(c, c->size, &val);

	if (!rc)
		reg_write(c, insn_opreg(&c->insn), c->size, val);
	return rc;
}

int em_push_imm(struct emu_ctx *c)
{
	return stack_push(c, c->size, c->insn.imm);
}

int em_push_rm(struct emu_ctx *c)
{
	u64 val;
	int rc = rm_read(c, c->size, &val);

	return rc ? rc : stack_push(c, c->size, val);
}

/* An address based on RSP is computed after the pop. */
int em_pop_rm(struct emu_ctx *c)
{
	u64 val;
	int rc = stack_pop(c, c->size, &val);

	return rc ? rc : rm_write(c, c->size, val);
}

/* The segment register that a push or pop opcode names. */
static enum emu_seg opcode_segment(const struct insn *insn)
{
	return insn->opcode >> 3 & 7;
}

/* A 32-bit push writes only the selector; the rest of the slot stays. */
int em_push_seg(struct emu_ctx *c)
{
	u16 selector = emu_segment(c->emu, opcode_segment(&c->insn))->selector;
	int rc;

	if (c->size == 4)
		rc = stack_poke(c, 4, 2, selector);
	else
		rc = stack_poke(c, c->size, c->size, selector);
	if (!rc)
		stack_adjust(c, -(u64)c->size);
	return rc;
}

int em_pop_seg(struct emu_ctx *c)
{
	enum emu_seg seg = opcode_segment(&c->insn);
	struct emu *emu = c->emu;
	u64 val;
	int rc = stack_peek(c, 0, 2, &val);

	if (rc)
		return rc;
	/* By the old SS: what is loaded may have another width. */
	stack_adjust(c, c->size);
	rc = emu->ops->load_segment(emu, seg, val);
	if (!rc && seg == EMU_SS)
		emu->interrupt_shadow = true;
	return rc;
}

int em_pusha(struct emu_ctx *c)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		int rc = stack_poke(c, (i + 1) * c->size, c->size,
				    reg_read(c, i, c->size));

		if (rc)
			return rc;
	}
	stack_adjust(c, -8ULL * c->size);
	return EMU_OK;
}

int em_popa(struct emu_ctx *c)
{
	u64 val[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		int rc = stack_peek(c, (7 - i) * c->size, c->size, &val[i]);

		if (rc)
			return rc;
	}
	for (i = 0; i < 8; i++) {
		if (i != RSP)
			reg_write(c, i, c->size, val[i]);
	}
	stack_adjust(c, 8 * c->size);
	return EMU_OK;
}

/* In VM86 mode with IOPL below 3 the flags belong to the monitor. */
static bool flags_sensitive(const struct emu *emu)
{
	return emu->mode == EMU_MODE_VM86 && (emu->rflags & FL_IOPL) != FL_IOPL;
}

int em_pushf(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u64 image = (emu->rflags & ~(FL_VM | FL_RF)) | FL_FIXED;

	if (flags_sensitive(emu)) {
		if (!(emu->cr4 & EMU_CR4_VME) || c->size != 2)
			return emu_raise_error(c, VEC_GP, 0);
		image |= FL_IOPL;
		image &= ~FL_IF;
		if (emu->rflags & FL_VIF)
			image |= FL_IF;
	}
	return stack_push(c, c->size, image);
}

/* POPF where IF stands for VIF; only 16 bits wide. */
static int popf_vme(struct emu_ctx *c, u64 val)
{
	struct emu *emu = c->emu;
	u64 change = FL_STATUS | FL_DF | FL_NT;

	if ((val & FL_TF) || ((val & FL_IF) && (emu->rflags & FL_VIP)))
		return emu_raise_error(c, VEC_GP, 0);
	set_flag(emu, FL_VIF, val & FL_IF);
	emu->rflags = (emu->rflags & ~change) | (val & change);
	return EMU_OK;
}

/**
 * write_flags() - load RFLAGS as POPF and IRET may
 * @c: instruction
 * @size: bytes of @val
 * @val: new flags; what may not be changed is ignored
 *
 * Return: an enum emu_result.
 */
int write_flags(struct emu_ctx *c, unsigned int size, u64 val)
{
	struct emu *emu = c->emu;
	unsigned int iopl = (emu->rflags & FL_IOPL) >> 12;
	u64 change = FL_STATUS | FL_TF | FL_DF | FL_NT;

	if (flags_sensitive(emu)) {
		if (!(emu->cr4 & EMU_CR4_VME) || size != 2)
			return emu_raise_error(c, VEC_GP, 0);
		return popf_vme(c, val);
	}
	if (size > 2)
		change |= FL_AC | FL_ID;
	if (emu->cpl <= iopl)
		change |= FL_IF;
	if (emu->mode != EMU_MODE_VM86 && !emu->cpl)
		change |= FL_IOPL;
	emu->rflags = (emu->rflags & ~change) | (val & change) | FL_FIXED;
	return EMU_OK;
}

int em_popf(struct emu_ctx *c)
{
	u64 val;
	int rc = stack_pop(c, c->size, &val);

	return rc ? rc : write_flags(c, c->size, val);
}

#define ENTER_MAX_LEVEL	32

int em_enter(struct emu_ctx *c)
{
	unsigned int level = c->insn.imm2 % ENTER_MAX_LEVEL;
	unsigned int size = c->size;
	unsigned int width = stack_width(c->emu);
	u64 rbp = c->emu->regs[RBP];
	u64 frame, display[ENTER_MAX_LEVEL];
	unsigned int i;
	int rc;

	frame = c->emu->regs[RSP] - size;
	/* The enclosing frames' pointers are copied: all reads come first. */
	for (i = 1; i < level; i++) {
		u64 off = (rbp - i * size) & size_mask(width);

		rc = mem_read_int(c, EMU_SS, off, size, &display[i]);
		if (rc)
			return rc;
	}
	rc = stack_push(c, size, rbp);
	for (i = 1; !rc && i < level; i++)
		rc = stack_push(c, size, display[i]);
	if (!rc && level)
		rc = stack_push(c, size, frame);
	if (rc)
		return rc;
	stack_adjust(c, -(u64)c->insn.imm);
	reg_write(c, RBP, size, frame);
	return EMU_OK;
}

int em_leave(struct emu_ctx *c)
{
	u64 val;
	int rc;

	stack_set(c, c->emu->regs[RBP]);
	rc = stack_pop(c, c->size, &val);
	if (!rc)
		reg_write(c, RBP, c->size, val);
	return rc;
}
