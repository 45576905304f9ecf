// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands: registers, segmentation, and memory through the host's callbacks.
 */
#include <linux/string.h>

#include "emulate_priv.h"

/**
 * emu_raise() - the instruction faults, without an error code
 * @c: it
 * @vector: of the exception
 *
 * Return: EMU_EXCEPTION.
 */
int emu_raise(struct emu_ctx *c, u8 vector)
{
	c->emu->fault = (struct emu_fault) { .vector = vector };
	return EMU_EXCEPTION;
}

/**
 * emu_raise_error() - the instruction faults; an error code where there are any
 * @c: it
 * @vector: of the exception
 * @error: code, pushed in protected and VM86 mode
 *
 * Return: EMU_EXCEPTION.
 */
int emu_raise_error(struct emu_ctx *c, u8 vector, u32 error)
{
	c->emu->fault = (struct emu_fault) {
		.vector = vector,
		.has_error = c->emu->mode != EMU_MODE_REAL,
		.error = error,
	};
	return EMU_EXCEPTION;
}

/* AH, CH, DH, BH: byte registers 4 to 7 of an instruction without REX. */
static bool is_high_byte(const struct emu_ctx *c, unsigned int nr,
			 unsigned int size)
{
	return size == 1 && nr >= 4 && nr < 8 && !c->insn.rex;
}

/**
 * reg_read() - a general register as an operand
 * @c: instruction
 * @nr: register number as encoded
 * @size: bytes
 *
 * Return: its value, zero-extended.
 */
u64 reg_read(struct emu_ctx *c, unsigned int nr, unsigned int size)
{
	if (is_high_byte(c, nr, size))
		return c->emu->regs[nr - 4] >> 8 & 0xff;
	return c->emu->regs[nr] & size_mask(size);
}

/**
 * reg_write() - write a general register as an operand
 * @c: instruction
 * @nr: register number as encoded
 * @size: bytes; 4 clears the upper half, 1 and 2 leave the rest
 * @val: what is above @size is ignored
 */
void reg_write(struct emu_ctx *c, unsigned int nr, unsigned int size, u64 val)
{
	u64 *reg = &c->emu->regs[nr];
	u64 mask = size_mask(size);

	if (is_high_byte(c, nr, size)) {
		reg = &c->emu->regs[nr - 4];
		*reg = (*reg & ~0xff00ULL) | (val & 0xff) << 8;
	} else if (size == 4) {
		*reg = val & mask;
	} else {
		*reg = (*reg & ~mask) | (val & mask);
	}
}

/**
 * mem_offset() - the effective address of the memory operand
 * @c: instruction
 *
 * Return: offset in its segment, as wide as the address size.
 */
u64 mem_offset(struct emu_ctx *c)
{
	const struct insn *insn = &c->insn;
	u64 off = insn->disp;

	if (insn->base >= 0)
		off += c->emu->regs[insn->base];
	if (insn->index >= 0)
		off += c->emu->regs[insn->index] << insn->scale;
	if (insn->rip_relative)
		off += c->emu->rip + insn->len;
	return off & size_mask(insn->adsize);
}

/**
 * mem_segment() - the segment of the memory operand
 * @c: instruction
 *
 * Return: the override, else SS for addresses based on RSP or RBP, else DS.
 */
enum emu_seg mem_segment(struct emu_ctx *c)
{
	if (c->insn.seg != EMU_NR_SEGS)
		return c->insn.seg;
	return c->insn.base == RSP || c->insn.base == RBP ? EMU_SS : EMU_DS;
}

/**
 * is_canonical() - may this be a linear address in long mode?
 * @emu: for CR4.LA57
 * @addr: the address
 */
bool is_canonical(struct emu *emu, u64 addr)
{
	unsigned int shift = emu->cr4 & EMU_CR4_LA57 ? 7 : 16;

	return ((s64)(addr << shift) >> shift) == (s64)addr;
}

static int raise_segment(struct emu_ctx *c, enum emu_seg seg)
{
	return emu_raise_error(c, seg == EMU_SS ? VEC_SS : VEC_GP, 0);
}

static bool within_limit(const struct emu_segment *s, u64 off,
			 unsigned int size)
{
	u64 last = off + size - 1;

	if (!s->expand_down)
		return last <= s->limit;
	return off > s->limit && last <= (s->big ? 0xffffffffULL : 0xffffULL);
}

/**
 * mem_linear() - segmentation: offset to linear address
 * @c: instruction
 * @seg: segment register
 * @off: offset, already as wide as the address size
 * @size: bytes that will be touched
 * @write: they will be written
 * @lin: out
 *
 * Return: EMU_OK, or EMU_EXCEPTION with #GP or #SS.
 */
