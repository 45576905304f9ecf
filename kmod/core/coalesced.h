/* SPDX-License-Identifier: GPL-2.0-only */
/* Coalesced I/O: a guest's writes that wait in a ring until the VMM looks. */
#ifndef JOIST_CORE_COALESCED_H
#define JOIST_CORE_COALESCED_H

#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct vm;
struct page;

/**
 * struct coalesced - of one VM
 * @ring: a page, which the VMM may write at any time
 * @lock: who adds to the ring
 * @zones: registered; slots_lock
 */
struct coalesced {
	struct kvm_coalesced_mmio_ring *ring;
	spinlock_t lock;	/* see above */
	struct list_head zones;
};

int coalesced_vm_init(struct vm *vm);
void coalesced_vm_free(struct vm *vm);
struct page *coalesced_page(struct vm *vm);
int coalesced_register(struct vm *vm, const struct kvm_coalesced_mmio_zone *zone);
int coalesced_unregister(struct vm *vm,
			 const struct kvm_coalesced_mmio_zone *zone);

#endif
