// SPDX-License-Identifier: GPL-2.0-only
/* A guest's nested page fault: from the guest frame to a mapping. */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <asm/mtrr.h>

#include "mmu.h"
#include "tdp.h"
#include "../core/dirty.h"
#include "../core/vcpu.h"
#include "../core/vm.h"

/* Some Intel CPUs can be made to machine-check by code on a large page
 * (X86_BUG_ITLB_MULTIHIT): there only 4 KiB pages are executable.
 */
static int param_exec_small = -1;
module_param_named(exec_small_pages, param_exec_small, int, 0444);
MODULE_PARM_DESC(exec_small_pages, "guests run code on 4 KiB pages only (1, 0; -1, the default: where the CPU's iTLB multihit bug asks for it and mitigations are on)");

static bool exec_small_only __ro_after_init;

/**
 * mmu_setup() - once, at load, after the vendor's setup
 *
 * Return: 0, or -EINVAL: the vendor did not say what its tables look like
 */
int mmu_setup(void)
{
	if (!tdp_layout.present)
		return -EINVAL;
	if (param_exec_small < 0)
		exec_small_only = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) &&
				  !cpu_mitigations_off();
	else
		exec_small_only = param_exec_small;
	return 0;
}

/** mmu_teardown() - at unload */
void mmu_teardown(void)
{
}

/* Did the host take the page away since @seq was read? */
static bool fault_is_stale(struct mmu *mmu, unsigned long seq, hva_t hva)
{
	lockdep_assert_held(&mmu->lock);
	if (mmu->invalidate_count && hva >= mmu->invalidate_start &&
	    hva < mmu->invalidate_end)
		return true;
	return mmu->invalidate_seq != seq;
}

/**
 * slot_level() - the largest leaf around a frame that lies in its slot, and is
 * as aligned there as it is in the host
 * @slot: not logged
 * @gfn: frame in it
 * @level: no larger than this
 *
 * Return: 1 to @level
 */
int slot_level(const struct memslot *slot, gfn_t gfn, int level)
{
	while (level > 1) {
		gfn_t pages = spte_level_pages(level);
		gfn_t start = gfn & ~(pages - 1);

		if (start >= slot->base_gfn &&
		    start + pages <= slot->base_gfn + slot->npages &&
		    !((slot->base_gfn ^ (slot->hva >> PAGE_SHIFT)) &
		      (pages - 1)))
			break;
		level--;
	}
	return level;
}

static int fault_level(struct vm *vm, const struct page_fault *pf,
		       const struct host_page *hp)
{
	int level = tdp_max_level;

	if (memslot_logged(pf->slot) ||
	    (exec_small_only && (pf->access & PF_EXEC)))
		return 1;
	level = slot_level(pf->slot, pf->gfn, level);
	if (level > 1)
		level = min(level, host_page_level(vm->mm, hp, pf->hva));
	return level;
}

/*
 * What the guest's MTRRs say of a frame, and of all in the leaf around it: *@level is
 * lowered until that is one. Those of the vCPU that faults: all must be alike.
 */
static u32 fault_memtype(const struct page_fault *pf, int *level)
{
	const struct vcpu *vcpu = pf->vcpu;
	int type = MTRR_TYPE_WRBACK;

	/* A guest without MTRRs cannot turn them on. */
	if (!vcpu->feat.mtrr && !mtrr_enabled(&vcpu->mtrr))
		return SPTE_GUEST_TYPE | SPTE_TYPE(type);
	for (;; --*level) {
		u64 bytes = spte_level_pages(*level) << PAGE_SHIFT;

		type = mtrr_memtype(&vcpu->mtrr, pf->gpa & ~(bytes - 1), bytes);
		if (type >= 0)
			break;
	}
	return SPTE_GUEST_TYPE | SPTE_TYPE(type);
}

static void fault_made_writable(struct vm *vm, struct page_fault *pf, u64 pfn)
{
	host_pfn_dirty(pfn);
	mark_page_dirty(vm, pf->slot, pf->gfn);
}

/* Lock held, frame up to date. 0, or the table pages that are needed. */
static int fault_map(struct vm *vm, struct page_fault *pf,
		     const struct host_page *hp, struct table_cache *cache)
{
	bool log = memslot_logged(pf->slot);
	bool write = pf->access & PF_WRITE;
	int level = fault_level(vm, pf, hp);
	u32 flags = 0;
	int need;

	if (hp->writable) {
		flags |= SPTE_MAY_WRITE;
		if (write || !log)
			flags |= SPTE_WRITE;
	}
	if (!exec_small_only)
		flags |= SPTE_EXEC;
	if (hp->uncached)
		flags |= SPTE_UNCACHED;
	else if (vm->mmu.noncoherent)
		flags |= fault_memtype(pf, &level);

	need = tdp_map(vm, pf, &level, flags, cache);
	if (need)
		return need;
	pf->level = level;
	if (flags & SPTE_WRITE)
		fault_made_writable(vm, pf, hp->pfn);
	return 0;
}

/* Something is mapped there already. Another vCPU may have fixed it, or only
 * dirty logging is in the way: no need to ask the host. True if it is fixed.
 */
static bool fault_fix_present(struct vm *vm, struct page_fault *pf)
{
	bool write = pf->access & PF_WRITE;
	bool exec = pf->access & PF_EXEC;
	bool fixed = false;
	u64 *sptep;
	int level;

	spin_lock(&vm->mmu.lock);
	sptep = tdp_find(vm, pf->space, pf->gfn, &level);
	if (!sptep)
		goto out;
	if (spte_allows(&tdp_layout, *sptep, write, exec)) {
		fixed = true;
	} else if (write && (*sptep & SPTE_HOST_WRITABLE) &&
		   (level == 1 || !memslot_logged(pf->slot)) &&
		   spte_allows(&tdp_layout, *sptep, false, exec)) {
		tdp_make_writable(sptep);
		fault_made_writable(vm, pf, spte_pfn(&tdp_layout, *sptep));
		fixed = true;
	}
	pf->level = level;
out:
	spin_unlock(&vm->mmu.lock);
	return fixed;
}

