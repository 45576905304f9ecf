// SPDX-License-Identifier: GPL-2.0-only
/* Nested paging: the layout of its entries, and its root in the VMCB. */
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/pgtable.h>

#include "svm.h"
#include "../mmu/mmu.h"

static struct spte_layout layout;

/**
 * svm_npt_setup() - tell mmu/ how entries look here
 *
 * The CPU walks nested tables in the host's own paging mode: as many levels
 * as the host has.
 */
void svm_npt_setup(void)
{
	layout = spte_layout_npt;
#ifdef CONFIG_AMD_MEM_ENCRYPT
	layout.encrypt = sme_me_mask;
#endif
	mmu_set_layout(&layout, pgtable_l5_enabled() ? 5 : 4,
		       boot_cpu_has(X86_FEATURE_GBPAGES) ? 3 : 2);
}

/**
 * svm_load_root() - use this nested paging root from the next entry on
 * @vcpu: loaded
 * @root: host physical address
 * @level: of the root; always the host's
 */
void svm_load_root(struct vcpu *vcpu, hpa_t root, int level)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u64 ncr3 = __sme_set(root);

	if (svm->vmcb->control.nested_cr3 == ncr3)
		return;
	svm->vmcb->control.nested_cr3 = ncr3;
	vmcb_mark_dirty(svm->vmcb, VMCB_CLEAN_NPT);
	svm_flush_tlb(vcpu);
}
