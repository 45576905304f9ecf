// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state save area of system management mode, in both of its maps: the 32-bit
 * one and AMD64's. Intel CPUs with long mode have another; firmware expects
 * AMD64's of virtual machines, whatever their vendor string.
 */
#include <linux/build_bug.h>
#include <linux/string.h>

#include "smm_state.h"

#define SAVED32(field, offset)						\
	static_assert(offsetof(struct smram32, field) == (offset) - 0x7e00)
#define SAVED64(field, offset)						\
	static_assert(offsetof(struct smram64, field) == (offset) - 0xfe00)

/* Offsets as the manuals give them: from SMBASE + 0x8000, and from SMBASE. */
SAVED32(smbase, 0x7ef8);
SAVED32(revision, 0x7efc);
SAVED32(auto_halt, 0x7f02);
SAVED32(cr4, 0x7f14);
SAVED32(ds_fs_gs, 0x7f2c);
SAVED32(idt_limit, 0x7f54);
SAVED32(tr, 0x7f5c);
SAVED32(gdt_limit, 0x7f70);
SAVED32(ldtr, 0x7f78);
SAVED32(es_cs_ss, 0x7f84);
SAVED32(selectors, 0x7fa8);
SAVED32(tr_selector, 0x7fc4);
SAVED32(dr7, 0x7fc8);
SAVED32(regs, 0x7fd0);
SAVED32(eip, 0x7ff0);
SAVED32(cr0, 0x7ffc);
static_assert(sizeof(struct smram32) == SMRAM_SAVE_SIZE);

SAVED64(seg, 0xfe00);
SAVED64(gdt, 0xfe60);
SAVED64(ldtr, 0xfe70);
SAVED64(idt, 0xfe80);
SAVED64(tr, 0xfe90);
SAVED64(io_trap, 0xfec0);
SAVED64(auto_halt, 0xfec9);
SAVED64(efer, 0xfed0);
SAVED64(revision, 0xfefc);
SAVED64(smbase, 0xff00);
SAVED64(svm_host, 0xff20);
SAVED64(cr4, 0xff48);
SAVED64(cr0, 0xff58);
SAVED64(dr7, 0xff60);
SAVED64(rflags, 0xff70);
SAVED64(rip, 0xff78);
SAVED64(regs, 0xff80);
static_assert(sizeof(struct smram64) == SMRAM_SAVE_SIZE);

/* A segment's flags as in the second word of its descriptor. */
static u32 segment_flags(const struct kvm_segment *seg)
{
	return (seg->type & 15) << 8 | (seg->s & 1) << 12 |
	       (seg->dpl & 3) << 13 |
	       (seg->present && !seg->unusable) << 15 | (seg->avl & 1) << 20 |
	       (seg->l & 1) << 21 | (seg->db & 1) << 22 | (seg->g & 1) << 23;
}

static void segment_make(struct kvm_segment *seg, u16 selector, u64 base,
			 u32 limit, u32 flags)
{
	*seg = (struct kvm_segment) {
		.base = base,
		.limit = limit,
		.selector = selector,
		.type = flags >> 8 & 15,
		.s = flags >> 12 & 1,
		.dpl = flags >> 13 & 3,
		.present = flags >> 15 & 1,
		.avl = flags >> 20 & 1,
		.l = flags >> 21 & 1,
		.db = flags >> 22 & 1,
		.g = flags >> 23 & 1,
		.unusable = !(flags >> 15 & 1),
	};
}

static void segment_pack32(struct smram32_segment *out, u32 *selector,
			   const struct kvm_segment *seg)
{
	*selector = seg->selector;
	out->flags = segment_flags(seg);
	out->limit = seg->limit;
	out->base = seg->base;
}

static void segment_unpack32(struct kvm_segment *seg,
			     const struct smram32_segment *in, u32 selector)
{
	segment_make(seg, selector, in->base, in->limit, in->flags);
}

static void segment_pack64(struct smram64_segment *out,
			   const struct kvm_segment *seg)
{
	out->selector = seg->selector;
	out->attrib = segment_flags(seg) >> 8;
	out->limit = seg->limit;
	out->base = seg->base;
}

static void segment_unpack64(struct kvm_segment *seg,
			     const struct smram64_segment *in)
{
	segment_make(seg, in->selector, in->base, in->limit,
		     (u32)in->attrib << 8);
}

