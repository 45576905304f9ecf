// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events on their way into the guest: what was being delivered when the guest
 * left comes first, then exceptions, NMIs and interrupts.
 */
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

enum exception_class { EXC_BENIGN, EXC_CONTRIBUTORY, EXC_PAGE_FAULT };

static enum exception_class exception_class(u8 vector)
{
	switch (vector) {
	case X86_TRAP_PF:
		return EXC_PAGE_FAULT;
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
		return EXC_CONTRIBUTORY;
	}
	return EXC_BENIGN;
}

/* By the SDM's table of conditions for a double fault. */
static bool makes_double_fault(u8 first, u8 second)
{
	enum exception_class a = exception_class(first);
	enum exception_class b = exception_class(second);

	return (a == EXC_CONTRIBUTORY && b == EXC_CONTRIBUTORY) ||
	       (a == EXC_PAGE_FAULT && b != EXC_BENIGN);
}

static void exception_raise(struct vcpu *vcpu,
			    const struct pending_exception *new)
{
	struct pending_exception *cur = &vcpu->exception;
	u8 first = cur->vector;

	vcpu_request(vcpu, REQ_EVENT);
	if (!cur->pending && !cur->injected) {
		*cur = *new;
		return;
	}
	if (first == X86_TRAP_DF && exception_class(new->vector) != EXC_BENIGN) {
		memset(cur, 0, sizeof(*cur));
		vcpu_request(vcpu, REQ_TRIPLE_FAULT);
		return;
	}
	if (makes_double_fault(first, new->vector)) {
		*cur = (struct pending_exception) {
			.pending = true,
			.vector = X86_TRAP_DF,
			.has_error = true,
		};
		return;
	}
	/* The second is handled first; the instruction raises the other again. */
	*cur = *new;
}

/**
 * exception_queue() - the guest gets an exception without error code
 * @vcpu: loaded vCPU
 * @vector: 0..31
 *
 * If one is on its way already, the two become a double fault, a triple fault,
 * or the later one, as the SDM says. Likewise for the two below.
 */
void exception_queue(struct vcpu *vcpu, u8 vector)
{
	const struct pending_exception e = {
		.pending = true,
		.vector = vector,
	};

	exception_raise(vcpu, &e);
}

/** exception_queue_error() - the guest gets an exception with an error code */
void exception_queue_error(struct vcpu *vcpu, u8 vector, u32 error)
{
	const struct pending_exception e = {
		.pending = true,
		.vector = vector,
		.has_error = true,
		.error = error,
	};

	exception_raise(vcpu, &e);
}

/**
 * exception_queue_payload() - the guest gets #PF or #DB
 * @vcpu: loaded vCPU
 * @vector: 14 or 1
 * @has_error: @error is pushed
 * @error: error code
 * @payload: CR2, or the bits of DR6 that are set, at delivery
 */
void exception_queue_payload(struct vcpu *vcpu, u8 vector, bool has_error,
			     u32 error, u64 payload)
{
	const struct pending_exception e = {
		.pending = true,
		.vector = vector,
		.has_error = has_error,
		.error = error,
		.payload_valid = true,
		.payload = payload,
	};

	exception_raise(vcpu, &e);
}

/* CR2 and DR6 change when the exception is delivered, not when it is raised. */
static void payload_deliver(struct vcpu *vcpu)
{
	struct pending_exception *e = &vcpu->exception;

	if (!e->payload_valid)
		return;
	e->payload_valid = false;
	switch (e->vector) {
	case X86_TRAP_PF:
		vcpu->cr2 = e->payload;
		break;
	case X86_TRAP_DB:
		/* B0..B3 are this exception's; the others stay until cleared. */
		vcpu->dr6 &= ~(u64)DR_TRAP_BITS;
		vcpu->dr6 |= e->payload & (DR_TRAP_BITS | DR_STEP | DR_SWITCH |
					   DR6_BD);
		if (vcpu->dr7 & DR7_GD) {
			vcpu->dr7 &= ~(u64)DR7_GD;
			guest_debug_update_dr7(vcpu);
		}
		break;
	}
}

