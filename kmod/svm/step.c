// SPDX-License-Identifier: GPL-2.0-only
/* A debugger's breakpoints and steps. SVM has no step of its own: x86/step.c. */
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"
#include "../x86/step.h"
#include "../x86/x86.h"

/* All but NMI, which is none, for this intercept. */
#define EXCEPTIONS	(~BIT(X86_TRAP_NMI))

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
	if (svm->avic_entry)
		vcpu_request(vcpu, REQ_APICV);
}

static bool event_written(const struct svm_vcpu *svm)
{
	return svm->vmcb->control.event_inj & SVM_EVTINJ_VALID;
}

/**
 * svm_step_prepare() - what is about to be stepped
 * @vcpu: loaded, its event is written; may sleep
 *
 * INT n exits.
 *
 * Return: false: emulate the instruction.
 */
bool svm_step_prepare(struct vcpu *vcpu)
{
	struct insn insn;

	return event_written(to_svm(vcpu)) ||
	       step_look(vcpu, &insn) != STEP_EMULATE;
}

/**
 * svm_debug_enter() - the guest of a debugger is about to be entered
 * @svm: interrupts off, RFLAGS are not in the VMCB yet
 */
void svm_debug_enter(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;

	if (!(svm->vcpu.debug.control & KVM_GUESTDBG_SINGLESTEP))
		return;
	step_enter(&svm->vcpu, event_written(svm));
	if (step_unmask(&svm->vcpu, save->sfmask))
		save->sfmask &= ~(u64)X86_EFLAGS_TF;
}

/**
 * svm_debug_exit() - the guest of a debugger has just left
 * @svm: interrupts off, registers are read
 *
 * The event has been delivered, unless the exit says otherwise.
 */
void svm_debug_exit(struct svm_vcpu *svm)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	struct guest_debug *debug = &svm->vcpu.debug;

	if (debug->step == STEP_INSN && debug->step_masked)
		svm->vmcb->save.sfmask |= X86_EFLAGS_TF;
	step_exit(&svm->vcpu,
		  !(control->exit_int_info & SVM_EXITINTINFO_VALID) &&
		  control->exit_code != SVM_EXIT_SHUTDOWN &&
		  control->exit_code != (u32)SVM_EXIT_ERR);
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
	switch (step_opcode(&insn)) {
	case OP_INT3:
	case OP_INTO:
		e->kind = EXIT_EXCEPTION;
		e->exc.vector = step_opcode(&insn) == OP_INT3 ? X86_TRAP_BP :
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
