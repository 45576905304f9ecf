// SPDX-License-Identifier: GPL-2.0-only
/* Segment registers and descriptor tables in the VMCS. */
#include "vmx.h"
#include "../core/regs.h"

/* Four fields per register, in one order for all: selector, limit, access
 * rights are 2 apart, and so are the bases.
 */
static const struct {
	u16 selector;
	u16 base;
	u16 limit;
	u16 ar;
} seg_fields[NR_VCPU_SREGS] = {
#define SEG(name)							\
	[VCPU_SREG_##name] = {						\
		.selector = GUEST_##name##_SELECTOR,			\
		.base = GUEST_##name##_BASE,				\
		.limit = GUEST_##name##_LIMIT,				\
		.ar = GUEST_##name##_AR_BYTES,				\
	}
	SEG(ES), SEG(CS), SEG(SS), SEG(DS), SEG(FS), SEG(GS), SEG(TR), SEG(LDTR),
#undef SEG
};

/* True if the field is not cached; it counts as cached afterwards. */
static bool seg_fetch(struct vmx_vcpu *vmx, enum vcpu_sreg which,
		      enum vmx_seg_field field)
{
	u32 bit = BIT(which * NR_SEG_FIELDS + field);

	if (likely(vmx->seg_avail & bit))
		return false;
	vmx->seg_avail |= bit;
	return true;
}

static u32 seg_ar(struct vmx_vcpu *vmx, enum vcpu_sreg which)
{
	if (seg_fetch(vmx, which, SEG_AR))
		vmx->seg[which].ar = vmcs_read32(seg_fields[which].ar);
	return vmx->seg[which].ar;
}

/** vmx_get_cs_bits() - CS_BIT_* */
u32 vmx_get_cs_bits(struct vcpu *vcpu)
{
	u32 ar = seg_ar(to_vmx(vcpu), VCPU_SREG_CS);

	return (ar & VMX_AR_L_MASK ? CS_BIT_L : 0) |
	       (ar & VMX_AR_DB_MASK ? CS_BIT_DB : 0);
}

/**
 * vmx_get_segment() - read a segment register
 * @vcpu: loaded
 * @seg: filled in
 * @which: register
 */
void vmx_get_segment(struct vcpu *vcpu, struct kvm_segment *seg,
		     enum vcpu_sreg which)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 ar = seg_ar(vmx, which);

	if (seg_fetch(vmx, which, SEG_SELECTOR))
		vmx->seg[which].selector = vmcs_read(seg_fields[which].selector);
	if (seg_fetch(vmx, which, SEG_BASE))
		vmx->seg[which].base = vmcs_read(seg_fields[which].base);
	if (seg_fetch(vmx, which, SEG_LIMIT))
		vmx->seg[which].limit = vmcs_read32(seg_fields[which].limit);

	*seg = (struct kvm_segment) {
		.base = vmx->seg[which].base,
		.limit = vmx->seg[which].limit,
		.selector = vmx->seg[which].selector,
		.type = ar & VMX_AR_TYPE_MASK,
		.s = !!(ar & VMX_AR_S_MASK),
		.dpl = VMX_AR_DPL(ar),
		.avl = ar >> 12 & 1,
		.l = !!(ar & VMX_AR_L_MASK),
		.db = !!(ar & VMX_AR_DB_MASK),
		.g = !!(ar & VMX_AR_G_MASK),
		.unusable = !!(ar & VMX_AR_UNUSABLE_MASK),
		/* P means nothing in an unusable register. */
		.present = !(ar & VMX_AR_UNUSABLE_MASK),
	};
}

static u32 seg_pack_ar(const struct kvm_segment *seg, enum vcpu_sreg which)
{
	u32 type = seg->type & VMX_AR_TYPE_MASK;

	/* The DPL of SS is the guest's CPL, usable or not. */
	if (seg->unusable || !seg->present)
		return VMX_AR_UNUSABLE_MASK | (which == VCPU_SREG_SS ?
					       seg->dpl & 3 : 0) <<
					      VMX_AR_DPL_SHIFT;
	/* A loaded register has the accessed bit; entries insist on it. */
	if (which < VCPU_SREG_TR)
		type |= VMX_AR_TYPE_ACCESSES_MASK;
	return type | (seg->s ? VMX_AR_S_MASK : 0) |
	       (seg->dpl & 3) << VMX_AR_DPL_SHIFT | VMX_AR_P_MASK |
	       (seg->avl & 1) << 12 | (seg->l ? VMX_AR_L_MASK : 0) |
	       (seg->db ? VMX_AR_DB_MASK : 0) | (seg->g ? VMX_AR_G_MASK : 0);
}