/* Faults push RFLAGS with RF set, so that IRET does not break there again. */
static bool pushes_resume_flag(struct vcpu *vcpu)
{
	const struct pending_exception *e = &vcpu->exception;

	switch (e->vector) {
	case X86_TRAP_BP:
	case X86_TRAP_OF:
	case X86_TRAP_DF:
	case X86_TRAP_MC:
	case X86_TRAP_NMI:
		return false;
	case X86_TRAP_DB:
		/* Instruction breakpoints set it themselves; traps do not. */
		return false;
	}
	return true;
}

static void exception_deliver(struct vcpu *vcpu)
{
	payload_deliver(vcpu);
	if (pushes_resume_flag(vcpu))
		reg_write(vcpu, REG_RFLAGS, vcpu_rflags(vcpu) | X86_EFLAGS_RF);
	/* In real mode nothing pushes an error code. */
	if (!vcpu_protected(vcpu))
		vcpu->exception.has_error = false;
	vcpu->exception.pending = false;
	vcpu->exception.injected = true;
	vendor_call(inject_exception)(vcpu);
}

/* What the last exit interrupted. True: the entry is taken. */
static bool reinject(struct vcpu *vcpu)
{
	if (vcpu->exception.injected)
		vendor_call(inject_exception)(vcpu);
	else if (vcpu->nmi_injected)
		vendor_call(inject_nmi)(vcpu);
	else if (vcpu->interrupt.injected)
		vendor_call(inject_irq)(vcpu);
	else
		return false;
	return true;
}

/**
 * event_delivery_faulted() - what was being delivered has raised an exception
 * @vcpu: loaded vCPU, just exited for that exception; it goes to the guest
 *
 * As on a CPU without a hypervisor the exception takes the place of the interrupt
 * or NMI, whose delivery would only raise it again: that is lost, but an NMI blocks
 * the next until IRET, and INTn is executed again. Two exceptions are a matter of
 * exception_queue()'s.
 */
void event_delivery_faulted(struct vcpu *vcpu)
{
	if (vcpu->nmi_injected)
		vendor_call(set_nmi_mask)(vcpu, true);
	vcpu->nmi_injected = false;
	vcpu->interrupt.injected = false;
}

static bool irq_pending(struct vcpu *vcpu)
{
	if (vcpu->interrupt.pending)
		return true;
	return vcpu->lapic && irqchip_irq_to_inject(vcpu);
}

/* Take the interrupt from where it waits. False: it has gone. */
static bool irq_take(struct vcpu *vcpu)
{
	int vector;

	if (vcpu->interrupt.pending) {
		vcpu->interrupt.pending = false;
	} else {
		vector = irqchip_ack_irq(vcpu);
		if (vector < 0)
			return false;
		vcpu->interrupt.vector = vector;
	}
	vcpu->interrupt.soft = false;
	vcpu->interrupt.injected = true;
	return true;
}

/*
 * NMIs and interrupts behind whatever was injected. @taken: the entry carries an
 * event already.
 */
static void inject_external(struct vcpu *vcpu, bool taken)
{
	if (vcpu->nmi_pending) {
		if (!taken && vendor_call(nmi_allowed)(vcpu)) {
			vcpu->nmi_pending--;
			vcpu->nmi_injected = true;
			vendor_call(inject_nmi)(vcpu);
			vcpu->stat.nmi_injections++;
			taken = true;
		}
		if (vcpu->nmi_pending)
			vendor_call(nmi_window)(vcpu);
	}
	if (!irq_pending(vcpu))
		return;
	if (!taken && vendor_call(irq_allowed)(vcpu)) {
		if (irq_take(vcpu)) {
			vendor_call(inject_irq)(vcpu);
			vcpu->stat.irq_injections++;
		}
		if (!irq_pending(vcpu))
			return;
	}
	vendor_call(irq_window)(vcpu);
}

/**
 * inject_events() - give the hardware the next event for the guest
 * @vcpu: loaded vCPU, about to be entered; REQ_EVENT was consumed
 * @want_exit_now: set when an exception or an SMI waits behind the injected
 *                 event and no window of the hardware's would announce it: the
 *                 caller leaves REQ_EVENT once nothing keeps it from entering
 *
 * Return: 0, or -errno for KVM_RUN.
 */
