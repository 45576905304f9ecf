// SPDX-License-Identifier: GPL-2.0-only
/* The VMCB: its life, its controls, and the guest's state at reset. */
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/trapnr.h>

#include "svm.h"
#include "../core/regs.h"

/* Whatever the guest's CPUID says, these exit. */
static const u8 intercepts[] = {
	INTERCEPT_SELECTIVE_CR0,
	INTERCEPT_CR4_WRITE,
	INTERCEPT_INTR,
	INTERCEPT_NMI,
	INTERCEPT_SMI,
	INTERCEPT_INIT,
	INTERCEPT_RDPMC,
	INTERCEPT_CPUID,
	INTERCEPT_INVD,
	INTERCEPT_RSM,
	INTERCEPT_INVLPGA,
	INTERCEPT_IOIO_PROT,
	INTERCEPT_MSR_PROT,
	INTERCEPT_TASK_SWITCH,
	INTERCEPT_FERR_FREEZE,
	INTERCEPT_SHUTDOWN,
	INTERCEPT_VMRUN,
	INTERCEPT_VMMCALL,
	INTERCEPT_VMLOAD,
	INTERCEPT_VMSAVE,
	INTERCEPT_STGI,
	INTERCEPT_CLGI,
	INTERCEPT_SKINIT,
	INTERCEPT_WBINVD,
	INTERCEPT_XSETBV,
};

/*
 * A guest may make #DB and #AC fault without end inside their own delivery, which no
 * interrupt interrupts. #UD may be the other vendor's hypercall. #MC is the host's,
 * whoever runs.
 */
#define EXCEPTIONS	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_UD) |		\
			 BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/**
 * svm_intercept_exceptions() - which exceptions exit
 * @vmcb: of a vCPU whose mutex is held, or that is new
 * @more: bits of vectors, beyond those that always do
 */
void svm_intercept_exceptions(struct vmcb *vmcb, u32 more)
{
	vmcb->control.intercepts[INTERCEPT_EXCEPTION] = EXCEPTIONS | more;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTERCEPTS);
}

/* What the VMM may do without. */
static void init_optional(struct vmcb *vmcb, u32 disabled)
{
	struct vmcb_control_area *control = &vmcb->control;

	if (!(disabled & KVM_X86_DISABLE_EXITS_HLT))
		vmcb_set_intercept(vmcb, INTERCEPT_HLT);
	if (!(disabled & KVM_X86_DISABLE_EXITS_MWAIT)) {
		vmcb_set_intercept(vmcb, INTERCEPT_MONITOR);
		vmcb_set_intercept(vmcb, INTERCEPT_MWAIT);
	}
	if (svm_caps.pause_filter &&
	    !(disabled & KVM_X86_DISABLE_EXITS_PAUSE)) {
		control->pause_filter_count = svm_pause_count;
		if (svm_caps.pause_threshold)
			control->pause_filter_thresh = svm_pause_window;
		vmcb_set_intercept(vmcb, INTERCEPT_PAUSE);
	}
}

static void vmcb_init_controls(struct vmcb *vmcb, const struct vm *vm)
{
	struct vmcb_control_area *control = &vmcb->control;
	int i;

	for (i = 0; i < ARRAY_SIZE(intercepts); i++)
		vmcb_set_intercept(vmcb, intercepts[i]);
	svm_intercept_exceptions(vmcb, 0);
	/* No guest is told of RDPRU: #UD, where the CPU has it at all. */
	if (boot_cpu_has(X86_FEATURE_RDPRU))
		vmcb_set_intercept(vmcb, INTERCEPT_RDPRU);
	init_optional(vmcb, vm->disabled_exits);
	control->iopm_base_pa = svm_iopm_pa();
	/* The host's RFLAGS.IF decides on the host's interrupts, the guest's
	 * TPR is V_TPR.
	 */
	control->int_ctl = V_INTR_MASKING_MASK;
	control->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	control->nested_cr3 = INVALID_HPA;
}

/**
 * svm_vmcb_create() - a vCPU's VMCB and MSR permission map
 * @svm: new
 *
 * Return: 0 or -ENOMEM
 */
int svm_vmcb_create(struct svm_vcpu *svm)
{
	svm->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb)
		return -ENOMEM;
	if (svm_msrpm_create(svm)) {
		free_page((unsigned long)svm->vmcb);
		svm->vmcb = NULL;
		return -ENOMEM;
	}
	svm->vmcb_pa = __sme_pa(svm->vmcb);
	vmcb_init_controls(svm->vmcb, svm->vcpu.vm);
	svm_debug_trap(svm);
	svm->vmcb->save.g_pat = PAT_RESET;
	return 0;
}

/**
 * svm_vmcb_destroy() - free it
 * @svm: not loaded
 *
 * A CPU may still remember this VMCB as the last it ran: a later one at the
 * same address must not pass for it.
 */
void svm_vmcb_destroy(struct svm_vcpu *svm)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu(svm_cpu, cpu).last_vmcb, svm->vmcb, NULL);
	svm_msrpm_destroy(svm);
	free_page((unsigned long)svm->vmcb);
	svm->vmcb = NULL;
}

/** svm_write_tsc() - vcpu->tsc_offset or vcpu->tsc_ratio changed */
void svm_write_tsc(struct vcpu *vcpu)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	vmcb->control.tsc_offset = vcpu->tsc_offset;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_INTERCEPTS);
	preempt_disable();
	if (vcpu->cpu == smp_processor_id())
		svm_load_tsc_ratio(vcpu->tsc_ratio);
	preempt_enable();
}

/**
 * svm_vcpu_reset() - power-up or INIT: what no other op sets
 * @vcpu: mutex held, loaded
 * @init: INIT, which leaves MSRs as they are
 *
 * The core sets registers, segments and control registers after it.
 */
void svm_vcpu_reset(struct vcpu *vcpu, bool init)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	struct vmcb_save_area *save = &vmcb->save;

	vmcb->control.int_state = 0;
	vmcb->control.event_inj = 0;
	vmcb->control.exit_int_info = 0;
	svm_irq_window_close(svm);
	svm->nmi_step = false;
	svm->exit_now = false;
	svm->intn_len = 0;
	svm->soft_len = 0;
	svm_set_nmi_mask(vcpu, false);
	svm_write_tsc(vcpu);	/* a new vCPU's was set before this */
	/* Without a controller in the kernel the VMM follows CR8. */
	vmcb_intercept(vmcb, INTERCEPT_CR8_WRITE, !vcpu->lapic);
	if (!init) {
		save->g_pat = PAT_RESET;
		save->star = 0;
		save->lstar = 0;
		save->cstar = 0;
		save->sfmask = 0;
		save->kernel_gs_base = 0;
		save->sysenter_cs = 0;
		save->sysenter_esp = 0;
		save->sysenter_eip = 0;
		save->spec_ctrl = 0;
		svm->spec_ctrl.guest = 0;
	}
	vmcb->control.clean = 0;
	svm_flush_tlb(vcpu);
}

/**
 * svm_cpuid_changed() - recompute what depends on the guest's features
 * @vcpu: mutex held; vcpu->feat is set
 */
void svm_cpuid_changed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	vmcb_intercept(vmcb, INTERCEPT_RDTSCP, !vcpu->feat.rdtscp);
	if (boot_cpu_has(X86_FEATURE_INVPCID))
		vmcb_intercept(vmcb, INTERCEPT_INVPCID, !vcpu->feat.invpcid);
	svm_msrpm_cpuid(vcpu);
}
