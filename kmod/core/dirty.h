/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty logging: which pages of a slot were written since last asked. Into the
 * slot's bitmap, or in a VM that has them into the vCPUs' rings (dirty_ring.h).
 */
#ifndef JOIST_CORE_DIRTY_H
#define JOIST_CORE_DIRTY_H

#include <linux/kvm.h>

#include "types.h"

struct vm;
struct memslot;

#define DIRTY_LOG_MANUAL	(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | \
				 KVM_DIRTY_LOG_INITIALLY_SET)

int dirty_bitmap_alloc(struct vm *vm, struct memslot *slot);
void dirty_bitmap_free(struct memslot *slot);
bool dirty_all_set(struct vm *vm);
void mark_page_dirty(struct vm *vm, struct memslot *slot, gfn_t gfn);
void mark_gfn_dirty(struct vm *vm, gfn_t gfn);
int dirty_manual_enable(struct vm *vm, u64 flags);
int dirty_log_get(struct vm *vm, const struct kvm_dirty_log *log);
int dirty_log_clear(struct vm *vm, const struct kvm_clear_dirty_log *log);

#endif