int inject_events(struct vcpu *vcpu, bool *want_exit_now)
{
	bool taken = reinject(vcpu);
	int err;

	if (vcpu->exception.pending) {
		if (taken)
			*want_exit_now = true;
		else
			exception_deliver(vcpu);
		taken = true;
	}
	/* A debugger's step is not to end in a handler. */
	if (unlikely(vcpu->debug.control & KVM_GUESTDBG_BLOCKIRQ))
		return 0;
	if (smm_smi_ready(vcpu)) {
		err = taken ? 0 : smm_enter(vcpu, false);
		if (err)
			return err;
		*want_exit_now |= taken;
	}
	inject_external(vcpu, taken);
	return 0;
}

/**
 * irq_fits() - has the next entry room for an interrupt, and does the guest take it?
 * @vcpu: loaded vCPU, its mutex held
 */
bool irq_fits(struct vcpu *vcpu)
{
	return !vcpu->interrupt.pending && !vcpu->exception.pending &&
	       !vcpu_event_injected(vcpu) && vendor_call(irq_allowed)(vcpu);
}

/**
 * irq_injectable() - would KVM_INTERRUPT's next interrupt go in at once?
 * @vcpu: loaded vCPU, its mutex held
 */
bool irq_injectable(struct vcpu *vcpu)
{
	return vcpu->extint < 0 &&
	       (!vcpu->lapic || irqchip_takes_user_irq(vcpu)) && irq_fits(vcpu);
}

/**
 * irq_queue_user() - KVM_INTERRUPT: the VMM has an interrupt
 * @vcpu: vCPU without an in-kernel PIC, its mutex held
 * @vector: 0..255
 *
 * With a local APIC in the kernel it waits there, as ExtINT, until LINT0 lets it
 * through.
 *
 * Return: 0, or -EEXIST: one is waiting already.
 */
