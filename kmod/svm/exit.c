// SPDX-License-Identifier: GPL-2.0-only
/* What the CPU reported, put into neutral words. Nothing is decided here. */
#include <linux/nospec.h>
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"
#include "../x86/step.h"

#define CR_INFO_MOV		BIT_ULL(63)	/* a MOV, and its GPR is told */
#define TASK_INFO_IRET		BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_IRET)
#define TASK_INFO_JMP		BIT_ULL(SVM_EXITINFOSHIFT_TS_REASON_JMP)

/* Why a task switch was asked for, numbered as both vendors' manuals do. */
enum task_reason { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

/* Exits with nothing to tell but their kind. */
static const u8 plain_kinds[] = {
	[SVM_EXIT_INTR] = EXIT_INTR,
	[SVM_EXIT_NMI] = EXIT_NMI,
	[SVM_EXIT_SMI] = EXIT_SMI,
	[SVM_EXIT_INIT] = EXIT_INTR,	/* the host's, still pending */
	[SVM_EXIT_VINTR] = EXIT_IRQ_WINDOW,
	[SVM_EXIT_IRET] = EXIT_NMI_WINDOW,
	[SVM_EXIT_RDTSC] = EXIT_RDTSC,
	[SVM_EXIT_RSM] = EXIT_RSM,
	[SVM_EXIT_RDPMC] = EXIT_RDPMC,
	[SVM_EXIT_CPUID] = EXIT_CPUID,
	[SVM_EXIT_INVD] = EXIT_INVD,
	[SVM_EXIT_PAUSE] = EXIT_PAUSE,
	[SVM_EXIT_HLT] = EXIT_HLT,
	[SVM_EXIT_INVLPGA] = EXIT_UNDEFINED,
	[SVM_EXIT_SHUTDOWN] = EXIT_TRIPLE_FAULT,
	[SVM_EXIT_VMRUN] = EXIT_UNDEFINED,
	[SVM_EXIT_VMMCALL] = EXIT_HYPERCALL,
	[SVM_EXIT_VMLOAD] = EXIT_UNDEFINED,
	[SVM_EXIT_VMSAVE] = EXIT_UNDEFINED,
	[SVM_EXIT_STGI] = EXIT_UNDEFINED,
	[SVM_EXIT_CLGI] = EXIT_UNDEFINED,
	[SVM_EXIT_SKINIT] = EXIT_UNDEFINED,
	[SVM_EXIT_RDTSCP] = EXIT_UNDEFINED,	/* only where the guest has none */
	[SVM_EXIT_WBINVD] = EXIT_WBINVD,
	[SVM_EXIT_MONITOR] = EXIT_MONITOR,
	[SVM_EXIT_MWAIT] = EXIT_MWAIT,
	[SVM_EXIT_MWAIT_COND] = EXIT_MWAIT,
	[SVM_EXIT_XSETBV] = EXIT_XSETBV,
	[SVM_EXIT_RDPRU] = EXIT_UNDEFINED,
	[SVM_EXIT_INVPCID] = EXIT_UNDEFINED,	/* likewise */
};

static void decode_cr(const struct vmcb_control_area *control, struct exit *e)
{
	u32 code = control->exit_code;

	e->kind = EXIT_CR;
	e->cr.op = CR_MOV;
	e->cr.lmsw = 0;
	if (code == SVM_EXIT_CR0_SEL_WRITE) {
		e->cr.nr = 0;
		e->cr.write = true;
	} else {
		e->cr.nr = code & 0xf;
		e->cr.write = code >= SVM_EXIT_WRITE_CR0;
	}
	/* CLTS, LMSW and SMSW are not told apart: the emulator looks. */
	e->cr.decode = !svm_caps.decode_assists ||
		       !(control->exit_info_1 & CR_INFO_MOV);
	e->cr.reg = control->exit_info_1 & SVM_EXITINFO_REG_MASK;
}

/* A step that was ours alone ends at a window, not in the guest's handler. */
static bool our_step(struct svm_vcpu *svm)
{
	u64 pending = svm->vmcb->save.dr6 ^ DR6_FIXED;

	return svm->stepped && !(svm->step_rflags & X86_EFLAGS_TF) &&
	       !(pending & DR_TRAP_BITS);
}

static void decode_exception(struct svm_vcpu *svm, struct exit *e)
{
	const struct guest_debug *debug = &svm->vcpu.debug;
	const struct vmcb *vmcb = svm->vmcb;

	e->kind = EXIT_EXCEPTION;
	e->exc.vector = vmcb->control.exit_code - SVM_EXIT_EXCP_BASE;
	e->exc.has_error = false;
	e->exc.error = 0;
	e->exc.payload = 0;
	switch (e->exc.vector) {
	case X86_TRAP_DB:
		if (our_step(svm)) {
			e->kind = EXIT_NMI_WINDOW;
			if (svm->debug_native)
				svm->vcpu.dr6 = vmcb->save.dr6 & ~(u64)DR_STEP;
		}
		e->exc.payload = vmcb->save.dr6 ^ DR6_FIXED;
		if (debug->step == STEP_INSN)
			step_decode(&svm->vcpu, e, debug->step_tf);
		break;
	/* But for #AC only while a debugger steps. */
	case X86_TRAP_PF:
		e->exc.payload = vmcb->control.exit_info_2;
		fallthrough;
	case X86_TRAP_DF:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
	case X86_TRAP_AC:
		e->exc.has_error = true;
		e->exc.error = vmcb->control.exit_info_1;
		break;
	}
}

static void decode_dr(struct svm_vcpu *svm, struct exit *e)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	u32 code = control->exit_code;

