// SPDX-License-Identifier: GPL-2.0-only
/* Into the guest, and the exits that need nobody else's help. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/hw_breakpoint.h>
#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "../compat/guest_state.h"
#include "../core/io.h"
#include "../core/regs.h"
#include "../x86/hot.h"
#include "../x86/x86.h"

static_assert(offsetof(struct vmx_enter_args, regs) == VMX_ARGS_REGS);
static_assert(offsetof(struct vmx_enter_args, host_rsp) == VMX_ARGS_HOST_RSP);
static_assert(offsetof(struct vmx_enter_args, flags) == VMX_ARGS_FLAGS);
static_assert(offsetof(struct vmx_enter_args, spec_guest) ==
	      VMX_ARGS_SPEC_GUEST);
static_assert(offsetof(struct vmx_enter_args, spec_host) == VMX_ARGS_SPEC_HOST);
static_assert(HOST_RSP == 0x6c14);	/* enter.S has it as a number */
static_assert(REG_RSP == 4 && REG_RDI == 7 && REG_R15 == 15);

/* What an exit leaves in the VMCS until someone asks. */
#define REGS_IN_VMCS	(BIT(REG_RSP) | BIT(REG_RIP) | BIT(REG_RFLAGS) | \
			 BIT(REG_CR0) | BIT(REG_CR3) | BIT(REG_CR4))

/* Instructions that exit by themselves: no event can be half delivered. */
#define EXITS_OF_INSNS							\
	(BIT_ULL(EXIT_REASON_CPUID) | BIT_ULL(EXIT_REASON_HLT) |	\
	 BIT_ULL(EXIT_REASON_VMCALL) | BIT_ULL(EXIT_REASON_CR_ACCESS) |	\
	 BIT_ULL(EXIT_REASON_IO_INSTRUCTION) |				\
	 BIT_ULL(EXIT_REASON_MSR_READ) | BIT_ULL(EXIT_REASON_MSR_WRITE) | \
	 BIT_ULL(EXIT_REASON_PAUSE_INSTRUCTION))

/* In the exit reason: the guest has locked the bus, whatever it exits for. */
#define EXIT_BUS_LOCKED	BIT(26)

/*
 * A pending interrupt of the host ends the next entry, but not in Bochs while the
 * guest has its own off: a guest that exits all the time would keep them from the
 * host for good. So they are let in now and then.
 */
#define HOT_IN_A_ROW	256

static noinstr int enter_guest(struct vmx_vcpu *vmx)
{
	int failed;

	guest_state_enter(vmx->vcpu.rcu_due);
	if (vmx->vcpu.cr2 != native_read_cr2())
		native_write_cr2(vmx->vcpu.cr2);
	failed = vmx_enter(&vmx->enter);
	vmx->vcpu.cr2 = native_read_cr2();
	guest_state_exit();
	return failed;
}

static void write_dirty_regs(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;
	u32 dirty = vcpu->regs_dirty;

	if (dirty & BIT(REG_RSP))
		vmcs_write(GUEST_RSP, vcpu->regs[REG_RSP]);
	if (dirty & BIT(REG_RIP)) {
		vmcs_write(GUEST_RIP, vcpu->regs[REG_RIP]);
		vmx_unhalt(vmx);
	}
	if (dirty & BIT(REG_RFLAGS))
		vmcs_write(GUEST_RFLAGS, vcpu->regs[REG_RFLAGS]);
	vcpu->regs_dirty = 0;
}

/* As if the host itself had been hit: in user mode, so that a task dies of
 * poisoned memory rather than the kernel.
 */
static void handle_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = {
		.cs = 3,
		.flags = X86_EFLAGS_IF,
	};

	do_machine_check(&regs);
#endif
}

/* NMIs and machine checks are the host's, whatever else the exit means. */
static void take_host_events(struct vmx_vcpu *vmx)
{
	u32 info;

	if ((u16)vmx->exit_reason == EXIT_REASON_MCE_DURING_VMENTRY) {
		handle_machine_check();
		return;
	}
	if (vmx->exit_reason != EXIT_REASON_EXCEPTION_NMI)
		return;
	info = vmx_exit_intr_info(vmx);
	switch (info & (INTR_INFO_VALID_MASK | INTR_INFO_INTR_TYPE_MASK |
			INTR_INFO_VECTOR_MASK)) {
	case INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI:
		vmx_handle_nmi();
		break;
	case INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_MC:
		handle_machine_check();
		break;
	}
}

