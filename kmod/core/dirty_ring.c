// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty rings. A page of a logged slot is writable by the guest only from when
 * it is put into the ring of the vCPU that writes it until the VMM, having read
 * the entry, asks for it to be reset: then the page is write-protected again.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "dirty_ring.h"
#include "vcpu.h"
#include "vm.h"

static_assert(sizeof(struct kvm_dirty_gfn) == 16);

/* The guest stops so many entries before the end: one exit may write several
 * pages more.
 */
#define RING_RESERVED	64

/* Pages write-protected at a time. */
#define RESET_BATCH	((unsigned int)(PAGE_SIZE / sizeof(struct mmu_frame)))

/**
 * dirty_ring_create() - an empty ring
 * @ring: zeroed
 * @nr: entries; 0: none
 *
 * Return: 0 or -ENOMEM
 */
int dirty_ring_create(struct dirty_ring *ring, u32 nr)
{
	raw_spin_lock_init(&ring->lock);
	if (!nr)
		return 0;
	ring->gfns = __vmalloc(array_size(nr, sizeof(*ring->gfns)),
			       GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ring->gfns)
		return -ENOMEM;
	ring->nr = nr;
	return 0;
}

/** dirty_ring_destroy() - nobody maps it any more */
void dirty_ring_destroy(struct dirty_ring *ring)
{
	vfree(ring->gfns);
}

static u32 ring_used(const struct dirty_ring *ring)
{
	/* The reset entries are clean before they count as such. */
	return READ_ONCE(ring->head) - smp_load_acquire(&ring->tail);
}

/** dirty_ring_full() - should the guest stop? */
bool dirty_ring_full(const struct dirty_ring *ring)
{
	return ring->nr && ring_used(ring) >= ring->nr - RING_RESERVED;
}

/**
 * dirty_ring_page() - a page of the ring, to be mapped
 * @ring: which
 * @index: page of it
 *
 * Return: the page, or NULL: beyond the end
 */
struct page *dirty_ring_page(const struct dirty_ring *ring, u64 index)
{
	if (index >= ring->nr * sizeof(*ring->gfns) / PAGE_SIZE)
		return NULL;
	return vmalloc_to_page((void *)ring->gfns + index * PAGE_SIZE);
}

static struct kvm_dirty_gfn *ring_entry(const struct dirty_ring *ring, u32 at)
{
	return &ring->gfns[at & (ring->nr - 1)];
}

/* The newest entry says the same, and the VMM has not read it: it will look at
 * the page after it has.
 */
static bool ring_has_it(const struct dirty_ring *ring, u32 slot, u64 offset)
{
	if (!ring_used(ring) || ring->last_slot != slot ||
	    ring->last_offset != offset)
		return false;
	/* The page was written before. */
	smp_mb();
	return READ_ONCE(ring_entry(ring, ring->head - 1)->flags) ==
	       KVM_DIRTY_GFN_F_DIRTY;
}

/* Lock held. False: there is no room. */
static bool ring_add(struct dirty_ring *ring, u32 slot, u64 offset)
{
	struct kvm_dirty_gfn *entry = ring_entry(ring, ring->head);

	if (ring_used(ring) >= ring->nr)
		return false;
	WRITE_ONCE(entry->slot, slot);
	WRITE_ONCE(entry->offset, offset);
	/* The VMM looks at the flags first. */
	smp_store_release(&entry->flags, KVM_DIRTY_GFN_F_DIRTY);
	ring->last_slot = slot;
	ring->last_offset = offset;
	/* For dirty_rings_reset(), which finds the entry complete. */
	smp_store_release(&ring->head, ring->head + 1);
	return true;
}

/**
 * dirty_ring_push() - a page was written, or may be from now on
 * @vcpu: by whom
 * @slot: logged
 * @gfn: in it
 *
 * Context: vm->srcu read section; mmu.lock or a run queue's lock may be held.
 */
