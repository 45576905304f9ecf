// SPDX-License-Identifier: GPL-2.0-only
/* Control registers, EFER and the other registers that live in the VMCS. */
#include <asm/tlbflush.h>

#include "vmx.h"
#include "../core/regs.h"

/* Bits that the guest reads and writes in the hardware register, no exit: none
 * of them changes how joist must walk, segment or page.
 */
#define CR0_GUEST_OWNED	(X86_CR0_TS | X86_CR0_MP | X86_CR0_EM | X86_CR0_WP | \
			 X86_CR0_AM)
#define CR4_GUEST_OWNED	(X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PGE | \
			 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | \
			 X86_CR4_FSGSBASE)

/**
 * vmx_cache_reg() - fetch a register the last exit left in the VMCS
 * @vcpu: loaded
 * @reg: which
 */
void vmx_cache_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	u64 owned;

	switch (reg) {
	case REG_RSP:
		vcpu->regs[REG_RSP] = vmcs_read(GUEST_RSP);
		break;
	case REG_RIP:
		vcpu->regs[REG_RIP] = vmcs_read(GUEST_RIP);
		break;
	case REG_RFLAGS:
		vcpu->regs[REG_RFLAGS] = vmcs_read(GUEST_RFLAGS);
		break;
	case REG_CR0:
		owned = vcpu->cr0_guest_owned;
		vcpu->cr0 = (vcpu->cr0 & ~owned) | (vmcs_read(GUEST_CR0) & owned);
		break;
	case REG_CR3:
		vcpu->cr3 = vmcs_read(GUEST_CR3);
		break;
	case REG_CR4:
		owned = vcpu->cr4_guest_owned;
		vcpu->cr4 = (vcpu->cr4 & ~owned) | (vmcs_read(GUEST_CR4) & owned);
		break;
	default:
		WARN_ON_ONCE(1);
	}
}

/* The guest has paging off, the CPU has not: flat.c. */
static bool flat(struct vcpu *vcpu)
{
	return !vmx_unrestricted() && !vcpu_paging(vcpu);
}

/* With PAE paging an entry loads the PDPTEs from the VMCS, not from memory, and
 * an exit saves them: the guest's own MOV to CR3 changes them.
 */
static void write_pdptrs(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->pae_paging = vcpu_paging(vcpu) && !vcpu_long_mode(vcpu) &&
			  vcpu_cr4(vcpu) & X86_CR4_PAE;
	if (flat(vcpu)) {
		vmcs_write(GUEST_PDPTR0, vmx_flat_pdpte(0));
		vmcs_write(GUEST_PDPTR1, vmx_flat_pdpte(1));
		vmcs_write(GUEST_PDPTR2, vmx_flat_pdpte(2));
		vmcs_write(GUEST_PDPTR3, vmx_flat_pdpte(3));
	}
	if (!vmx->pae_paging)
		return;
	vmcs_write(GUEST_PDPTR0, vcpu->pdptrs[0]);
	vmcs_write(GUEST_PDPTR1, vcpu->pdptrs[1]);
	vmcs_write(GUEST_PDPTR2, vcpu->pdptrs[2]);
	vmcs_write(GUEST_PDPTR3, vcpu->pdptrs[3]);
}

/** vmx_read_pdptrs() - as the last exit saved them; PAE paging */
void vmx_read_pdptrs(struct vcpu *vcpu)
{
	vcpu->pdptrs[0] = vmcs_read(GUEST_PDPTR0);
	vcpu->pdptrs[1] = vmcs_read(GUEST_PDPTR1);
	vcpu->pdptrs[2] = vmcs_read(GUEST_PDPTR2);
	vcpu->pdptrs[3] = vmcs_read(GUEST_PDPTR3);
}

static void set_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	vcpu->regs_avail |= BIT(reg);
}

/* Machine checks in the guest's run are the host's: CR4.MCE stays its own. What
 * tells user pages from others has to wait until the guest has pages.
 */
static void write_cr4(struct vcpu *vcpu)
{
	u64 hw = vcpu_cr4(vcpu) & ~(u64)X86_CR4_MCE;

	if (flat(vcpu)) {
		hw &= ~(u64)(X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE);
		hw |= X86_CR4_PAE;
	}
	vmcs_write(GUEST_CR4, hw | vmx_caps.cr4_fixed0 |
			      (__read_cr4() & X86_CR4_MCE));
}