static void pack32(const struct smm_state *s, struct smram32 *out)
{
	int i;

	for (i = 0; i < 3; i++) {
		segment_pack32(&out->es_cs_ss[i], &out->selectors[i],
			       &s->seg[i]);
		segment_pack32(&out->ds_fs_gs[i], &out->selectors[i + 3],
			       &s->seg[i + 3]);
	}
	segment_pack32(&out->ldtr, &out->ldtr_selector, &s->ldtr);
	segment_pack32(&out->tr, &out->tr_selector, &s->tr);
	out->gdt_base = s->gdt.base;
	out->gdt_limit = s->gdt.limit;
	out->idt_base = s->idt.base;
	out->idt_limit = s->idt.limit;
	for (i = 0; i < 8; i++)
		out->regs[i] = s->regs[i];
	out->eip = s->rip;
	out->eflags = s->rflags;
	out->cr0 = s->cr0;
	out->cr3 = s->cr3;
	out->cr4 = s->cr4;
	out->dr6 = s->dr6;
	out->dr7 = s->dr7;
	out->smbase = s->smbase;
	out->revision = SMRAM_REVISION_32;
	out->shadow = s->shadow;
	out->auto_halt = s->halted;
}

static void unpack32(const struct smram32 *in, struct smm_state *s)
{
	int i;

	for (i = 0; i < 3; i++) {
		segment_unpack32(&s->seg[i], &in->es_cs_ss[i],
				 in->selectors[i]);
		segment_unpack32(&s->seg[i + 3], &in->ds_fs_gs[i],
				 in->selectors[i + 3]);
	}
	segment_unpack32(&s->ldtr, &in->ldtr, in->ldtr_selector);
	segment_unpack32(&s->tr, &in->tr, in->tr_selector);
	s->gdt.base = in->gdt_base;
	s->gdt.limit = in->gdt_limit;
	s->idt.base = in->idt_base;
	s->idt.limit = in->idt_limit;
	for (i = 0; i < 8; i++)
		s->regs[i] = in->regs[i];
	s->rip = in->eip;
	s->rflags = in->eflags;
	s->cr0 = in->cr0;
	s->cr3 = in->cr3;
	s->cr4 = in->cr4;
	s->dr6 = in->dr6;
	s->dr7 = in->dr7;
	s->smbase = in->smbase;
	s->shadow = in->shadow;
	s->halted = in->auto_halt & 1;
}

static void pack64(const struct smm_state *s, struct smram64 *out)
{
	int i;

	for (i = 0; i < SMM_NR_SEGS; i++)
		segment_pack64(&out->seg[i], &s->seg[i]);
	segment_pack64(&out->ldtr, &s->ldtr);
	segment_pack64(&out->tr, &s->tr);
	out->gdt.base = s->gdt.base;
	out->gdt.limit = s->gdt.limit;
	out->idt.base = s->idt.base;
	out->idt.limit = s->idt.limit;
	for (i = 0; i < 16; i++)
		out->regs[15 - i] = s->regs[i];
	out->rip = s->rip;
	out->rflags = s->rflags;
	out->cr0 = s->cr0;
	out->cr3 = s->cr3;
	out->cr4 = s->cr4;
	out->efer = s->efer;
	out->dr6 = s->dr6;
	out->dr7 = s->dr7;
	out->smbase = s->smbase;
	out->revision = SMRAM_REVISION_64;
	out->shadow = s->shadow;
	out->auto_halt = s->halted;
}

static void unpack64(const struct smram64 *in, struct smm_state *s)
{
	int i;

	for (i = 0; i < SMM_NR_SEGS; i++)
		segment_unpack64(&s->seg[i], &in->seg[i]);
	segment_unpack64(&s->ldtr, &in->ldtr);
	segment_unpack64(&s->tr, &in->tr);
	s->gdt.base = in->gdt.base;
	s->gdt.limit = in->gdt.limit;
	s->idt.base = in->idt.base;
	s->idt.limit = in->idt.limit;
	for (i = 0; i < 16; i++)
		s->regs[i] = in->regs[15 - i];
	s->rip = in->rip;
	s->rflags = in->rflags;
	s->cr0 = in->cr0;
	s->cr3 = in->cr3;
	s->cr4 = in->cr4;
	s->efer = in->efer;
	s->dr6 = in->dr6;
	s->dr7 = in->dr7;
	s->smbase = in->smbase;
	s->shadow = in->shadow;
	s->halted = in->auto_halt & 1;
}

/**
 * smm_state_pack() - a CPU's state as an SMI saves it
 * @s: state
 * @lm: the guest has long mode: AMD64's map
 * @out: all of it is written
 */
void smm_state_pack(const struct smm_state *s, bool lm, union smram *out)
{
	memset(out, 0, sizeof(*out));
	if (lm)
		pack64(s, &out->map64);
	else
		pack32(s, &out->map32);
}

/**
 * smm_state_unpack() - what RSM finds; nothing of it is checked
 * @in: as the handler left it
 * @lm: the guest has long mode: AMD64's map
 * @s: what the map does not have stays as it was
 */
void smm_state_unpack(const union smram *in, bool lm, struct smm_state *s)
{
	if (lm)
		unpack64(&in->map64, s);
	else
		unpack32(&in->map32, s);
}
