// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's steps by RFLAGS.TF, which the guest must not find. So each event, and
 * all that would push or load RFLAGS, happens without it: exceptions exit and are
 * injected, after which the guest leaves at once; so is INT n; PUSHF and POPF are
 * emulated. So is what puts the trap off: loads of SS, and STI in QEMU (7.2).
 */
#include <linux/smp.h>
#include <trace/events/ipi.h>
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "step.h"
#include "x86.h"
#include "../core/regs.h"

/** step_opcode() - OP_* of an instruction */
unsigned int step_opcode(const struct insn *insn)
{
	return insn->vex || insn->map > 1 ? OP_OTHER :
	       insn->map << 8 | insn->opcode;
}

/**
 * step_look() - what is about to be stepped
 * @vcpu: loaded, no event is written for the entry; may sleep
 * @insn: out, if it is STEP_INT
 *
 * Return: what to do. Code that is not there yet: the CPU raises what there is
 * to raise.
 */
enum step_way step_look(struct vcpu *vcpu, struct insn *insn)
{
	struct guest_debug *debug = &vcpu->debug;

	debug->step_insn = STEP_INSN_PLAIN;
	if (vcpu_decode_insn(vcpu, insn))
		return STEP_RUN;
	switch (step_opcode(insn)) {
	case OP_MOV_SREG:
		if ((insn->reg & 7) != VCPU_SREG_SS)
			break;
		fallthrough;
	case OP_POP_SS:
	case OP_STI:
	case OP_PUSHF:
	case OP_POPF:
		/* Only the CPU sees breakpoints on it. */
		return vcpu->dr7_hw & DR7_ENABLED ? STEP_RUN : STEP_EMULATE;
	case OP_INT:
		return STEP_INT;
	case OP_IRET:
	case OP_SYSRET:
		debug->step_insn = STEP_INSN_LOADS;
		break;
	case OP_SYSCALL:
		debug->step_insn = STEP_INSN_SYSCALL;
		break;
	}
	return STEP_RUN;
}

/**
 * step_enter() - the guest is about to be entered for a step
 * @vcpu: loaded, interrupts off; RFLAGS are to be written for the entry after this
 * @event: one is delivered by the entry, which is a step of its own
 */
void step_enter(struct vcpu *vcpu, bool event)
{
	struct guest_debug *debug = &vcpu->debug;
	u64 rflags;

	if (event) {
		/* Pending until the guest runs, which it ends at once. */
		smp_send_reschedule(smp_processor_id());
		debug->step = STEP_EVENT;
		return;
	}
	rflags = vcpu_rflags(vcpu);
	debug->step = STEP_INSN;
	debug->step_rip = vcpu_rip(vcpu);
	debug->step_tf = rflags & X86_EFLAGS_TF;
	debug->step_masked = false;
	reg_write(vcpu, REG_RFLAGS, rflags | X86_EFLAGS_TF);
}

/**
 * step_unmask() - is a SYSCALL stepped that would mask TF? There were no trap after
 * it, and the guest would go on with TF in R11
 * @vcpu: step_enter() was called
 * @mask: IA32_FMASK
 *
 * Return: the entry is to be without TF in the mask: debug.step_masked.
 */
bool step_unmask(struct vcpu *vcpu, u64 mask)
{
	struct guest_debug *debug = &vcpu->debug;

	debug->step_masked = debug->step == STEP_INSN &&
			     debug->step_insn == STEP_INSN_SYSCALL &&
			     mask & X86_EFLAGS_TF;
	return debug->step_masked;
}

/* TF becomes the guest's own again. */
static void insn_stepped(struct vcpu *vcpu)
{
	struct guest_debug *debug = &vcpu->debug;
	u64 rflags = vcpu_rflags(vcpu);
	bool own = debug->step_tf;

	if (vcpu_rip(vcpu) != debug->step_rip) {
		switch (debug->step_insn) {
		case STEP_INSN_LOADS:
			own = rflags & X86_EFLAGS_TF;
			break;
		case STEP_INSN_SYSCALL:
			if (!own)
				vcpu->regs[REG_R11] &= ~(u64)X86_EFLAGS_TF;
			own = own && !debug->step_masked;
			debug->step_tf = own;
			break;
		case STEP_INSN_PLAIN:
			break;
		}
	}
	rflags &= ~(u64)X86_EFLAGS_TF;
	if (own)
		rflags |= X86_EFLAGS_TF;
	reg_write(vcpu, REG_RFLAGS, rflags);
}

/**
 * step_exit() - the guest has just left
 * @vcpu: loaded, interrupts off
 * @delivered: the event of the entry, if there was one
 */
void step_exit(struct vcpu *vcpu, bool delivered)
{
	switch (vcpu->debug.step) {
	case STEP_NONE:
		break;
	case STEP_EVENT:
		if (delivered)
			guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
		break;
	case STEP_INSN:
		insn_stepped(vcpu);
		break;
	}
}

/**
 * step_decode() - #DB after STEP_INSN: the debugger's step, the guest's, both?
 * @vcpu: owner thread
 * @e: the exception, decoded
 * @own: the guest steps itself, too
 */
void step_decode(struct vcpu *vcpu, struct exit *e, bool own)
{
	if (!(e->exc.payload & DR_STEP))
		return;
	guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
	if (own)
		return;
	e->exc.payload &= ~(u64)DR_STEP;
	if (!e->exc.payload)
		e->kind = EXIT_NONE;
}
