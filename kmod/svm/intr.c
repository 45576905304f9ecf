// SPDX-License-Identifier: GPL-2.0-only
/* Events: into the guest, windows for them, and those that an exit caught. */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"
#include "../irqchip/irqchip.h"

/*
 * What the handler returns to is behind the instruction: where the CPU says which
 * address that is, it takes it from there too.
 */
static void skip_soft(struct svm_vcpu *svm, u8 len)
{
	u64 next = vcpu_rip(&svm->vcpu) + len;

	svm->soft_len = len;
	svm->vmcb->control.next_rip = next;
	reg_write(&svm->vcpu, REG_RIP, next);
}

/**
 * svm_inject_exception() - vcpu->exception is delivered at the next entry
 * @vcpu: loaded
 *
 * RIP is at the instruction that raised it, also for #BP and #OF.
 */
void svm_inject_exception(struct vcpu *vcpu)
{
	const struct pending_exception *e = &vcpu->exception;
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;

	control->event_inj = e->vector | SVM_EVTINJ_TYPE_EXEPT |
			     SVM_EVTINJ_VALID;
	control->event_inj_err = 0;
	if (e->vector == X86_TRAP_BP || e->vector == X86_TRAP_OF)
		skip_soft(to_svm(vcpu), 1);
	if (e->has_error) {
		control->event_inj |= SVM_EVTINJ_VALID_ERR;
		control->event_inj_err = e->error;
	}
}

/**
 * svm_inject_irq() - vcpu->interrupt is delivered at the next entry
 * @vcpu: loaded
 *
 * Of a software interrupt nothing is injected: RIP is still at its INT
 * instruction, which the guest executes again. But for one that exited before.
 */
void svm_inject_irq(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm_irq_window_close(svm);	/* asked for again if another waits */
	if (vcpu->interrupt.soft) {
		u8 len = svm->intn_len;

		svm->intn_len = 0;
		vcpu->interrupt.injected = len;
		if (!len)
			return;
		skip_soft(svm, len);
		svm->vmcb->control.event_inj = vcpu->interrupt.vector |
					       SVM_EVTINJ_TYPE_SOFT |
					       SVM_EVTINJ_VALID;
		return;
	}
	svm->vmcb->control.event_inj = vcpu->interrupt.vector |
				       SVM_EVTINJ_TYPE_INTR | SVM_EVTINJ_VALID;
}

/**
 * svm_inject_nmi() - an NMI is delivered at the next entry
 * @vcpu: loaded
 */
void svm_inject_nmi(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.event_inj = X86_TRAP_NMI | SVM_EVTINJ_TYPE_NMI |
				       SVM_EVTINJ_VALID;
	svm_set_nmi_mask(vcpu, true);
}

/**
 * svm_events_undelivered() - an event did not reach the guest: take it back
 * @svm: its injected flags are clear
 * @info: EXITINTINFO, or EVENTINJ of an entry that did not happen; valid
 * @error: the error code that goes with it
 *
 * INTn, INT3 and INTO are dropped: RIP is still at the instruction, or again, and
 * the guest executes it again. But #BP and #OF that were injected: there may be
 * no such instruction.
 */
void svm_events_undelivered(struct svm_vcpu *svm, u32 info, u32 error)
{
	struct vcpu *vcpu = &svm->vcpu;
	u8 vector = info & SVM_EXITINTINFO_VEC_MASK;
	u8 soft_len = svm->soft_len;

	if (unlikely(soft_len)) {
		svm->soft_len = 0;
		reg_write(vcpu, REG_RIP, vcpu_rip(vcpu) - soft_len);
	}
	switch (info & SVM_EXITINTINFO_TYPE_MASK) {
	case SVM_EXITINTINFO_TYPE_INTR:
		vcpu->interrupt.injected = true;
		vcpu->interrupt.soft = false;
		vcpu->interrupt.vector = vector;
		break;
	case SVM_EXITINTINFO_TYPE_NMI:
		vcpu->nmi_injected = true;
		break;
	case SVM_EXITINTINFO_TYPE_EXEPT:
		if ((vector == X86_TRAP_BP || vector == X86_TRAP_OF) && !soft_len)
			break;
		vcpu->exception.injected = true;
		vcpu->exception.vector = vector;
		vcpu->exception.has_error = info & SVM_EXITINTINFO_VALID_ERR;
		vcpu->exception.error = error;
		vcpu->exception.payload_valid = false;
		break;
	default:
		break;
	}
	vcpu_request(vcpu, REQ_EVENT);
}

