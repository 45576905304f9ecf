// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging. A page of a logged slot is writable by the guest only while
 * its bit is set: clearing the bit write-protects the page again. Where the CPU
 * keeps a log (Intel's page-modification logging) the page stays writable, and the
 * bit is set when the vCPU's log is taken: at the latest when the VMM asks.
 * KVM_GET_DIRTY_LOG does so, or with KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 only
 * KVM_CLEAR_DIRTY_LOG.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "dirty_ring.h"
#include "vcpu.h"
#include "vm.h"
#include "../x86/vendor_ops.h"

/* Bits handled at a time: one page of them, 128 MiB of guest memory. */
#define CHUNK_BITS	(PAGE_SIZE * BITS_PER_BYTE)

/* slots_lock is held: the next slot that is logged is no other than this says. */
static u64 manual_flags(struct vm *vm)
{
	return READ_ONCE(vm->dirty_manual);
}

/**
 * dirty_all_set() - is every page of a slot dirty when its logging starts?
 * @vm: slots_lock held
 *
 * If so none has to be write-protected before its bit is cleared.
 */
bool dirty_all_set(struct vm *vm)
{
	lockdep_assert_held(&vm->slots_lock);
	return !vm->dirty_ring_nr &&
	       (manual_flags(vm) & KVM_DIRTY_LOG_INITIALLY_SET);
}

/**
 * dirty_bitmap_alloc() - start with no page dirty, or all
 * @vm: slots_lock held; one with rings has no bitmaps
 * @slot: npages is set
 *
 * Return: 0 or -ENOMEM
 */
int dirty_bitmap_alloc(struct vm *vm, struct memslot *slot)
{
	if (vm->dirty_ring_nr)
		return 0;
	slot->dirty_bitmap = kvcalloc(BITS_TO_LONGS(slot->npages),
				      sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!slot->dirty_bitmap)
		return -ENOMEM;
	if (dirty_all_set(vm))
		bitmap_set(slot->dirty_bitmap, 0, slot->npages);
	return 0;
}

/** dirty_bitmap_free() - nobody sees the slot any more */
void dirty_bitmap_free(struct memslot *slot)
{
	kvfree(slot->dirty_bitmap);
	slot->dirty_bitmap = NULL;
}

/**
 * mark_page_dirty() - a page was or may now be written
 * @vm: whose
 * @slot: logged or not
 * @gfn: in it
 *
 * With rings the one of the vCPU that this thread has loaded has it, or where it
 * has none the first. Context: process, vm->srcu read section.
 */
void mark_page_dirty(struct vm *vm, struct memslot *slot, gfn_t gfn)
{
	struct vcpu *vcpu;

	if (!memslot_logged(slot))
		return;
	if (READ_ONCE(vm->dirty_ring_nr)) {
		vcpu = vcpu_running();
		if (!vcpu || vcpu->vm != vm)
			vcpu = vm_vcpu(vm, 0);
		/* Without any vCPU nobody listens yet. */
		if (vcpu)
			dirty_ring_push(vcpu, slot, gfn);
	} else if (slot->dirty_bitmap) {
		/* Even if it is set: the page is written before the bit is
		 * looked at, or else who clears it meanwhile misses the write.
		 */
		if (!test_and_set_bit(gfn - slot->base_gfn, slot->dirty_bitmap))
			atomic64_inc(&vm->dirty_pages);
	}
}

/**
 * mark_gfn_dirty() - the CPU's log says that a frame was written
 * @vm: without rings
 * @gfn: seen from whichever space
 *
 * Context: process, vm->srcu read section.
 */
void mark_gfn_dirty(struct vm *vm, gfn_t gfn)
{
	struct memslot *slot;
	enum space space;

	for (space = 0; space < NR_SPACES; space++) {
		slot = space_slot(vm, space, gfn);
		if (slot)
			mark_page_dirty(vm, slot, gfn);
	}
}

/* What the vCPUs have written until now is in the bitmaps. */
static void log_sync(struct vm *vm)
{
	struct vcpu *vcpu;
	int idx;
	u32 i;

	if (!READ_ONCE(vm->mmu.cpu_logs))
		return;
	vm_request_all_wait(vm, REQ_KICK);
	idx = srcu_read_lock(&vm->srcu);
	vm_for_each_vcpu(vm, vcpu, i)
		vendor_call(take_dirty)(vcpu);
	srcu_read_unlock(&vm->srcu, idx);
}

/**
 * dirty_manual_enable() - KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2
 * @vm: vm->lock held
 * @flags: KVM_DIRTY_LOG_*
 *
 * Return: 0; -EINVAL: unknown flags, or one alone that needs the other
 */
int dirty_manual_enable(struct vm *vm, u64 flags)
{
	u64 known = DIRTY_LOG_MANUAL;

	if (!(flags & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE))
		known = 0;
	if (flags & ~known)
		return -EINVAL;
	/* A slot whose logging starts sees the old or the new. */
	mutex_lock(&vm->slots_lock);
	WRITE_ONCE(vm->dirty_manual, flags);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

static struct memslot *logged_slot(struct vm *vm, u32 id)
{
	struct memslot *slot;

	lockdep_assert_held(&vm->slots_lock);
	if (vm->dirty_ring_nr)
		return ERR_PTR(-ENXIO);
	if (!memslot_id_valid(id))
		return ERR_PTR(-EINVAL);
	slot = memslot_by_id(vm, id);
	if (!slot || !slot->dirty_bitmap)
		return ERR_PTR(-ENOENT);
	return slot;
}

static void log_end(struct vm *vm, unsigned long *buf)
{
	mutex_unlock(&vm->slots_lock);
	free_page((unsigned long)buf);
}

/*
 * A slot's log, with slots_lock held until log_end(), and a page for the bits of a
 * chunk; or an ERR_PTR().
 */
static struct memslot *log_begin(struct vm *vm, u32 id, unsigned long **buf)
{
	struct memslot *slot;

	*buf = (unsigned long *)__get_free_page(GFP_KERNEL);
	if (!*buf)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&vm->slots_lock);
	slot = logged_slot(vm, id);
	if (IS_ERR(slot))
		log_end(vm, *buf);
	return slot;
}

/* Between two chunks. */
static int log_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
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

/* One chunk to the VMM, and unless it does that by itself out of the log. */
static int log_get_chunk(struct vm *vm, struct memslot *slot, u64 first,
			 u64 nbits, void __user *to, unsigned long *buf)
{
	size_t bytes = BITS_TO_LONGS(nbits) * sizeof(long);

	if (manual_flags(vm))
		return copy_to_user(to, slot->dirty_bitmap + BIT_WORD(first),
				    bytes) ? -EFAULT : 0;
	log_take(vm, slot, first, nbits, buf);
	if (copy_to_user(to, buf, bytes)) {
		log_put_back(slot, first, nbits, buf);
		return -EFAULT;
	}
	return 0;
}

/**
 * dirty_log_get() - KVM_GET_DIRTY_LOG: copy the log out and clear it
 * @vm: whose
 * @log: slot and where to put the bits, one per page, in longs
 *
 * With manual protection it is not cleared. Context: takes slots_lock; may sleep.
 *
 * Return: 0; -EINVAL: no such slot number; -ENOENT: the slot is empty or not
 * logged; -ENXIO: the VM has dirty rings; -EFAULT (what was not copied stays in
 * the log); -ENOMEM; -EINTR: the caller is being killed
 */
int dirty_log_get(struct vm *vm, const struct kvm_dirty_log *log)
{
	struct memslot *slot;
	unsigned long *buf;
	u64 first, nbits;
	int err = 0;

	slot = log_begin(vm, log->slot, &buf);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	log_sync(vm);
	for (first = 0; !err && first < slot->npages; first += nbits) {
		nbits = min_t(u64, CHUNK_BITS, slot->npages - first);
		err = log_get_chunk(vm, slot, first, nbits,
				    log->dirty_bitmap + first / BITS_PER_BYTE,
				    buf);
		err = err ?: log_pause();
	}
	log_end(vm, buf);
	return err;
}

/* Clear the bits of @buf, and leave of it those that were set. */
static void log_clear_chunk(struct vm *vm, struct memslot *slot, u64 first,
			    u64 nbits, unsigned long *buf)
{
	atomic_long_t *bits = (atomic_long_t *)slot->dirty_bitmap +
			      BIT_WORD(first);
	bool any = false;
	u64 i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++) {
		if (!buf[i])
			continue;
		buf[i] &= atomic_long_fetch_andnot(buf[i], &bits[i]);
		any |= buf[i];
	}
	if (any)
		mmu_write_protect_pages(vm, slot, slot->base_gfn + first, buf,
					BITS_TO_LONGS(nbits));
}

