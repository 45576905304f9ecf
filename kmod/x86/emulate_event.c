// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and exceptions: through the table of real mode, or by a gate to code of
 * the privilege that is interrupted; and the way back.
 */
#include <linux/string.h>

#include "emulate_priv.h"

#define ERROR_EXT	1	/* the event is not the program's own doing */
#define ERROR_IDT	2

#define GATE_TASK	5
#define GATE_TYPES	(BIT(6) | BIT(7) | BIT(14) | BIT(15))	/* interrupt, trap */
#define GATE_TRAP	BIT(0)
#define GATE_32		BIT(3)

/* How a gate says where its handler is. */
struct gate {
	u16 offset_low;
	u16 selector;
	u8 zero;
	u8 type;		/* and DPL, and present */
	u16 offset_high;
};

/* Flags, CS and RIP, of @c->size bytes each. */
static int push_frame(struct emu_ctx *c, u64 rip)
{
	struct emu *emu = c->emu;
	int rc;

	rc = stack_push(c, c->size, emu->rflags | FL_FIXED);
	if (!rc)
		rc = stack_push(c, c->size, emu_segment(emu, EMU_CS)->selector);
	return rc ? rc : stack_push(c, c->size, rip);
}

static int deliver_real(struct emu_ctx *c, const struct emu_event *ev, u64 rip,
			u64 table, u16 limit)
{
	struct emu *emu = c->emu;
	u32 entry;
	int rc;

	if (ev->vector * 4 + 3 > limit)
		return emu_raise_error(c, VEC_GP, 0);
	rc = emu->ops->read(emu, (u32)(table + ev->vector * 4), &entry, 4);
	c->size = 2;
	if (!rc)
		rc = push_frame(c, rip);
	if (rc)
		return rc;
	emu->rflags &= ~(FL_IF | FL_TF | FL_AC);
	return branch_far(c, entry >> 16, entry & 0xffff);
}

/* EMU_OK, or why not by this gate. */
static int check_gate(struct emu_ctx *c, const struct gate *gate,
		      const struct emu_event *ev, u32 error)
{
	u8 type = gate->type & 0x1f;	/* with S */

	if (type == GATE_TASK)
		return EMU_UNHANDLED;
	if (type > 15 || !(BIT(type) & GATE_TYPES))
		return emu_raise_error(c, VEC_GP, error);
	if (ev->soft && (gate->type >> 5 & 3) < c->emu->cpl)
		return emu_raise_error(c, VEC_GP, error);
	if (!(gate->type & BIT(7)))
		return emu_raise_error(c, VEC_NP, error);
	return EMU_OK;
}

static int deliver_gate(struct emu_ctx *c, const struct emu_event *ev, u64 rip,
			u64 table, u16 limit)
{
	u32 error = ev->vector * 8 + ERROR_IDT + (ev->soft ? 0 : ERROR_EXT);
	struct emu *emu = c->emu;
	struct gate gate;
	u64 target;
	int rc;

	if (ev->vector * 8 + 7 > limit)
		return emu_raise_error(c, VEC_GP, error);
	rc = emu->ops->read(emu, (u32)(table + ev->vector * 8), &gate,
			    sizeof(gate));
	if (!rc)
		rc = check_gate(c, &gate, ev, error);
	if (rc)
		return rc;
	c->size = gate.type & GATE_32 ? 4 : 2;
	rc = push_frame(c, rip);
	if (!rc && ev->has_error)
		rc = stack_push(c, c->size, ev->error);
	if (rc)
		return rc;
	emu->rflags &= ~(FL_TF | FL_NT | FL_VM);
	if (!(gate.type & GATE_TRAP))
		emu->rflags &= ~FL_IF;
	target = gate.offset_low | (u32)gate.offset_high << 16;
	/* The gate's RPL means nothing. */
	return branch_far(c, gate.selector & ~3, target);
}

/* Other stacks, long mode's frames, VM86's monitor are not ours. */
static bool same_stack(const struct emu *emu)
{
	return emu->mode == EMU_MODE_REAL ||
	       (!emu->cpl && !(emu->efer & EMU_EFER_LMA));
}

static int deliver(struct emu_ctx *c, const struct emu_event *ev, u64 rip)
{
	struct emu *emu = c->emu;
	u16 limit;
	u64 table;
	int rc;

	if (!same_stack(emu) || !emu->ops->read_dt)
		return EMU_UNHANDLED;
	rc = emu->ops->read_dt(emu, EMU_IDT, &table, &limit);
	if (rc)
		return rc;
	return emu->mode == EMU_MODE_REAL ?
	       deliver_real(c, ev, rip, table, limit) :
	       deliver_gate(c, ev, rip, table, limit);
}

/* INT3, INT n, INTO; INT1, which is nobody's gate to check */
int em_int(struct emu_ctx *c)
{
	u8 opcode = c->insn.opcode;
	const struct emu_event ev = {
		.vector = opcode == 0xcd ? (u8)c->insn.imm :
			  opcode == 0xcc ? 3 : opcode == 0xce ? 4 : 1,
		.soft = opcode != 0xf1,
	};

	if (opcode == 0xce && !(c->emu->rflags & FL_OF))
		return EMU_OK;
	c->emu->interrupted = true;
	return deliver(c, &ev, c->next_rip);
}

/**
 * emu_deliver() - deliver an event at the guest's RIP
 * @emu: filled in by the caller; see struct emu
 * @ev: of which kind
 *
 * Unless the result is EMU_OK, registers, RIP and RFLAGS are as they were.
 *
 * Return: an enum emu_result; EMU_UNHANDLED: a task gate, another stack, long mode.
 */
int emu_deliver(struct emu *emu, const struct emu_event *ev)
{
	struct emu_ctx c = { .emu = emu };
	u64 rflags = emu->rflags;
	int rc;

	emu->two_reads = false;
	memcpy(emu->saved, emu->regs, sizeof(emu->saved));
	rc = deliver(&c, ev, emu->rip + ev->len);
	if (rc == EMU_OK) {
		emu->rflags &= ~FL_RF;
		emu->rip = c.next_rip;
		return EMU_OK;
	}
	memcpy(emu->regs, emu->saved, sizeof(emu->saved));
	emu->rflags = rflags;
	return rc;
}

/* To the same privilege alone: elsewhere IRET switches tasks, stacks and modes. */
int em_iret(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	u64 rip, selector, flags;
	int rc;

	if (!same_stack(emu) || (emu->mode != EMU_MODE_REAL &&
				 emu->rflags & FL_NT))
		return EMU_UNHANDLED;
	rc = stack_peek(c, 0, c->size, &rip);
	if (!rc)
		rc = stack_peek(c, c->size, c->size, &selector);
	if (!rc)
		rc = stack_peek(c, 2 * c->size, c->size, &flags);
	if (rc)
		return rc;
	if (emu->mode == EMU_MODE_REAL) {
		if (rip > 0xffff)
			return emu_raise_error(c, VEC_GP, 0);
	} else if (flags & FL_VM || !same_privilege(emu, selector)) {
		return EMU_UNHANDLED;
	}
	rc = write_flags(c, c->size, flags);
	if (rc)
		return rc;
	if (c->size > 2)
		set_flag(emu, FL_RF, flags & FL_RF);
	stack_adjust(c, 3 * c->size);
	emu->iret = true;
	return branch_far(c, selector, rip);
}
