// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments for the emulator: the loaded ones in its terms, and loading new ones
 * from the guest's descriptor tables by the SDM's rules.
 */
#include <asm/desc_defs.h>
#include <asm/trapnr.h>

#include "glue.h"
#include "x86.h"
#include "../core/regs.h"

#define SEL_RPL		3
#define SEL_LDT		4
#define SEL_INDEX	0xfff8

/* kvm_segment.type of code and data segments */
#define TYPE_ACCESSED	1
#define TYPE_WRITE	2	/* data: writable; code: readable */
#define TYPE_DOWN	4	/* data: expand-down; code: conforming */
#define TYPE_CODE	8
#define TYPE_BUSY	2	/* of a TSS */

#define SYS_LDT		2
#define SYS_TSS32	9
#define SYS_TSS16	1

#define TSS_IOMAP	0x66	/* offset of the I/O map base */

static enum vcpu_sreg to_sreg(enum emu_seg seg)
{
	return (enum vcpu_sreg)seg;
}

static bool real_or_vm86(struct emu *emu)
{
	return emu->mode == EMU_MODE_REAL || emu->mode == EMU_MODE_VM86;
}

static void segment_convert(const struct kvm_segment *s, bool real,
			    struct emu_segment *out)
{
	bool code = s->type & TYPE_CODE;

	*out = (struct emu_segment) {
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.writable = real || (!code && s->type & TYPE_WRITE),
		.execute_only = !real && code && !(s->type & TYPE_WRITE),
		.expand_down = !code && s->type & TYPE_DOWN,
		.big = s->db,
		.unusable = !real && s->unusable,
	};
}

/** glue_get_segment() - a loaded segment in the emulator's terms */
void glue_get_segment(struct emu *emu, enum emu_seg seg)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	struct kvm_segment s;

	vendor_call(get_segment)(vcpu, &s, to_sreg(seg));
	segment_convert(&s, emu->mode == EMU_MODE_REAL, &emu->seg[seg]);
}

static void segment_install(struct emu *emu, enum emu_seg seg,
			    struct kvm_segment *s)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;

	vendor_call(set_segment)(vcpu, s, to_sreg(seg));
	segment_convert(s, emu->mode == EMU_MODE_REAL, &emu->seg[seg]);
	emu->seg_known |= BIT(seg);
}

static int load_real(struct emu *emu, enum emu_seg seg, u16 selector)
{
	struct kvm_segment s;

	vendor_call(get_segment)(to_glue(emu)->vcpu, &s, to_sreg(seg));
	s.selector = selector;
	s.base = (u32)selector << 4;
	if (emu->mode == EMU_MODE_VM86) {
		s.limit = 0xffff;
		s.type = TYPE_WRITE | TYPE_ACCESSED;
		s.s = 1;
		s.dpl = 3;
		s.present = 1;
		s.db = 0;
		s.g = 0;
		s.l = 0;
	}
	s.unusable = 0;
	segment_install(emu, seg, &s);
	return EMU_OK;
}

/* Linear address of a descriptor of @len bytes. */
static int descriptor_address(struct emu *emu, u16 selector, unsigned int len,
			      u64 *lin)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	u32 offset = selector & SEL_INDEX;
	struct kvm_segment ldt;
	struct kvm_dtable gdt;

	if (selector & SEL_LDT) {
		vendor_call(get_segment)(vcpu, &ldt, VCPU_SREG_LDTR);
		if (ldt.unusable || offset + len - 1 > ldt.limit)
			goto fault;
		*lin = ldt.base + offset;
		return EMU_OK;
	}
	vendor_call(get_dt)(vcpu, &gdt, VCPU_GDT);
	if (offset + len - 1 > gdt.limit)
		goto fault;
	*lin = gdt.base + offset;
	return EMU_OK;

fault:
	return glue_fault(emu, X86_TRAP_GP, selector & ~SEL_RPL);
}

