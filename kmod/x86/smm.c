// SPDX-License-Identifier: GPL-2.0-only
/*
 * System management mode: what an SMI does to a vCPU, and what RSM does. The
 * layout of the save area is smm_state.c's.
 */
#include <asm/page.h>
#include <asm/processor-flags.h>

#include "smm_state.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

#define CR0_SMM_CLEARS	(X86_CR0_PE | X86_CR0_EM | X86_CR0_TS | X86_CR0_PG)
/* What RSM loads of RFLAGS; the rest is fixed. */
#define RFLAGS_DEFINED							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | \
	 X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_RF | \
	 X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | X86_EFLAGS_VIP | \
	 X86_EFLAGS_ID)
#define SHADOWS		(KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI)

/** smm_smi_ready() - an SMI waits, and nothing of SMM holds it back */
bool smm_smi_ready(struct vcpu *vcpu)
{
	return vcpu->smi_pending && !vcpu->smm;
}

static gpa_t save_area(struct vcpu *vcpu)
{
	return (u32)vcpu->smbase + SMRAM_SAVE_OFFSET;
}

static noinline int save_area_write(struct vcpu *vcpu,
				    const struct smm_state *s)
{
	union smram smram;

	smm_state_pack(s, vcpu->feat.lm, &smram);
	return space_write(vcpu->vm, SPACE_SMM, save_area(vcpu), &smram,
			   sizeof(smram));
}

static noinline int save_area_read(struct vcpu *vcpu, struct smm_state *s)
{
	union smram smram;
	int err;

	err = space_read(vcpu->vm, SPACE_SMM, save_area(vcpu), &smram,
			 sizeof(smram));
	if (!err)
		smm_state_unpack(&smram, vcpu->feat.lm, s);
	return err;
}

/* In or out, with another view of memory; the registers are the caller's. Out
 * always succeeds.
 */
static int smm_switch(struct vcpu *vcpu, bool smm)
{
	int err;

	err = mmu_space_prepare(vcpu->vm, smm ? SPACE_SMM : SPACE_NORMAL);
	if (err)
		return err;
	vcpu->smm = smm;
	vendor_call(smm_changed)(vcpu);
	vcpu_request(vcpu, REQ_LOAD_ROOT);
	return 0;
}

static void state_get(struct vcpu *vcpu, struct smm_state *s)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(s->regs); i++)
		s->regs[i] = reg_read(vcpu, i);
	s->rip = vcpu_rip(vcpu);
	s->rflags = vcpu_rflags(vcpu);
	s->cr0 = vcpu_cr0(vcpu);
	s->cr3 = vcpu_cr3(vcpu);
	s->cr4 = vcpu_cr4(vcpu);
	s->efer = vcpu->efer;
	s->dr6 = vcpu->dr6;
	s->dr7 = vcpu->dr7;
	s->smbase = vcpu->smbase;
	s->shadow = vendor_call(get_shadow)(vcpu);
	for (i = 0; i < SMM_NR_SEGS; i++)
		vendor_call(get_segment)(vcpu, &s->seg[i], i);
	vendor_call(get_segment)(vcpu, &s->ldtr, VCPU_SREG_LDTR);
	vendor_call(get_segment)(vcpu, &s->tr, VCPU_SREG_TR);
	vendor_call(get_dt)(vcpu, &s->gdt, VCPU_GDT);
	vendor_call(get_dt)(vcpu, &s->idt, VCPU_IDT);
}

/*
 * What the handler finds: real mode with segments of 4 GiB. The IDT is gone, as
 * on Intel's CPUs: what the handler raises before it has one of its own must not
 * lead to where the interrupted program says.
 */
