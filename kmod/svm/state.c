// SPDX-License-Identifier: GPL-2.0-only
/* The guest's registers that live in the VMCB. */
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "svm.h"

/* Bits that the guest changes without an exit, while CR0 writes exit only
 * selectively.
 */
#define CR0_GUEST_OWNED		(X86_CR0_TS | X86_CR0_MP)
/* Never given to the hardware: they would slow the host's memory down. */
#define CR0_HOST_OWNED		(X86_CR0_CD | X86_CR0_NW)

/** svm_cache_reg() - nothing to do: svm_run() leaves all of them available */
void svm_cache_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
}

static struct vmcb_seg *vmcb_segment(struct vcpu *vcpu, enum vcpu_sreg which)
{
	struct vmcb_save_area *save = &to_svm(vcpu)->vmcb->save;

	switch (which) {
	case VCPU_SREG_ES:
		return &save->es;
	case VCPU_SREG_CS:
		return &save->cs;
	case VCPU_SREG_SS:
		return &save->ss;
	case VCPU_SREG_DS:
		return &save->ds;
	case VCPU_SREG_FS:
		return &save->fs;
	case VCPU_SREG_GS:
		return &save->gs;
	case VCPU_SREG_TR:
		return &save->tr;
	default:
		return &save->ldtr;
	}
}

/**
 * svm_get_segment() - a segment register with its hidden part
 * @vcpu: mutex held
 * @seg: out
 * @which: which
 */
void svm_get_segment(struct vcpu *vcpu, struct kvm_segment *seg,
		     enum vcpu_sreg which)
{
	const struct vmcb_seg *s = vmcb_segment(vcpu, which);
	u16 attrib = s->attrib;

	*seg = (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = attrib & SVM_SELECTOR_TYPE_MASK,
		.s = (attrib >> SVM_SELECTOR_S_SHIFT) & 1,
		.dpl = (attrib >> SVM_SELECTOR_DPL_SHIFT) & 3,
		.present = (attrib >> SVM_SELECTOR_P_SHIFT) & 1,
		.avl = (attrib >> SVM_SELECTOR_AVL_SHIFT) & 1,
		.l = (attrib >> SVM_SELECTOR_L_SHIFT) & 1,
		.db = (attrib >> SVM_SELECTOR_DB_SHIFT) & 1,
		/* Not every CPU keeps G: the limit tells. */
		.g = s->limit > 0xfffff,
	};
	/* The CPU clears P where a null selector was loaded. */
	seg->unusable = !seg->present;
	if (which == VCPU_SREG_TR) {
		seg->type |= 2;	/* busy, whatever the CPU keeps */
	} else if (which == VCPU_SREG_SS) {
		seg->dpl = to_svm(vcpu)->vmcb->save.cpl;
		if (seg->unusable)
			seg->db = 0;
	}
}

/**
 * svm_set_segment() - set a segment register with its hidden part
 * @vcpu: mutex held
 * @seg: in
 * @which: which
 */
void svm_set_segment(struct vcpu *vcpu, const struct kvm_segment *seg,
		     enum vcpu_sreg which)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	struct vmcb_seg *s = vmcb_segment(vcpu, which);

	s->base = seg->base;
	s->limit = seg->limit;
	s->selector = seg->selector;
	s->attrib = (seg->type & SVM_SELECTOR_TYPE_MASK) |
		    (seg->s & 1) << SVM_SELECTOR_S_SHIFT |
		    (seg->dpl & 3) << SVM_SELECTOR_DPL_SHIFT |
		    (seg->present && !seg->unusable) << SVM_SELECTOR_P_SHIFT |
		    (seg->avl & 1) << SVM_SELECTOR_AVL_SHIFT |
		    (seg->l & 1) << SVM_SELECTOR_L_SHIFT |
		    (seg->db & 1) << SVM_SELECTOR_DB_SHIFT |
		    (seg->g & 1) << SVM_SELECTOR_G_SHIFT;
	if (which == VCPU_SREG_SS)
		vmcb->save.cpl = seg->dpl & 3;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_SEG);
}

/** svm_get_cpl() - current privilege level, 0..3 */
int svm_get_cpl(struct vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->save.cpl;
}