static void segment_from_descriptor(u16 selector, const struct desc_struct *d,
				    struct kvm_segment *s)
{
	*s = (struct kvm_segment) {
		.base = d->base0 | d->base1 << 16 | (u32)d->base2 << 24,
		.limit = d->limit0 | d->limit1 << 16,
		.selector = selector,
		.type = d->type,
		.s = d->s,
		.dpl = d->dpl,
		.present = d->p,
		.avl = d->avl,
		.l = d->l,
		.db = d->d,
		.g = d->g,
	};
	if (s->g)
		s->limit = s->limit << 12 | 0xfff;
}

/* EMU_OK, or the vector of the fault with the selector as its error code. */
static int check_privilege(struct emu *emu, enum emu_seg seg, u16 selector,
			   const struct kvm_segment *s)
{
	u8 rpl = selector & SEL_RPL, cpl = emu->cpl;
	bool code = s->type & TYPE_CODE;
	bool conforming = code && s->type & TYPE_DOWN;

	if (!s->s)
		return X86_TRAP_GP;
	switch (seg) {
	case EMU_CS:
		if (!code)
			return X86_TRAP_GP;
		if (conforming ? s->dpl > cpl : s->dpl != cpl || rpl > cpl)
			return X86_TRAP_GP;
		if (emu->efer & EFER_LMA && s->l && s->db)
			return X86_TRAP_GP;
		break;
	case EMU_SS:
		if (rpl != cpl || s->dpl != cpl || code ||
		    !(s->type & TYPE_WRITE))
			return X86_TRAP_GP;
		return s->present ? EMU_OK : X86_TRAP_SS;
	default:
		if (code && !(s->type & TYPE_WRITE))
			return X86_TRAP_GP;
		if (!conforming && (rpl > s->dpl || cpl > s->dpl))
			return X86_TRAP_GP;
		break;
	}
	return s->present ? EMU_OK : X86_TRAP_NP;
}

static int load_null(struct emu *emu, enum emu_seg seg, u16 selector)
{
	struct kvm_segment s = {
		.selector = selector,
		.unusable = 1,
	};

	if (seg == EMU_CS)
		return glue_fault(emu, X86_TRAP_GP, 0);
	if (seg == EMU_SS) {
		if (emu->mode != EMU_MODE_LONG || emu->cpl == 3 ||
		    (selector & SEL_RPL) != emu->cpl)
			return glue_fault(emu, X86_TRAP_GP, 0);
		s.dpl = emu->cpl;
	}
	segment_install(emu, seg, &s);
	return EMU_OK;
}

/**
 * glue_load_segment() - load a segment register
 * @emu: the instruction
 * @seg: which; CS: same-privilege code segments only
 * @selector: from the guest
 *
 * Return: EMU_OK, EMU_EXCEPTION, EMU_UNHANDLED (a gate, a task).
 */
int glue_load_segment(struct emu *emu, enum emu_seg seg, u16 selector)
{
	struct kvm_segment s;
	struct desc_struct d;
	int rc, vector;
	u64 lin;
	u8 access;

	if (real_or_vm86(emu))
		return load_real(emu, seg, selector);
	if (!(selector & ~SEL_RPL))
		return load_null(emu, seg, selector);
	rc = descriptor_address(emu, selector, sizeof(d), &lin);
	if (rc != EMU_OK)
		return rc;
	rc = glue_read_system(emu, lin, &d, sizeof(d));
	if (rc != EMU_OK)
		return rc;
	segment_from_descriptor(selector, &d, &s);
	if (seg == EMU_CS && !s.s)
		return EMU_UNHANDLED;	/* a gate or a task, not a segment */
	vector = check_privilege(emu, seg, selector, &s);
	if (vector != EMU_OK)
		return glue_fault(emu, vector, selector & ~SEL_RPL);
	if (!(s.type & TYPE_ACCESSED)) {
		s.type |= TYPE_ACCESSED;
		access = s.type | s.s << 4 | s.dpl << 5 | s.present << 7;
		rc = glue_write_system(emu, lin + 5, &access, 1);
		if (rc != EMU_OK)
			return rc;
	}
	if (seg == EMU_CS)
		s.selector = (selector & ~SEL_RPL) | emu->cpl;
	segment_install(emu, seg, &s);
	return EMU_OK;
}

