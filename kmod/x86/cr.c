// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control, debug and extended-control registers, written by the guest or set by
 * the VMM: the architecture's checks, and what follows from a change.
 */
#include <asm/apicdef.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

#define CR0_DEFINED							\
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
	 X86_CR0_PG)

/* Changes that make cached linear translations stale. */
#define CR4_FLUSHES							\
	(X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PCIDE |	\
	 X86_CR4_SMEP | X86_CR4_LA57)
/* Changes on which PAE paging loads its four PDPTEs anew. */
#define CR0_PDPTR_BITS	(X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)
#define CR4_PDPTR_BITS	(X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_SMEP)

#define CR3_NO_FLUSH		BIT_ULL(63)
#define CR3_PAE_BASE		0xffffffe0ULL
#define PDPTE_PRESENT		BIT_ULL(0)
#define PDPTE_RESERVED		0x1e6ULL	/* bits 1, 2, 5..8 */

#define EFER_KNOWN							\
	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR)

#define DR6_WRITABLE	(DR_TRAP_BITS | DR6_BD | DR_STEP | DR_SWITCH)

#define XFEATURE_MASK_AVX512_ALL					\
	(XFEATURE_MASK_OPMASK | XFEATURE_MASK_ZMM_Hi256 |		\
	 XFEATURE_MASK_Hi16_ZMM)

static u64 phys_reserved(struct vcpu *vcpu)
{
	return ~0ULL << vcpu->feat.maxphyaddr;
}

static bool pdptrs_valid(struct vcpu *vcpu, const u64 *pdptrs)
{
	int i;

	for (i = 0; i < 4; i++)
		if (pdptrs[i] & PDPTE_PRESENT &&
		    pdptrs[i] & (PDPTE_RESERVED | phys_reserved(vcpu)))
			return false;
	return true;
}

/*
 * The four page-directory pointers of PAE paging at @cr3. False: memory is not
 * there, or a present one has reserved bits: the load faults.
 */
static bool pdptrs_read(struct vcpu *vcpu, u64 cr3, u64 *pdptrs)
{
	struct vm *vm = vcpu->vm;
	int idx, err;

	idx = srcu_read_lock(&vm->srcu);
	err = space_read(vm, vcpu_space(vcpu), cr3 & CR3_PAE_BASE, pdptrs,
			 4 * sizeof(*pdptrs));
	srcu_read_unlock(&vm->srcu, idx);
	return !err && pdptrs_valid(vcpu, pdptrs);
}

static bool pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return cr0 & X86_CR0_PG && cr4 & X86_CR4_PAE && !(efer & EFER_LMA);
}

/* For the vendor's set_cr* that comes next. False: #GP. */
static bool pdptrs_load(struct vcpu *vcpu, u64 cr3)
{
	u64 pdptrs[4];

	if (!pdptrs_read(vcpu, cr3, pdptrs))
		return false;
	memcpy(vcpu->pdptrs, pdptrs, sizeof(pdptrs));
	return true;
}

/**
 * cr0_valid() - is this a value that CR0 can have, other state aside?
 * @vcpu: vCPU
 * @val: value
 */
bool cr0_valid(struct vcpu *vcpu, u64 val)
{
	if (val >> 32)
		return false;
	if (val & X86_CR0_NW && !(val & X86_CR0_CD))
		return false;
	return !(val & X86_CR0_PG) || val & X86_CR0_PE;
}

/* May paging be turned on or off, as things are? */
static bool cr0_paging_valid(struct vcpu *vcpu, bool on)
{
	struct kvm_segment cs;

	if (!on)
		return !vcpu_64bit(vcpu) && !(vcpu_cr4(vcpu) & X86_CR4_PCIDE);
	if (!(vcpu->efer & EFER_LME))
		return true;
	vendor_call(get_segment)(vcpu, &cs, VCPU_SREG_CS);
	return vcpu_cr4(vcpu) & X86_CR4_PAE && !cs.l;
}

/* With LME set, paging switches long mode. */
static void cr0_paging_changed(struct vcpu *vcpu, bool on)
{
	u64 efer = vcpu->efer & ~(u64)EFER_LMA;

	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	if (!(vcpu->efer & EFER_LME))
		return;
	vendor_call(set_efer)(vcpu, on ? efer | EFER_LMA : efer);
}

/**
 * cr0_write() - MOV to CR0, LMSW, CLTS
 * @vcpu: loaded vCPU
 * @val: value
 *
 * Return: 0; 1: the guest gets #GP(0), nothing was changed.
 */
