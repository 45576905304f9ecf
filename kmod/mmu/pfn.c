// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host frames behind the VMM's addresses. A frame is looked up, mapped and let
 * go of: what keeps the mapping right afterwards is the mmu notifier.
 */
#include <linux/mm.h>
#include <linux/ioport.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include "mmu.h"
#include "tdp.h"
#include "../compat/compat.h"

/* The host's own leaf at an address and its level, or 0: there is none. Interrupts
 * are off: that keeps the host's table pages from being freed.
 */
static int host_leaf_level(struct mm_struct *mm, hva_t hva)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (pgd_none(pgd))
		return 0;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 0;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return 0;
	if (pud_leaf(pud))
		return 3;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_none(pmd) || !pmd_present(pmd))
		return 0;
	if (pmd_leaf(pmd))
		return 2;
	return pte_present(READ_ONCE(*pte_offset_kernel(&pmd, hva)));
}

/**
 * host_map_level() - how large the host's own mapping is at this moment
 * @mm: this process'
 * @hva: address
 *
 * Return: 1 (also where nothing is mapped), 2 or 3
 */
int host_map_level(struct mm_struct *mm, hva_t hva)
{
	unsigned long flags;
	int level;

	local_irq_save(flags);
	level = host_leaf_level(mm, hva);
	local_irq_restore(flags);
	return max(level, 1);
}

/*
 * Where the host has nothing yet, its own fault comes first: to look for a page, and
 * to look again after it, costs as much as the fault. Whatever goes wrong is found
 * out by who looks then.
 */
static void fault_in(hva_t hva)
{
	struct mm_struct *mm = current->mm;
	bool unlocked = false;
	int level;

	local_irq_disable();
	level = host_leaf_level(mm, hva);
	local_irq_enable();
	if (level)
		return;
	mmap_read_lock(mm);
	fixup_user_fault(mm, hva, FAULT_FLAG_WRITE, &unlocked);
	mmap_read_unlock(mm);
}

/* Without sleeping, when the host has it mapped for writing already. */
static bool get_fast(hva_t hva, struct host_page *hp)
{
	if (!get_user_page_fast_only(hva, FOLL_WRITE, &hp->page))
		return false;
	hp->writable = true;
	return true;
}

static int get_slow(hva_t hva, bool write, bool want_write, bool nowait,
		    struct host_page *hp)
{
	unsigned int flags = FOLL_HWPOISON | (write ? FOLL_WRITE : 0) |
			     (nowait ? FOLL_NOWAIT : 0);
	struct page *page;
	long nr;

	nr = get_user_pages_unlocked(hva, 1, &hp->page, flags);
	if (!nr && nowait)
		return -EBUSY;
	if (nr != 1)
		return nr < 0 ? nr : -EFAULT;
	hp->writable = write;
	if (write || !want_write)
		return 0;

	/* Read, but writable at no further cost? */
	if (get_user_page_fast_only(hva, FOLL_WRITE, &page)) {
		put_page(hp->page);
		hp->page = page;
		hp->writable = true;
	}
	return 0;
}

/* Memory that a driver mapped by frame number. */
static int get_pfnmap(hva_t hva, bool write, struct host_page *hp)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool unlocked = false;
	unsigned long pfn;
	int err;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, hva);
	if (!vma || !(vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    (write && !(vma->vm_flags & VM_WRITE))) {
		err = -EFAULT;
		goto out;
	}
	err = compat_follow_pfnmap(vma, hva, &pfn, &hp->writable);
	if (!err && write && !hp->writable)
		err = -EFAULT;
	if (err) {
		err = fixup_user_fault(mm, hva, write ? FAULT_FLAG_WRITE : 0,
				       &unlocked);
		if (!err)
			err = -EAGAIN;	/* it is there now: look again */
		goto out;
	}
	hp->pfn = pfn;
	hp->page = NULL;
	hp->uncached = !page_is_ram(pfn);
out:
	mmap_read_unlock(mm);
	return err;
}

/**
 * host_page_get() - the frame behind an address of this process
 * @hva: page-aligned
 * @write: it is to be written: break copy-on-write, fail where not allowed
 * @want_write: or would be, if that is to be had for nothing
 * @nowait: not if the host has to fetch it first
 * @hp: the answer
 *
 * Context: may sleep, no locks held.
 *
 * Return: 0; -EBUSY: with @nowait: it has to; -EAGAIN: look again; -EINTR: a
 * fatal signal is pending; -EHWPOISON: the memory is broken; -EFAULT: there is
 * nothing, or not for this
 */
int host_page_get(hva_t hva, bool write, bool want_write, bool nowait,
		  struct host_page *hp)
{
	int err;

	hp->uncached = false;
	if (write && !nowait)
		fault_in(hva);
	if (!(write || want_write) || !get_fast(hva, hp)) {
		err = get_slow(hva, write, want_write, nowait, hp);
		if (err == -EFAULT)
			return get_pfnmap(hva, write, hp);
		if (err)
			return err;
	}
	hp->pfn = page_to_pfn(hp->page);
	return 0;
}

/** host_page_put() - let go of what host_page_get() found */
void host_page_put(struct host_page *hp)
{
	if (!hp->page)
		return;
	mark_page_accessed(hp->page);
	put_page(hp->page);
}

/**
 * host_pfn_dirty() - the guest may write this frame from now on
 * @pfn: mapped writable, under mmu.lock: whoever cleans the page unmaps it first
 */
void host_pfn_dirty(u64 pfn)
{
	struct page *page;

	if (!pfn_valid(pfn))
		return;
	page = pfn_to_page(pfn);
	if (!PageReserved(page))
		SetPageDirty(compound_head(page));
}

/**
 * host_page_level() - how large a leaf the host's frame may be mapped with
 * @mm: this process'
 * @hp: what is mapped at @hva
 * @hva: address
 *
 * Under mmu.lock, no invalidation being under way: then the host's mapping
 * cannot change without the notifier waiting for the lock.
 *
 * Return: 1, 2 or 3
 */
int host_page_level(struct mm_struct *mm, const struct host_page *hp,
		    hva_t hva)
{
	/* What a driver mapped by frame number may be as large as the host has it. */
	if (hp->page && !PageCompound(hp->page))
		return 1;
	return host_map_level(mm, hva);
}
