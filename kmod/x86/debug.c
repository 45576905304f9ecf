// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_GUEST_DEBUG: the VMM's breakpoints, watchpoints and steps. What they
 * hit goes to the VMM; what the guest set up for itself stays the guest's.
 */
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "x86.h"
#include "../core/regs.h"

#define INJECT	(KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)

/** guest_debug_update_dr7() - vcpu->dr7, or who owns the registers, changed */
void guest_debug_update_dr7(struct vcpu *vcpu)
{
	vcpu->dr7_hw = guest_debug_owns_dr(vcpu) ? vcpu->debug.dr7 : vcpu->dr7;
	vendor_call(set_dr7)(vcpu);
}

static void load_breakpoints(struct vcpu *vcpu,
			     const struct kvm_guest_debug *debug)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vcpu->debug.dr); i++)
		vcpu->debug.dr[i] = debug->arch.debugreg[i];
	vcpu->debug.dr7 = (debug->arch.debugreg[7] & DR7_WRITABLE) | DR7_FIXED;
}

/**
 * guest_debug_set() - KVM_SET_GUEST_DEBUG
 * @vcpu: loaded vCPU, its mutex held
 * @debug: kernel copy
 *
 * Return: 0; -EINVAL: flags that are not there, DR7 with its upper half;
 * -EBUSY: the guest is getting another exception. Nothing is changed then.
 */
int guest_debug_set(struct vcpu *vcpu, const struct kvm_guest_debug *debug)
{
	u32 control = debug->control;

	if (control & ~GUEST_DEBUG_FLAGS || (control & INJECT) == INJECT)
		return -EINVAL;
	if (control & KVM_GUESTDBG_USE_HW_BP &&
	    upper_32_bits(debug->arch.debugreg[7]))
		return -EINVAL;
	if (control & INJECT) {
		if (vcpu->exception.pending || vcpu->exception.injected)
			return -EBUSY;
		exception_queue(vcpu, control & KVM_GUESTDBG_INJECT_DB ?
				X86_TRAP_DB : X86_TRAP_BP);
	}
	vcpu->debug.control &= GUEST_DEBUG_TRACED;
	if (control & KVM_GUESTDBG_ENABLE)
		vcpu->debug.control |= control & ~INJECT;
	if (guest_debug_owns_dr(vcpu))
		load_breakpoints(vcpu, debug);
	/* What the former settings found is no news any more. */
	vcpu->debug.step = STEP_NONE;
	clear_bit(REQ_DEBUG, &vcpu->requests);
	guest_debug_update_dr7(vcpu);
	vendor_call(debug_changed)(vcpu);
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * guest_debug_report() - KVM_EXIT_DEBUG before the guest goes on
 * @vcpu: owner thread; the VMM debugs it
 * @vector: #DB or #BP
 * @dr6: bits of DR6 that tell why
 */
void guest_debug_report(struct vcpu *vcpu, u8 vector, u64 dr6)
{
	/* A step may end where a breakpoint is: one exit tells both. */
	if (vcpu_test_request(vcpu, REQ_DEBUG) && vcpu->debug.vector == vector)
		dr6 |= vcpu->debug.dr6;
	vcpu->debug.vector = vector;
	vcpu->debug.dr6 = dr6;
	vcpu_request(vcpu, REQ_DEBUG);
}

/**
 * guest_debug_trap() - the CPU raised #DB
 * @vcpu: owner thread
 * @payload: bits of DR6; none: INT1
 *
 * A step of the VMM's is not in it: the vendor has reported that.
 */
void guest_debug_trap(struct vcpu *vcpu, u64 payload)
{
	u64 ours = 0;

	if (guest_debug_owns_dr(vcpu))
		ours = payload & (DR_TRAP_BITS | DR6_BD);
	if (ours)
		guest_debug_report(vcpu, X86_TRAP_DB, ours);
	if (payload & ~ours || !ours)
		exception_queue_payload(vcpu, X86_TRAP_DB, false, 0,
					payload & ~ours);
}

/**
 * guest_debug_exit() - fill in the run page for REQ_DEBUG
 * @vcpu: owner thread, loaded
 *
 * RF, which a CPU may have set for a breakpoint's handler to return with, would
 * make the next KVM_RUN miss the breakpoints at this instruction.
 */
void guest_debug_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 rflags = vcpu_rflags(vcpu);

	if (vcpu->debug.vector == X86_TRAP_DB && rflags & X86_EFLAGS_RF)
		reg_write(vcpu, REG_RFLAGS, rflags & ~(u64)X86_EFLAGS_RF);
	run->exit_reason = KVM_EXIT_DEBUG;
	memset(&run->debug, 0, sizeof(run->debug));
	run->debug.arch.exception = vcpu->debug.vector;
	run->debug.arch.pc = vcpu_code_linear(vcpu);
	run->debug.arch.dr6 = vcpu->debug.dr6 | DR6_FIXED;
	run->debug.arch.dr7 = vcpu->dr7_hw;
	vcpu_request(vcpu, REQ_EVENT);
}

/**
 * guest_debug_emulate() - a step that the CPU would not make unseen
 * @vcpu: owner thread, in a read section of vm->srcu
 *
 * Return: enum exit_result or -errno.
 */
int guest_debug_emulate(struct vcpu *vcpu)
{
	return emulate_next(vcpu);
}