void dirty_ring_push(struct vcpu *vcpu, const struct memslot *slot, gfn_t gfn)
{
	struct dirty_ring *ring = &vcpu->dirty_ring;
	u64 offset = gfn - slot->base_gfn;
	unsigned long flags;

	if (!ring->nr)
		return;
	raw_spin_lock_irqsave(&ring->lock, flags);
	if (!ring_has_it(ring, slot->id, offset)) {
		atomic64_inc(&vcpu->vm->dirty_pages);
		if (!ring_add(ring, slot->id, offset))
			ring->lost = true;
	}
	if (dirty_ring_full(ring))
		vcpu_request(vcpu, REQ_DIRTY_RING_FULL);
	raw_spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * dirty_ring_complain() - say so if pages are lost, before userspace is told that
 * the ring is full
 * @vcpu: owner thread
 *
 * Only a VMM that goes on making the kernel write guest memory in spite of
 * KVM_EXIT_DIRTY_RING_FULL comes to that.
 */
void dirty_ring_complain(struct vcpu *vcpu)
{
	struct dirty_ring *ring = &vcpu->dirty_ring;
	unsigned long flags;
	bool lost;

	raw_spin_lock_irqsave(&ring->lock, flags);
	lost = ring->lost;
	ring->lost = false;
	raw_spin_unlock_irqrestore(&ring->lock, flags);
	if (lost && __ratelimit(&vcpu->vm->report_limit))
		pr_warn("VM %u vCPU %u: dirty ring overrun, a page is lost\n",
			vcpu->vm->id, vcpu->id);
}

/**
 * dirty_ring_enable() - KVM_CAP_DIRTY_LOG_RING
 * @vm: vm->lock held
 * @bytes: of each vCPU's ring
 *
 * What a slot logged so far would be in no ring. Context: takes slots_lock.
 *
 * Return: 0; -EINVAL: not a power of two, too small, there are vCPUs, rings or
 * logged slots already; -E2BIG
 */
int dirty_ring_enable(struct vm *vm, u64 bytes)
{
	int err = 0;

	lockdep_assert_held(&vm->lock);
	if (!is_power_of_2(bytes) || bytes < PAGE_SIZE)
		return -EINVAL;
	if (bytes > DIRTY_RING_MAX_BYTES)
		return -E2BIG;
	if (vm->created_vcpus || vm->dirty_ring_nr)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	if (memslots_logged(vm))
		err = -EINVAL;
	else
		WRITE_ONCE(vm->dirty_ring_nr,
			   bytes / sizeof(struct kvm_dirty_gfn));
	mutex_unlock(&vm->slots_lock);
	return err;
}

/* Where the entry says, if that is anywhere. slots_lock is held. */
static bool entry_frame(struct vm *vm, const struct kvm_dirty_gfn *entry,
			struct mmu_frame *frame)
{
	u32 id = READ_ONCE(entry->slot);
	u64 offset = READ_ONCE(entry->offset);
	const struct memslot *slot;

	if (!memslot_id_valid(id))
		return false;
	slot = memslot_by_id(vm, id);
	if (!slot || offset >= slot->npages)
		return false;
	frame->gfn = slot->base_gfn + offset;
	frame->space = memslot_space(slot);
	return true;
}

/* Takes back what the VMM has read of one ring: returns how many entries. */
static u32 ring_reset(struct vm *vm, struct dirty_ring *ring,
		      struct mmu_frame *frames)
{
	/* Pairs with dirty_ring_push(). */
	u32 head = smp_load_acquire(&ring->head);
	unsigned int nr = 0;
	u32 at;

	for (at = ring->tail; at != head; at++) {
		struct kvm_dirty_gfn *entry = ring_entry(ring, at);

		/* Only then has it read the rest. */
		if (!(smp_load_acquire(&entry->flags) & KVM_DIRTY_GFN_F_RESET))
			break;
		nr += entry_frame(vm, entry, &frames[nr]);
		WRITE_ONCE(entry->flags, 0);
		if (nr == RESET_BATCH) {
			mmu_write_protect_frames(vm, frames, nr);
			nr = 0;
			cond_resched();
			/* That many, if anybody still asks. */
			if (fatal_signal_pending(current)) {
				at++;
				break;
			}
		}
	}
	if (nr)
		mmu_write_protect_frames(vm, frames, nr);
	head = at - ring->tail;
	/* The entries are free, and their pages protected, from here on. */
	smp_store_release(&ring->tail, at);
	return head;
}

/**
 * dirty_rings_reset() - KVM_RESET_DIRTY_RINGS
 * @vm: whose
 *
 * Context: takes slots_lock; may sleep.
 *
 * Return: entries that the VMM had read; -EINVAL: the VM has no rings; -ENOMEM
 */
long dirty_rings_reset(struct vm *vm)
{
	struct mmu_frame *frames;
	struct vcpu *vcpu;
	long count = 0;
	u32 i;

	if (!READ_ONCE(vm->dirty_ring_nr))
		return -EINVAL;
	frames = (struct mmu_frame *)__get_free_page(GFP_KERNEL);
	if (!frames)
		return -ENOMEM;
	mutex_lock(&vm->slots_lock);
	vm_for_each_vcpu(vm, vcpu, i)
		count += ring_reset(vm, &vcpu->dirty_ring, frames);
	mutex_unlock(&vm->slots_lock);
	free_page((unsigned long)frames);
	return count;
}