/** svm_get_cs_bits() - CS_BIT_*, which lie side by side here, too */
u32 svm_get_cs_bits(struct vcpu *vcpu)
{
	BUILD_BUG_ON(SVM_SELECTOR_DB_SHIFT - SVM_SELECTOR_L_SHIFT != 1);
	return to_svm(vcpu)->vmcb->save.cs.attrib >> SVM_SELECTOR_L_SHIFT &
	       (CS_BIT_L | CS_BIT_DB);
}

/** svm_get_dt() - GDTR or IDTR */
void svm_get_dt(struct vcpu *vcpu, struct kvm_dtable *dt, enum vcpu_dt which)
{
	const struct vmcb_save_area *save = &to_svm(vcpu)->vmcb->save;
	const struct vmcb_seg *s = which == VCPU_GDT ? &save->gdtr : &save->idtr;

	*dt = (struct kvm_dtable){ .base = s->base, .limit = s->limit };
}

/** svm_set_dt() - set GDTR or IDTR */
void svm_set_dt(struct vcpu *vcpu, const struct kvm_dtable *dt,
		enum vcpu_dt which)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	struct vmcb_seg *s = which == VCPU_GDT ? &vmcb->save.gdtr :
						 &vmcb->save.idtr;

	s->base = dt->base;
	s->limit = dt->limit;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_DT);
}

/**
 * svm_set_cr0() - set CR0, and EFER.LMA where that turns long mode on or off
 * @vcpu: mutex held
 * @cr0: validated
 *
 * CD and NW are kept from the hardware. While the guest has one of them set it
 * must not read the hardware's CR0, and any write may clear them: both exit.
 */
void svm_set_cr0(struct vcpu *vcpu, u64 cr0)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	bool shadowed = cr0 & CR0_HOST_OWNED;
	u64 efer = vcpu->efer;

	if ((efer & EFER_LME) && (cr0 & X86_CR0_PG))
		efer |= EFER_LMA;
	else
		efer &= ~EFER_LMA;
	if (efer != vcpu->efer)
		svm_set_efer(vcpu, efer);

	if ((vcpu->cr0 ^ cr0) & (X86_CR0_PG | X86_CR0_WP))
		svm_flush_tlb(vcpu);
	vcpu->cr0 = cr0;
	vcpu->cr0_guest_owned = shadowed ? 0 : CR0_GUEST_OWNED;
	vmcb->save.cr0 = cr0 & ~CR0_HOST_OWNED;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR);
	vmcb_intercept(vmcb, INTERCEPT_CR0_READ, shadowed);
	vmcb_intercept(vmcb, INTERCEPT_CR0_WRITE, shadowed);
}

/**
 * svm_set_cr3() - set CR3
 * @vcpu: mutex held
 * @cr3: validated; bit 63 is clear
 *
 * The guest's own MOV to CR3 does not come here: this is rare, and flushes all.
 */
void svm_set_cr3(struct vcpu *vcpu, u64 cr3)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	vcpu->cr3 = cr3;
	vcpu->regs_dirty &= ~BIT(REG_CR3);
	vmcb->save.cr3 = cr3;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR);
	svm_flush_tlb(vcpu);
}

/**
 * svm_set_cr4() - set CR4
 * @vcpu: mutex held
 * @cr4: validated
 *
 * VMRUN does not flush what the guest's own write would have; likewise CR0.
 */
void svm_set_cr4(struct vcpu *vcpu, u64 cr4)
{
	const u64 flushing = X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE |
			     X86_CR4_PCIDE | X86_CR4_SMEP | X86_CR4_SMAP |
			     X86_CR4_LA57;
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	if ((vcpu->cr4 ^ cr4) & flushing)
		svm_flush_tlb(vcpu);
	vcpu->cr4 = cr4;
	vmcb->save.cr4 = cr4;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR);
}

/**
 * svm_set_efer() - set EFER
 * @vcpu: mutex held
 * @efer: validated
 */
void svm_set_efer(struct vcpu *vcpu, u64 efer)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	if ((vcpu->efer ^ efer) & (EFER_NX | EFER_LMA))
		svm_flush_tlb(vcpu);
	vcpu->efer = efer;
	vmcb->save.efer = efer | EFER_SVME;	/* VMRUN wants it */
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_CR);
}

/** svm_set_dr7() - vcpu->dr7_hw changed */
void svm_set_dr7(struct vcpu *vcpu)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	vmcb->save.dr7 = vcpu->dr7_hw;
	vmcb_mark_dirty(vmcb, VMCB_CLEAN_DR);
}
