// SPDX-License-Identifier: GPL-2.0-only
/* String instructions, an iteration at a time, and port I/O. */
#include "emulate_priv.h"

/* RSI or RDI as an offset. */
static u64 string_offset(const struct emu_ctx *c, unsigned int reg)
{
	return c->emu->regs[reg] & size_mask(c->insn.adsize);
}

static enum emu_seg source_segment(const struct emu_ctx *c)
{
	return c->insn.seg == EMU_NR_SEGS ? EMU_DS : c->insn.seg;
}

static void string_advance(struct emu_ctx *c, unsigned int reg)
{
	u64 by = c->emu->rflags & FL_DF ? -(u64)c->size : c->size;

	reg_write(c, reg, c->insn.adsize, string_offset(c, reg) + by);
}

/* With REP and a zero count nothing happens but the end of the instruction. */
static bool string_done(struct emu_ctx *c)
{
	return c->insn.rep && !reg_read(c, RCX, c->insn.adsize);
}

/* The iteration succeeded: count it, and stay here while some are left. */
static int string_end(struct emu_ctx *c)
{
	u64 count;

	if (!c->insn.rep)
		return EMU_OK;
	count = reg_read(c, RCX, c->insn.adsize) - 1;
	reg_write(c, RCX, c->insn.adsize, count);
	if (count)
		c->next_rip = c->emu->rip;
	return EMU_OK;
}

/* REPE and REPNE end at a difference or a match as well. */
static int string_end_compare(struct emu_ctx *c)
{
	u64 next = c->next_rip;
	bool zf = c->emu->rflags & FL_ZF;
	bool while_equal = c->insn.rep == 0xf3;
	int rc = string_end(c);

	if (c->insn.rep && zf != while_equal)
		c->next_rip = next;
	return rc;
}

int em_movs(struct emu_ctx *c)
{
	u64 val;
	int rc;

	if (string_done(c))
		return EMU_OK;
	rc = mem_read_int(c, source_segment(c), string_offset(c, RSI), c->size,
			  &val);
	if (!rc)
		rc = mem_write_int(c, EMU_ES, string_offset(c, RDI), c->size,
				   val);
	if (rc)
		return rc;
	string_advance(c, RSI);
	string_advance(c, RDI);
	return string_end(c);
}

int em_cmps(struct emu_ctx *c)
{
	u64 a, b;
	int rc;

	if (string_done(c))
		return EMU_OK;
	c->emu->two_reads = true;
	rc = mem_read_int(c, source_segment(c), string_offset(c, RSI), c->size,
			  &a);
	if (!rc)
		rc = mem_read_int(c, EMU_ES, string_offset(c, RDI), c->size,
				  &b);
	if (rc)
		return rc;
	alu_sub(c->emu, a, b, false, c->size);
	string_advance(c, RSI);
	string_advance(c, RDI);
	return string_end_compare(c);
}

int em_stos(struct emu_ctx *c)
{
	int rc;

	if (string_done(c))
		return EMU_OK;
	rc = mem_write_int(c, EMU_ES, string_offset(c, RDI), c->size,
			   c->emu->regs[RAX]);
	if (rc)
		return rc;
	string_advance(c, RDI);
	return string_end(c);
}

int em_lods(struct emu_ctx *c)
{
	u64 val;
	int rc;

	if (string_done(c))
		return EMU_OK;
	rc = mem_read_int(c, source_segment(c), string_offset(c, RSI), c->size,
			  &val);
	if (rc)
		return rc;
	reg_write(c, RAX, c->size, val);
	string_advance(c, RSI);
	return string_end(c);
}

int em_scas(struct emu_ctx *c)
{
	u64 val;
	int rc;

	if (string_done(c))
		return EMU_OK;
	rc = mem_read_int(c, EMU_ES, string_offset(c, RDI), c->size, &val);
	if (rc)
		return rc;
	alu_sub(c->emu, reg_read(c, RAX, c->size), val, false, c->size);
	string_advance(c, RDI);
	return string_end_compare(c);
}

/* There are no 64-bit ports. */
static void port_size(struct emu_ctx *c)
{
	if (c->size == 8)
		c->size = 4;
}

/* IOPL first, then the TSS's bitmap, which the host reads. */
static int port_allowed(struct emu_ctx *c, u16 port)
{
	struct emu *emu = c->emu;
	unsigned int iopl = (emu->rflags & FL_IOPL) >> 12;

	if (emu->mode == EMU_MODE_REAL)
		return EMU_OK;
	if (emu->mode != EMU_MODE_VM86 && emu->cpl <= iopl)
		return EMU_OK;
	if (!emu->ops->io_allowed)
		return emu_raise_error(c, VEC_GP, 0);
	return emu->ops->io_allowed(emu, port, c->size);
}

#define PAGE_BYTES	4096

/*
 * How many iterations may be done in one go: upwards, to the end of the page.
 * Not when each is a step of a debugger's.
 */
static unsigned int ins_count(struct emu_ctx *c, u64 lin)
{
	u64 room = (PAGE_BYTES - lin % PAGE_BYTES) / c->size;
	u64 count;

	if (!c->insn.rep || c->emu->rflags & (FL_DF | FL_TF))
		return 1;
	count = reg_read(c, RCX, c->insn.adsize);
	if (count > room)
		count = room;
	return count ? count : 1;
}

static int ins_port(struct emu_ctx *c, u16 port, u64 lin, u64 *val)
{
	const struct emu_ops *ops = c->emu->ops;

	if (!ops->pio_in_string)
		return ops->pio_in(c->emu, port, val, c->size);
	return ops->pio_in_string(c->emu, port, val, c->size, lin,
				  ins_count(c, lin));
}

/* The destination is checked before the port is read, which may not be undone. */
int em_ins(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u16 port = emu->regs[RDX];
	u64 lin, val = 0;
	int rc;

	port_size(c);
	rc = port_allowed(c, port);
	if (rc || string_done(c))
		return rc;
	rc = mem_linear(c, EMU_ES, string_offset(c, RDI), c->size, true, &lin);
	if (!rc)
		rc = ins_port(c, port, lin, &val);
	if (!rc)
		rc = emu->ops->write(emu, lin, &val, c->size);
	if (rc)
		return rc;
	string_advance(c, RDI);
	return string_end(c);
}

int em_outs(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u16 port = emu->regs[RDX];
	u64 val;
	int rc;

	port_size(c);
	rc = port_allowed(c, port);
	if (rc || string_done(c))
		return rc;
	rc = mem_read_int(c, source_segment(c), string_offset(c, RSI), c->size,
			  &val);
	if (!rc)
		rc = emu->ops->pio_out(emu, port, &val, c->size);
	if (rc)
		return rc;
	string_advance(c, RSI);
	return string_end(c);
}

/* The port: in DX, or a byte of the instruction. */
static u16 port_operand(const struct emu_ctx *c)
{
	return c->insn.opcode & 8 ? (u16)c->emu->regs[RDX] : (u8)c->insn.imm;
}

int em_in(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u16 port = port_operand(c);
	u64 val = 0;
	int rc;

	port_size(c);
	rc = port_allowed(c, port);
	if (!rc)
		rc = emu->ops->pio_in(emu, port, &val, c->size);
	if (!rc)
		reg_write(c, RAX, c->size, val);
	return rc;
}

int em_out(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u16 port = port_operand(c);
	u64 val;
	int rc;

	port_size(c);
	val = reg_read(c, RAX, c->size);
	rc = port_allowed(c, port);
	return rc ? rc : emu->ops->pio_out(emu, port, &val, c->size);
}
