/* SPDX-License-Identifier: GPL-2.0-only */
/* Nested paging: guest frames to host frames. */
#ifndef JOIST_MMU_MMU_H
#define JOIST_MMU_MMU_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "../core/types.h"
#include "spte.h"

struct vm;
struct vcpu;
struct memslot;
struct exit;

/**
 * struct mmu - the nested page tables of one VM, shared by its vCPUs
 * @lock: protects everything below
 * @root: host physical address of each space's root table; that of SMM is made
 *        when a vCPU first needs it, INVALID_HPA till then
 * @level: of the roots: 4 or 5
 * @invalidate_seq: counts completed invalidations by the host's mm
 * @invalidate_count: invalidations under way
 * @invalidate_start: addresses of the VMM that those are about
 * @invalidate_end: the end of them
 * @nr_tables: page-table pages in use, for accounting
 * @noncoherent: a device of the host's that the guest has does not look in caches: the
 *               guest's memory types count. Read racily but for mappings
 * @cpu_logs: what the CPU makes dirty is in the vCPUs' own logs, and to be taken from
 *            there: set with the first page so watched; read racily
 */
struct mmu {
	spinlock_t lock;	/* see above */
	hpa_t root[NR_SPACES];
	int level;
	unsigned long invalidate_seq;
	long invalidate_count;
	hva_t invalidate_start;
	hva_t invalidate_end;
	unsigned long nr_tables;
	bool noncoherent;
	bool cpu_logs;
};

/**
 * struct page_fault - one guest fault: inputs, derived facts, outputs
 * @gpa: in: faulting guest physical address
 * @access: in: PF_* of core/exit.h
 * @nowait: in: do not wait for the host to fetch the page
 * @space: derived: the vCPU's
 * @gfn: derived
 * @slot: derived: NULL when no memory is there
 * @hva: derived
 * @vcpu: derived: whose fault it is
 * @pfn: derived: host frame
 * @writable: derived: the host allows writing
 * @level: out: size of the mapping made, 1 = 4 KiB
 */
struct page_fault {
	gpa_t gpa;
	u32 access;
	bool nowait;
	enum space space;
	gfn_t gfn;
	struct memslot *slot;
	hva_t hva;
	const struct vcpu *vcpu;
	u64 pfn;
	bool writable;
	int level;
};

/* mmu_handle_fault() results besides -errno. */
enum fault_result {
	FAULT_FIXED,		/* mapped: enter the guest again */
	FAULT_RETRY,		/* raced with an invalidation: enter and see */
	FAULT_EMULATE,		/* no memory or read-only there: a device access */
	FAULT_WAIT,		/* nowait was asked, and the host has to */
};

/* Module-wide, at load: the vendor's layout of table entries. */
void mmu_set_layout(const struct spte_layout *layout, int root_level,
		    int max_page_level);
void mmu_set_cpu_logs(void);
gfn_t mmu_max_gfn(void);
gpa_t mmu_reserve_end(u64 pfn, unsigned int pages);
int mmu_setup(void);
void mmu_teardown(void);

int mmu_vm_init(struct vm *vm);
void mmu_vm_free(struct vm *vm);
int mmu_handle_fault(struct vcpu *vcpu, struct page_fault *pf);
int mmu_space_prepare(struct vm *vm, enum space space);
void mmu_zap_slot(struct vm *vm, struct memslot *slot);
void mmu_zap_all(struct vm *vm);
void mmu_set_noncoherent(struct vm *vm, bool noncoherent);
void mmu_memtypes_changed(struct vm *vm);
void mmu_write_protect_slot(struct vm *vm, struct memslot *slot);
void mmu_collapse_slot(struct vm *vm, struct memslot *slot);
void mmu_write_protect_pages(struct vm *vm, struct memslot *slot, gfn_t first,
			     const unsigned long *mask, unsigned int longs);

/* A guest frame, seen from one of the spaces. */
struct mmu_frame {
	gfn_t gfn;
	enum space space;
};

void mmu_write_protect_frames(struct vm *vm, const struct mmu_frame *frames,
			      unsigned int nr);
int mmu_notifier_start(struct vm *vm);
void mmu_notifier_stop(struct vm *vm);
void tlb_flush_vm(struct vm *vm);

#endif