/* Paging is on or off now, and the CPU's is on always: a MOV to CR3 would have it
 * load other PDPTEs than flat.c's.
 */
static void paging_changed(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 cpu = vmx->cpu & ~CPU_BASED_CR3_LOAD_EXITING;

	if (flat(vcpu))
		cpu |= CPU_BASED_CR3_LOAD_EXITING;
	vmx_write_cpu(vmx, cpu);
	write_cr4(vcpu);
	vcpu->enter_unsure = true;
}

/**
 * vmx_set_cr0() - CR0 has a new value, checked by the caller
 * @vcpu: loaded
 * @cr0: what the guest is to read
 *
 * Caching is never disabled for real: the host's memory is write-back.
 */
void vmx_set_cr0(struct vcpu *vcpu, u64 cr0)
{
	u64 hw = cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW);

	if (vmx_unrestricted())
		hw |= vmx_caps.cr0_fixed0 & ~(u64)(X86_CR0_PE | X86_CR0_PG);
	else
		hw |= vmx_caps.cr0_fixed0;
	vcpu->cr0 = cr0;
	set_reg(vcpu, REG_CR0);
	vmcs_write(CR0_READ_SHADOW, cr0);
	vmcs_write(GUEST_CR0, hw);
	if (!vmx_unrestricted())
		paging_changed(vcpu);
	write_pdptrs(vcpu);
}

void vmx_set_cr3(struct vcpu *vcpu, u64 cr3)
{
	vcpu->cr3 = cr3;
	set_reg(vcpu, REG_CR3);
	vmcs_write(GUEST_CR3, cr3);
	write_pdptrs(vcpu);
}

void vmx_set_cr4(struct vcpu *vcpu, u64 cr4)
{
	vcpu->cr4 = cr4;
	set_reg(vcpu, REG_CR4);
	vmcs_write(CR4_READ_SHADOW, cr4);
	write_cr4(vcpu);
	write_pdptrs(vcpu);
}

/* Where paging is always on, LME is long mode. */
void vmx_set_efer(struct vcpu *vcpu, u64 efer)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	bool syscall = efer & ~vcpu->efer & EFER_SCE;
	u64 hw = efer;

	if (!vmx_unrestricted() && !(efer & EFER_LMA))
		hw &= ~(u64)EFER_LME;
	vcpu->efer = efer;
	vmx_urets_choose(vmx);
	vmcs_write(GUEST_IA32_EFER, hw);
	if (syscall)
		vmx_uret_changed(vmx);
	if (efer & EFER_LMA) {
		vmx_write_entry(vmx, vmx->entry | VM_ENTRY_IA32E_MODE);
		vmx_fix_long_mode_tr(vmx);
	} else {
		vmx_write_entry(vmx, vmx->entry & ~VM_ENTRY_IA32E_MODE);
	}
	write_pdptrs(vcpu);
}

/** vmx_set_dr7() - vcpu->dr7_hw changed */
void vmx_set_dr7(struct vcpu *vcpu)
{
	vmcs_write(GUEST_DR7, vcpu->dr7_hw);
}

/**
 * vmx_update_cr_ownership() - which bits of CR0 and CR4 are the guest's own
 * @vmx: loaded; its CPUID may have changed
 */
void vmx_update_cr_ownership(struct vmx_vcpu *vmx)
{
	struct vcpu *vcpu = &vmx->vcpu;

	/* What the guest wrote so far is read under the old ownership. */
	reg_cache(vcpu, REG_CR0);
	reg_cache(vcpu, REG_CR4);
	vcpu->cr0_guest_owned = CR0_GUEST_OWNED;
	vcpu->cr4_guest_owned = CR4_GUEST_OWNED & ~vcpu->feat.cr4_reserved;
	vmcs_write(CR0_GUEST_HOST_MASK, ~vcpu->cr0_guest_owned);
	vmcs_write(CR4_GUEST_HOST_MASK, ~vcpu->cr4_guest_owned);
}
