// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU without unrestricted guest wants of a guest's segment registers: SDM
 * volume 3, "Checks on Guest Segment Registers". A guest on its way from real to
 * protected mode has others, and is interpreted until it has loaded them all.
 */
#include <asm/segment.h>

#include "vmx.h"
#include "../core/regs.h"

#define TYPE_ACCESSED	1
#define TYPE_WRITE	2	/* code: readable */
#define TYPE_DOWN	4	/* code: conforming */
#define TYPE_CODE	8

#define SYS_TSS16_BUSY	3
#define SYS_LDT		2
#define SYS_TSS_BUSY	11

#define V86_LIMIT	0xffff
#define V86_TYPE	3

static u8 rpl(const struct kvm_segment *s)
{
	return s->selector & SEGMENT_RPL_MASK;
}

/* A limit is in bytes or in pages, as one of them can express it. */
static bool limit_fits(const struct kvm_segment *s)
{
	bool pages = (s->limit & 0xfff) == 0xfff;
	bool bytes = !(s->limit >> 20);

	return s->g ? pages : bytes;
}

static bool in_gdt(const struct kvm_segment *s)
{
	return !(s->selector & SEGMENT_TI_MASK);
}

static bool code_fits(struct vcpu *vcpu, const struct kvm_segment *cs,
		      const struct kvm_segment *ss)
{
	if (cs->unusable || !cs->s || !limit_fits(cs) ||
	    (cs->type & (TYPE_CODE | TYPE_ACCESSED)) !=
	    (TYPE_CODE | TYPE_ACCESSED))
		return false;
	if (vcpu_long_mode(vcpu) && cs->l && cs->db)
		return false;
	return cs->type & TYPE_DOWN ? cs->dpl <= ss->dpl : cs->dpl == ss->dpl;
}

static bool stack_fits(const struct kvm_segment *ss,
		       const struct kvm_segment *cs)
{
	if (rpl(ss) != rpl(cs) || ss->dpl != rpl(ss))
		return false;
	return ss->unusable ||
	       (ss->s && limit_fits(ss) && (ss->type & ~TYPE_DOWN) ==
		(TYPE_WRITE | TYPE_ACCESSED));
}

static bool data_fits(const struct kvm_segment *s)
{
	bool code = s->type & TYPE_CODE;

	if (s->unusable)
		return true;
	if (!s->s || !limit_fits(s) || !(s->type & TYPE_ACCESSED) ||
	    (code && !(s->type & TYPE_WRITE)))
		return false;
	return (code && s->type & TYPE_DOWN) || s->dpl >= rpl(s);
}

static bool v86_fits(const struct kvm_segment *s)
{
	return s->base == (u32)s->selector << 4 && s->limit == V86_LIMIT &&
	       !s->unusable && s->type == V86_TYPE && s->s && s->dpl == 3 &&
	       !s->avl && !s->l && !s->db && !s->g;
}

static bool system_fits(struct vcpu *vcpu)
{
	struct kvm_segment tr, ldtr;

	vmx_get_segment(vcpu, &tr, VCPU_SREG_TR);
	if (tr.unusable || tr.s || !in_gdt(&tr) || !limit_fits(&tr))
		return false;
	if (tr.type != SYS_TSS_BUSY &&
	    (tr.type != SYS_TSS16_BUSY || vcpu_long_mode(vcpu)))
		return false;
	vmx_get_segment(vcpu, &ldtr, VCPU_SREG_LDTR);
	return ldtr.unusable || (!ldtr.s && ldtr.type == SYS_LDT &&
				 in_gdt(&ldtr) && limit_fits(&ldtr));
}

static bool segments_fit(struct vcpu *vcpu)
{
	struct kvm_segment seg[VCPU_SREG_TR];
	bool v86 = vcpu_rflags(vcpu) & X86_EFLAGS_VM;
	enum vcpu_sreg i;

	for (i = 0; i < ARRAY_SIZE(seg); i++) {
		vmx_get_segment(vcpu, &seg[i], i);
		if (v86 ? !v86_fits(&seg[i]) :
		    i != VCPU_SREG_CS && i != VCPU_SREG_SS &&
		    !data_fits(&seg[i]))
			return false;
	}
	return v86 || (code_fits(vcpu, &seg[VCPU_SREG_CS], &seg[VCPU_SREG_SS]) &&
		       stack_fits(&seg[VCPU_SREG_SS], &seg[VCPU_SREG_CS]));
}

/**
 * vmx_can_enter() - would the CPU take this guest's mode and segments?
 * @vcpu: loaded; enter_unsure is set, and is cleared if so
 *
 * What else is wrong with a guest's state is left for the entry to find.
 */
bool vmx_can_enter(struct vcpu *vcpu)
{
	if (!vcpu_protected(vcpu) || !segments_fit(vcpu) || !system_fits(vcpu))
		return false;
	vcpu->enter_unsure = false;
	return true;
}