static void state_enter(struct vcpu *vcpu)
{
	const struct kvm_dtable no_idt = { };
	struct kvm_segment seg = {
		.limit = 0xffffffff, .type = 3, .present = 1, .s = 1, .g = 1,
	};
	enum vcpu_sreg sreg;

	reg_write(vcpu, REG_RFLAGS, X86_EFLAGS_FIXED);
	reg_write(vcpu, REG_RIP, SMM_ENTRY_RIP);
	vendor_call(set_shadow)(vcpu, 0);
	vendor_call(set_nmi_mask)(vcpu, true);

	/* Paging goes before long mode does. */
	vendor_call(set_cr0)(vcpu, vcpu_cr0(vcpu) & ~(u64)CR0_SMM_CLEARS);
	vendor_call(set_cr4)(vcpu, 0);
	if (vcpu->feat.lm)
		vendor_call(set_efer)(vcpu, 0);
	dr_restore(vcpu, vcpu->dr6, 0);
	vendor_call(set_dt)(vcpu, &no_idt, VCPU_IDT);
	for (sreg = VCPU_SREG_ES; sreg <= VCPU_SREG_GS; sreg++)
		if (sreg != VCPU_SREG_CS)
			vendor_call(set_segment)(vcpu, &seg, sreg);
	seg.base = (u32)vcpu->smbase;
	seg.selector = vcpu->smbase >> 4;
	vendor_call(set_segment)(vcpu, &seg, VCPU_SREG_CS);
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	vcpu_request(vcpu, REQ_EVENT);
}

/**
 * smm_enter() - take the SMI that waits
 * @vcpu: owner thread, loaded, in a read section of vm->srcu; smm_smi_ready(),
 *        and no event is on its way into the guest
 * @halted: it was in HLT, and is to go back there
 *
 * Where the state cannot be saved there is no way back: the vCPU shuts down.
 *
 * Return: 0, or -errno for KVM_RUN.
 */
int smm_enter(struct vcpu *vcpu, bool halted)
{
	struct smm_state s = { .halted = halted };
	int err;

	state_get(vcpu, &s);
	err = smm_switch(vcpu, true);
	if (err)
		return err;
	vcpu->smi_pending = false;
	vcpu->smi_count++;
	vcpu->smm_inside_nmi = vendor_call(get_nmi_mask)(vcpu);
	if (save_area_write(vcpu, &s))
		vcpu_request(vcpu, REQ_TRIPLE_FAULT);
	state_enter(vcpu);
	return 0;
}

/* The handler may have written anything: is it what a CPU can be in? */
static bool state_valid(struct vcpu *vcpu, const struct smm_state *s)
{
	const struct kvm_segment *cs = &s->seg[VCPU_SREG_CS];
	const struct cr_set set = {
		.cr0 = s->cr0,
		.cr3 = s->cr3,
		.cr4 = s->cr4,
		.efer = s->efer,
		.cs_l = cs->l,
	};
	bool lma = s->efer & EFER_LMA;

	if (!cr_set_valid(vcpu, &set) ||
	    s->efer & ~(vcpu->feat.efer_valid | EFER_LMA))
		return false;
	if (s->cr4 & X86_CR4_PCIDE && !lma)
		return false;
	if (s->rflags & X86_EFLAGS_VM && (lma || !(s->cr0 & X86_CR0_PE)))
		return false;
	if (lma && cs->l && (cs->db || !canonical(s->cr4, s->rip)))
		return false;
	return canonical(s->cr4, s->seg[VCPU_SREG_FS].base) &&
	       canonical(s->cr4, s->seg[VCPU_SREG_GS].base) &&
	       canonical(s->cr4, s->ldtr.base) && canonical(s->cr4, s->tr.base) &&
	       canonical(s->cr4, s->gdt.base) && canonical(s->cr4, s->idt.base);
}

/* Only what an entry takes together with these flags. */
static u32 valid_shadow(const struct smm_state *s)
{
	if (s->rflags & X86_EFLAGS_TF)
		return 0;
	return s->rflags & X86_EFLAGS_IF ? s->shadow & SHADOWS :
	       s->shadow & KVM_X86_SHADOW_INT_MOV_SS;
}

static void segments_load(struct vcpu *vcpu, struct smm_state *s)
{
	int i;

	for (i = 0; i < SMM_NR_SEGS; i++) {
		if (i != VCPU_SREG_FS && i != VCPU_SREG_GS)
			s->seg[i].base = (u32)s->seg[i].base;
		vendor_call(set_segment)(vcpu, &s->seg[i], i);
	}
	vendor_call(set_segment)(vcpu, &s->ldtr, VCPU_SREG_LDTR);
	vendor_call(set_segment)(vcpu, &s->tr, VCPU_SREG_TR);
	vendor_call(set_dt)(vcpu, &s->gdt, VCPU_GDT);
	vendor_call(set_dt)(vcpu, &s->idt, VCPU_IDT);
}

