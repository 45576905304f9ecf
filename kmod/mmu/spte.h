/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One entry of the nested page tables. Pure: builds in unit tests too.
 *
 * EPT and NPT differ only in where their bits are, so an entry is made and
 * read through a struct spte_layout. No entry marks device memory: a guest
 * frame without a slot has no entry, and its fault is resolved by the slot
 * lookup alone. So an EPT misconfiguration is never expected.
 */
#ifndef JOIST_MMU_SPTE_H
#define JOIST_MMU_SPTE_H

#include "../core/types.h"

#define SPTE_LEVEL_BITS		9
#define SPTE_PER_TABLE		512
#define SPTE_MAX_LEVEL		5	/* of tables; leaves are at most at 3 */
#define SPTE_ADDR_MASK		0x000ffffffffff000ULL

/* Software's bit, free in both layouts: the host lets us write this frame, so
 * a write fault that only dirty logging caused needs no look at the host.
 */
#define SPTE_HOST_WRITABLE	BIT_ULL(52)

/**
 * struct spte_layout - where the bits of an entry are
 * @present: an entry with none of these is empty
 * @table: set in an entry that points to a table
 * @leaf: set in every leaf
 * @write: the guest may write (leaves)
 * @exec: set where the guest may execute, 0 where @nx says it
 * @nx: set where the guest may not execute, 0 where @exec says it
 * @accessed: set by the CPU; 0: it does not track accesses
 * @dirty: set by the CPU; 0: it does not track writes
 * @large: marks a leaf above level 1
 * @memtype_wb: memory type of RAM
 * @memtype_uc: memory type of device memory mapped through
 * @memtype_mask: all bits that say the memory type
 * @guest_type: by memory type as MTRRs have it: RAM of that type in the guest's eyes
 * @encrypt: host memory encryption's bit for RAM and tables, or 0
 */
struct spte_layout {
	u64 present;
	u64 table;
	u64 leaf;
	u64 write;
	u64 exec;
	u64 nx;
	u64 accessed;
	u64 dirty;
	u64 large;
	u64 memtype_wb;
	u64 memtype_uc;
	u64 memtype_mask;
	u64 guest_type[7];
	u64 encrypt;
};

/* What vmx/ and svm/ give to mmu_set_layout(), as they are. */
extern const struct spte_layout spte_layout_ept;	/* A/D bits supported */
extern const struct spte_layout spte_layout_ept_noad;
extern const struct spte_layout spte_layout_npt;

#define SPTE_WRITE		BIT(0)	/* writable now */
#define SPTE_MAY_WRITE		BIT(1)	/* SPTE_HOST_WRITABLE */
#define SPTE_EXEC		BIT(2)
#define SPTE_UNCACHED		BIT(3)	/* device memory: @memtype_uc, not encrypted */
#define SPTE_GUEST_TYPE		BIT(4)	/* RAM: the guest's memory type, its PAT counts */
#define SPTE_TYPE(type)		((type) << 5)	/* and its MTRRs' type, 0 to 6 */
#define SPTE_TYPE_OF(flags)	((flags) >> 5 & 7)

u64 spte_make_leaf(const struct spte_layout *l, u64 pfn, int level, u32 flags);
u64 spte_make_part(const struct spte_layout *l, u64 large, int level, unsigned int i);
u64 spte_make_table(const struct spte_layout *l, hpa_t table);
bool spte_allows(const struct spte_layout *l, u64 spte, bool write, bool exec);

static inline bool spte_present(const struct spte_layout *l, u64 spte)
{
	return spte & l->present;
}

/* A present entry: does it map memory, rather than point to a table? */
static inline bool spte_is_leaf(const struct spte_layout *l, u64 spte,
				int level)
{
	return level == 1 || (spte & l->large);
}

static inline bool spte_writable(const struct spte_layout *l, u64 spte)
{
	return spte & l->write;
}

static inline hpa_t spte_addr(const struct spte_layout *l, u64 spte)
{
	return spte & SPTE_ADDR_MASK & ~l->encrypt;
}

static inline u64 spte_pfn(const struct spte_layout *l, u64 spte)
{
	return spte_addr(l, spte) >> 12;
}

/* 4 KiB frames that one entry at this level spans. */
static inline gfn_t spte_level_pages(int level)
{
	return 1ULL << ((level - 1) * SPTE_LEVEL_BITS);
}

/* Index of @gfn in a table whose entries are at @level. */
static inline unsigned int spte_index(gfn_t gfn, int level)
{
	return (gfn >> ((level - 1) * SPTE_LEVEL_BITS)) & (SPTE_PER_TABLE - 1);
}

#endif