/**
 * svm_cancel_injection() - the entry that was prepared does not happen
 * @vcpu: loaded
 */
void svm_cancel_injection(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control_area *control = &svm->vmcb->control;
	u32 event = control->event_inj;

	control->event_inj = 0;
	vcpu->exception.injected = false;
	vcpu->interrupt.injected = false;
	vcpu->nmi_injected = false;
	if (event & SVM_EVTINJ_VALID)
		svm_events_undelivered(svm, event, control->event_inj_err);
}

static bool event_under_way(struct svm_vcpu *svm)
{
	return svm->vmcb->control.event_inj & SVM_EVTINJ_VALID;
}

/** svm_irq_allowed() - would the guest take an interrupt at the next entry? */
bool svm_irq_allowed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	return (vcpu_rflags(vcpu) & X86_EFLAGS_IF) &&
	       !(svm->vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK) &&
	       !event_under_way(svm);
}

/** svm_nmi_allowed() - would the guest take an NMI at the next entry? */
bool svm_nmi_allowed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	return !svm->nmi_masked &&
	       !(svm->vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK) &&
	       !event_under_way(svm);
}

/**
 * svm_irq_window() - exit as soon as the guest can take an interrupt
 * @vcpu: loaded
 *
 * A virtual interrupt of the highest priority is made pending that exits
 * instead of being delivered. CR8 writes exit meanwhile: QEMU's SVM (7.2) does
 * not survive one that finds a virtual interrupt pending.
 */
void svm_irq_window(struct vcpu *vcpu)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	if (vmcb->control.int_ctl & V_IRQ_MASK)
		return;
	vmcb->control.int_ctl |= V_IRQ_MASK | V_INTR_PRIO_MASK |
				 V_IGN_TPR_MASK;
	vmcb->control.int_vector = 0;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTR);
	vmcb_set_intercept(vmcb, INTERCEPT_VINTR);
	vmcb_set_intercept(vmcb, INTERCEPT_CR8_WRITE);
}

/**
 * svm_irq_window_close() - the window came, or is not wanted any more
 * @svm: mutex held
 *
 * svm_update_tpr() gives CR8 back to the guest.
 */
void svm_irq_window_close(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;

	if (!(vmcb->control.int_ctl & V_IRQ_MASK))
		return;
	vmcb->control.int_ctl &= ~V_IRQ_INJECTION_BITS_MASK;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTR);
	vmcb_clear_intercept(vmcb, INTERCEPT_VINTR);
}

/**
 * svm_update_tpr() - let CR8 writes exit while one could unmask an interrupt
 * @vcpu: loaded
 * @tpr: the task priority register, 0..255
 * @vector: highest pending, -1: none
 */
void svm_update_tpr(struct vcpu *vcpu, int tpr, int vector)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	bool masked = vector >= 0 && (vector >> 4) <= (tpr >> 4);

	vmcb_intercept(vmcb, INTERCEPT_CR8_WRITE,
		       masked || (vmcb->control.int_ctl & V_IRQ_MASK));
}

/** svm_set_deadline() - SVM has no timer that ends a guest's stay */
bool svm_set_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	return false;
}

/** svm_take_dirty() - SVM has no log of the pages that a guest writes */
void svm_take_dirty(struct vcpu *vcpu)
{
}