/* False: page tables of PAE paging that cannot be loaded. */
static bool state_load(struct vcpu *vcpu, struct smm_state *s)
{
	const struct cr_set set = {
		.cr0 = s->cr0,
		.cr3 = s->cr3,
		.cr4 = s->cr4,
		.efer = s->efer,
	};
	bool ok = cr_set_load(vcpu, &set);
	int i;

	for (i = 0; i < ARRAY_SIZE(s->regs); i++)
		reg_write(vcpu, i, s->regs[i]);
	if (!(s->efer & EFER_LMA))
		s->rip = (u32)s->rip;
	reg_write(vcpu, REG_RIP, s->rip);
	reg_write(vcpu, REG_RFLAGS,
		  (s->rflags & RFLAGS_DEFINED) | X86_EFLAGS_FIXED);
	dr_restore(vcpu, s->dr6, s->dr7);
	segments_load(vcpu, s);
	vendor_call(set_shadow)(vcpu, valid_shadow(s));
	return ok;
}

/**
 * smm_leave() - RSM
 * @vcpu: owner thread, loaded, in SMM, in a read section of vm->srcu
 *
 * Return: enum exit_result. A state that no CPU can be in shuts the vCPU down;
 * it stays in SMM then.
 */
int smm_leave(struct vcpu *vcpu)
{
	struct smm_state s;

	state_get(vcpu, &s);
	if (save_area_read(vcpu, &s) || !state_valid(vcpu, &s)) {
		vcpu_request(vcpu, REQ_TRIPLE_FAULT);
		return EXIT_RESUME;
	}
	/* A step over RSM ends nowhere. */
	vcpu->exception.pending = false;
	smm_switch(vcpu, false);
	if (!state_load(vcpu, &s))
		vcpu_request(vcpu, REQ_TRIPLE_FAULT);
	vendor_call(set_nmi_mask)(vcpu, vcpu->smm_inside_nmi);
	vcpu->smm_inside_nmi = false;
	vcpu->smbase = s.smbase;
	if (s.halted && vcpu->lapic)
		vcpu->mp_state = KVM_MP_STATE_HALTED;
	/* Latched meanwhile: another SMI, an INIT. */
	vcpu_request(vcpu, REQ_EVENT);
	vcpu_request(vcpu, REQ_INIT_SIPI);
	return EXIT_RESUME;
}

/** smm_reset() - power-up or INIT: out of SMM, no SMI waits */
void smm_reset(struct vcpu *vcpu)
{
	vcpu->smi_pending = false;
	vcpu->smm_inside_nmi = false;
	clear_bit(REQ_SMI, &vcpu->requests);
	if (vcpu->smm)
		smm_switch(vcpu, false);
}

/** smm_events_get() - the smi part of KVM_GET_VCPU_EVENTS */
void smm_events_get(struct vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	ev->flags |= KVM_VCPUEVENT_VALID_SMM;
	ev->smi.smm = vcpu->smm;
	ev->smi.pending = vcpu->smi_pending ||
			  vcpu_test_request(vcpu, REQ_SMI);
	ev->smi.smm_inside_nmi = vcpu->smm_inside_nmi;
	ev->smi.latched_init = vcpu->lapic &&
			       lapic_init_sipi_pending(vcpu->lapic, false);
}

/**
 * smm_events_set() - the smi part of KVM_SET_VCPU_EVENTS
 * @vcpu: loaded vCPU, its mutex held
 * @ev: valid; KVM_VCPUEVENT_VALID_SMM is set
 *
 * Return: 0, or -errno with nothing changed.
 */
int smm_events_set(struct vcpu *vcpu, const struct kvm_vcpu_events *ev)
{
	bool smm = ev->smi.smm;
	int err;

	if (smm != vcpu->smm) {
		err = smm_switch(vcpu, smm);
		if (err)
			return err;
	}
	clear_bit(REQ_SMI, &vcpu->requests);
	vcpu->smi_pending = ev->smi.pending;
	vcpu->smm_inside_nmi = smm && ev->smi.smm_inside_nmi;
	if (vcpu->lapic)
		lapic_latch_init(vcpu->lapic, ev->smi.latched_init);
	vcpu_request(vcpu, REQ_INIT_SIPI);
	return 0;
}
