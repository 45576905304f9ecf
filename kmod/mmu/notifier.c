// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory management takes pages away: swapped out, migrated, shared,
 * unmapped by the VMM. They are unmapped from the guest first, and come back by
 * a fault. Faults under way are told by a count and a sequence (fault.c).
 */
#include <linux/mmu_notifier.h>

#include "mmu.h"
#include "tdp.h"
#include "../core/vm.h"

static struct vm *notifier_vm(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct vm, notifier);
}

/* Everything of the slots that lies in these addresses of the VMM. A slot about
 * to be deleted is still in the array until it is unmapped: none is missed.
 */
static void sweep_space(struct sweep *s, enum space space, hva_t start,
			hva_t end)
{
	struct vm *vm = s->vm;
	struct memslots *slots;
	int i;

	slots = srcu_dereference(vm->memslots[space], &vm->srcu);
	for (i = 0; i < slots->nr; i++) {
		struct memslot *slot = slots->slots[i];
		hva_t lo = max(start, slot->hva);
		hva_t hi = min(end, slot->hva + (slot->npages << PAGE_SHIFT));

		if (lo >= hi)
			continue;
		sweep_range(s, space,
			    slot->base_gfn + ((lo - slot->hva) >> PAGE_SHIFT),
			    slot->base_gfn +
			    ((hi - 1 - slot->hva) >> PAGE_SHIFT) + 1);
	}
}

static void sweep_hva_range(struct sweep *s, hva_t start, hva_t end)
{
	enum space space;

	for (space = 0; space < NR_SPACES; space++)
		sweep_space(s, space, start, end);
}

static int invalidate_range_start(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	struct vm *vm = notifier_vm(notifier);
	struct mmu *mmu = &vm->mmu;
	struct sweep s;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&mmu->lock);
	if (!mmu->invalidate_count++) {
		mmu->invalidate_start = range->start;
		mmu->invalidate_end = range->end;
	} else {
		/* Several at once: all between them waits. */
		mmu->invalidate_start = min(mmu->invalidate_start,
					    range->start);
		mmu->invalidate_end = max(mmu->invalidate_end, range->end);
	}
	sweep_begin(&s, vm, SWEEP_ZAP, mmu_notifier_range_blockable(range));
	sweep_hva_range(&s, range->start, range->end);
	sweep_end(&s);
	spin_unlock(&mmu->lock);
	srcu_read_unlock(&vm->srcu, idx);
	return 0;
}

static void invalidate_range_end(struct mmu_notifier *notifier,
				 const struct mmu_notifier_range *range)
{
	struct mmu *mmu = &notifier_vm(notifier)->mmu;

	spin_lock(&mmu->lock);
	mmu->invalidate_seq++;
	mmu->invalidate_count--;
	spin_unlock(&mmu->lock);
}

static int sweep_young(struct mmu_notifier *notifier, enum sweep_op op,
		       bool flush, unsigned long start, unsigned long end)
{
	struct vm *vm = notifier_vm(notifier);
	struct sweep s;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	spin_lock(&vm->mmu.lock);
	sweep_begin(&s, vm, op, false);
	sweep_hva_range(&s, start, end);
	s.flush |= flush && s.young;
	sweep_end(&s);
	spin_unlock(&vm->mmu.lock);
	srcu_read_unlock(&vm->srcu, idx);
	return s.young;
}

static int clear_flush_young(struct mmu_notifier *notifier,
			     struct mm_struct *mm, unsigned long start,
			     unsigned long end)
{
	return sweep_young(notifier, SWEEP_CLEAR_YOUNG, true, start, end);
}

/* Without a flush an access may go unseen for a while: the host only guesses. */
static int clear_young(struct mmu_notifier *notifier, struct mm_struct *mm,
		       unsigned long start, unsigned long end)
{
	return sweep_young(notifier, SWEEP_CLEAR_YOUNG, false, start, end);
}

static int test_young(struct mmu_notifier *notifier, struct mm_struct *mm,
		      unsigned long address)
{
	return sweep_young(notifier, SWEEP_TEST_YOUNG, false, address,
			   address + 1);
}

/* The VMM's memory goes while files of the VM are still open elsewhere. */
static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	mmu_zap_all(notifier_vm(notifier));
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = release,
	.clear_flush_young = clear_flush_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.invalidate_range_start = invalidate_range_start,
	.invalidate_range_end = invalidate_range_end,
};

/**
 * mmu_notifier_start() - follow what the host does with the VMM's memory
 * @vm: of the current process
 *
 * Return: 0, -ENOMEM, or -EINTR: a signal is pending
 */
int mmu_notifier_start(struct vm *vm)
{
	vm->notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->notifier, vm->mm);
}

/** mmu_notifier_stop() - no callback runs or comes any more. May sleep. */
void mmu_notifier_stop(struct vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
