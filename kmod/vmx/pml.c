// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's log of pages written, by Intel SDM volume 3, "Page-Modification Logging":
 * when it sets the dirty bit of an EPT entry it writes the page's guest-physical address
 * into a page of the vCPU's, from the last entry down, and exits when that is full.
 * Used for dirty bitmaps: see core/dirty.c.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "vmx.h"
#include "../core/dirty.h"

static bool param_pml = true;
module_param_named(pml, param_pml, bool, 0444);
MODULE_PARM_DESC(pml, "log the pages that a guest writes in the CPU rather than by faults, while its VMM asks for them (Intel; default on where the CPU can)");

#define PML_ENTRIES	512

/**
 * struct vmx_pml - a vCPU's log
 * @gpa: a page that the CPU writes
 * @lock: protects @taken, and the log's being begun anew
 * @next: the entry that the CPU fills next, as its last run left it; -1: full. Written
 *        by the vCPU's thread, interrupts off
 * @taken: entries from here up have been looked at
 */
struct vmx_pml {
	u64 *gpa;
	spinlock_t lock;	/* see above */
	s16 next;
	s16 taken;
};

/** vmx_pml_setup() - at load, when it is known whether there are dirty bits */
void vmx_pml_setup(void)
{
	if (!param_pml)
		vmx_caps.cpu2 &= ~SECONDARY_EXEC_ENABLE_PML;
	if (vmx_has_cpu2(SECONDARY_EXEC_ENABLE_PML))
		mmu_set_cpu_logs();
}

/**
 * vmx_pml_create() - a log, unless the CPU has none or the VM has rings
 * @vmx: of a new vCPU
 *
 * Return: 0 or -ENOMEM
 */
int vmx_pml_create(struct vmx_vcpu *vmx)
{
	struct vmx_pml *pml;

	if (!vmx_has_cpu2(SECONDARY_EXEC_ENABLE_PML) || vmx->vcpu.vm->dirty_ring_nr)
		return 0;
	pml = kzalloc(sizeof(*pml), GFP_KERNEL_ACCOUNT);
	if (!pml)
		return -ENOMEM;
	pml->gpa = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!pml->gpa) {
		kfree(pml);
		return -ENOMEM;
	}
	spin_lock_init(&pml->lock);
	vmx->pml = pml;
	return 0;
}

/** vmx_pml_destroy() - its VMCS is no CPU's any more */
void vmx_pml_destroy(struct vmx_vcpu *vmx)
{
	if (!vmx->pml)
		return;
	free_page((unsigned long)vmx->pml->gpa);
	kfree(vmx->pml);
	vmx->pml = NULL;
}

/* Empty: its VMCS is current. */
static void pml_begin(struct vmx_pml *pml)
{
	vmcs_write(GUEST_PML_INDEX, PML_ENTRIES - 1);
	WRITE_ONCE(pml->next, PML_ENTRIES - 1);
	pml->taken = PML_ENTRIES;
}

/** vmx_pml_init() - of a new VMCS, which is current */
void vmx_pml_init(struct vmx_vcpu *vmx)
{
	if (!vmx->pml)
		return;
	vmcs_write(PML_ADDRESS, __pa(vmx->pml->gpa));
	pml_begin(vmx->pml);
}

/**
 * vmx_pml_note() - the CPU has left the guest: how far is the log?
 * @vmx: its VMCS is current; interrupts off
 */
void vmx_pml_note(struct vmx_vcpu *vmx)
{
	if (vmx->pml)
		/* Its entries were written before. */
		smp_store_release(&vmx->pml->next,
				  (s16)vmcs_read(GUEST_PML_INDEX));
}

static void pml_take(struct vm *vm, struct vmx_pml *pml)
{
	s16 next = smp_load_acquire(&pml->next); /* pairs with vmx_pml_note() */

	lockdep_assert_held(&pml->lock);
	while (pml->taken > next + 1)
		mark_gfn_dirty(vm, gpa_to_gfn(pml->gpa[--pml->taken]));
}

/**
 * vmx_pml_full() - take what the log has, and begin anew
 * @vmx: loaded, its own thread, in a vm->srcu read section
 */
void vmx_pml_full(struct vmx_vcpu *vmx)
{
	struct vmx_pml *pml = vmx->pml;

	spin_lock(&pml->lock);
	pml_take(vmx->vcpu.vm, pml);
	pml_begin(pml);
	spin_unlock(&pml->lock);
}

/** vmx_take_dirty() - what the vCPU wrote before it was kicked */
void vmx_take_dirty(struct vcpu *vcpu)
{
	struct vmx_pml *pml = to_vmx(vcpu)->pml;

	if (!pml)
		return;
	spin_lock(&pml->lock);
	pml_take(vcpu->vm, pml);
	spin_unlock(&pml->lock);
}