int mem_linear(struct emu_ctx *c, enum emu_seg seg, u64 off, unsigned int size,
	       bool write, u64 *lin)
{
	struct emu *emu = c->emu;
	const struct emu_segment *s;

	if (emu_long(emu)) {
		if (seg == EMU_FS || seg == EMU_GS)
			off += emu_segment(emu, seg)->base;
		if (!is_canonical(emu, off) ||
		    !is_canonical(emu, off + size - 1))
			return raise_segment(c, seg);
		*lin = off;
		return EMU_OK;
	}
	s = emu_segment(emu, seg);
	if (!emu_real_segments(emu)) {
		if (s->unusable)
			return raise_segment(c, seg);
		if (write ? !s->writable : s->execute_only)
			return emu_raise_error(c, VEC_GP, 0);
	}
	if (!within_limit(s, off, size))
		return raise_segment(c, seg);
	*lin = (u32)(s->base + off);
	return EMU_OK;
}

/**
 * mem_read() - read memory by segment and offset
 * @c: instruction
 * @seg: segment register
 * @off: offset
 * @buf: out
 * @size: bytes: 1, 2, 4, 8, 16, 32
 *
 * Return: an enum emu_result.
 */
int mem_read(struct emu_ctx *c, enum emu_seg seg, u64 off, void *buf,
	     unsigned int size)
{
	u64 lin;
	int rc = mem_linear(c, seg, off, size, false, &lin);

	return rc ? rc : c->emu->ops->read(c->emu, lin, buf, size);
}

/**
 * mem_write() - write memory by segment and offset
 * @c: instruction
 * @seg: segment register
 * @off: offset
 * @buf: in
 * @size: bytes: 1, 2, 4, 8, 16, 32
 *
 * Return: an enum emu_result.
 */
int mem_write(struct emu_ctx *c, enum emu_seg seg, u64 off, const void *buf,
	      unsigned int size)
{
	u64 lin;
	int rc = mem_linear(c, seg, off, size, true, &lin);

	return rc ? rc : c->emu->ops->write(c->emu, lin, buf, size);
}

/* As mem_read(), of an integer of up to 8 bytes, zero-extended. */
int mem_read_int(struct emu_ctx *c, enum emu_seg seg, u64 off,
		 unsigned int size, u64 *val)
{
	*val = 0;
	return mem_read(c, seg, off, val, size);
}

/* As mem_write(), of an integer of up to 8 bytes. */
int mem_write_int(struct emu_ctx *c, enum emu_seg seg, u64 off,
		  unsigned int size, u64 val)
{
	return mem_write(c, seg, off, &val, size);
}

/**
 * rm_read() - the operand that ModRM.rm names, register or memory
 * @c: instruction
 * @size: bytes, up to 8
 * @val: out, zero-extended
 *
 * Return: an enum emu_result.
 */
int rm_read(struct emu_ctx *c, unsigned int size, u64 *val)
{
	if (c->insn.mod == 3) {
		*val = reg_read(c, c->insn.rm, size);
		return EMU_OK;
	}
	return mem_read_int(c, mem_segment(c), mem_offset(c), size, val);
}

/**
 * rm_write() - write the operand that ModRM.rm names
 * @c: instruction
 * @size: bytes, up to 8
 * @val: to be written
 *
 * Return: an enum emu_result.
 */
int rm_write(struct emu_ctx *c, unsigned int size, u64 val)
{
	if (c->insn.mod == 3) {
		reg_write(c, c->insn.rm, size, val);
		return EMU_OK;
	}
	return mem_write_int(c, mem_segment(c), mem_offset(c), size, val);
}

/**
 * mem_exchange() - the write half of a locked read-modify-write
 * @c: instruction
 * @seg: segment register
 * @off: offset
 * @size: bytes: 1, 2, 4, 8, 16
 * @old: what the read half saw
 * @new: what is to be there
 *
 * Return: an enum emu_result, or EMU_LOST if memory changed meanwhile.
 */
int mem_exchange(struct emu_ctx *c, enum emu_seg seg, u64 off,
		 unsigned int size, const void *old, const void *new)
{
	u8 seen[16];
	u64 lin;
	int rc = mem_linear(c, seg, off, size, true, &lin);

	if (rc)
		return rc;
	memcpy(seen, old, size);
	rc = c->emu->ops->compare_exchange(c->emu, lin, seen, new, size);
	if (rc)
		return rc;
	return memcmp(seen, old, size) ? EMU_LOST : EMU_OK;
}

/**
 * rm_commit() - the write half of a read-modify-write of the rm operand
 * @c: instruction; with LOCK the write is an atomic exchange
 * @size: bytes, up to 8
 * @old: what rm_read() gave
 * @val: to be written
 *
 * Return: an enum emu_result or EMU_LOST.
 */
int rm_commit(struct emu_ctx *c, unsigned int size, u64 old, u64 val)
{
	if (!c->insn.lock || c->insn.mod == 3)
		return rm_write(c, size, val);
	return mem_exchange(c, mem_segment(c), mem_offset(c), size, &old, &val);
}
