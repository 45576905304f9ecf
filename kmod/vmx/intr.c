// SPDX-License-Identifier: GPL-2.0-only
/* Events: into the guest with the next entry, and back when one was cut off. */
#include <linux/kvm.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "../core/regs.h"
#include "../irqchip/lapic.h"
#include "../x86/x86.h"

/* Exceptions that push an error code in protected mode. */
#define ERROR_CODE_VECTORS						\
	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) |	\
	 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) |	\
	 BIT(X86_TRAP_AC))

/* Events that an instruction causes: RIP moves past it on delivery. */
static bool soft_exception(u8 vector)
{
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF;
}

static void write_entry_event(struct vmx_vcpu *vmx, u32 info)
{
	vmx_unhalt(vmx);
	vmx->entry_intr_info = info | INTR_INFO_VALID_MASK;
	vmcs_write(VM_ENTRY_INTR_INFO_FIELD, vmx->entry_intr_info);
}

/* An INT of unknown length cannot be: INT3 and INTO have one byte. */
static void write_event_len(struct vmx_vcpu *vmx)
{
	vmcs_write(VM_ENTRY_INSTRUCTION_LEN, clamp(vmx->event_len, 1u, 15u));
	vmx->event_len = 0;	/* the next event's is another */
}

/**
 * vmx_inject_exception() - deliver vcpu->exception with the next entry
 * @vcpu: loaded; exception.injected is set
 *
 * The CPU refuses an error code where the vector or real mode has none, and
 * the lack of one where it has.
 */
void vmx_inject_exception(struct vcpu *vcpu)
{
	struct pending_exception *exc = &vcpu->exception;
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 info = exc->vector & 0x1f;

	if (BIT(info) & ERROR_CODE_VECTORS && vcpu_protected(vcpu)) {
		vmx->entry_error = exc->has_error ? exc->error & 0xffff : 0;
		vmcs_write(VM_ENTRY_EXCEPTION_ERROR_CODE, vmx->entry_error);
		info |= INTR_INFO_DELIVER_CODE_MASK;
	}
	if (soft_exception(exc->vector)) {
		write_event_len(vmx);
		info |= INTR_TYPE_SOFT_EXCEPTION;
	} else {
		info |= INTR_TYPE_HARD_EXCEPTION;
	}
	write_entry_event(vmx, info);
}

void vmx_inject_irq(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 info = vcpu->interrupt.vector;

	if (vcpu->interrupt.soft) {
		write_event_len(vmx);
		info |= INTR_TYPE_SOFT_INTR;
	} else {
		info |= INTR_TYPE_EXT_INTR;
	}
	write_entry_event(vmx, info);
}

void vmx_inject_nmi(struct vcpu *vcpu)
{
	write_entry_event(to_vmx(vcpu), INTR_TYPE_NMI_INTR | X86_TRAP_NMI);
}

/* An event in the CPU's own format becomes "injected" again. */
static void take_back(struct vmx_vcpu *vmx, u32 info, u32 error)
{
	struct vcpu *vcpu = &vmx->vcpu;
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_NMI_INTR:
		vcpu->nmi_injected = true;
		/* Its delivery blocks NMIs again. */
		vmx_set_nmi_mask(vcpu, false);
		break;
	case INTR_TYPE_HARD_EXCEPTION:
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		vcpu->exception = (struct pending_exception) {
			.injected = true,
			.vector = vector,
			.has_error = info & INTR_INFO_DELIVER_CODE_MASK,
			.error = error,
		};
		break;
	case INTR_TYPE_SOFT_INTR:
	case INTR_TYPE_EXT_INTR:
		vcpu->interrupt.injected = true;
		vcpu->interrupt.vector = vector;
		vcpu->interrupt.soft = (info & INTR_INFO_INTR_TYPE_MASK) ==
				       INTR_TYPE_SOFT_INTR;
		break;
	}
	vcpu_request(vcpu, REQ_EVENT);
}

/**
 * vmx_cancel_injection() - the entry did not happen
 * @vcpu: loaded
 */
void vmx_cancel_injection(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 info = vmx->entry_intr_info;

	if (!info)
		return;
	vmx->entry_intr_info = 0;
	vmcs_write(VM_ENTRY_INTR_INFO_FIELD, 0);
	vmx->event_len = vmcs_read32(VM_ENTRY_INSTRUCTION_LEN);
	take_back(vmx, info, vmx->entry_error);
}

/* An IRET that faults on its way had unblocked NMIs already: SDM volume 3,
 * "Information for VM Exits Due to Vectored Events", "Exit Qualification for EPT
 * Violations" and those of page-modification log-full and notify exits, bit 12 of all.
 */
