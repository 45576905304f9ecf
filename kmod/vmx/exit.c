// SPDX-License-Identifier: GPL-2.0-only
/* What the CPU says of an exit, in neutral terms. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/nospec.h>
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "vmx.h"
#include "../core/regs.h"
#include "../x86/step.h"
#include "../x86/x86.h"

/* Bit fields of the exit qualifications: SDM volume 3, "Basic VM-Exit
 * Information".
 */

#define CR_QUAL_NR(q)		((q) & 15)
#define CR_QUAL_TYPE(q)		((q) >> 4 & 3)
#define CR_QUAL_REG(q)		((q) >> 8 & 15)
#define CR_QUAL_LMSW(q)		((u16)((q) >> LMSW_SOURCE_DATA_SHIFT))

enum { CR_TYPE_MOV_TO, CR_TYPE_MOV_FROM, CR_TYPE_CLTS, CR_TYPE_LMSW };

#define TASK_QUAL_SELECTOR(q)	((u16)(q))
#define TASK_QUAL_SOURCE(q)	((q) >> 30 & 3)

static void decode_exception(struct vmx_vcpu *vmx, struct exit *exit)
{
	u32 info = vmx_exit_intr_info(vmx);
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	/* The host's, and done with: vmx_run(). */
	if (type == INTR_TYPE_NMI_INTR || vector == X86_TRAP_MC) {
		exit->kind = EXIT_NMI;
		return;
	}
	exit->exc.vector = vector;
	exit->exc.has_error = info & INTR_INFO_DELIVER_CODE_MASK;
	if (exit->exc.has_error)
		exit->exc.error = vmcs_read32(VM_EXIT_INTR_ERROR_CODE);
	if (vector == X86_TRAP_DB || vector == X86_TRAP_PF)
		exit->exc.payload = vmx_exit_qualification(vmx);
	if (type == INTR_TYPE_SOFT_EXCEPTION ||
	    type == INTR_TYPE_PRIV_SW_EXCEPTION) {
		exit->insn_len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
		vmx->event_len = exit->insn_len;
	}
	if (vector != X86_TRAP_DB)
		return;

	/* INT1 is a trap: the guest's handler returns to what follows it. */
	if (type == INTR_TYPE_PRIV_SW_EXCEPTION) {
		reg_write(&vmx->vcpu, REG_RIP,
			  vcpu_rip(&vmx->vcpu) + exit->insn_len);
		vmx_set_shadow(&vmx->vcpu, 0);
	} else if (vcpu_rflags(&vmx->vcpu) & X86_EFLAGS_TF &&
		   vmx_get_shadow(&vmx->vcpu)) {
		vmx_keep_step_pending();
	}
	if (vmx->vcpu.debug.step == STEP_INSN)
		step_decode(&vmx->vcpu, exit, vmx_step_own(vmx));
}

static void decode_irq_window(struct vmx_vcpu *vmx, struct exit *exit)
{
	vmx_write_cpu(vmx, vmx->cpu & ~CPU_BASED_INTR_WINDOW_EXITING);
}

static void decode_nmi_window(struct vmx_vcpu *vmx, struct exit *exit)
{
	vmx_write_cpu(vmx, vmx->cpu & ~CPU_BASED_NMI_WINDOW_EXITING);
}

static void decode_task_switch(struct vmx_vcpu *vmx, struct exit *exit)
{
	u64 qual = vmx_exit_qualification(vmx);

	exit->task.selector = TASK_QUAL_SELECTOR(qual);
	exit->task.reason = TASK_QUAL_SOURCE(qual);
}

static void decode_invlpg(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->invlpg = vmx_exit_qualification(vmx);
}

static void decode_cr(struct vmx_vcpu *vmx, struct exit *exit)
{
	u64 qual = vmx_exit_qualification(vmx);

	exit->cr.decode = false;
	exit->cr.nr = CR_QUAL_NR(qual);
	exit->cr.reg = CR_QUAL_REG(qual);
	switch (CR_QUAL_TYPE(qual)) {
	case CR_TYPE_MOV_TO:
		exit->cr.op = CR_MOV;
		exit->cr.write = true;
		break;
	case CR_TYPE_MOV_FROM:
		exit->cr.op = CR_MOV;
		exit->cr.write = false;
		break;
	case CR_TYPE_CLTS:
		exit->cr.op = CR_CLTS;
		exit->cr.write = true;
		break;
	case CR_TYPE_LMSW:
		exit->cr.op = CR_LMSW;
		exit->cr.write = true;
		exit->cr.lmsw = CR_QUAL_LMSW(qual);
		break;
	}
}

