// SPDX-License-Identifier: GPL-2.0-only
/* Guest-physical memory, read and written through the VMM's addresses. */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "vm.h"

static struct memslot *writable_slot(struct vm *vm, enum space space, gpa_t gpa)
{
	struct memslot *slot = space_slot(vm, space, gpa_to_gfn(gpa));

	if (!slot || (slot->flags & KVM_MEM_READONLY))
		return NULL;
	return slot;
}

/* Of @len bytes at @gpa those in its page. */
static size_t page_part(gpa_t gpa, size_t len)
{
	return min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
}

/**
 * space_read_u64() - read eight bytes of one page
 * @vm: whose
 * @space: seen from where
 * @gpa: from where
 * @val: out
 *
 * What is read all the time is small: page-table entries, instructions. Context:
 * see core/memslot.h.
 *
 * Return: 0 or -EFAULT
 */
int space_read_u64(struct vm *vm, enum space space, gpa_t gpa, u64 *val)
{
	struct memslot *slot = space_slot(vm, space, gpa_to_gfn(gpa));

	if (unlikely(!slot))
		return -EFAULT;
	return get_user(*val, (const u64 __user *)memslot_user(slot, gpa));
}

/**
 * space_read() - copy from guest memory
 * @vm: whose
 * @space: seen from where
 * @gpa: from where
 * @buf: to where
 * @len: bytes; may cross pages and slots
 *
 * Context: see core/memslot.h.
 *
 * Return: 0, or -EFAULT (part may have been copied)
 */
int space_read(struct vm *vm, enum space space, gpa_t gpa, void *buf, size_t len)
{
	while (len) {
		struct memslot *slot = space_slot(vm, space, gpa_to_gfn(gpa));
		size_t n = page_part(gpa, len);

		if (!slot || copy_from_user(buf, memslot_user(slot, gpa), n))
			return -EFAULT;
		gpa += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/**
 * space_write() - copy to guest memory, and log it
 * @vm: whose
 * @space: seen from where
 * @gpa: to where
 * @buf: from where
 * @len: bytes; may cross pages and slots
 *
 * Context: see core/memslot.h.
 *
 * Return: 0, or -EFAULT (part may have been copied)
 */
int space_write(struct vm *vm, enum space space, gpa_t gpa, const void *buf, size_t len)
{
	while (len) {
		struct memslot *slot = writable_slot(vm, space, gpa);
		size_t n = page_part(gpa, len);

		if (!slot || copy_to_user(memslot_user(slot, gpa), buf, n))
			return -EFAULT;
		mark_page_dirty(vm, slot, gpa_to_gfn(gpa));
		gpa += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/**
 * guest_write_atomic() - copy to guest memory that is mapped in the host right now
 * @vm: whose
 * @gpa: to where
 * @buf: from where
 * @len: bytes of one page
 *
 * Context: see core/memslot.h, but does not sleep: for where nothing may.
 *
 * Return: 0 or -EFAULT
 */
int guest_write_atomic(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	struct memslot *slot = writable_slot(vm, SPACE_NORMAL, gpa);
	unsigned long left;
	void __user *uptr;

	if (!slot || page_part(gpa, len) != len)
		return -EFAULT;
	uptr = memslot_user(slot, gpa);
	if (!access_ok(uptr, len))
		return -EFAULT;
	pagefault_disable();
	left = __copy_to_user_inatomic(uptr, buf, len);
	pagefault_enable();
	if (left)
		return -EFAULT;
	mark_page_dirty(vm, slot, gpa_to_gfn(gpa));
	return 0;
}

static int cmpxchg_user(void __user *uptr, void *old, const void *new,
			unsigned int len)
{
	switch (len) {
	case 1:
		return __try_cmpxchg_user((u8 __user *)uptr, (u8 *)old,
					  *(const u8 *)new, fault_u8);
	case 2:
		return __try_cmpxchg_user((u16 __user *)uptr, (u16 *)old,
					  *(const u16 *)new, fault_u16);
	case 4:
		return __try_cmpxchg_user((u32 __user *)uptr, (u32 *)old,
					  *(const u32 *)new, fault_u32);
	case 8:
		return __try_cmpxchg_user((u64 __user *)uptr, (u64 *)old,
					  *(const u64 *)new, fault_u64);
	default:
		return -EFAULT;
	}
}

/* A locked access across cache lines may raise #AC in the kernel: not atomic. */
static int cmpxchg_split(void __user *uptr, void *old, const void *new,
			 unsigned int len)
{
	u8 seen[8];

	if (len > sizeof(seen) || copy_from_user(seen, uptr, len))
		return -EFAULT;
	if (!memcmp(seen, old, len))
		return copy_to_user(uptr, new, len) ? -EFAULT : 0;
	memcpy(old, seen, len);
	return 0;
}

/**
 * space_cmpxchg() - compare and exchange in guest memory
 * @vm: whose
 * @space: seen from where
 * @gpa: where; all of it in one page
 * @old: in: expected; out: what was there
 * @new: to be stored if that was @old
 * @len: 1, 2, 4 or 8 bytes
 *
 * Atomic, unless it crosses a cache line. Context: see core/memslot.h.
 *
 * Return: 0, whatever the comparison said, or -EFAULT
 */
int space_cmpxchg(struct vm *vm, enum space space, gpa_t gpa, void *old, const void *new,
		  unsigned int len)
{
	struct memslot *slot = writable_slot(vm, space, gpa);
	void __user *uptr;
	int err;

	if (!slot || page_part(gpa, len) != len)
		return -EFAULT;
	uptr = memslot_user(slot, gpa);
	if (!access_ok(uptr, len))
		return -EFAULT;
	if ((gpa ^ (gpa + len - 1)) & ~(gpa_t)(L1_CACHE_BYTES - 1))
		err = cmpxchg_split(uptr, old, new, len);
	else
		err = cmpxchg_user(uptr, old, new, len);
	if (err < 0)
		return -EFAULT;
	mark_page_dirty(vm, slot, gpa_to_gfn(gpa));
	return 0;
}
