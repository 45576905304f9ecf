/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's page tables, read by the VMM for its reports. */
#ifndef VMM_WALK_H
#define VMM_WALK_H

#include "libjoist/types.h"

#define WALK_LEVELS_MAX	5

struct kvm_sregs;
struct memory;

struct walk_step {
	int level;	/* 5 to 1 */
	u64 gpa;	/* where the entry lies */
	u64 entry;
};

/**
 * struct walk - a guest virtual address's translation
 * @steps: entries read
 * @nr_steps: how many
 * @ok: @gpa and @page_size are valid
 * @gpa: guest physical address
 * @page_size: bytes
 * @why: where the walk ended, in words, unless @ok
 */
struct walk {
	struct walk_step steps[WALK_LEVELS_MAX];
	int nr_steps;
	bool ok;
	u64 gpa;
	u64 page_size;
	const char *why;
};

void walk_gva(const struct memory *mem, const struct kvm_sregs *sregs, u64 gva,
	      struct walk *walk);

#endif