static void decode_dr(struct vmx_vcpu *vmx, struct exit *exit)
{
	u64 qual = vmx_exit_qualification(vmx);

	exit->cr.decode = false;
	exit->cr.op = CR_MOV;
	exit->cr.nr = qual & DEBUG_REG_ACCESS_NUM;
	exit->cr.reg = DEBUG_REG_ACCESS_REG(qual);
	exit->cr.write = !(qual & TYPE_MOV_FROM_DR);
}

static void decode_io(struct vmx_vcpu *vmx, struct exit *exit)
{
	u64 qual = vmx_exit_qualification(vmx);

	exit->pio.port = IO_QUAL_PORT(qual);
	exit->pio.size = IO_QUAL_SIZE(qual);
	exit->pio.in = qual & IO_QUAL_IN;
	exit->pio.string = qual & IO_QUAL_STRING;
}

static void decode_ept_violation(struct vmx_vcpu *vmx, struct exit *exit)
{
	u64 qual = vmx_exit_qualification(vmx);
	u32 access = 0;

	if (qual & EPT_VIOLATION_ACC_WRITE)
		access |= PF_WRITE;
	if (qual & EPT_VIOLATION_ACC_INSTR)
		access |= PF_EXEC;
	if (qual & EPT_VIOLATION_RWX_MASK)
		access |= PF_PRESENT;
	if (qual & EPT_VIOLATION_GVA_IS_VALID)
		access |= qual & EPT_VIOLATION_GVA_TRANSLATED ? PF_FINAL :
								PF_WALK;
	exit->fault.access = access;
	exit->fault.gpa = vmcs_read(GUEST_PHYSICAL_ADDRESS);
	exit->hw_info2 = exit->fault.gpa;
}

static void decode_notify(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->notify.invalid = vmx_exit_qualification(vmx) &
			       NOTIFY_VM_CONTEXT_INVALID;
}

static void decode_apic_eoi(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->apic.op = APIC_EXIT_EOI;
	exit->apic.vector = vmx_exit_qualification(vmx);
}

static void decode_apic_write(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->apic.op = APIC_EXIT_WRITE;
	exit->apic.reg = vmx_exit_qualification(vmx) & 0xff0;
}

static void decode_log_full(struct vmx_vcpu *vmx, struct exit *exit)
{
	vmx_pml_full(vmx);
}

/* No entry of our tables is malformed: see mmu/spte.h. */
static void decode_ept_misconfig(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->hw_info2 = vmcs_read(GUEST_PHYSICAL_ADDRESS);
	pr_err_ratelimited("EPT misconfiguration at guest physical %#llx\n",
			   exit->hw_info2);
}

#define D_LEN	BIT(0)	/* an instruction's exit: its length is reported */

/**
 * struct decoder - an exit reason
 * @kind: what it is to the core
 * @flags: D_*
 * @fn: fills in the details, may change the kind; NULL: there are none
 */
struct decoder {
	u8 kind;
	u8 flags;
	void (*fn)(struct vmx_vcpu *vmx, struct exit *exit);
};

#define INSN(kind_)	{ .kind = EXIT_##kind_, .flags = D_LEN }