/** svm_get_shadow() - STI and MOV SS look alike to SVM */
u32 svm_get_shadow(struct vcpu *vcpu)
{
	if (to_svm(vcpu)->vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK)
		return KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS;
	return 0;
}

/** svm_set_shadow() - KVM_X86_SHADOW_INT_* bits, 0: none */
void svm_set_shadow(struct vcpu *vcpu, u32 mask)
{
	struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;

	if (mask)
		control->int_state |= SVM_INTERRUPT_SHADOW_MASK;
	else
		control->int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
}

/*
 * NMIs. SVM does not track their blocking for a guest. After one is injected
 * IRET exits; that exit comes before the IRET, and NMIs stay blocked until it
 * is executed: the first exit from elsewhere shows that it was. If an NMI waits
 * by then, the IRET is single-stepped so that an exit follows it.
 */

/** svm_get_nmi_mask() - are NMIs blocked? */
bool svm_get_nmi_mask(struct vcpu *vcpu)
{
	return to_svm(vcpu)->nmi_masked;
}

/** svm_set_nmi_mask() - block NMIs until an IRET, or unblock them */
void svm_set_nmi_mask(struct vcpu *vcpu, bool masked)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->nmi_masked = masked;
	svm->iret_seen = false;
	vmcb_intercept(svm->vmcb, INTERCEPT_IRET, masked);
}

/** svm_smm_changed() - no step goes on into SMM */
void svm_smm_changed(struct vcpu *vcpu)
{
	to_svm(vcpu)->nmi_step = false;
}

/**
 * svm_nmi_iret() - the guest is about to execute the IRET that unblocks NMIs
 * @svm: just exited for it
 */
void svm_nmi_iret(struct svm_vcpu *svm)
{
	svm->iret_seen = true;
	svm->iret_rip = svm->vmcb->save.rip;
	vmcb_clear_intercept(svm->vmcb, INTERCEPT_IRET);
}

/**
 * svm_nmi_iret_done() - any exit after svm_nmi_iret(): was it executed?
 * @svm: just exited
 */
void svm_nmi_iret_done(struct svm_vcpu *svm)
{
	if (svm->vmcb->save.rip == svm->iret_rip)
		return;
	svm_set_nmi_mask(&svm->vcpu, false);
	vcpu_request(&svm->vcpu, REQ_EVENT);
}

/**
 * svm_nmi_window() - exit as soon as the guest can take an NMI
 * @vcpu: loaded
 *
 * Before the IRET its intercept is enough. Over the IRET itself, and over an
 * interrupt shadow, one instruction is stepped. Where another event goes first
 * the guest leaves right after its delivery: a step would show on its stack.
 */
void svm_nmi_window(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u64 rflags;

	if (svm->nmi_step || (svm->nmi_masked && !svm->iret_seen))
		return;
	/* A debugger's step ends where this one would. */
	if (vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP)
		return;
	if (event_under_way(svm)) {
		svm->exit_now = true;
		return;
	}
	rflags = vcpu_rflags(vcpu);
	svm->step_rflags = rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF);
	svm->step_iret = svm->iret_seen;
	svm->nmi_step = true;
	reg_mark_dirty(vcpu, REG_RFLAGS);	/* svm_run() adds TF and RF */
}

/**
 * svm_nmi_step_stop() - the entry that was to step one instruction is over
 * @svm: just exited
 *
 * Whether the step was made or something else came first, RFLAGS become the
 * guest's own again, and the core looks whether it still needs the window. An
 * IRET that was executed loaded all of them itself.
 */
void svm_nmi_step_stop(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;
	u64 ours = X86_EFLAGS_TF | (save->rflags & X86_EFLAGS_RF);

	svm->nmi_step = false;
	vcpu_request(&svm->vcpu, REQ_EVENT);
	if (svm->step_iret && save->rip != svm->iret_rip)
		return;
	save->rflags = (save->rflags & ~ours) | (svm->step_rflags & ours);
	svm->vcpu.regs[REG_RFLAGS] = save->rflags;
}
