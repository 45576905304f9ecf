// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots, of two address spaces. The published array of a space is never
 * changed: a new one replaces it, and the old one is freed after a grace period of
 * vm->srcu. A slot that goes away stays in the array, marked dying, until it is
 * unmapped from the guest, so that the mmu notifier still finds it. A vCPU in the
 * guest is in no read section.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "vm.h"
#include "../x86/pv.h"

/* So many that a count of pages fits an int, as for KVM. */
#define SLOT_MAX_PAGES	((1UL << 31) - 1)
#define SLOT_FLAGS	(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

/* Of every space that never had a slot. Nothing is found here, so nobody writes. */
static struct memslots no_memslots;

static struct memslots *memslots_get(struct vm *vm, enum space space)
{
	return srcu_dereference_check(vm->memslots[space], &vm->srcu,
				      lockdep_is_held(&vm->slots_lock) ||
				      !refcount_read(&vm->refs));
}

/* The array alone. */
static void memslots_drop(struct memslots *slots)
{
	if (slots != &no_memslots)
		kvfree(slots);
}

/** memslots_init() - no slots in a new VM */
void memslots_init(struct vm *vm)
{
	enum space space;

	for (space = 0; space < NR_SPACES; space++)
		RCU_INIT_POINTER(vm->memslots[space], &no_memslots);
}

static void memslot_free(struct memslot *slot)
{
	if (!slot)
		return;
	dirty_bitmap_free(slot);
	kfree(slot);
}

/** memslots_free() - the VM is going away, nobody looks any more */
void memslots_free(struct vm *vm)
{
	enum space space;
	int i;

	for (space = 0; space < NR_SPACES; space++) {
		struct memslots *slots =
			rcu_dereference_protected(vm->memslots[space], true);

		for (i = 0; i < slots->nr; i++)
			memslot_free(slots->slots[i]);
		memslots_drop(slots);
		RCU_INIT_POINTER(vm->memslots[space], NULL);
	}
}

/* --- looking up ------------------------------------------------------------ */

