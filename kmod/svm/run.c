// SPDX-License-Identifier: GPL-2.0-only
/* Into the guest and out of it. */
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>
#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "insn.h"
#include "../compat/guest_state.h"
#include "../core/io.h"
#include "../core/regs.h"
#include "../irqchip/irqchip.h"
#include "../x86/x86.h"

/* enter.S knows these. */
static_assert(REG_RCX == 1 && REG_RDX == 2 && REG_RBX == 3 && REG_RBP == 5 &&
	      REG_RSI == 6 && REG_RDI == 7 && REG_R8 == 8 && REG_R15 == 15);
static_assert(offsetof(struct svm_spec_ctrl, guest) == 0 &&
	      offsetof(struct svm_spec_ctrl, host) == 8);

/**
 * svm_save_host() - remember what VMLOAD of the guest's state will overwrite
 *
 * Preemption off. The state is the current task's: it holds until this CPU
 * schedules or returns to userspace.
 */
void svm_save_host(void)
{
	insn_vmsave(this_cpu_ptr(&svm_cpu)->host_pa);
}

/*
 * All of the host's VMSAVE state stands still while a vCPU is loaded but LDTR:
 * another thread's modify_ldt() replaces it by IPI. A process without an LDT,
 * that is nearly every one, pays a compare; one that gets its first LDT right
 * now has the IPI pending, which loads it after the exit.
 */
static void save_host_ldt(void)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (unlikely(READ_ONCE(current->mm->context.ldt)))
		svm_save_host();
#endif
}

static u64 guest_cr8(struct vcpu *vcpu)
{
	return vcpu->lapic ? lapic_get_cr8(vcpu->lapic) : vcpu->cr8;
}

static void write_tpr(struct vcpu *vcpu, struct vmcb *vmcb)
{
	u32 tpr = guest_cr8(vcpu) & V_TPR_MASK;

	if ((vmcb->control.int_ctl & V_TPR_MASK) == tpr)
		return;
	vmcb->control.int_ctl = (vmcb->control.int_ctl & ~V_TPR_MASK) | tpr;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTR);
}

/* The guest may have written CR8 without an exit. */
static void read_tpr(struct vcpu *vcpu, struct vmcb *vmcb)
{
	u32 tpr = vmcb->control.int_ctl & V_TPR_MASK;

	if (tpr == guest_cr8(vcpu))
		return;
	if (vcpu->lapic)
		lapic_set_cr8(vcpu->lapic, tpr);
	else
		vcpu->cr8 = tpr;
}

static void write_dirty_regs(struct vcpu *vcpu, struct vmcb *vmcb)
{
	struct vmcb_save_area *save = &vmcb->save;
	u32 dirty = vcpu->regs_dirty;

	if (dirty & BIT(REG_RSP))
		save->rsp = vcpu->regs[REG_RSP];
	if (dirty & BIT(REG_RIP))
		save->rip = vcpu->regs[REG_RIP];
	if (dirty & BIT(REG_RFLAGS))
		save->rflags = vcpu->regs[REG_RFLAGS];
	if (dirty & BIT(REG_CR3)) {
		save->cr3 = vcpu->cr3;
		vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR);
	}
	vcpu->regs_dirty = 0;
}

static void before_entry(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	struct vcpu *vcpu = &svm->vcpu;
	struct vmcb *vmcb = svm->vmcb;
	struct vmcb_save_area *save = &vmcb->save;
	u64 dr6;

	save->rax = vcpu->regs[REG_RAX];
	if (unlikely(vcpu->debug.control))
		svm_debug_enter(svm);
	if (vcpu->regs_dirty)
		write_dirty_regs(vcpu, vmcb);
	if (unlikely(svm->nmi_step))
		save->rflags |= X86_EFLAGS_TF | X86_EFLAGS_RF;
	if (unlikely(svm->exit_now)) {
		/* Pending until the guest runs, which it ends at once. */
		smp_send_reschedule(smp_processor_id());
		svm->exit_now = false;
		vcpu_request(vcpu, REQ_EVENT);
	}
	if (save->cr2 != vcpu->cr2) {
		save->cr2 = vcpu->cr2;
		vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR2);
	}
	/* What an exit adds to a debugger's is that of its exception alone. */
	dr6 = unlikely(vcpu->debug.control) ? DR6_FIXED : vcpu->dr6;
	if (unlikely(save->dr6 != dr6)) {
		save->dr6 = dr6;
		vmcb_mark_dirty(vmcb, VMCB_CLEAN_DR);
	}
	write_tpr(vcpu, vmcb);
	if (unlikely(svm->asid_generation != cpu->asid_generation))
		svm_asid_assign(svm, cpu);
}

/* A machine check is the host's, and came in no code of the kernel: the handler
 * is told of a user mode it may kill.
 */