int irq_queue_user(struct vcpu *vcpu, u8 vector)
{
	if (vcpu->lapic) {
		if (vcpu->extint >= 0)
			return -EEXIST;
		vcpu->extint = vector;
		vcpu_request(vcpu, REQ_EVENT);
		return 0;
	}
	if (vcpu->interrupt.pending || vcpu->interrupt.injected)
		return -EEXIST;
	vcpu->interrupt.pending = true;
	vcpu->interrupt.vector = vector;
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/** events_reset() - reset and INIT forget every event */
void events_reset(struct vcpu *vcpu)
{
	memset(&vcpu->exception, 0, sizeof(vcpu->exception));
	memset(&vcpu->interrupt, 0, sizeof(vcpu->interrupt));
	vcpu->extint = -1;
	vcpu->nmi_injected = false;
	vcpu->nmi_pending = 0;
	atomic_set(&vcpu->nmi_queued, 0);
}

/**
 * events_get() - KVM_GET_VCPU_EVENTS
 * @vcpu: loaded vCPU, its mutex held
 * @ev: out
 *
 * Without KVM_CAP_EXCEPTION_PAYLOAD a pending exception is shown as an injected
 * one, its effects on CR2 and DR6 done.
 */
void events_get(struct vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	const struct pending_exception *e = &vcpu->exception;

	memset(ev, 0, sizeof(*ev));
	ev->flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		    KVM_VCPUEVENT_VALID_SHADOW;
	if (READ_ONCE(vcpu->vm->exception_payload)) {
		ev->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
		ev->exception.injected = e->injected;
		ev->exception.pending = e->pending;
		ev->exception_has_payload = e->payload_valid;
		ev->exception_payload = e->payload_valid ? e->payload : 0;
	} else {
		if (e->pending)
			payload_deliver(vcpu);
		ev->exception.injected = e->pending || e->injected;
	}
	ev->exception.nr = e->vector;
	ev->exception.has_error_code = e->has_error;
	ev->exception.error_code = e->error;

	ev->interrupt.injected = vcpu->interrupt.pending ||
				 (vcpu->interrupt.injected &&
				  !vcpu->interrupt.soft);
	ev->interrupt.nr = vcpu->interrupt.vector;
	/* The PIC in userspace has let go of it: it is the vCPU's to keep. */
	if (vcpu->extint >= 0 && irqchip_takes_user_irq(vcpu) &&
	    irq_fits(vcpu)) {
		ev->interrupt.injected = true;
		ev->interrupt.nr = vcpu->extint;
	}
	ev->interrupt.shadow = vendor_call(get_shadow)(vcpu);

	ev->nmi.injected = vcpu->nmi_injected;
	ev->nmi.pending = min_t(u32, 2, vcpu->nmi_pending +
				atomic_read(&vcpu->nmi_queued));
	ev->nmi.masked = vendor_call(get_nmi_mask)(vcpu);

	if (READ_ONCE(vcpu->vm->triple_fault_event)) {
		ev->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
		ev->triple_fault.pending =
			vcpu_test_request(vcpu, REQ_TRIPLE_FAULT);
	}
	smm_events_get(vcpu, ev);
}

static bool events_valid(struct vcpu *vcpu, const struct kvm_vcpu_events *ev)
{
	struct vm *vm = vcpu->vm;
	/* SIPI_VECTOR is taken and ignored, as in KVM. */
	u32 flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		    KVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM;

	if (READ_ONCE(vm->exception_payload))
		flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (READ_ONCE(vm->triple_fault_event))
		flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (ev->flags & ~flags)
		return false;
	/* A vCPU that waits for its SIPI is not in SMM, where INIT is latched. */
	if (ev->flags & KVM_VCPUEVENT_VALID_SMM && ev->smi.smm &&
	    vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED)
		return false;
	if ((ev->exception.injected || ev->exception.pending) &&
	    (ev->exception.nr > 31 || ev->exception.nr == X86_TRAP_NMI))
		return false;
	if (ev->flags & KVM_VCPUEVENT_VALID_SHADOW &&
	    ev->interrupt.shadow & ~(KVM_X86_SHADOW_INT_MOV_SS |
				     KVM_X86_SHADOW_INT_STI))
		return false;
	return true;
}

/**
 * events_set() - KVM_SET_VCPU_EVENTS
 * @vcpu: loaded vCPU, its mutex held
 * @ev: what the vCPU is in the middle of
 *
 * Return: 0; -EINVAL or another -errno with nothing changed.
 */
int events_set(struct vcpu *vcpu, const struct kvm_vcpu_events *ev)
{
	bool payload = ev->flags & KVM_VCPUEVENT_VALID_PAYLOAD;
	bool pending = payload && ev->exception.pending;
	int err;

	if (!events_valid(vcpu, ev))
		return -EINVAL;
	if (ev->flags & KVM_VCPUEVENT_VALID_SMM) {
		err = smm_events_set(vcpu, ev);
		if (err)
			return err;
	}

	vcpu->exception = (struct pending_exception) {
		.pending = pending,
		.injected = !pending && ev->exception.injected,
		.payload_valid = pending && ev->exception_has_payload,
		.payload = ev->exception_payload,
		.vector = ev->exception.nr,
		.has_error = ev->exception.has_error_code,
		.error = ev->exception.error_code,
	};
	vcpu->interrupt = (struct pending_interrupt) {
		.injected = ev->interrupt.injected,
		.soft = ev->interrupt.soft,
		.vector = ev->interrupt.nr,
	};
	if (ev->interrupt.injected)
		vcpu->extint = -1;	/* that one, as shown */
	if (ev->flags & KVM_VCPUEVENT_VALID_SHADOW)
		vendor_call(set_shadow)(vcpu, ev->interrupt.shadow);

	vcpu->nmi_injected = ev->nmi.injected;
	if (ev->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		vcpu->nmi_pending = min_t(u32, ev->nmi.pending, 2);
		atomic_set(&vcpu->nmi_queued, 0);
	}
	vendor_call(set_nmi_mask)(vcpu, ev->nmi.masked);
	if (ev->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) {
		if (ev->triple_fault.pending)
			vcpu_request(vcpu, REQ_TRIPLE_FAULT);
		else
			clear_bit(REQ_TRIPLE_FAULT, &vcpu->requests);
	}
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}