static const struct decoder decoders[] = {
	[EXIT_REASON_EXCEPTION_NMI] = { EXIT_EXCEPTION, 0, decode_exception },
	[EXIT_REASON_EXTERNAL_INTERRUPT] = { EXIT_INTR },
	[EXIT_REASON_TRIPLE_FAULT] = { EXIT_TRIPLE_FAULT },
	[EXIT_REASON_INIT_SIGNAL] = { EXIT_INTR },	/* the host's: dropped */
	[EXIT_REASON_SIPI_SIGNAL] = { EXIT_INTR },
	[EXIT_REASON_INTERRUPT_WINDOW] = { EXIT_IRQ_WINDOW, 0, decode_irq_window },
	[EXIT_REASON_NMI_WINDOW] = { EXIT_NMI_WINDOW, 0, decode_nmi_window },
	[EXIT_REASON_TASK_SWITCH] = { EXIT_TASK_SWITCH, D_LEN, decode_task_switch },
	[EXIT_REASON_CPUID] = INSN(CPUID),
	[EXIT_REASON_HLT] = INSN(HLT),
	[EXIT_REASON_INVD] = INSN(INVD),
	[EXIT_REASON_INVLPG] = { EXIT_INVLPG, D_LEN, decode_invlpg },
	[EXIT_REASON_RDPMC] = INSN(RDPMC),
	[EXIT_REASON_RDTSC] = INSN(RDTSC),
	[EXIT_REASON_RDTSCP] = INSN(RDTSCP),
	[EXIT_REASON_VMCALL] = INSN(HYPERCALL),
	[EXIT_REASON_VMCLEAR] = INSN(UNDEFINED),
	[EXIT_REASON_VMLAUNCH] = INSN(UNDEFINED),
	[EXIT_REASON_VMPTRLD] = INSN(UNDEFINED),
	[EXIT_REASON_VMPTRST] = INSN(UNDEFINED),
	[EXIT_REASON_VMREAD] = INSN(UNDEFINED),
	[EXIT_REASON_VMRESUME] = INSN(UNDEFINED),
	[EXIT_REASON_VMWRITE] = INSN(UNDEFINED),
	[EXIT_REASON_VMOFF] = INSN(UNDEFINED),
	[EXIT_REASON_VMON] = INSN(UNDEFINED),
	[EXIT_REASON_INVEPT] = INSN(UNDEFINED),
	[EXIT_REASON_INVVPID] = INSN(UNDEFINED),
	[EXIT_REASON_VMFUNC] = INSN(UNDEFINED),
	[EXIT_REASON_ENCLS] = INSN(UNDEFINED),
	[EXIT_REASON_XSAVES] = INSN(UNDEFINED),
	[EXIT_REASON_XRSTORS] = INSN(UNDEFINED),
	[EXIT_REASON_CR_ACCESS] = { EXIT_CR, D_LEN, decode_cr },
	[EXIT_REASON_DR_ACCESS] = { EXIT_DR, D_LEN, decode_dr },
	[EXIT_REASON_IO_INSTRUCTION] = { EXIT_PIO, D_LEN, decode_io },
	[EXIT_REASON_MSR_READ] = INSN(RDMSR),
	[EXIT_REASON_MSR_WRITE] = INSN(WRMSR),
	[EXIT_REASON_MWAIT_INSTRUCTION] = INSN(MWAIT),
	[EXIT_REASON_MONITOR_TRAP_FLAG] = { EXIT_STEP },
	[EXIT_REASON_MONITOR_INSTRUCTION] = INSN(MONITOR),
	[EXIT_REASON_PAUSE_INSTRUCTION] = INSN(PAUSE),
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = { EXIT_TPR_BELOW },
	[EXIT_REASON_EOI_INDUCED] = { EXIT_APIC, 0, decode_apic_eoi },
	[EXIT_REASON_APIC_WRITE] = { EXIT_APIC, 0, decode_apic_write },
	[EXIT_REASON_EPT_VIOLATION] = { EXIT_PAGE_FAULT, 0, decode_ept_violation },
	[EXIT_REASON_EPT_MISCONFIG] = { EXIT_UNKNOWN, 0, decode_ept_misconfig },
	[EXIT_REASON_PREEMPTION_TIMER] = { EXIT_PREEMPT_TIMER },
	[EXIT_REASON_WBINVD] = INSN(WBINVD),
	[EXIT_REASON_PML_FULL] = { EXIT_LOG_FULL, 0, decode_log_full },
	[EXIT_REASON_XSETBV] = INSN(XSETBV),
	[EXIT_REASON_BUS_LOCK] = { EXIT_BUS_LOCK },
	[EXIT_REASON_NOTIFY] = { EXIT_NOTIFY, 0, decode_notify },
};

/* GETSEC has no name in <asm/vmx.h>: a guest without SMX gets #UD. */
#define EXIT_REASON_GETSEC	11

/* The core reports it, with vmx_dump() among the rest. */
static void decode_failure(struct vmx_vcpu *vmx, struct exit *exit)
{
	exit->kind = EXIT_ENTRY_FAILED;
	if (vmx->failed) {
		exit->fail.hw_code = vmcs_read32(VM_INSTRUCTION_ERROR);
		exit->hw_info1 = exit->fail.hw_code;
	} else {
		exit->fail.hw_code = vmx->exit_reason;
		exit->hw_info1 = vmx_exit_qualification(vmx);
	}
}

/**
 * vmx_decode_exit() - the last exit, for core/exit.c
 * @vcpu: loaded
 *
 * Fills vcpu->exit.
 */
void vmx_decode_exit(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 reason = vmx->exit_reason;
	struct exit *exit = &vcpu->exit;
	const struct decoder *d;

	exit->insn_len = 0;
	exit->insn_bytes = 0;
	exit->hw_reason = reason;
	exit->hw_info1 = 0;
	exit->hw_info2 = 0;
	if (unlikely(vmx->failed || reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		decode_failure(vmx, exit);
		return;
	}
	if (reason == EXIT_REASON_GETSEC) {
		exit->kind = EXIT_UNDEFINED;
		return;
	}
	exit->kind = EXIT_UNKNOWN;
	if (reason >= ARRAY_SIZE(decoders))
		return;
	d = &decoders[array_index_nospec(reason, ARRAY_SIZE(decoders))];
	if (d->kind == EXIT_NONE)
		return;
	exit->kind = d->kind;
	if (d->flags & D_LEN)
		exit->insn_len = vmcs_read32(VM_EXIT_INSTRUCTION_LEN);
	if (d->fn)
		d->fn(vmx, exit);
	if (vmx->info_avail & INFO_QUALIFICATION)
		exit->hw_info1 = vmx->exit_qualification;
}