/**
 * vmx_set_segment() - load a segment register, hidden part and all
 * @vcpu: loaded
 * @seg: new contents
 * @which: register
 */
void vmx_set_segment(struct vcpu *vcpu, const struct kvm_segment *seg,
		     enum vcpu_sreg which)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 ar = seg_pack_ar(seg, which);

	vmx->seg[which].selector = seg->selector;
	vmx->seg[which].base = seg->base;
	vmx->seg[which].limit = seg->limit;
	vmx->seg[which].ar = ar;
	vmx->seg_avail |= GENMASK(NR_SEG_FIELDS - 1, 0) << which * NR_SEG_FIELDS;

	vmcs_write(seg_fields[which].selector, seg->selector);
	vmcs_write(seg_fields[which].base, seg->base);
	vmcs_write(seg_fields[which].limit, seg->limit);
	vmcs_write(seg_fields[which].ar, ar);
	vcpu->enter_unsure = !vmx_unrestricted();
	vmx_unhalt(vmx);
}

int vmx_get_cpl(struct vcpu *vcpu)
{
	if (!vcpu_long_mode(vcpu)) {
		if (!vcpu_protected(vcpu))
			return 0;
		if (vcpu_rflags(vcpu) & X86_EFLAGS_VM)
			return 3;
	}
	return VMX_AR_DPL(seg_ar(to_vmx(vcpu), VCPU_SREG_SS));
}

void vmx_get_dt(struct vcpu *vcpu, struct kvm_dtable *dt, enum vcpu_dt which)
{
	bool gdt = which == VCPU_GDT;

	dt->base = vmcs_read(gdt ? GUEST_GDTR_BASE : GUEST_IDTR_BASE);
	dt->limit = vmcs_read32(gdt ? GUEST_GDTR_LIMIT : GUEST_IDTR_LIMIT);
}

void vmx_set_dt(struct vcpu *vcpu, const struct kvm_dtable *dt,
		enum vcpu_dt which)
{
	bool gdt = which == VCPU_GDT;

	vmcs_write(gdt ? GUEST_GDTR_BASE : GUEST_IDTR_BASE, dt->base);
	vmcs_write(gdt ? GUEST_GDTR_LIMIT : GUEST_IDTR_LIMIT, dt->limit);
}

/* SDM volume 3, "Processor State After Reset": the same for INIT. */
void vmx_reset_segments(struct vmx_vcpu *vmx)
{
	struct kvm_segment data = {
		.limit = 0xffff, .type = 3, .s = 1, .present = 1,
	};
	struct kvm_segment code = {
		.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
		.type = 11, .s = 1, .present = 1,
	};
	struct kvm_segment tr = { .limit = 0xffff, .type = 11, .present = 1 };
	struct kvm_segment ldtr = { .limit = 0xffff, .type = 2, .present = 1 };
	struct kvm_dtable dt = { .limit = 0xffff };
	struct vcpu *vcpu = &vmx->vcpu;

	vmx_set_segment(vcpu, &code, VCPU_SREG_CS);
	vmx_set_segment(vcpu, &data, VCPU_SREG_ES);
	vmx_set_segment(vcpu, &data, VCPU_SREG_SS);
	vmx_set_segment(vcpu, &data, VCPU_SREG_DS);
	vmx_set_segment(vcpu, &data, VCPU_SREG_FS);
	vmx_set_segment(vcpu, &data, VCPU_SREG_GS);
	vmx_set_segment(vcpu, &tr, VCPU_SREG_TR);
	vmx_set_segment(vcpu, &ldtr, VCPU_SREG_LDTR);
	vmx_set_dt(vcpu, &dt, VCPU_GDT);
	vmx_set_dt(vcpu, &dt, VCPU_IDT);
}

/**
 * vmx_fix_long_mode_tr() - the guest enters long mode
 * @vmx: loaded
 *
 * The CPU leaves TR as it is then, but an entry wants a busy 64-bit TSS. The
 * guest cannot tell: it must load TR before it can use it.
 */
void vmx_fix_long_mode_tr(struct vmx_vcpu *vmx)
{
	u32 ar = seg_ar(vmx, VCPU_SREG_TR);

	if ((ar & VMX_AR_TYPE_MASK) == VMX_AR_TYPE_BUSY_64_TSS)
		return;
	ar = (ar & ~VMX_AR_TYPE_MASK) | VMX_AR_TYPE_BUSY_64_TSS;
	vmx->seg[VCPU_SREG_TR].ar = ar;
	vmcs_write(GUEST_TR_AR_BYTES, ar);
}
