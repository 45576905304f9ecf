// SPDX-License-Identifier: GPL-2.0-only
/* Extended page tables: their format for the MMU, the pointer, their TLB. */
#include <asm/processor.h>

#include "vmx.h"
#include "../mmu/mmu.h"

static bool ept_ad;
static bool ept_single;

/** vmx_ept_setup() - tell the MMU what this CPU's tables look like */
void vmx_ept_setup(void)
{
	u64 cap = vmx_caps.ept_vpid;
	int root = 4, leaf = 1;

	/* With these bits a walk of the guest's tables is a write: flat.c's are
	 * read only.
	 */
	ept_ad = cap & VMX_EPT_AD_BIT && vmx_unrestricted();
	ept_single = cap & VMX_EPT_EXTENT_CONTEXT_BIT;
	if (cap & VMX_EPT_PAGE_WALK_5_BIT && boot_cpu_data.x86_phys_bits > 48)
		root = 5;
	if (cap & VMX_EPT_2MB_PAGE_BIT)
		leaf = cap & VMX_EPT_1GB_PAGE_BIT ? 3 : 2;
	mmu_set_layout(ept_ad ? &spte_layout_ept : &spte_layout_ept_noad, root,
		       leaf);
	/* The log is of dirty bits. */
	if (!ept_ad)
		vmx_caps.cpu2 &= ~SECONDARY_EXEC_ENABLE_PML;
	vmx_pml_setup();
}

static void flush_eptp(struct vmx_vcpu *vmx)
{
	if (ept_single)
		vmx_invept(VMX_EPT_EXTENT_CONTEXT, vmx->eptp);
	else
		vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
}

/**
 * vmx_load_root() - walk these tables from the next entry on
 * @vcpu: loaded
 * @root: host physical address of the root table
 * @level: of the root
 *
 * The address may have been the root of other tables before.
 */
void vmx_load_root(struct vcpu *vcpu, hpa_t root, int level)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 eptp = root | VMX_EPTP_MT_WB;

	eptp |= level == 5 ? VMX_EPTP_PWL_5 : VMX_EPTP_PWL_4;
	if (ept_ad)
		eptp |= VMX_EPTP_AD_ENABLE_BIT;
	vmx->eptp = eptp;
	vmcs_write(EPT_POINTER, eptp);
	vcpu_request(vcpu, REQ_TLB_FLUSH);
}

/**
 * vmx_flush_tlb() - forget the translations of this vCPU's guest memory
 * @vcpu: loaded; on another CPU vcpu_load asks for the flush again
 *
 * One INVEPT drops what was made through the EPT, whatever the VPID: without
 * paging of the host's own under it there is nothing else.
 */
void vmx_flush_tlb(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	preempt_disable();
	if (vmx->eptp)
		flush_eptp(vmx);
	preempt_enable();
}
