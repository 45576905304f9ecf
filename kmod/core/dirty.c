// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging. A page of a logged slot is writable by the guest only while
 * its bit is set: clearing the bit write-protects the page again.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "vm.h"

/* Bits handled at a time: one page of them, 128 MiB of guest memory. */
#define CHUNK_BITS	(PAGE_SIZE * BITS_PER_BYTE)

/**
 * dirty_bitmap_alloc() - start with no page dirty
 * @slot: npages is set
 *
 * Return: 0 or -ENOMEM
 */
int dirty_bitmap_alloc(struct memslot *slot)
{
	slot->dirty_bitmap = kvcalloc(BITS_TO_LONGS(slot->npages),
				      sizeof(long), GFP_KERNEL_ACCOUNT);
	return slot->dirty_bitmap ? 0 : -ENOMEM;
}

/** dirty_bitmap_free() - nobody sees the slot any more */
void dirty_bitmap_free(struct memslot *slot)
{
	kvfree(slot->dirty_bitmap);
	slot->dirty_bitmap = NULL;
}

/**
 * mark_page_dirty() - a page was or may now be written
 * @slot: logged or not
 * @gfn: in it
 *
 * Context: vm->srcu read section or slots_lock.
 */
void mark_page_dirty(struct memslot *slot, gfn_t gfn)
{
	u64 nr = gfn - slot->base_gfn;

	if (slot->dirty_bitmap && !test_bit(nr, slot->dirty_bitmap))
		set_bit(nr, slot->dirty_bitmap);
}

static struct memslot *logged_slot(struct vm *vm, u32 id)
{
	struct memslot *slot;

	if (!memslot_id_valid(id))
		return ERR_PTR(-EINVAL);
	slot = memslot_by_id(vm, id);
	if (!slot || !slot->dirty_bitmap)
		return ERR_PTR(-ENOENT);
	return slot;
}

/* Take what is dirty in one chunk into @buf, and clear it. */
static void log_take(struct vm *vm, struct memslot *slot, u64 first, u64 nbits,
		     unsigned long *buf)
{
	unsigned long *bits = slot->dirty_bitmap + BIT_WORD(first);
	bool any = false;
	u64 i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++) {
		buf[i] = READ_ONCE(bits[i]) ? xchg(&bits[i], 0) : 0;
		any |= buf[i];
	}
	/* A write between the two is in the log: taken now or the next time. */
	if (any)
		mmu_write_protect_pages(vm, slot, slot->base_gfn + first, buf,
					BITS_TO_LONGS(nbits));
}

static void log_put_back(struct memslot *slot, u64 first, u64 nbits,
			 const unsigned long *buf)
{
	unsigned long bit;

	for_each_set_bit(bit, buf, nbits)
		set_bit(first + bit, slot->dirty_bitmap);
}

/**
 * dirty_log_get() - KVM_GET_DIRTY_LOG: copy the log out and clear it
 * @vm: whose
 * @log: slot and where to put the bits, one per page, in longs
 *
 * Context: takes slots_lock; may sleep.
 *
 * Return: 0; -EINVAL: no such slot number; -ENOENT: the slot is empty or not
 * logged; -EFAULT (what was not copied stays in the log); -ENOMEM
 */
int dirty_log_get(struct vm *vm, const struct kvm_dirty_log *log)
{
	struct memslot *slot;
	unsigned long *buf;
	u64 first, nbits;
	int err = 0;

	buf = (unsigned long *)__get_free_page(GFP_KERNEL);
	if (!buf)
		return -ENOMEM;

	mutex_lock(&vm->slots_lock);
	slot = logged_slot(vm, log->slot);
	if (IS_ERR(slot)) {
		err = PTR_ERR(slot);
		goto out;
	}
	for (first = 0; first < slot->npages; first += nbits) {
		nbits = min_t(u64, CHUNK_BITS, slot->npages - first);
		log_take(vm, slot, first, nbits, buf);
		if (copy_to_user(log->dirty_bitmap + first / BITS_PER_BYTE, buf,
				 BITS_TO_LONGS(nbits) * sizeof(long))) {
			log_put_back(slot, first, nbits, buf);
			err = -EFAULT;
			break;
		}
		cond_resched();
	}
out:
	mutex_unlock(&vm->slots_lock);
	free_page((unsigned long)buf);
	return err;
}
