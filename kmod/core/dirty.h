/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty logging: which pages of a slot were written since last asked. */
#ifndef JOIST_CORE_DIRTY_H
#define JOIST_CORE_DIRTY_H

#include <linux/kvm.h>

#include "types.h"

struct vm;
struct memslot;

int dirty_bitmap_alloc(struct memslot *slot);
void dirty_bitmap_free(struct memslot *slot);
void mark_page_dirty(struct memslot *slot, gfn_t gfn);
int dirty_log_get(struct vm *vm, const struct kvm_dirty_log *log);

#endif
