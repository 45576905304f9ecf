// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest in a state that the CPU does not enter: its instructions, and the events
 * between them, in software.
 */
#include <linux/entry-kvm.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "glue.h"
#include "step.h"
#include "x86.h"
#include "../core/regs.h"

/* Instructions, before the thread looks what else there is. */
#define BATCH		64

/* What was given to the vCPU as "injected" is to be delivered. False: nothing. */
static bool event_get(struct vcpu *vcpu, struct emu_event *ev)
{
	const struct pending_exception *exc = &vcpu->exception;

	*ev = (struct emu_event) { };
	if (exc->injected) {
		ev->vector = exc->vector;
		ev->has_error = exc->has_error;
		ev->error = exc->error;
		ev->soft = exc->vector == X86_TRAP_BP ||
			   exc->vector == X86_TRAP_OF;
		ev->len = ev->soft;	/* both are one byte long */
	} else if (vcpu->nmi_injected) {
		ev->vector = X86_TRAP_NMI;
	} else if (vcpu->interrupt.injected) {
		ev->vector = vcpu->interrupt.vector;
		ev->soft = vcpu->interrupt.soft;
		ev->len = ev->soft ? 2 : 0;
	} else {
		return false;
	}
	return true;
}

static int event_deliver(struct vcpu *vcpu, const struct emu_event *ev)
{
	bool nmi = vcpu->nmi_injected && !vcpu->exception.injected;
	int rc = emulate_event(vcpu, ev);

	vcpu_request(vcpu, REQ_EVENT);
	switch (rc) {
	case EMU_OK:
		vcpu->exception.injected = false;
		if (nmi)
			vendor_call(set_nmi_mask)(vcpu, true);
		vcpu->nmi_injected = false;
		vcpu->interrupt.injected = false;
		return EXIT_RESUME;
	case EMU_EXCEPTION:
	case EMU_RETRY:
		return EXIT_RESUME;
	}
	return exit_internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV);
}

/* Breakpoints on the instruction at RIP: the guest's, or the VMM's. */
static bool breakpoint_hit(struct vcpu *vcpu)
{
	const u64 *dr = guest_debug_dr(vcpu);
	u64 lin = vcpu_code_linear(vcpu);
	u64 hits = 0;
	u8 opcode;
	int i;

	if (vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP &&
	    !glue_read_code(vcpu, lin, &opcode, 1) && opcode == OP_INT3) {
		guest_debug_report(vcpu, X86_TRAP_BP, 0);
		return true;
	}
	if (vcpu_rflags(vcpu) & X86_EFLAGS_RF)
		return false;
	for (i = 0; i < 4; i++)
		if (DR7_ON(vcpu->dr7_hw, i) && !DR7_TYPE(vcpu->dr7_hw, i) &&
		    dr[i] == lin)
			hits |= BIT(i);
	if (hits)
		guest_debug_trap(vcpu, hits);
	return hits;
}

static int one_insn(struct vcpu *vcpu)
{
	if (unlikely(vcpu->dr7_hw & DR7_ENABLED ||
		     vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP) &&
	    breakpoint_hit(vcpu))
		return EXIT_RESUME;
	return emulate_interpreted(vcpu);
}

/* Nothing has come up, and the CPU would still not have it. */
static bool goes_on(struct vcpu *vcpu)
{
	return !READ_ONCE(vcpu->requests) &&
	       vcpu->mp_state == KVM_MP_STATE_RUNNABLE &&
	       !__xfer_to_guest_mode_work_pending() && vcpu->enter_unsure &&
	       !vendor_call(can_enter)(vcpu);
}

/**
 * interpret_guest() - in place of an entry: the event that it was to deliver, or
 * some instructions
 * @vcpu: owner thread, loaded, in a read section of vm->srcu; can_enter says no
 *
 * Return: enum exit_result or -errno.
 */
int interpret_guest(struct vcpu *vcpu)
{
	unsigned int left = BATCH;
	struct emu_event ev;
	int ret;

	vendor_call(cancel_injection)(vcpu);
	/* Come since they were processed: a triple fault, for one. */
	if (READ_ONCE(vcpu->requests) & ~BIT(REQ_EVENT))
		return EXIT_RESUME;
	if (event_get(vcpu, &ev))
		return event_deliver(vcpu, &ev);
	do {
		ret = one_insn(vcpu);
	} while (ret == EXIT_RESUME && --left && goes_on(vcpu));
	return ret;
}
