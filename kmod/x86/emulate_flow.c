// SPDX-License-Identifier: GPL-2.0-only
/* Branches: near and far, calls and returns. */
#include "emulate_priv.h"

/*
 * Where a branch goes must be within the limit, or canonical: the fault is
 * the branch's. Before any write, so that it can still be undone.
 */
static int branch_to(struct emu_ctx *c, u64 rip)
{
	struct emu *emu = c->emu;

	rip &= size_mask(c->size);
	if (emu_long(emu) ? !is_canonical(emu, rip) :
			    rip > emu_segment(emu, EMU_CS)->limit)
		return emu_raise_error(c, VEC_GP, 0);
	c->next_rip = rip;
	return EMU_OK;
}

static int branch_by(struct emu_ctx *c, s64 by)
{
	return branch_to(c, c->next_rip + by);
}

int em_jcc(struct emu_ctx *c)
{
	return flags_cond(c->emu, c->insn.opcode) ? branch_by(c, c->insn.imm) :
						    EMU_OK;
}

int em_jmp_rel(struct emu_ctx *c)
{
	return branch_by(c, c->insn.imm);
}

static int call_near(struct emu_ctx *c, u64 rip)
{
	u64 ret = c->next_rip;
	int rc = branch_to(c, rip);

	return rc ? rc : stack_push(c, c->size, ret);
}

int em_call_rel(struct emu_ctx *c)
{
	return call_near(c, c->next_rip + c->insn.imm);
}

/* LOOPNE, LOOPE, LOOP, JCXZ: the counter is as wide as an address. */
int em_loop(struct emu_ctx *c)
{
	unsigned int width = c->insn.adsize;
	u64 count = reg_read(c, RCX, width);
	bool zf = c->emu->rflags & FL_ZF;
	bool take = true;

	if (c->insn.opcode == 0xe3)
		return count ? EMU_OK : branch_by(c, c->insn.imm);
	if (c->insn.opcode != 0xe2)
		take = zf == (c->insn.opcode & 1);
	count = (count - 1) & size_mask(width);
	reg_write(c, RCX, width, count);
	return take && count ? branch_by(c, c->insn.imm) : EMU_OK;
}

int em_ret(struct emu_ctx *c)
{
	u64 rip;
	int rc = stack_pop(c, c->size, &rip);

	if (rc)
		return rc;
	if (c->insn.opcode == 0xc2)
		stack_adjust(c, c->insn.imm);
	return branch_to(c, rip);
}

/**
 * branch_far() - load CS and RIP
 * @c: instruction; its size is that of RIP
 * @selector: of CS
 * @rip: there
 *
 * Load CS, then check the target by the new limit. Real-mode loads keep the
 * limit, so there the check comes first and nothing is to be undone. The host
 * refuses what is not a code segment of the same privilege.
 *
 * Return: an enum emu_result.
 */
int branch_far(struct emu_ctx *c, u16 selector, u64 rip)
{
	struct emu *emu = c->emu;
	u16 old = emu_segment(emu, EMU_CS)->selector;
	int rc;

	if (emu_real_segments(emu)) {
		rc = branch_to(c, rip);
		return rc ? rc : emu->ops->load_segment(emu, EMU_CS, selector);
	}
	rc = emu->ops->load_segment(emu, EMU_CS, selector);
	if (rc)
		return rc;
	rc = branch_to(c, rip);
	if (rc)		/* the old code segment takes the fault */
		emu->ops->load_segment(emu, EMU_CS, old);
	return rc;
}

static int call_far(struct emu_ctx *c, u16 selector, u64 rip)
{
	unsigned int size = c->size;
	int rc;

	rc = stack_push(c, size, emu_segment(c->emu, EMU_CS)->selector);
	if (!rc)
		rc = stack_push(c, size, c->next_rip);
	return rc ? rc : branch_far(c, selector, rip);
}

int em_far_direct(struct emu_ctx *c)
{
	if (c->insn.opcode == 0x9a)
		return call_far(c, c->insn.imm2, c->insn.imm);
	return branch_far(c, c->insn.imm2, c->insn.imm);
}

static int far_indirect(struct emu_ctx *c, bool call)
{
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c);
	u64 rip, selector;
	int rc;

	rc = mem_read_int(c, seg, off, c->size, &rip);
	if (!rc)
		rc = mem_read_int(c, seg, (off + c->size) &
				  size_mask(c->insn.adsize), 2, &selector);
	if (rc)
		return rc;
	return call ? call_far(c, selector, rip) : branch_far(c, selector, rip);
}

int em_group5(struct emu_ctx *c)
{
	u64 val;
	int rc;

	switch (insn_ext(&c->insn)) {
	case 0:
	case 1:
		return em_group4(c);
	case 3:
	case 5:
		return far_indirect(c, insn_ext(&c->insn) == 3);
	case 6:
		return em_push_rm(c);
	}
	rc = rm_read(c, c->size, &val);
	if (rc)
		return rc;
	return insn_ext(&c->insn) == 2 ? call_near(c, val) : branch_to(c, val);
}

/* A return to another privilege level is not ours. */
bool same_privilege(const struct emu *emu, u16 selector)
{
	return emu_real_segments(emu) || (selector & 3) == emu->cpl;
}

int em_ret_far(struct emu_ctx *c)
{
	u64 rip, selector;
	int rc;

	rc = stack_peek(c, 0, c->size, &rip);
	if (!rc)
		rc = stack_peek(c, c->size, c->size, &selector);
	if (rc)
		return rc;
	if (!same_privilege(c->emu, selector))
		return EMU_UNHANDLED;
	stack_adjust(c, 2 * c->size);
	if (c->insn.opcode == 0xca)
		stack_adjust(c, c->insn.imm);
	return branch_far(c, selector, rip);
}