/* Whole longs of the bitmap, but for the slot's last one. */
static bool clear_range_valid(const struct memslot *slot, u64 first, u64 nr)
{
	if (first % BITS_PER_LONG || first > slot->npages ||
	    nr > slot->npages - first)
		return false;
	return !(nr % BITS_PER_LONG) || nr == slot->npages - first;
}

/**
 * dirty_log_clear() - KVM_CLEAR_DIRTY_LOG: these pages are clean until written
 * @vm: whose
 * @log: slot, range, and where the bits are
 *
 * Context: takes slots_lock; may sleep.
 *
 * Return: 0; -EINVAL: no such slot number, no such range; -ENOENT: the slot is
 * empty or not logged; -ENXIO: the VM has dirty rings; -EFAULT (what was not
 * read is not cleared); -ENOMEM; -EINTR: likewise
 */
int dirty_log_clear(struct vm *vm, const struct kvm_clear_dirty_log *log)
{
	u64 first = log->first_page, done, nbits;
	struct memslot *slot;
	unsigned long *buf;
	int err = 0;

	slot = log_begin(vm, log->slot, &buf);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	if (!clear_range_valid(slot, first, log->num_pages))
		err = -EINVAL;
	for (done = 0; !err && done < log->num_pages; done += nbits) {
		nbits = min_t(u64, CHUNK_BITS, log->num_pages - done);
		if (copy_from_user(buf, log->dirty_bitmap + done / BITS_PER_BYTE,
				   BITS_TO_LONGS(nbits) * sizeof(long))) {
			err = -EFAULT;
			break;
		}
		log_clear_chunk(vm, slot, first + done, nbits, buf);
		err = log_pause();
	}
	log_end(vm, buf);
	return err;
}