/**
 * glue_load_system_segment() - LLDT and LTR
 * @emu: the instruction; protected mode, CPL 0
 * @tr: the task register; else the LDT's
 * @selector: from the guest
 *
 * Return: EMU_OK, EMU_EXCEPTION, EMU_RETRY, EMU_UNHANDLED.
 */
int glue_load_system_segment(struct emu *emu, bool tr, u16 selector)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	enum vcpu_sreg sreg = tr ? VCPU_SREG_TR : VCPU_SREG_LDTR;
	unsigned int len = vcpu_long_mode(vcpu) ? 16 : 8;
	struct kvm_segment s = { .selector = selector, .unusable = 1 };
	struct {
		struct desc_struct low;
		u32 base3;
		u32 zero;
	} d = { };
	u64 lin;
	u8 access;
	int rc;

	if (!(selector & ~SEL_RPL)) {
		if (tr)
			return glue_fault(emu, X86_TRAP_GP, 0);
		vendor_call(set_segment)(vcpu, &s, sreg);
		return EMU_OK;
	}
	if (selector & SEL_LDT)
		goto fault;
	rc = descriptor_address(emu, selector, len, &lin);
	if (rc == EMU_OK)
		rc = glue_read_system(emu, lin, &d, len);
	if (rc != EMU_OK)
		return rc;
	segment_from_descriptor(selector, &d.low, &s);
	s.base |= (u64)d.base3 << 32;
	if (s.s)
		goto fault;
	if (tr ? s.type != SYS_TSS32 && (s.type != SYS_TSS16 || len == 16) :
		 s.type != SYS_LDT)
		goto fault;
	if (!s.present)
		return glue_fault(emu, X86_TRAP_NP, selector & ~SEL_RPL);
	if (tr) {
		s.type |= TYPE_BUSY;
		access = s.type | s.dpl << 5 | s.present << 7;
		rc = glue_write_system(emu, lin + 5, &access, 1);
		if (rc != EMU_OK)
			return rc;
	}
	vendor_call(set_segment)(vcpu, &s, sreg);
	return EMU_OK;

fault:
	return glue_fault(emu, X86_TRAP_GP, selector & ~SEL_RPL);
}

/**
 * glue_io_allowed() - ask the TSS's I/O permission bitmap
 * @emu: the instruction
 * @port: first port
 * @len: 1, 2, 4
 *
 * Return: EMU_OK, or EMU_EXCEPTION with #GP(0).
 */
int glue_io_allowed(struct emu *emu, u16 port, unsigned int len)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	u16 map, bits, mask = (1 << len) - 1;
	struct kvm_segment tss;
	int rc;

	vendor_call(get_segment)(vcpu, &tss, VCPU_SREG_TR);
	if (tss.unusable || (tss.type & ~TYPE_BUSY) != SYS_TSS32 ||
	    tss.limit < TSS_IOMAP + 1)
		return glue_fault(emu, X86_TRAP_GP, 0);
	rc = glue_read_system(emu, tss.base + TSS_IOMAP, &map, sizeof(map));
	if (rc != EMU_OK)
		return rc;
	/* Two bytes are always read: ports may straddle them. */
	if ((u32)map + port / 8 + 1 > tss.limit)
		return glue_fault(emu, X86_TRAP_GP, 0);
	rc = glue_read_system(emu, tss.base + map + port / 8, &bits,
			      sizeof(bits));
	if (rc != EMU_OK)
		return rc;
	if (bits >> (port & 7) & mask)
		return glue_fault(emu, X86_TRAP_GP, 0);
	return EMU_OK;
}