/* One entry and its exit; the caller looks at failed and exit_reason. */
static void enter_once(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;

	if (vcpu->regs_dirty)
		write_dirty_regs(vmx);
	if (vmx->deadline_armed)
		vmx_timer_load(vmx);
	vmx->failed = enter_guest(vmx);
	vcpu->stat.entries++;

	vcpu->regs_avail &= ~REGS_IN_VMCS;
	vmx->seg_avail = 0;
	vmx->info_avail = 0;
	if (unlikely(vmx->failed))
		return;
	vmx->exit_reason = vmcs_read32(VM_EXIT_REASON);
	vcpu->rcu_due = vmx->exit_reason == EXIT_REASON_EXTERNAL_INTERRUPT;
	if (vcpu->rcu_due && vmx->exit & VM_EXIT_ACK_INTR_ON_EXIT)
		vcpu->host_vector = vmx_exit_intr_info(vmx) &
				    INTR_INFO_VECTOR_MASK;
	if (unlikely(vmx->exit_reason & EXIT_BUS_LOCKED)) {
		vmx->exit_reason &= ~EXIT_BUS_LOCKED;
		vcpu_bus_locked(vcpu);
	}
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		take_host_events(vmx);
		return;
	}
	vmx->enter.flags |= BIT(VMX_ENTER_LAUNCHED);
	vmx->launched = true;
	if (unlikely(vmx->pae_paging))
		vmx_read_pdptrs(vcpu);
	take_host_events(vmx);

	/* Delivered, unless the exit says otherwise. */
	vcpu->exception.injected = false;
	vcpu->interrupt.injected = false;
	vcpu->nmi_injected = false;
	if (vmx->exit_reason >= 64 ||
	    !(BIT_ULL(vmx->exit_reason) & EXITS_OF_INSNS))
		vmx_events_after_exit(vmx);
	vmx->entry_intr_info = 0;
}

static enum exit_kind hot_kind(u32 reason)
{
	switch (reason) {
	case EXIT_REASON_CPUID:
		return EXIT_CPUID;
	case EXIT_REASON_MSR_READ:
		return EXIT_RDMSR;
	case EXIT_REASON_MSR_WRITE:
		return EXIT_WRMSR;
	case EXIT_REASON_VMCALL:
		return EXIT_HYPERCALL;
	case EXIT_REASON_IO_INSTRUCTION:
		return EXIT_PIO;
	case EXIT_REASON_EPT_VIOLATION:
		return EXIT_PAGE_FAULT;
	}
	return EXIT_NONE;
}

/* The following: HOT_AGAIN, HOT_USERSPACE: @len bytes are to be skipped. HOT_NO. */

static enum hot hot_insn(struct vmx_vcpu *vmx, enum exit_kind kind, int *len)
{
	if (!hot_exit(&vmx->vcpu, kind))
		return HOT_NO;
	*len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
	return HOT_AGAIN;
}

static enum hot hot_pio(struct vmx_vcpu *vmx, int *len)
{
	u64 qual = vmcs_read(EXIT_QUALIFICATION);

	if (qual & IO_QUAL_STRING)
		return HOT_NO;
	*len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
	return io_pio_hot(&vmx->vcpu, IO_QUAL_PORT(qual), IO_QUAL_SIZE(qual),
			  qual & IO_QUAL_IN);
}

#define EPT_VIOLATION_FINAL	(EPT_VIOLATION_GVA_IS_VALID |		\
				 EPT_VIOLATION_GVA_TRANSLATED)

static enum hot hot_page_fault(struct vmx_vcpu *vmx, int *len)
{
	u64 qual = vmx_exit_qualification(vmx);
	struct vcpu *vcpu = &vmx->vcpu;
	enum hot hot;

	if ((qual & (EPT_VIOLATION_FINAL | EPT_VIOLATION_RWX_MASK |
		     EPT_VIOLATION_ACC_INSTR)) != EPT_VIOLATION_FINAL ||
	    vcpu_event_injected(vcpu) || !vcpu_64bit(vcpu))
		return HOT_NO;
	reg_cache(vcpu, REG_RSP);
	hot = mmio_hot(vcpu, vcpu_rip(vcpu), vmcs_read(GUEST_PHYSICAL_ADDRESS),
		       qual & EPT_VIOLATION_ACC_WRITE);
	*len = vcpu->io.skip;
	return hot;
}