int cr0_write(struct vcpu *vcpu, u64 val)
{
	u64 old = vcpu_cr0(vcpu);
	u64 changed;

	if (!cr0_valid(vcpu, val))
		return 1;
	val = (val & CR0_DEFINED) | X86_CR0_ET;
	changed = val ^ old;
	if (!changed)
		return 0;
	if (changed & X86_CR0_PG && !cr0_paging_valid(vcpu, val & X86_CR0_PG))
		return 1;
	if (changed & CR0_PDPTR_BITS && !(vcpu->efer & EFER_LME) &&
	    pae_paging(val, vcpu_cr4(vcpu), vcpu->efer) &&
	    !pdptrs_load(vcpu, vcpu_cr3(vcpu)))
		return 1;
	if (changed & X86_CR0_PG)
		cr0_paging_changed(vcpu, val & X86_CR0_PG);
	vendor_call(set_cr0)(vcpu, val);
	return 0;
}

/**
 * cr3_write() - MOV to CR3
 * @vcpu: loaded vCPU
 * @val: value; with PCIDs its bit 63 keeps the translations
 *
 * Return: 0; 1: the guest gets #GP(0), nothing was changed.
 */
int cr3_write(struct vcpu *vcpu, u64 val)
{
	u64 cr4 = vcpu_cr4(vcpu);
	bool flush = true;

	if (vcpu_long_mode(vcpu)) {
		if (cr4 & X86_CR4_PCIDE) {
			flush = !(val & CR3_NO_FLUSH);
			val &= ~CR3_NO_FLUSH;
		}
		if (val & phys_reserved(vcpu))
			return 1;
	} else if (pae_paging(vcpu_cr0(vcpu), cr4, vcpu->efer) &&
		   !pdptrs_load(vcpu, val)) {
		return 1;
	}
	vendor_call(set_cr3)(vcpu, val);
	if (flush)
		vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	return 0;
}

/**
 * cr4_valid() - is this a value that the guest's CPU knows, other state aside?
 * @vcpu: vCPU
 * @val: value
 */
bool cr4_valid(struct vcpu *vcpu, u64 val)
{
	return !(val & vcpu->feat.cr4_reserved);
}

static bool cr4_mode_valid(struct vcpu *vcpu, u64 val, u64 changed)
{
	if (vcpu_long_mode(vcpu)) {
		if (!(val & X86_CR4_PAE) || changed & X86_CR4_LA57)
			return false;
		if (changed & val & X86_CR4_PCIDE)
			return !(vcpu_cr3(vcpu) & 0xfff);
		return true;
	}
	return !(val & X86_CR4_PCIDE);
}

/**
 * cr4_write() - MOV to CR4
 * @vcpu: loaded vCPU
 * @val: value
 *
 * Return: 0; 1: the guest gets #GP(0), nothing was changed.
 */
int cr4_write(struct vcpu *vcpu, u64 val)
{
	u64 changed = val ^ vcpu_cr4(vcpu);

	if (!cr4_valid(vcpu, val))
		return 1;
	if (!changed)
		return 0;
	if (!cr4_mode_valid(vcpu, val, changed))
		return 1;
	if (changed & CR4_PDPTR_BITS &&
	    pae_paging(vcpu_cr0(vcpu), val, vcpu->efer) &&
	    !pdptrs_load(vcpu, vcpu_cr3(vcpu)))
		return 1;
	vendor_call(set_cr4)(vcpu, val);
	if (changed & CR4_FLUSHES)
		vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	return 0;
}