static void host_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = {
		.cs = __USER_CS,
		.flags = X86_EFLAGS_IF,
	};

	do_machine_check(&regs);
#endif
}

/*
 * The VMCB is memory: to copy all that the guest may have changed is cheaper than
 * to ask for each whether it was copied.
 */
static void read_regs(struct vcpu *vcpu, const struct vmcb_save_area *save)
{
	vcpu->regs[REG_RAX] = save->rax;
	vcpu->regs[REG_RSP] = save->rsp;
	vcpu->regs[REG_RIP] = save->rip;
	vcpu->regs[REG_RFLAGS] = save->rflags;
	vcpu->cr0 = (vcpu->cr0 & ~vcpu->cr0_guest_owned) |
		    (save->cr0 & vcpu->cr0_guest_owned);
	vcpu->cr2 = save->cr2;
	vcpu->cr3 = save->cr3;
}

/* Of every exit. */
static void after_exit(struct svm_vcpu *svm)
{
	struct vcpu *vcpu = &svm->vcpu;
	struct vmcb *vmcb = svm->vmcb;

	read_regs(vcpu, &vmcb->save);
	read_tpr(vcpu, vmcb);
	vcpu->exception.injected = false;
	vcpu->interrupt.injected = false;
	vcpu->nmi_injected = false;
	svm->stepped = svm->nmi_step;
}

/* Of one that was not plain, or not looked at: hot_exit_handle() sees to the others. */
static void after_other_exit(struct svm_vcpu *svm)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	struct vcpu *vcpu = &svm->vcpu;

	vcpu->rcu_due = control->exit_code == SVM_EXIT_INTR;
	if (unlikely(control->exit_int_info & SVM_EXITINTINFO_VALID))
		svm_events_undelivered(svm, control->exit_int_info,
				       control->exit_int_info_err);
	svm->soft_len = 0;
	if (unlikely(svm->iret_seen))
		svm_nmi_iret_done(svm);
	if (unlikely(svm->nmi_step))
		svm_nmi_step_stop(svm);
	if (unlikely(vcpu->debug.control))
		svm_debug_exit(svm);
	if (unlikely(control->exit_code ==
		     SVM_EXIT_EXCP_BASE + X86_TRAP_MC))
		host_machine_check();
}

/* Nothing in here may be traced or probed: the kernel takes this CPU to be in
 * a guest.
 */
static noinstr void enter_guest(struct svm_vcpu *svm, hpa_t host_pa,
				struct svm_spec_ctrl *spec_ctrl)
{
	guest_state_enter(svm->vcpu.rcu_due);
	svm_enter(svm->vmcb_pa, svm->vcpu.regs, host_pa, spec_ctrl);
	guest_state_exit();
}

/* Likewise, with breakpoints. */
static noinstr void enter_guest_armed(struct svm_vcpu *svm, hpa_t host_pa,
				      struct svm_spec_ctrl *spec_ctrl, u64 dr7)
{
	guest_state_enter(svm->vcpu.rcu_due);
	svm_enter_armed(svm->vmcb_pa, svm->vcpu.regs, host_pa, spec_ctrl, dr7);
	guest_state_exit();
}

/* What was asked of the entry is done. */
static void entered(struct svm_vcpu *svm)
{
	struct vmcb_control_area *control = &svm->vmcb->control;

	svm->vcpu.stat.entries++;
	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	control->clean = svm_caps.clean;
	control->event_inj = 0;
}

/* One entry and its exit. */
static void enter_once(struct svm_vcpu *svm, hpa_t host_pa,
		       struct svm_spec_ctrl *spec_ctrl)
{
	enter_guest(svm, host_pa, spec_ctrl);
	entered(svm);
}

/* With breakpoints, the guest's or a debugger's. */
static noinline void enter_armed(struct svm_vcpu *svm, hpa_t host_pa,
				 struct svm_spec_ctrl *spec_ctrl)
{
	u64 dr7 = svm_debug_load(&svm->vcpu);

	enter_guest_armed(svm, host_pa, spec_ctrl, dr7);
	entered(svm);
	if (svm->debug_native)
		svm_debug_save(svm);
}

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
	case SVM_EXIT_NPF:
		return EXIT_PAGE_FAULT;
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

/* From the instruction itself. */
static noinline int read_length(struct svm_vcpu *svm, enum exit_kind kind)
{
	const struct vmcb *vmcb = svm->vmcb;
	u64 bytes;

	svm->vcpu.cr3 = vmcb->save.cr3;
	if (!vcpu_peek_code(&svm->vcpu, vmcb->save.rip, &bytes, 1))
		return 0;
	return vcpu_plain_length(kind, bytes);
}

/* The following: HOT_AGAIN, HOT_USERSPACE: @len bytes are to be skipped. HOT_NO. */

