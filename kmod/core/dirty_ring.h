/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty rings: each vCPU's own list of the pages it wrote, shared with the VMM. */
#ifndef JOIST_CORE_DIRTY_RING_H
#define JOIST_CORE_DIRTY_RING_H

#include <linux/kvm.h>
#include <linux/spinlock.h>

#include "types.h"

struct vm;
struct vcpu;
struct memslot;

#define DIRTY_RING_MAX_BYTES	(65536 * sizeof(struct kvm_dirty_gfn))

/**
 * struct dirty_ring - of one vCPU
 * @gfns: the entries, which the VMM may write at any time; NULL: no rings
 * @nr: of them, a power of two
 * @lock: who adds an entry; after mmu.lock, and after a run queue's, under which a
 *        vCPU that leaves its CPU tells the guest so
 * @head: entries ever made; @lock to write it
 * @tail: entries ever reset; slots_lock to write it
 * @last_slot: the newest entry says so; @lock
 * @last_offset: likewise
 * @lost: entries there was no room for; @lock
 *
 * What is in the ring between @tail and @head is known from these alone, never
 * from what the VMM may have written over.
 */
struct dirty_ring {
	struct kvm_dirty_gfn *gfns;
	u32 nr;
	raw_spinlock_t lock;	/* see above */
	u32 head;
	u32 tail;
	u32 last_slot;
	u64 last_offset;
	bool lost;
};

int dirty_ring_create(struct dirty_ring *ring, u32 nr);
void dirty_ring_destroy(struct dirty_ring *ring);
bool dirty_ring_full(const struct dirty_ring *ring);
struct page *dirty_ring_page(const struct dirty_ring *ring, u64 index);
void dirty_ring_complain(struct vcpu *vcpu);
void dirty_ring_push(struct vcpu *vcpu, const struct memslot *slot, gfn_t gfn);
int dirty_ring_enable(struct vm *vm, u64 bytes);
long dirty_rings_reset(struct vm *vm);

#endif
