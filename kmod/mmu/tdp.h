/* SPDX-License-Identifier: GPL-2.0-only */
/* The nested page tables themselves: inside mmu/ only. */
#ifndef JOIST_MMU_TDP_H
#define JOIST_MMU_TDP_H

#include <linux/mm_types.h>

#include "spte.h"

struct vm;
struct page_fault;
struct memslot;

extern struct spte_layout tdp_layout;	/* set at load, constant after */
extern int tdp_max_level;		/* of leaves: 1, 2 or 3 */

/* The module's own pages beyond mmu_max_gfn(), in every guest: set at load. */
struct tdp_reserved {
	gfn_t gfn;
	u64 pfn;
	unsigned int pages;
};

extern struct tdp_reserved tdp_reserved;

/* Table pages taken before the lock: as many as one mapping can need. */
struct table_cache {
	int nr;
	u64 *tables[SPTE_MAX_LEVEL];
};

int table_cache_fill(struct table_cache *cache, int nr);
void table_cache_drain(struct table_cache *cache);

/* What to do to every leaf of a range. */
enum sweep_op {
	SWEEP_ZAP,		/* unmap; tables that become empty are freed */
	SWEEP_COLLAPSE,		/* unmap what would be mapped by a larger leaf now */
	SWEEP_WRITE_PROTECT,
	SWEEP_CLEAR_YOUNG,	/* forget accesses, and say if there were any */
	SWEEP_TEST_YOUNG,
};

/**
 * struct sweep - one pass over a range of guest frames; mmu.lock is held
 * @vm: whose
 * @op: what is done
 * @slot: SWEEP_COLLAPSE: where all of the range lies
 * @may_yield: the lock may be dropped on the way
 * @flush: translations that are gone or weaker may be cached
 * @young: SWEEP_*_YOUNG: some leaf was accessed
 * @tables: unlinked table pages, freed after the flush
 */
struct sweep {
	struct vm *vm;
	enum sweep_op op;
	const struct memslot *slot;
	bool may_yield;
	bool flush;
	bool young;
	struct list_head tables;
};

void sweep_begin(struct sweep *s, struct vm *vm, enum sweep_op op,
		 bool may_yield);
void sweep_range(struct sweep *s, enum space space, gfn_t start, gfn_t end);
void sweep_end(struct sweep *s);

u64 *tdp_find(struct vm *vm, enum space space, gfn_t gfn, int *level);
int tdp_map(struct vm *vm, const struct page_fault *pf, int *level, u32 flags,
	    struct table_cache *cache);
void tdp_make_writable(u64 *sptep);

/* fault.c */
int slot_level(const struct memslot *slot, gfn_t gfn, int level);

/* pfn.c */

/**
 * struct host_page - the host frame behind an address of the VMM
 * @pfn: frame
 * @page: with a reference to be put, or NULL for a frame without struct page
 *        management (VM_PFNMAP)
 * @writable: the host allows writing it
 * @uncached: device memory
 */
struct host_page {
	u64 pfn;
	struct page *page;
	bool writable;
	bool uncached;
};

int host_page_get(hva_t hva, bool write, bool want_write, bool nowait,
		  struct host_page *hp);
void host_page_put(struct host_page *hp);
int host_map_level(struct mm_struct *mm, hva_t hva);
int host_page_level(struct mm_struct *mm, const struct host_page *hp,
		    hva_t hva);
void host_pfn_dirty(u64 pfn);

#endif