static enum hot hot_insn(struct svm_vcpu *svm, enum exit_kind kind, int *len)
{
	const struct vmcb *vmcb = svm->vmcb;

	*len = svm_caps.nrips ? vmcb->control.next_rip - vmcb->save.rip :
				read_length(svm, kind);
	/* Of a strange length whoever may sleep finds out. */
	if (unlikely(*len <= 0 || *len > 15) || !hot_exit(&svm->vcpu, kind))
		return HOT_NO;
	return HOT_AGAIN;
}

static enum hot hot_pio(struct svm_vcpu *svm, int *len)
{
	const struct vmcb *vmcb = svm->vmcb;
	u64 info = vmcb->control.exit_info_1;

	if (info & SVM_IOIO_STR_MASK)
		return HOT_NO;
	/* Of all exits this one tells the next RIP on every CPU. */
	*len = vmcb->control.exit_info_2 - vmcb->save.rip;
	return io_pio_hot(&svm->vcpu, info >> 16,
			  (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT,
			  info & SVM_IOIO_TYPE_MASK);
}

static enum hot hot_page_fault(struct svm_vcpu *svm, int *len)
{
	const struct vmcb *vmcb = svm->vmcb;
	u64 info = vmcb->control.exit_info_1;
	enum hot hot;

	if ((info & (NPF_INFO_PRESENT | NPF_INFO_FETCH | NPF_INFO_FINAL |
		     NPF_INFO_WALK)) != NPF_INFO_FINAL)
		return HOT_NO;
	svm->vcpu.cr3 = vmcb->save.cr3;
	hot = mmio_hot(&svm->vcpu, vmcb->save.rip, vmcb->control.exit_info_2,
		       info & NPF_INFO_WRITE);
	*len = svm->vcpu.io.skip;
	return hot;
}

/*
 * Is the exit one that needs nobody else? Only RAX is taken out of the VMCB: the
 * others stay there for after_exit().
 */
static enum hot hot_exit_handle(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	enum exit_kind kind = hot_kind(&vmcb->control);
	struct vcpu *vcpu = &svm->vcpu;
	enum hot hot;
	int len;

	if (kind == EXIT_NONE || unlikely(!plain_exit(vmcb)))
		return HOT_NO;
	svm->soft_len = 0;		/* what was injected has arrived */
	vcpu->regs[REG_RAX] = vmcb->save.rax;
	switch (kind) {
	case EXIT_PIO:
		hot = hot_pio(svm, &len);
		break;
	case EXIT_PAGE_FAULT:
		hot = hot_page_fault(svm, &len);
		break;
	case EXIT_WRMSR:
		read_tpr(vcpu, vmcb);	/* the local APIC goes by it */
		fallthrough;
	default:
		hot = hot_insn(svm, kind, &len);
		break;
	}
	if (hot == HOT_NO)
		return HOT_NO;
	vmcb->save.rax = vcpu->regs[REG_RAX];
	vmcb->save.rip += len;
	vmcb->save.rflags &= ~(u64)X86_EFLAGS_RF;
	return hot_answered(vcpu, kind, hot);
}

/* Nobody watches single instructions, or needs to look at each exit. */
static bool may_be_hot(const struct svm_vcpu *svm)
{
	return !(svm->vcpu.debug.control | svm->nmi_step | svm->iret_seen);
}

/**
 * svm_run() - enter the guest until the core is needed
 * @vcpu: loaded, prepared; interrupts off
 *
 * Exits that are not answered by hot_exit_handle() are left to svm_decode_exit().
 * Host interrupts are pending and taken when the caller turns interrupts on; NMIs
 * were taken at STGI.
 *
 * Return: what became of the last exit.
 */
enum hot svm_run(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);
	struct svm_spec_ctrl *spec_ctrl = NULL;
	enum hot hot = HOT_NO;

	before_entry(svm, cpu);
	save_host_ldt();
	if (svm->spec_ctrl_native) {
		spec_ctrl = &svm->spec_ctrl;
		spec_ctrl->host = this_cpu_read(x86_spec_ctrl_current);
	}
	if (unlikely(svm->debug_native || vcpu->dr7_hw & DR7_ENABLED)) {
		enter_armed(svm, cpu->host_pa, spec_ctrl);
	} else {
		enter_once(svm, cpu->host_pa, spec_ctrl);
		if (likely(may_be_hot(svm))) {
			vcpu->rcu_due = false;
			while ((hot = hot_exit_handle(svm)) == HOT_AGAIN)
				enter_once(svm, cpu->host_pa, spec_ctrl);
		}
	}

	/* An exit leaves DR7 disarmed. */
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
	after_exit(svm);
	if (hot == HOT_NO)
		after_other_exit(svm);
	return hot;
}
