// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers. Accesses exit until the guest makes one; from then on, until
 * the vCPU leaves its CPU, the registers are the guest's while it runs. DR6 and
 * DR7 are the VMCB's, DR0..DR3 are switched here. Not so in QEMU, whose exit
 * would leave armed in the host what the guest has armed itself.
 */
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <asm/debugreg.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"
#include "../x86/x86.h"

static void intercept_all(struct vmcb *vmcb, bool on)
{
	u32 all = on ? 0x00ff00ff : 0;	/* reads and writes of DR0..DR7 */

	if (vmcb->control.intercepts[INTERCEPT_DR] == all)
		return;
	vmcb->control.intercepts[INTERCEPT_DR] = all;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTERCEPTS);
}

/**
 * svm_debug_trap() - debug registers are the host's: accesses exit
 * @svm: new, or leaving its CPU
 */
void svm_debug_trap(struct svm_vcpu *svm)
{
	svm->debug_native = false;
	intercept_all(svm->vmcb, true);
}

/**
 * svm_debug_give() - the guest has made an access: it executes it again
 * @svm: loaded
 */
void svm_debug_give(struct svm_vcpu *svm)
{
	svm->debug_native = true;
	intercept_all(svm->vmcb, false);
}

/*
 * QEMU's VMRUN loads DR7 but arms no breakpoint; one that is armed before is the
 * host's as well until the exit. Of the host's code these are but the few
 * instructions around VMRUN: a breakpoint there, which the host would hit for
 * ever, is left out. Data that they touch may be watched: the trap is nobody's.
 */
static u64 armed_dr7(struct vcpu *vcpu, const u64 *dr)
{
	u64 dr7 = vcpu->dr7_hw & ~(u64)DR7_GD;
	int i;

	for (i = 0; i < 4; i++)
		if (!DR7_TYPE(dr7, i) && dr[i] >= (u64)svm_armed_begin &&
		    dr[i] < (u64)svm_armed_end)
			dr7 &= ~(3ULL << i * DR_ENABLE_SIZE);
	return dr7;
}

/**
 * svm_debug_load() - the guest's DR0..DR3, or its debugger's, into the CPU
 * @vcpu: about to be entered, interrupts off
 *
 * The host's breakpoints are disarmed first: an address of the guest's is none
 * of the host's.
 *
 * Return: DR7 for svm_enter_armed().
 */
u64 svm_debug_load(struct vcpu *vcpu)
{
	const u64 *dr = guest_debug_dr(vcpu);

	set_debugreg(0UL, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
	return unlikely(svm_caps.tcg) ? armed_dr7(vcpu, dr) : 0;
}

/**
 * svm_debug_save() - what the guest made of its debug registers
 * @svm: just exited, svm_debug_give() was called before the entry; interrupts
 *       off, the host's breakpoints not restored yet
 *
 * At a #DB exit all that DR6 tells is the exception's payload and becomes the
 * guest's DR6 when that is delivered.
 */
void svm_debug_save(struct svm_vcpu *svm)
{
	const struct vmcb *vmcb = svm->vmcb;
	struct vcpu *vcpu = &svm->vcpu;
	unsigned long val;

	get_debugreg(val, 0);
	vcpu->dr[0] = val;
	get_debugreg(val, 1);
	vcpu->dr[1] = val;
	get_debugreg(val, 2);
	vcpu->dr[2] = val;
	get_debugreg(val, 3);
	vcpu->dr[3] = val;
	vcpu->dr7 = vmcb->save.dr7;
	vcpu->dr7_hw = vcpu->dr7;
	vcpu->dr6 = vmcb->control.exit_code == SVM_EXIT_EXCP_BASE + X86_TRAP_DB ?
		    DR6_FIXED : vmcb->save.dr6;
}
