// SPDX-License-Identifier: GPL-2.0-only
/* The VMCB for people to read. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/printk.h>

#include "svm.h"

static void dump_control(const struct vmcb_control_area *c)
{
	pr_err("  intercepts cr %08x dr %08x exceptions %08x %08x %08x %08x\n",
	       c->intercepts[INTERCEPT_CR], c->intercepts[INTERCEPT_DR],
	       c->intercepts[INTERCEPT_EXCEPTION],
	       c->intercepts[INTERCEPT_WORD3], c->intercepts[INTERCEPT_WORD4],
	       c->intercepts[INTERCEPT_WORD5]);
	pr_err("  iopm %llx msrpm %llx nested_ctl %llx nested_cr3 %llx virt_ext %llx\n",
	       c->iopm_base_pa, c->msrpm_base_pa, c->nested_ctl,
	       c->nested_cr3, c->virt_ext);
	pr_err("  asid %u tlb_ctl %u clean %08x tsc_offset %llx pause %u/%u\n",
	       c->asid, c->tlb_ctl, c->clean, c->tsc_offset,
	       c->pause_filter_count, c->pause_filter_thresh);
	pr_err("  int_ctl %08x int_vector %x int_state %x event_inj %08x error %x\n",
	       c->int_ctl, c->int_vector, c->int_state, c->event_inj,
	       c->event_inj_err);
	pr_err("  exit %08x:%08x info %llx %llx int_info %08x error %x next_rip %llx\n",
	       c->exit_code_hi, c->exit_code, c->exit_info_1, c->exit_info_2,
	       c->exit_int_info, c->exit_int_info_err, c->next_rip);
}

static void dump_segment(const char *name, const struct vmcb_seg *s)
{
	pr_err("  %-4s %04x attrib %04x limit %08x base %016llx\n", name,
	       s->selector, s->attrib, s->limit, s->base);
}

static void dump_segments(const struct vmcb_save_area *s)
{
	dump_segment("cs", &s->cs);
	dump_segment("ss", &s->ss);
	dump_segment("ds", &s->ds);
	dump_segment("es", &s->es);
	dump_segment("fs", &s->fs);
	dump_segment("gs", &s->gs);
	dump_segment("tr", &s->tr);
	dump_segment("ldtr", &s->ldtr);
	dump_segment("gdtr", &s->gdtr);
	dump_segment("idtr", &s->idtr);
}

static void dump_save(const struct vmcb_save_area *s)
{
	pr_err("  cpl %u efer %llx cr0 %llx cr2 %llx cr3 %llx cr4 %llx\n",
	       s->cpl, s->efer, s->cr0, s->cr2, s->cr3, s->cr4);
	pr_err("  rip %llx rsp %llx rflags %llx rax %llx dr6 %llx dr7 %llx\n",
	       s->rip, s->rsp, s->rflags, s->rax, s->dr6, s->dr7);
	pr_err("  star %llx lstar %llx cstar %llx sfmask %llx kernel_gs_base %llx\n",
	       s->star, s->lstar, s->cstar, s->sfmask, s->kernel_gs_base);
	pr_err("  sysenter cs %llx esp %llx eip %llx pat %llx dbgctl %llx\n",
	       s->sysenter_cs, s->sysenter_esp, s->sysenter_eip, s->g_pat,
	       s->dbgctl);
}

/**
 * svm_dump() - print the VMCB
 * @vcpu: mutex held; the caller limits the rate
 */
void svm_dump(struct vcpu *vcpu)
{
	const struct svm_vcpu *svm = to_svm(vcpu);

	pr_err("VMCB at %llx, last run on CPU %d\n", svm->vmcb_pa,
	       vcpu->last_cpu);
	dump_control(&svm->vmcb->control);
	dump_segments(&svm->vmcb->save);
	dump_save(&svm->vmcb->save);
}
