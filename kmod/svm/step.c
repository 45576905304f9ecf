// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's breakpoints and steps. SVM has no step of its own: RFLAGS.TF makes
 * it, and the guest must not find it. So each event, and all that would push or
 * load RFLAGS, happens without it: exceptions and INTn exit and are injected,
 * after which the guest leaves at once; PUSHF and POPF are emulated. So is what puts
 * the trap off: loads of SS, and STI in QEMU (7.2).
 */
#include <linux/smp.h>
#include <trace/events/ipi.h>
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"
#include "../x86/x86.h"

/* All but NMI, which is none, for this intercept. */
#define EXCEPTIONS	(~BIT(X86_TRAP_NMI))

/* Opcodes: one byte, or two that begin with 0x0f. */
#define OP_POP_SS	0x17
#define OP_MOV_SREG	0x8e
#define OP_PUSHF	0x9c
#define OP_POPF		0x9d
#define OP_INT3		0xcc
#define OP_INT		0xcd
#define OP_INTO		0xce
#define OP_IRET		0xcf
#define OP_STI		0xfb
#define OP_SYSCALL	0x105
#define OP_SYSRET	0x107
#define OP_OTHER	0xffff

static unsigned int opcode(const struct insn *insn)
{
	return insn->vex || insn->map > 1 ? OP_OTHER :
	       insn->map << 8 | insn->opcode;
}

/** svm_debug_changed() - vcpu->debug.control changed */
void svm_debug_changed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	u32 control = vcpu->debug.control;
	bool step = control & KVM_GUESTDBG_SINGLESTEP;
	bool int3 = control & KVM_GUESTDBG_USE_SW_BP;

	svm_intercept_exceptions(vmcb, step ? EXCEPTIONS :
				 int3 ? BIT(X86_TRAP_BP) : 0);
	vmcb_intercept(vmcb, INTERCEPT_INTn,
		       step || (int3 && svm_caps.tcg));
	/* The guest's accesses are emulated from now on. */
	if (control)
		svm_debug_trap(svm);
	svm->nmi_step = false;
	svm->step = SVM_STEP_NONE;
}

/**
 * svm_step_prepare() - what is about to be stepped
 * @vcpu: loaded, its event is written; may sleep
 *
 * Return: false: emulate the instruction.
 */
bool svm_step_prepare(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct insn insn;

	svm->step_insn = STEP_INSN_PLAIN;
	/* Code that is not there yet: the CPU raises what there is to raise. */
	if (svm->vmcb->control.event_inj & SVM_EVTINJ_VALID ||
	    vcpu_decode_insn(vcpu, &insn))
		return true;
	switch (opcode(&insn)) {
	case OP_MOV_SREG:
		if ((insn.reg & 7) != VCPU_SREG_SS)
			break;
		fallthrough;
	case OP_POP_SS:
	case OP_STI:
	case OP_PUSHF:
	case OP_POPF:
		/* Only the CPU sees breakpoints on it. */
		return vcpu->dr7_hw & DR7_ENABLED;
	case OP_IRET:
	case OP_SYSRET:
		svm->step_insn = STEP_INSN_LOADS;
		break;
	case OP_SYSCALL:
		svm->step_insn = STEP_INSN_SYSCALL;
		break;
	}
	return true;
}

/**
 * svm_debug_enter() - the guest of a debugger is about to be entered
 * @svm: interrupts off, RFLAGS are in the VMCB
 */
void svm_debug_enter(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;

	/* What an exit adds to DR6 is that of its exception alone. */
	if (vmcb->save.dr6 != DR6_FIXED) {
		vmcb->save.dr6 = DR6_FIXED;
		vmcb_mark_dirty(vmcb, VMCB_CLEAN_DR);
	}
	svm->step = SVM_STEP_NONE;
	if (!(svm->vcpu.debug.control & KVM_GUESTDBG_SINGLESTEP))
		return;
	if (vmcb->control.event_inj & SVM_EVTINJ_VALID) {
		/* Pending until the guest runs, which it ends at once. */
		smp_send_reschedule(smp_processor_id());
		svm->step = SVM_STEP_EVENT;
		return;
	}
	svm->step = SVM_STEP_INSN;
	svm->step_rip = vmcb->save.rip;
	svm->step_tf = vmcb->save.rflags & X86_EFLAGS_TF;
	vmcb->save.rflags |= X86_EFLAGS_TF;
}

/* The event has been delivered, unless the exit says otherwise. */
static void event_stepped(struct svm_vcpu *svm)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;

	if (control->exit_int_info & SVM_EXITINTINFO_VALID ||
	    control->exit_code == SVM_EXIT_SHUTDOWN ||
	    control->exit_code == (u32)SVM_EXIT_ERR)
		return;
	guest_debug_report(&svm->vcpu, X86_TRAP_DB, DR_STEP);
}

/* TF becomes the guest's own again. */
static void insn_stepped(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;
	struct vcpu *vcpu = &svm->vcpu;
	bool own = svm->step_tf;

	if (save->rip != svm->step_rip) {
		switch (svm->step_insn) {
		case STEP_INSN_LOADS:
			own = save->rflags & X86_EFLAGS_TF;
			break;
		case STEP_INSN_SYSCALL:
			if (!own)
				vcpu->regs[REG_R11] &= ~(u64)X86_EFLAGS_TF;
			own = own && save->rflags & X86_EFLAGS_TF;
			break;
		case STEP_INSN_PLAIN:
			break;
		}
	}
	save->rflags &= ~(u64)X86_EFLAGS_TF;
	if (own)
		save->rflags |= X86_EFLAGS_TF;
	vcpu->regs[REG_RFLAGS] = save->rflags;
}

/**
 * svm_debug_exit() - the guest of a debugger has just left
 * @svm: interrupts off, registers are read
 */
void svm_debug_exit(struct svm_vcpu *svm)
{
	if (svm->step == SVM_STEP_EVENT)
		event_stepped(svm);
	else if (svm->step == SVM_STEP_INSN)
		insn_stepped(svm);
}

/**
 * svm_decode_step() - #DB while stepping: the debugger's step, the guest's, both?
 * @svm: just exited
 * @e: the exception, decoded
 */
void svm_decode_step(struct svm_vcpu *svm, struct exit *e)
{
	if (!(e->exc.payload & DR_STEP))
		return;
	guest_debug_report(&svm->vcpu, X86_TRAP_DB, DR_STEP);
	if (svm->step_tf)
		return;
	e->exc.payload &= ~(u64)DR_STEP;
	if (!e->exc.payload)
		e->kind = EXIT_NONE;
}

/**
 * svm_decode_intn() - INTn, or on QEMU any INT
 * @svm: just exited, RIP is at the instruction
 * @e: to be filled in; the guest executes the instruction again if it is another
 *     by now
 */
void svm_decode_intn(struct svm_vcpu *svm, struct exit *e)
{
	struct vcpu *vcpu = &svm->vcpu;
	struct insn insn;

	if (vcpu_decode_insn(vcpu, &insn))
		return;
	switch (opcode(&insn)) {
	case OP_INT3:
	case OP_INTO:
		e->kind = EXIT_EXCEPTION;
		e->exc.vector = opcode(&insn) == OP_INT3 ? X86_TRAP_BP :
							   X86_TRAP_OF;
		e->exc.has_error = false;
		break;
	case OP_INT:
		svm->intn_len = insn.len;
		vcpu->interrupt.injected = true;
		vcpu->interrupt.soft = true;
		vcpu->interrupt.vector = insn.imm;
		vcpu_request(vcpu, REQ_EVENT);
		break;
	}
}