static int fault_host_error(const struct page_fault *pf, int err)
{
	switch (err) {
	case -EAGAIN:
	case -EINTR:	/* the run loop sees the signal */
	case -ERESTARTSYS:
		return FAULT_RETRY;
	case -EHWPOISON:
		/* As if the VMM's own access had hit the broken memory. */
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)pf->hva,
				PAGE_SHIFT, current);
		return FAULT_RETRY;
	default:
		return err;
	}
}

/* From the VMM's address to the mapping. */
static int fault_resolve(struct vm *vm, struct page_fault *pf)
{
	bool readonly = pf->slot->flags & KVM_MEM_READONLY;
	struct table_cache cache = { .nr = 0 };
	struct mmu *mmu = &vm->mmu;
	struct host_page hp = { };
	unsigned long seq;
	int err, need;

	seq = READ_ONCE(mmu->invalidate_seq);
	/* Pairs with the lock in invalidate_range_end: the page is looked up
	 * after the sequence was read.
	 */
	smp_rmb();
	err = host_page_get(pf->hva, pf->access & PF_WRITE, !readonly,
			    pf->nowait, &hp);
	if (err == -EBUSY)
		return FAULT_WAIT;
	if (err)
		return fault_host_error(pf, err);
	pf->pfn = hp.pfn;
	if (readonly)
		hp.writable = false;
	pf->writable = hp.writable;

	for (;;) {
		spin_lock(&mmu->lock);
		if (fault_is_stale(mmu, seq, pf->hva)) {
			err = FAULT_RETRY;
			need = 0;
		} else {
			err = FAULT_FIXED;
			need = fault_map(vm, pf, &hp, &cache);
		}
		spin_unlock(&mmu->lock);
		if (!need)
			break;
		err = table_cache_fill(&cache, need);
		if (err)
			break;
	}
	host_page_put(&hp);
	table_cache_drain(&cache);
	return err;
}

/* Of a frame without a slot: what the vendor has put there, or nothing. */
static int fault_reserved(struct vm *vm, struct page_fault *pf)
{
	struct table_cache cache = { .nr = 0 };
	int need, level, err = FAULT_FIXED;

	if (pf->gfn < tdp_reserved.gfn ||
	    pf->gfn - tdp_reserved.gfn >= tdp_reserved.pages ||
	    pf->access & PF_WRITE)
		return FAULT_EMULATE;
	pf->pfn = tdp_reserved.pfn + (pf->gfn - tdp_reserved.gfn);
	for (;;) {
		level = 1;
		spin_lock(&vm->mmu.lock);
		need = tdp_map(vm, pf, &level, 0, &cache);
		spin_unlock(&vm->mmu.lock);
		if (!need)
			break;
		err = table_cache_fill(&cache, need);
		if (err)
			break;
		err = FAULT_FIXED;
	}
	pf->level = level;
	table_cache_drain(&cache);
	return err;
}

/**
 * mmu_handle_fault() - make what the guest touched accessible
 * @vcpu: who; vcpu->mutex and its vm->srcu read section are held
 * @pf: gpa and access in; the rest out, as far as it got
 *
 * Context: the vCPU's thread, in the VMM's mm; may sleep.
 *
 * Return: enum fault_result; -EFAULT: the slot's memory is not mapped in the
 * VMM, or not for this access; -ENOMEM
 */
int mmu_handle_fault(struct vcpu *vcpu, struct page_fault *pf)
{
	struct vm *vm = vcpu->vm;
	struct memslot *slot;

	pf->vcpu = vcpu;
	pf->space = vcpu_space(vcpu);
	pf->gfn = gpa_to_gfn(pf->gpa);
	pf->level = 0;
	slot = space_slot(vm, pf->space, pf->gfn);
	pf->slot = slot;
	if (!slot)
		return fault_reserved(vm, pf);
	/* About to be deleted or moved: what comes after is soon known. */
	if (READ_ONCE(slot->dying))
		return FAULT_RETRY;
	pf->hva = slot->hva + ((pf->gfn - slot->base_gfn) << PAGE_SHIFT);
	if ((pf->access & PF_WRITE) && (slot->flags & KVM_MEM_READONLY))
		return FAULT_EMULATE;
	if ((pf->access & PF_PRESENT) && fault_fix_present(vm, pf))
		return FAULT_FIXED;
	return fault_resolve(vm, pf);
}

/**
 * mmu_memtypes_changed() - a vCPU's MTRRs are others now
 * @vm: whose
 *
 * What is mapped comes back by faults, with the memory types of then. May sleep.
 */
void mmu_memtypes_changed(struct vm *vm)
{
	if (READ_ONCE(vm->mmu.noncoherent))
		mmu_zap_all(vm);
}

/**
 * mmu_set_noncoherent() - whether the guest's memory types count from now on
 * @vm: whose
 * @noncoherent: some device of its does DMA past the CPUs' caches
 *
 * May sleep.
 */
void mmu_set_noncoherent(struct vm *vm, bool noncoherent)
{
	struct mmu *mmu = &vm->mmu;
	bool changed;

	spin_lock(&mmu->lock);
	changed = mmu->noncoherent != noncoherent;
	WRITE_ONCE(mmu->noncoherent, noncoherent);
	spin_unlock(&mmu->lock);
	if (changed)
		mmu_zap_all(vm);
}
