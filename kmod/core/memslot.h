/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory slots: guest frames backed by the VMM's memory. */
#ifndef JOIST_CORE_MEMSLOT_H
#define JOIST_CORE_MEMSLOT_H

#include <linux/kvm.h>
#include <linux/rcupdate.h>

#include "types.h"

struct vm;
struct vcpu;

#define MEMSLOTS_MAX	512	/* in each address space */

/**
 * struct memslot - one slot; immutable once published, but for the
 * bits of dirty_bitmap and for dying
 * @base_gfn: first guest frame
 * @npages: 4 KiB pages
 * @hva: of the first page in the VMM
 * @flags: KVM_MEM_*
 * @id: the VMM's number; its high half is the address space
 * @dirty_bitmap: if logged, in a VM without dirty rings: one bit per page, set
 *                atomically
 * @dying: about to be deleted or moved: nothing new is mapped from it; set
 *         under slots_lock
 */
struct memslot {
	gfn_t base_gfn;
	u64 npages;
	hva_t hva;
	u32 flags;
	u32 id;
	unsigned long *dirty_bitmap;
	bool dying;
};

static inline enum space memslot_id_space(u32 id)
{
	return id >> 16;
}

static inline bool memslot_id_valid(u32 id)
{
	return memslot_id_space(id) < NR_SPACES && (u16)id < MEMSLOTS_MAX;
}

static inline bool memslot_logged(const struct memslot *slot)
{
	return slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
}

/* Where @gpa, which is in the slot, is in the VMM. */
static inline void __user *memslot_user(const struct memslot *slot, gpa_t gpa)
{
	return (void __user *)(slot->hva + (gpa - gfn_to_gpa(slot->base_gfn)));
}

static inline enum space memslot_space(const struct memslot *slot)
{
	return memslot_id_space(slot->id);
}

/**
 * struct memslots - the published set of an address space, sorted by base_gfn
 * @generation: counts publications
 * @nr: how many
 * @last: index of the slot found last, below @nr or 0; only a hint: written
 *        racily by whoever looks up
 * @slots: sorted, not overlapping
 */
struct memslots {
	u64 generation;
	int nr;
	int last;
	struct memslot *slots[];
};

/*
 * Lookups and space_*(): in a read section of vm->srcu, or under slots_lock.
 * space_*() access the VMM's memory: in its mm, may sleep; 0 or -EFAULT (no
 * memory there, or read-only). space_cmpxchg() takes 1, 2, 4, 8 bytes, naturally
 * aligned or at least in one page; *@old receives what was there. What goes by a
 * vCPU's eyes uses vcpu_space(), everything else the normal one: guest_*().
 */
void memslots_init(struct vm *vm);
void memslots_free(struct vm *vm);
int memslot_set(struct vm *vm, const struct kvm_userspace_memory_region *mem);
struct memslot *memslot_by_id(struct vm *vm, u32 id);
bool memslots_logged(struct vm *vm);
u64 memslots_bytes(struct vm *vm, enum space space);
struct memslot *memslots_nth(struct vm *vm, enum space space, u32 n);
struct memslot *space_slot(struct vm *vm, enum space space, gfn_t gfn);
int space_read(struct vm *vm, enum space space, gpa_t gpa, void *buf,
	       size_t len);
int space_read_u64(struct vm *vm, enum space space, gpa_t gpa, u64 *val);
int space_write(struct vm *vm, enum space space, gpa_t gpa, const void *buf,
		size_t len);
int space_cmpxchg(struct vm *vm, enum space space, gpa_t gpa, void *old,
		  const void *new, unsigned int len);
int guest_write_atomic(struct vm *vm, gpa_t gpa, const void *buf, size_t len);

static inline struct memslot *gfn_to_memslot(struct vm *vm, gfn_t gfn)
{
	return space_slot(vm, SPACE_NORMAL, gfn);
}

static inline int guest_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	return space_read(vm, SPACE_NORMAL, gpa, buf, len);
}

static inline int guest_write(struct vm *vm, gpa_t gpa, const void *buf,
			      size_t len)
{
	return space_write(vm, SPACE_NORMAL, gpa, buf, len);
}

#endif