/* Position of the first slot that ends beyond @gfn. */
static int memslots_search(const struct memslots *slots, gfn_t gfn)
{
	int lo = 0, hi = slots->nr;

	while (lo < hi) {
		int mid = (lo + hi) / 2;
		const struct memslot *slot = slots->slots[mid];

		if (gfn < slot->base_gfn + slot->npages)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/**
 * space_slot() - the slot that has a guest frame
 * @vm: whose
 * @space: seen from where
 * @gfn: frame
 *
 * Context: vm->srcu read section, or slots_lock; the slot is valid for as long.
 *
 * Return: slot, or NULL
 */
struct memslot *space_slot(struct vm *vm, enum space space, gfn_t gfn)
{
	struct memslots *slots = memslots_get(vm, space);
	int i = READ_ONCE(slots->last);
	struct memslot *slot;

	if (likely(i < slots->nr)) {
		slot = slots->slots[i];
		if (likely(gfn - slot->base_gfn < slot->npages))
			return slot;
	}
	i = memslots_search(slots, gfn);
	if (i == slots->nr)
		return NULL;
	slot = slots->slots[i];
	if (gfn < slot->base_gfn)
		return NULL;
	WRITE_ONCE(slots->last, i);
	return slot;
}

/**
 * memslot_by_id() - the slot that the VMM gave a number
 * @vm: whose
 * @id: number, memslot_id_valid()
 *
 * Context: vm->srcu read section, or slots_lock.
 *
 * Return: slot, or NULL
 */
struct memslot *memslot_by_id(struct vm *vm, u32 id)
{
	struct memslots *slots = memslots_get(vm, memslot_id_space(id));
	int i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slots[i]->id == id)
			return slots->slots[i];
	return NULL;
}

/** memslots_logged() - is any slot logged? slots_lock is held */
bool memslots_logged(struct vm *vm)
{
	const struct memslots *slots;
	int space, i;

	lockdep_assert_held(&vm->slots_lock);
	for (space = 0; space < NR_SPACES; space++) {
		slots = memslots_get(vm, space);
		for (i = 0; i < slots->nr; i++)
			if (memslot_logged(slots->slots[i]))
				return true;
	}
	return false;
}

/** memslots_bytes() - how much memory an address space has */
u64 memslots_bytes(struct vm *vm, enum space space)
{
	const struct memslots *slots = memslots_get(vm, space);
	u64 pages = 0;
	int i;

	for (i = 0; i < slots->nr; i++)
		pages += slots->slots[i]->npages;
	return pages << PAGE_SHIFT;
}

/** memslots_nth() - a slot by its place in an address space, or NULL */
struct memslot *memslots_nth(struct vm *vm, enum space space, u32 n)
{
	struct memslots *slots = memslots_get(vm, space);

	return n < slots->nr ? slots->slots[n] : NULL;
}

/* --- changing: slots_lock is held ------------------------------------------ */

/* Publish the present array without @old and with @new, of one space; either may
 * be NULL. The array is freed, the slot is the caller's.
 */
static int memslots_replace(struct vm *vm, struct memslot *old,
			    struct memslot *new)
{
	enum space space = memslot_space(old ?: new);
	struct memslots *cur = memslots_get(vm, space);
	struct memslots *next;
	int i, pos = 0;

	next = kvzalloc(struct_size(next, slots, cur->nr + 1),
			GFP_KERNEL_ACCOUNT);
	if (!next)
		return -ENOMEM;
	for (i = 0; i < cur->nr; i++) {
		struct memslot *slot = cur->slots[i];

		if (slot == old)
			continue;
		if (new && new->base_gfn < slot->base_gfn) {
			next->slots[pos++] = new;
			new = NULL;
		}
		next->slots[pos++] = slot;
	}
	if (new)
		next->slots[pos++] = new;
	next->nr = pos;
	next->generation = cur->generation + 1;

	rcu_assign_pointer(vm->memslots[space], next);
	/* Who saw the old number has used what is no longer there before: pairs
	 * with code_load() and code_fetch().
	 */
	smp_wmb();
	WRITE_ONCE(vm->slots_seq, vm->slots_seq + 1);
	synchronize_srcu_expedited(&vm->srcu);
	memslots_drop(cur);
	return 0;
}

/* Nothing of the slot is mapped, and nothing will be. */
static void memslot_retire(struct vm *vm, struct memslot *slot)
{
	WRITE_ONCE(slot->dying, true);
	synchronize_srcu_expedited(&vm->srcu);
	mmu_zap_slot(vm, slot);
}

static bool memslot_overlaps(struct vm *vm, const struct memslot *new,
			     const struct memslot *but)
{
	struct memslots *slots = memslots_get(vm, memslot_space(new));
	int i = memslots_search(slots, new->base_gfn);

	for (; i < slots->nr; i++) {
		const struct memslot *slot = slots->slots[i];

		if (slot->base_gfn >= new->base_gfn + new->npages)
			return false;
		if (slot != but)
			return true;
	}
	return false;
}

static int memslot_create(struct vm *vm, struct memslot *new)
{
	int err;

	if (memslot_overlaps(vm, new, NULL))
		return -EEXIST;
	/* As mmap(2) says of RLIMIT_AS. */
	if (!registry_memory_allowed(vm, memslots_bytes(vm, memslot_space(new)) +
				     (new->npages << PAGE_SHIFT)))
		return -ENOMEM;
	if (memslot_logged(new)) {
		err = dirty_bitmap_alloc(vm, new);
		if (err)
			return err;
	}
	err = memslots_replace(vm, NULL, new);
	if (!err)
		pv_memory_came(vm);
	return err;
}

static int memslot_delete(struct vm *vm, struct memslot *old)
{
	int err;

	memslot_retire(vm, old);
	err = memslots_replace(vm, old, NULL);
	if (err) {
		WRITE_ONCE(old->dying, false);
		return err;
	}
	memslot_free(old);
	return 0;
}

/* Another guest address, or other flags, or both. */
static int memslot_change(struct vm *vm, struct memslot *old,
			  struct memslot *new)
{
	bool was_logged = memslot_logged(old);
	bool logged = memslot_logged(new);
	bool moved = new->base_gfn != old->base_gfn;
	int err;

	if (moved && memslot_overlaps(vm, new, old))
		return -EEXIST;
	if (logged && was_logged) {
		new->dirty_bitmap = old->dirty_bitmap;
	} else if (logged) {
		err = dirty_bitmap_alloc(vm, new);
		if (err)
			return err;
	}

	if (moved)
		memslot_retire(vm, old);
	err = memslots_replace(vm, old, new);
	if (err) {
		WRITE_ONCE(old->dying, false);
		if (logged && was_logged)
			new->dirty_bitmap = NULL;
		return err;
	}
	if (logged && was_logged)
		old->dirty_bitmap = NULL;
	memslot_free(old);

	if (moved)
		pv_memory_came(vm);
	/* No fault that saw the old flags is under way any more. */
	if (!moved && logged && !dirty_all_set(vm))
		mmu_write_protect_slot(vm, new);
	else if (!moved && !logged)
		mmu_collapse_slot(vm, new);
	return 0;
}

static int memslot_apply(struct vm *vm, struct memslot *new)
{
	struct memslots *slots = memslots_get(vm, memslot_space(new));
	struct memslot *old = memslot_by_id(vm, new->id);
	int err;

	lockdep_assert_held(&vm->slots_lock);
	if (!new->npages) {
		if (!old)
			return -EINVAL;
		err = memslot_delete(vm, old);
		if (!err)
			memslot_free(new);
		return err;
	}
	if (!old) {
		if (slots->nr >= MEMSLOTS_MAX)
			return -EINVAL;
		return memslot_create(vm, new);
	}
	if (old->hva != new->hva || old->npages != new->npages ||
	    ((old->flags ^ new->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	if (old->base_gfn == new->base_gfn && old->flags == new->flags) {
		memslot_free(new);
		return 0;
	}
	return memslot_change(vm, old, new);
}

static bool region_valid(const struct kvm_userspace_memory_region *mem)
{
	u64 gpa = mem->guest_phys_addr;
	u64 hva = mem->userspace_addr;
	u64 size = mem->memory_size;

	if (!memslot_id_valid(mem->slot) || (mem->flags & ~SLOT_FLAGS))
		return false;
	if (!PAGE_ALIGNED(gpa) || !PAGE_ALIGNED(hva) || !PAGE_ALIGNED(size))
		return false;
	if (gpa + size < gpa || (size >> PAGE_SHIFT) > SLOT_MAX_PAGES)
		return false;
	if (size && gpa_to_gfn(gpa + size - 1) >= mmu_max_gfn())
		return false;
	return access_ok((void __user *)hva, size);
}

/**
 * memslot_set() - KVM_SET_USER_MEMORY_REGION: create, delete, move a slot or
 * change its flags
 * @vm: whose
 * @mem: as the VMM asks; already copied
 *
 * Context: takes slots_lock; may sleep.
 *
 * Return: 0; -EINVAL: misaligned, beyond the end, unknown flags, no such number,
 * or a change of what cannot change; -EEXIST: overlaps another slot; -ENOMEM
 */
int memslot_set(struct vm *vm, const struct kvm_userspace_memory_region *mem)
{
	struct memslot *new;
	int err;

	if (!region_valid(mem))
		return -EINVAL;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->base_gfn = gpa_to_gfn(mem->guest_phys_addr);
	new->npages = mem->memory_size >> PAGE_SHIFT;
	new->hva = mem->userspace_addr;
	new->flags = mem->flags;
	new->id = mem->slot;

	mutex_lock(&vm->slots_lock);
	err = memslot_apply(vm, new);
	mutex_unlock(&vm->slots_lock);
	if (err)
		memslot_free(new);
	return err;
}