	if (!svm->vcpu.debug.control && !svm_caps.tcg) {
		/* The guest executes it again, without an exit. */
		svm_debug_give(svm);
		return;
	}
	e->kind = EXIT_DR;
	e->cr.op = CR_MOV;
	e->cr.nr = code & 0xf;
	e->cr.write = code >= SVM_EXIT_WRITE_DR0;
	e->cr.decode = !svm_caps.decode_assists;
	e->cr.reg = control->exit_info_1 & SVM_EXITINFO_REG_MASK;
}

static void decode_pio(const struct vmcb *vmcb, struct exit *e)
{
	u64 info = vmcb->control.exit_info_1;

	e->kind = EXIT_PIO;
	e->pio.port = info >> 16;
	e->pio.size = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	e->pio.in = info & SVM_IOIO_TYPE_MASK;
	e->pio.string = info & SVM_IOIO_STR_MASK;
	/* Of all exits this one tells the next RIP on every CPU. */
	e->insn_len = vmcb->control.exit_info_2 - vmcb->save.rip;
}

static void decode_msr(const struct vmcb_control_area *control, struct exit *e)
{
	e->kind = control->exit_info_1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
}

static void decode_task_switch(const struct vmcb_control_area *control,
			       struct exit *e)
{
	e->kind = EXIT_TASK_SWITCH;
	e->task.selector = control->exit_info_1;
	if (control->exit_info_2 & TASK_INFO_IRET)
		e->task.reason = TASK_IRET;
	else if (control->exit_info_2 & TASK_INFO_JMP)
		e->task.reason = TASK_JMP;
	else if (control->exit_int_info & SVM_EXITINTINFO_VALID)
		e->task.reason = TASK_GATE;
	else
		e->task.reason = TASK_CALL;
}

static void decode_npf(const struct vmcb_control_area *control, struct exit *e)
{
	u64 info = control->exit_info_1;

	e->kind = EXIT_PAGE_FAULT;
	e->fault.gpa = control->exit_info_2;
	e->fault.access = 0;
	if (info & NPF_INFO_WRITE)
		e->fault.access |= PF_WRITE;
	if (info & NPF_INFO_FETCH)
		e->fault.access |= PF_EXEC;
	if (info & NPF_INFO_PRESENT)
		e->fault.access |= PF_PRESENT;
	if (info & NPF_INFO_WALK)
		e->fault.access |= PF_WALK;
	if (info & NPF_INFO_FINAL)
		e->fault.access |= PF_FINAL;
	if (svm_caps.decode_assists) {
		e->insn_bytes = min_t(u8, control->insn_len, sizeof(e->insn));
		memcpy(e->insn, control->insn_bytes, sizeof(e->insn));
	}
}

/* An instruction's length from the next RIP that the CPU saved, or 0. */
static u8 next_rip_len(const struct vmcb *vmcb)
{
	u64 len = vmcb->control.next_rip - vmcb->save.rip;

	return svm_caps.nrips && vmcb->control.next_rip && len <= 15 ? len : 0;
}

static void decode_plain(struct exit *e, u32 code)
{
	if (code < ARRAY_SIZE(plain_kinds))
		e->kind = plain_kinds[array_index_nospec(code,
						ARRAY_SIZE(plain_kinds))];
	if (e->kind == EXIT_NONE)
		e->kind = EXIT_UNKNOWN;
}

/**
 * svm_decode_exit() - fill vcpu->exit from the VMCB
 * @vcpu: loaded, came out of svm_run(); interrupts on
 */
void svm_decode_exit(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	const struct vmcb *vmcb = svm->vmcb;
	const struct vmcb_control_area *control = &vmcb->control;
	u32 code = control->exit_code;
	struct exit *e = &vcpu->exit;

	e->kind = EXIT_NONE;
	e->hw_reason = code;
	e->hw_info1 = control->exit_info_1;
	e->hw_info2 = control->exit_info_2;
	e->insn_bytes = 0;
	e->insn_len = next_rip_len(vmcb);

	switch (code) {
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_CR0 + 0xf:
	case SVM_EXIT_CR0_SEL_WRITE:
		decode_cr(control, e);
		break;
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR0 + 0xf:
		decode_dr(svm, e);
		break;
	case SVM_EXIT_SWINT:
		svm_decode_intn(svm, e);
		break;
	case SVM_EXIT_EXCP_BASE ... SVM_EXIT_LAST_EXCP:
		decode_exception(svm, e);
		break;
	case SVM_EXIT_IOIO:
		decode_pio(vmcb, e);
		break;
	case SVM_EXIT_MSR:
		decode_msr(control, e);
		break;
	case SVM_EXIT_TASK_SWITCH:
		decode_task_switch(control, e);
		break;
	case SVM_EXIT_NPF:
		decode_npf(control, e);
		break;
	case (u32)SVM_EXIT_ERR:
		e->kind = EXIT_ENTRY_FAILED;
		e->fail.hw_code = (u64)control->exit_code_hi << 32 | code;
		break;
	case SVM_EXIT_VINTR:
		svm_irq_window_close(svm);
		decode_plain(e, code);
		break;
	case SVM_EXIT_IRET:
		svm_nmi_iret(svm);
		decode_plain(e, code);
		break;
	default:
		decode_plain(e, code);
		break;
	}
}
