// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger's breakpoints and steps. The monitor trap steps over all there is,
 * unseen; a CPU without (Bochs 2.7) has RFLAGS.TF: x86/step.c. The CPU refuses to
 * enter with TF in an interrupt shadow, unless a trap is due already: the shadow is put
 * aside, and with it what waits for its end.
 */
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "../core/regs.h"
#include "../x86/step.h"
#include "../x86/x86.h"

#define WINDOWS	(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING)

/* All but NMI, which is none. */
#define EXCEPTIONS	((u32)~BIT(X86_TRAP_NMI))

/** vmx_debug_changed() - vcpu->debug.control changed */
void vmx_debug_changed(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 control = vcpu->debug.control;
	u32 cpu = vmx->cpu & ~CPU_BASED_MONITOR_TRAP_FLAG;
	u32 exceptions = 0;

	if (control & KVM_GUESTDBG_USE_SW_BP)
		exceptions = BIT(X86_TRAP_BP);
	if (control & KVM_GUESTDBG_SINGLESTEP) {
		if (vmx_caps.monitor_trap)
			cpu |= CPU_BASED_MONITOR_TRAP_FLAG;
		else
			exceptions = EXCEPTIONS;
	}
	vmx_write_cpu(vmx, cpu);
	vmx_intercept_exceptions(vmx, exceptions);
	vcpu_request(vcpu, REQ_APICV);
}

/**
 * vmx_step_prepare() - what is about to be stepped
 * @vcpu: loaded, its event is written; may sleep
 *
 * INT n has no exit: it becomes an event here.
 *
 * Return: false: emulate the instruction.
 */
bool vmx_step_prepare(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct insn insn;

	if (vmx_caps.monitor_trap || vmx->entry_intr_info)
		return true;
	switch (step_look(vcpu, &insn)) {
	case STEP_RUN:
		break;
	case STEP_EMULATE:
		return false;
	case STEP_INT:
		vcpu->interrupt.injected = true;
		vcpu->interrupt.soft = true;
		vcpu->interrupt.vector = insn.imm;
		vmx->event_len = insn.len;
		vmx_inject_irq(vcpu);
		break;
	}
	return true;
}

static void put_shadow_aside(struct vmx_vcpu *vmx)
{
	u64 pending;

	vmx->step_shadow = vmx_get_shadow(&vmx->vcpu);
	if (likely(!vmx->step_shadow))
		return;
	vmx_set_shadow(&vmx->vcpu, 0);
	pending = vmcs_read(GUEST_PENDING_DBG_EXCEPTIONS);
	vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS, pending & ~(u64)DR_STEP);
	vmx_write_cpu(vmx, vmx->cpu & ~WINDOWS);
}

/**
 * vmx_step_enter() - the guest is about to be entered
 * @vmx: interrupts off, RFLAGS are not in the VMCS yet
 */
void vmx_step_enter(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;
	/* Without SYSCALL the MSR is still the host's. */
	u64 fmask = vcpu->efer & EFER_SCE ? vmx->guest_uret[URET_FMASK] : 0;

	/* Only an event ends a guest's own HLT. */
	if (!vmx->entry_intr_info &&
	    vmcs_read32(GUEST_ACTIVITY_STATE) == GUEST_ACTIVITY_HLT) {
		vcpu->debug.step = STEP_NONE;
		return;
	}
	step_enter(vcpu, vmx->entry_intr_info);
	if (vcpu->debug.step != STEP_INSN)
		return;
	put_shadow_aside(vmx);
	/* Interrupts are off: no user_return_notifier comes between. */
	if (step_unmask(vcpu, fmask))
		wrmsrl(MSR_SYSCALL_MASK, fmask & ~(u64)X86_EFLAGS_TF);
	/* Each instruction, not each branch. */
	if (vmx->guest_debugctl)
		vmcs_write(GUEST_IA32_DEBUGCTL, 0);
}

/** vmx_step_own() - has the guest asked for a trap after this instruction, too? */
bool vmx_step_own(struct vmx_vcpu *vmx)
{
	return vmx->vcpu.debug.step_tf &&
	       !(vmx->guest_debugctl & DEBUGCTLMSR_BTF);
}

/**
 * vmx_keep_step_pending() - TF is set, in a shadow: an entry insists on a pending trap
 */
void vmx_keep_step_pending(void)
{
	vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS,
		   vmcs_read(GUEST_PENDING_DBG_EXCEPTIONS) | DR_STEP);
}

static bool at_trap(struct vmx_vcpu *vmx)
{
	return vmx->exit_reason == EXIT_REASON_EXCEPTION_NMI &&
	       (vmx_exit_intr_info(vmx) & INTR_INFO_VECTOR_MASK) ==
	       X86_TRAP_DB &&
	       vmx_exit_qualification(vmx) & DR_STEP;
}

/* The instruction has been executed, or not; its trap was taken, or waits. */
static void insn_exit(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;
	bool moved = vcpu_rip(vcpu) != vcpu->debug.step_rip;
	u64 pending;

	if (likely(at_trap(vmx)))
		return;
	pending = vmcs_read(GUEST_PENDING_DBG_EXCEPTIONS);
	if (pending & DR_STEP) {
		if (moved)
			guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
		if (!moved || !vmx_step_own(vmx))
			vmcs_write(GUEST_PENDING_DBG_EXCEPTIONS,
				   pending & ~(u64)DR_STEP);
	}
	if (moved || likely(!vmx->step_shadow))
		return;
	vmx_set_shadow(vcpu, vmx->step_shadow);
	if (vmx_step_own(vmx))
		vmx_keep_step_pending();
}

/**
 * vmx_step_exit() - the guest has just left
 * @vmx: vmx_step_enter() was called; interrupts off
 */
void vmx_step_exit(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;
	bool entered = !vmx->failed && !(vmx->exit_reason &
					 VMX_EXIT_REASONS_FAILED_VMENTRY);

	if (vcpu->debug.step == STEP_INSN) {
		if (entered)
			insn_exit(vmx);
		if (vmx->guest_debugctl)
			vmcs_write(GUEST_IA32_DEBUGCTL, vmx->guest_debugctl);
		if (vcpu->debug.step_masked)
			wrmsrl(MSR_SYSCALL_MASK, vmx->guest_uret[URET_FMASK]);
		if (vmx->step_shadow)
			vcpu_request(vcpu, REQ_EVENT);
	}
	step_exit(vcpu, entered && !vcpu_event_injected(vcpu) &&
		  vmx->exit_reason != EXIT_REASON_TRIPLE_FAULT);
}
