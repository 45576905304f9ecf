// SPDX-License-Identifier: GPL-2.0-only
/* Exits that are answered before the next VMRUN, on the VMCB as it is. */
#include <asm/processor-flags.h>

#include "svm.h"
#include "../core/io.h"
#include "../x86/x86.h"

static enum exit_kind hot_kind(const struct vmcb_control_area *control)
{
	switch (control->exit_code) {
	case SVM_EXIT_CPUID:
		return EXIT_CPUID;
	case SVM_EXIT_MSR:
		return control->exit_info_1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
	case SVM_EXIT_IOIO:
		return EXIT_PIO;
	case SVM_EXIT_VMMCALL:
		return EXIT_HYPERCALL;
	}
	return EXIT_NONE;
}

/*
 * What is not plain is not for here: code that is not 64-bit, an event that was
 * being delivered, an interrupt shadow that ends, a trap after the instruction.
 */
static bool plain_exit(const struct vmcb *vmcb)
{
	const struct vmcb_control_area *control = &vmcb->control;

	return !(control->exit_int_info & SVM_EXITINTINFO_VALID) &&
	       !(control->int_state & SVM_INTERRUPT_SHADOW_MASK) &&
	       !(vmcb->save.rflags & X86_EFLAGS_TF) &&
	       vmcb->save.cs.attrib & SVM_SELECTOR_L_MASK &&
	       vmcb->save.efer & EFER_LMA;
}

/* Of the instruction that has exited; 0: whoever may sleep finds it out. */
static int insn_length(struct svm_vcpu *svm, enum exit_kind kind)
{
	const struct vmcb *vmcb = svm->vmcb;
	u64 bytes;

	/* Of all exits this one tells the next RIP on every CPU. */
	if (kind == EXIT_PIO)
		return vmcb->control.exit_info_2 - vmcb->save.rip;
	if (svm_caps.nrips)
		return vmcb->control.next_rip - vmcb->save.rip;
	svm->vcpu.cr3 = vmcb->save.cr3;
	if (!vcpu_peek_code(&svm->vcpu, vmcb->save.rip, &bytes))
		return 0;
	return vcpu_plain_length(kind, bytes);
}

static bool hot_pio(struct vcpu *vcpu, u64 info)
{
	if (info & SVM_IOIO_STR_MASK)
		return false;
	return io_pio_hot(vcpu, info >> 16,
			  (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT,
			  info & SVM_IOIO_TYPE_MASK);
}

/**
 * svm_hot_exit() - is the exit one that needs nobody else?
 * @svm: its guest has just exited; interrupts off, may_be_hot()
 *
 * Only RAX is taken out of the VMCB: the others stay there for after_exit(). The
 * VMCB is as before_entry() left it, but for what the guest did.
 *
 * Return: enum hot.
 */
enum hot svm_hot_exit(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	enum exit_kind kind = hot_kind(&vmcb->control);
	struct vcpu *vcpu = &svm->vcpu;
	int len;

	if (kind == EXIT_NONE || unlikely(!plain_exit(vmcb)))
		return HOT_NO;
	len = insn_length(svm, kind);
	if (unlikely(!len || len > 15))
		return HOT_NO;
	/* Whatever follows: this entry is over. */
	vmcb->control.tlb_ctl = TLB_CONTROL_DO_NOTHING;
	vmcb->control.clean = svm_caps.clean;
	vmcb->control.event_inj = 0;
	vcpu->regs[REG_RAX] = vmcb->save.rax;
	if (kind == EXIT_PIO ? !hot_pio(vcpu, vmcb->control.exit_info_1) :
			       !hot_exit(vcpu, kind))
		return HOT_NO;
	vcpu->stat.exits[kind]++;
	vmcb->save.rax = vcpu->regs[REG_RAX];
	vmcb->save.rip += len;
	vmcb->save.rflags &= ~(u64)X86_EFLAGS_RF;
	if (kind == EXIT_PIO)
		return HOT_USERSPACE;
	if (hot_must_leave(vcpu))
		return HOT_DONE;
	vcpu->stat.entries++;
	return HOT_AGAIN;
}
