// SPDX-License-Identifier: GPL-2.0-only
/* VPIDs: a number per vCPU that tags its linear translations. */
#include <linux/bitmap.h>
#include <linux/spinlock.h>

#include "vmx.h"

static DECLARE_BITMAP(vpids, VMX_NR_VPIDS);	/* vpid_lock; bit 0 is unused */
static DEFINE_SPINLOCK(vpid_lock);

/**
 * vmx_vpid_alloc() - give a vCPU a VPID, or 0 where there is none
 * @vmx: with 0, each entry and exit flushes what the other side had
 *
 * Its former owner's translations are flushed when the vCPU first comes to a
 * CPU: vcpu_load.
 */
void vmx_vpid_alloc(struct vmx_vcpu *vmx)
{
	unsigned int vpid;

	vmx->vpid = 0;
	if (!vmx_has_cpu2(SECONDARY_EXEC_ENABLE_VPID))
		return;
	spin_lock(&vpid_lock);
	vpid = find_next_zero_bit(vpids, VMX_NR_VPIDS, 1);
	if (vpid < VMX_NR_VPIDS) {
		__set_bit(vpid, vpids);
		vmx->vpid = vpid;
	}
	spin_unlock(&vpid_lock);
}

void vmx_vpid_free(struct vmx_vcpu *vmx)
{
	if (!vmx->vpid)
		return;
	spin_lock(&vpid_lock);
	__clear_bit(vmx->vpid, vpids);
	spin_unlock(&vpid_lock);
	vmx->vpid = 0;
}

/**
 * vmx_flush_tlb_guest() - forget what came from the guest's own page tables
 * @vcpu: loaded
 *
 * Without a VPID the entry itself does.
 */
void vmx_flush_tlb_guest(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (!vmx->vpid)
		return;
	preempt_disable();
	if (vmx_caps.ept_vpid >> 32 & VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT)
		vmx_invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, vmx->vpid, 0);
	else
		vmx_invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0, 0);
	preempt_enable();
}