/* Go past an instruction that was handled here: both registers are at hand. */
static void hot_skip(struct vcpu *vcpu, unsigned int len)
{
	u64 rip = vcpu->regs[REG_RIP], next = rip + len;
	u64 rflags = vcpu->regs[REG_RFLAGS];

	if (unlikely((rip ^ next) >> 32) && !vcpu_64bit(vcpu))
		next = (u32)next;
	reg_write(vcpu, REG_RIP, next);
	if (unlikely(rflags & X86_EFLAGS_RF))
		reg_write(vcpu, REG_RFLAGS, rflags & ~(u64)X86_EFLAGS_RF);
	if (unlikely(vmcs_read32(GUEST_INTERRUPTIBILITY_INFO) &
		     (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)))
		vmx_set_shadow(vcpu, 0);
}

/* Is the exit one that needs nobody else? */
static enum hot hot_exit_handle(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;
	enum exit_kind kind;
	enum hot hot;
	int len;

	if (unlikely(vmx->failed))
		return HOT_NO;
	kind = hot_kind(vmx->exit_reason);
	if (kind == EXIT_NONE || unlikely(vcpu->debug.control))
		return HOT_NO;
	/* Both are needed: not one by one, by vmx_cache_reg(). */
	vcpu->regs[REG_RIP] = vmcs_read(GUEST_RIP);
	vcpu->regs[REG_RFLAGS] = vmcs_read(GUEST_RFLAGS);
	vcpu->regs_avail |= BIT(REG_RIP) | BIT(REG_RFLAGS);
	/* A single-stepped one traps after it: the core's business. */
	if (unlikely(vcpu->regs[REG_RFLAGS] & X86_EFLAGS_TF))
		return HOT_NO;
	switch (kind) {
	case EXIT_PIO:
		hot = hot_pio(vmx, &len);
		break;
	case EXIT_PAGE_FAULT:
		hot = hot_page_fault(vmx, &len);
		break;
	default:
		hot = hot_insn(vmx, kind, &len);
		break;
	}
	if (hot == HOT_NO)
		return HOT_NO;
	if (len)
		hot_skip(vcpu, len);
	return hot_answered(vcpu, kind, hot);
}

/* Host fields that may have changed since the last run. */
static void write_host_state(struct vmx_vcpu *vmx)
{
	u64 cr3 = __read_cr3();
	u64 cr4 = __read_cr4();

	if (vmx->host_cr3 != cr3) {
		vmx->host_cr3 = cr3;
		vmcs_write(HOST_CR3, cr3);
	}
	if (vmx->host_cr4 != cr4) {
		vmx->host_cr4 = cr4;
		vmcs_write(HOST_CR4, cr4);
	}
}

static void load_guest_breakpoints(struct vcpu *vcpu)
{
	const u64 *dr = guest_debug_dr(vcpu);

	set_debugreg(0UL, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/**
 * vmx_run() - enter the guest until the core is needed
 * @vcpu: loaded, vmx_prepare_guest() was called
 *
 * Context: interrupts off.
 *
 * Return: what became of the last exit.
 */
enum hot vmx_run(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	bool steps = vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP &&
		     !vmx_caps.monitor_trap;
	unsigned int left = HOT_IN_A_ROW;
	enum hot hot;

	if (unlikely(steps))
		vmx_step_enter(vmx);
	write_host_state(vmx);
	if (unlikely(vcpu->dr7_hw & DR7_ENABLED))
		load_guest_breakpoints(vcpu);
	if (static_cpu_has(X86_FEATURE_MSR_SPEC_CTRL)) {
		vmx->enter.spec_guest = vcpu->spec_ctrl;
		vmx->enter.spec_host = this_cpu_read(x86_spec_ctrl_current);
	}

	hot = HOT_AGAIN;
	while (hot == HOT_AGAIN) {
		if (unlikely(!left-- || !vmx_take_posted(vmx))) {
			hot = HOT_DONE;
			break;
		}
		vmx_l1tf_flush(vmx);
		enter_once(vmx);
		hot = hot_exit_handle(vmx);
	}
	if (static_branch_unlikely(&vmx_l1tf_active))
		vmx_l1tf_after_run(vmx);
	if (unlikely(steps))
		vmx_step_exit(vmx);

	if (static_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		vcpu->spec_ctrl = vmx->enter.spec_guest;
	if (unlikely(READ_ONCE(vcpu->vm->mmu.cpu_logs)))
		vmx_pml_note(vmx);
	/* An exit leaves the host without breakpoints and branch tracing. */
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
	if (unlikely(vmx->host_debugctl))
		update_debugctlmsr(vmx->host_debugctl);
	return hot;
}