static void restore_nmi_blocking(struct vmx_vcpu *vmx)
{
	bool unblocked = false;
	u32 info;

	switch (vmx->exit_reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		info = vmx_exit_intr_info(vmx);
		unblocked = info & INTR_INFO_UNBLOCK_NMI &&
			    (info & INTR_INFO_VECTOR_MASK) != X86_TRAP_DF;
		break;
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_PML_FULL:
	case EXIT_REASON_NOTIFY:
		unblocked = vmx_exit_qualification(vmx) & INTR_INFO_UNBLOCK_NMI;
		break;
	}
	if (unblocked)
		vmx_set_nmi_mask(&vmx->vcpu, true);
}

/**
 * vmx_events_after_exit() - was the exit in the middle of an event's delivery?
 * @vmx: just left the guest; its events count as delivered
 *
 * Be it the injected event or one of the guest's own: it is delivered again.
 *
 * Context: interrupts off.
 */
void vmx_events_after_exit(struct vmx_vcpu *vmx)
{
	u32 info = vmcs_read32(IDT_VECTORING_INFO_FIELD);
	u32 error = 0;

	if (likely(!(info & VECTORING_INFO_VALID_MASK))) {
		restore_nmi_blocking(vmx);
		return;
	}
	if (vmx->posted)
		info = vmx_apicv_vectoring(vmx, info);
	if (info & VECTORING_INFO_DELIVER_CODE_MASK)
		error = vmcs_read32(IDT_VECTORING_ERROR_CODE);
	vmx->event_len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
	take_back(vmx, info, error);
}

static bool event_under_way(struct vcpu *vcpu)
{
	return to_vmx(vcpu)->entry_intr_info || vcpu_event_injected(vcpu);
}

bool vmx_irq_allowed(struct vcpu *vcpu)
{
	return vcpu_rflags(vcpu) & X86_EFLAGS_IF && !event_under_way(vcpu) &&
	       !(vmcs_read32(GUEST_INTERRUPTIBILITY_INFO) &
		 (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS));
}

bool vmx_nmi_allowed(struct vcpu *vcpu)
{
	return !event_under_way(vcpu) &&
	       !(vmcs_read32(GUEST_INTERRUPTIBILITY_INFO) &
		 (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS |
		  GUEST_INTR_STATE_NMI));
}

void vmx_irq_window(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx_write_cpu(vmx, vmx->cpu | CPU_BASED_INTR_WINDOW_EXITING);
}

/* The NMI window does not wait for the end of an STI shadow, and an NMI may not
 * be injected in one: the interrupt window opens right after it.
 */
void vmx_nmi_window(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vmcs_read32(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_STI)
		vmx_irq_window(vcpu);
	else
		vmx_write_cpu(vmx, vmx->cpu | CPU_BASED_NMI_WINDOW_EXITING);
}

u32 vmx_get_shadow(struct vcpu *vcpu)
{
	u32 state = vmcs_read32(GUEST_INTERRUPTIBILITY_INFO);
	u32 mask = 0;

	if (state & GUEST_INTR_STATE_STI)
		mask |= KVM_X86_SHADOW_INT_STI;
	if (state & GUEST_INTR_STATE_MOV_SS)
		mask |= KVM_X86_SHADOW_INT_MOV_SS;
	return mask;
}

static void change_interruptibility(u32 clear, u32 set)
{
	u32 old = vmcs_read32(GUEST_INTERRUPTIBILITY_INFO);
	u32 new = (old & ~clear) | set;

	if (new != old)
		vmcs_write(GUEST_INTERRUPTIBILITY_INFO, new);
}

/* The CPU knows one of the two at a time. */
void vmx_set_shadow(struct vcpu *vcpu, u32 mask)
{
	u32 set = 0;

	if (mask & KVM_X86_SHADOW_INT_MOV_SS)
		set = GUEST_INTR_STATE_MOV_SS;
	else if (mask & KVM_X86_SHADOW_INT_STI)
		set = GUEST_INTR_STATE_STI;
	if (set)
		vmx_unhalt(to_vmx(vcpu));
	change_interruptibility(GUEST_INTR_STATE_MOV_SS | GUEST_INTR_STATE_STI,
				set);
}

bool vmx_get_nmi_mask(struct vcpu *vcpu)
{
	return vmcs_read32(GUEST_INTERRUPTIBILITY_INFO) & GUEST_INTR_STATE_NMI;
}

void vmx_set_nmi_mask(struct vcpu *vcpu, bool masked)
{
	change_interruptibility(GUEST_INTR_STATE_NMI,
				masked ? GUEST_INTR_STATE_NMI : 0);
}

/** vmx_smm_changed() - a debug trap put off by MOV SS is not the handler's */
void vmx_smm_changed(struct vcpu *vcpu)
{
	vmx_unhalt(to_vmx(vcpu));
	if (vcpu->smm)
		vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

/*
 * What the CPU knows of the local APIC: vectors pending and in service. Without that,
 * every access of CR8 exits: the interrupt controller hears of each.
 */
void vmx_update_tpr(struct vcpu *vcpu, int tpr, int vector)
{
	if (vcpu->lapic->virt)
		vmx_apicv_vectors(vcpu, vector);
}