/** cr8_write() - the task priority; 1: #GP(0) */
int cr8_write(struct vcpu *vcpu, u64 val)
{
	if (val >> 4)
		return 1;
	if (vcpu->lapic) {
		lapic_set_cr8(vcpu->lapic, val);
	} else {
		/* Each KVM_RUN writes it anew, mostly as it was. */
		if (val == vcpu->cr8)
			return 0;
		vcpu->cr8 = val;
	}
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * efer_write() - IA32_EFER is written as an MSR
 * @vcpu: loaded vCPU
 * @val: value; LMA in it is ignored
 * @host: by the VMM: not bound by the guest's CPUID
 *
 * Return: 0; 1: #GP(0), nothing was changed.
 */
int efer_write(struct vcpu *vcpu, u64 val, bool host)
{
	u64 valid = host ? EFER_KNOWN : vcpu->feat.efer_valid | EFER_LMA;

	if (val & ~valid)
		return 1;
	if (!host && (val ^ vcpu->efer) & EFER_LME && vcpu_paging(vcpu))
		return 1;
	val = (val & ~(u64)EFER_LMA) | (vcpu->efer & EFER_LMA);
	if (val != vcpu->efer)
		vendor_call(set_efer)(vcpu, val);
	return 0;
}

/* MOV DR's own conditions. False: its exception is queued. */
static bool dr_accessible(struct vcpu *vcpu, int nr)
{
	if ((nr == 4 || nr == 5) && vcpu_cr4(vcpu) & X86_CR4_DE) {
		exception_queue(vcpu, X86_TRAP_UD);
		return false;
	}
	if (guest_debug_owns_dr(vcpu) && vcpu->debug.dr7 & DR7_GD) {
		guest_debug_report(vcpu, X86_TRAP_DB, DR6_BD);
		return false;
	}
	if (vcpu->dr7 & DR7_GD) {
		exception_queue_payload(vcpu, X86_TRAP_DB, false, 0, DR6_BD);
		return false;
	}
	return true;
}

/** dr_restore() - DR6 and DR7 of a saved state; what is fixed in them stays */
void dr_restore(struct vcpu *vcpu, u64 dr6, u64 dr7)
{
	vcpu->dr6 = (dr6 & DR6_WRITABLE) | DR6_FIXED;
	vcpu->dr7 = (dr7 & DR7_WRITABLE) | DR7_FIXED;
	guest_debug_update_dr7(vcpu);
}

/**
 * dr_write() - the guest's MOV to a debug register, at CPL 0
 * @vcpu: loaded vCPU
 * @nr: 0..7
 * @val: value
 *
 * Return: 0; 1: an exception is queued, nothing was changed.
 */
int dr_write(struct vcpu *vcpu, int nr, u64 val)
{
	if (!dr_accessible(vcpu, nr))
		return 1;
	if (nr > 3 && val >> 32) {
		exception_queue_error(vcpu, X86_TRAP_GP, 0);
		return 1;
	}
	switch (nr) {
	case 0 ... 3:
		vcpu->dr[nr] = val;
		break;
	case 4:
	case 6:
		vcpu->dr6 = (val & DR6_WRITABLE) | DR6_FIXED;
		break;
	default:
		vcpu->dr7 = (val & DR7_WRITABLE) | DR7_FIXED;
		guest_debug_update_dr7(vcpu);
		break;
	}
	return 0;
}

/**
 * dr_read() - the guest's MOV from a debug register, at CPL 0
 * @vcpu: loaded vCPU
 * @nr: 0..7
 * @val: out
 *
 * Return: 0; 1: an exception is queued.
 */
int dr_read(struct vcpu *vcpu, int nr, u64 *val)
{
	if (!dr_accessible(vcpu, nr))
		return 1;
	switch (nr) {
	case 0 ... 3:
		*val = vcpu->dr[nr];
		break;
	case 4:
	case 6:
		*val = vcpu->dr6;
		break;
	default:
		*val = vcpu->dr7;
		break;
	}
	return 0;
}

/**
 * xcr_write() - XSETBV; the caller has checked CPL
 * @vcpu: vCPU
 * @index: which; 0 alone is there
 * @val: value
 *
 * Return: 0; 1: #GP(0), nothing was changed.
 */
int xcr_write(struct vcpu *vcpu, u32 index, u64 val)
{
	u64 avx512 = val & XFEATURE_MASK_AVX512_ALL;

	if (index || !(val & XFEATURE_MASK_FP) ||
	    val & ~vcpu->feat.xcr0_valid)
		return 1;
	if (val & XFEATURE_MASK_YMM && !(val & XFEATURE_MASK_SSE))
		return 1;
	if (avx512 && (avx512 != XFEATURE_MASK_AVX512_ALL ||
		       !(val & XFEATURE_MASK_YMM)))
		return 1;
	vcpu->xcr0 = val;
	return 0;
}

/**
 * apic_base_write() - IA32_APIC_BASE
 * @vcpu: vCPU, its mutex held
 * @val: value
 * @host: by the VMM: any change of mode is a fine one
 *
 * Return: 0; 1: #GP(0), nothing was changed.
 */
int apic_base_write(struct vcpu *vcpu, u64 val, bool host)
{
	const u64 mode = MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE;
	u64 reserved = phys_reserved(vcpu) | 0x2ff;
	u64 old = vcpu->apic_base & mode;

	if (!vcpu->feat.x2apic && !host)
		reserved |= X2APIC_ENABLE;
	if (val & reserved || (val & mode) == X2APIC_ENABLE)
		return 1;
	if (!host) {
		/* x2APIC is entered from xAPIC, and left to disabled only. */
		if (!old && (val & mode) == mode)
			return 1;
		if (old == mode && (val & mode) == MSR_IA32_APICBASE_ENABLE)
			return 1;
	}
	vcpu->apic_base = val;
	if (vcpu->lapic)
		lapic_set_base(vcpu->lapic, val);
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * cr_set_valid() - can a CPU have these all at once?
 * @vcpu: vCPU
 * @set: what CR0, CR3, CR4, EFER and CS.L would be
 */
bool cr_set_valid(struct vcpu *vcpu, const struct cr_set *set)
{
	bool paging = set->cr0 & X86_CR0_PG;
	bool lma = set->efer & EFER_LMA;

	if (!cr0_valid(vcpu, set->cr0) || !cr4_valid(vcpu, set->cr4) ||
	    set->efer & ~(u64)EFER_KNOWN)
		return false;
	if (paging && set->efer & EFER_LME) {
		if (!lma || !(set->cr4 & X86_CR4_PAE))
			return false;
		return !(set->cr3 & phys_reserved(vcpu));
	}
	/* Not in long mode: nothing may say so. */
	return !lma && !set->cs_l;
}

/**
 * cr_set_load() - load CR0, CR3, CR4 and EFER, in the order that is always legal
 * @vcpu: loaded vCPU, its mutex held
 * @set: valid
 *
 * Return: true; false: PAE paging is on, and its PDPTEs cannot be loaded.
 */
bool cr_set_load(struct vcpu *vcpu, const struct cr_set *set)
{
	bool pdptrs = true;

	vendor_call(set_efer)(vcpu, set->efer);
	if (pae_paging(set->cr0, set->cr4, set->efer)) {
		if (set->pdptrs)
			memcpy(vcpu->pdptrs, set->pdptrs, sizeof(vcpu->pdptrs));
		else
			pdptrs = pdptrs_read(vcpu, set->cr3, vcpu->pdptrs);
	}
	vendor_call(set_cr3)(vcpu, set->cr3);
	vendor_call(set_cr0)(vcpu, (set->cr0 & CR0_DEFINED) | X86_CR0_ET);
	vendor_call(set_cr4)(vcpu, set->cr4);
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	return pdptrs;
}

/**
 * cr_get_pdptrs() - the PDPTEs that translate now
 * @vcpu: loaded vCPU, its mutex held
 * @pdptrs: four
 *
 * Return: false: there are none, for it is not PAE paging.
 */
bool cr_get_pdptrs(struct vcpu *vcpu, u64 *pdptrs)
{
	if (!pae_paging(vcpu_cr0(vcpu), vcpu_cr4(vcpu), vcpu->efer))
		return false;
	/* Where the CPU does not keep them, memory is what counts. */
	if (!vendor->keeps_pdptrs)
		pdptrs_load(vcpu, vcpu_cr3(vcpu));
	memcpy(pdptrs, vcpu->pdptrs, sizeof(vcpu->pdptrs));
	return true;
}

/**
 * cr_set_sregs() - CR0, CR3, CR4, EFER and the APIC base of KVM_SET_SREGS
 * @vcpu: loaded vCPU, its mutex held
 * @sregs: all of them; they are checked against each other
 * @pdptrs: those of PAE paging, or NULL: as memory has them
 *
 * Return: 0; -EINVAL: not a state the CPU can be in, nothing was changed.
 */
int cr_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs,
		 const u64 *pdptrs)
{
	const struct cr_set set = {
		.cr0 = sregs->cr0,
		.cr3 = sregs->cr3,
		.cr4 = sregs->cr4,
		.efer = sregs->efer,
		.pdptrs = pdptrs,
		.cs_l = sregs->cs.l,
	};

	if (!cr_set_valid(vcpu, &set) || sregs->cr8 >> 4)
		return -EINVAL;
	if (pdptrs && (!pae_paging(set.cr0, set.cr4, set.efer) ||
		       !pdptrs_valid(vcpu, pdptrs)))
		return -EINVAL;
	if (apic_base_write(vcpu, sregs->apic_base, true))
		return -EINVAL;
	cr_set_load(vcpu, &set);
	return 0;
}
