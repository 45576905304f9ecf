// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the nested page tables: the two layouts, and making entries. */
#include <asm/mtrr.h>
#include <asm/pgtable_types.h>
#include <asm/vmx.h>

#include "spte.h"

#define EPT_MEMTYPE(type)	((u64)(type) << VMX_EPT_MT_EPTE_SHIFT)
#define EPT_MEMTYPE_UC		EPT_MEMTYPE(MTRR_TYPE_UNCACHABLE)
#define EPT_MEMTYPE_WB		EPT_MEMTYPE(MTRR_TYPE_WRBACK)
#define EPT_LARGE		BIT_ULL(7)

/* Of memory types that do not exist there is no entry: they are 0. */
#define EPT_GUEST_TYPES {						\
	[MTRR_TYPE_UNCACHABLE] = EPT_MEMTYPE(MTRR_TYPE_UNCACHABLE),	\
	[MTRR_TYPE_WRCOMB] = EPT_MEMTYPE(MTRR_TYPE_WRCOMB),		\
	[MTRR_TYPE_WRTHROUGH] = EPT_MEMTYPE(MTRR_TYPE_WRTHROUGH),	\
	[MTRR_TYPE_WRPROT] = EPT_MEMTYPE(MTRR_TYPE_WRPROT),		\
	[MTRR_TYPE_WRBACK] = EPT_MEMTYPE(MTRR_TYPE_WRBACK),		\
}

#define EPT_MEMTYPE_MASK	(EPT_MEMTYPE(7) | VMX_EPT_IPAT_BIT)

/* RAM is write-back whatever the guest's PAT says (IPAT): the host maps the
 * same frames so, and aliases of another type are not coherent everywhere. But
 * for a guest whose devices do not look in caches, which knows what it does.
 */
const struct spte_layout spte_layout_ept = {
	.present = VMX_EPT_RWX_MASK,
	.table = VMX_EPT_RWX_MASK | VMX_EPT_ACCESS_BIT,
	.leaf = VMX_EPT_READABLE_MASK,
	.write = VMX_EPT_WRITABLE_MASK,
	.exec = VMX_EPT_EXECUTABLE_MASK,
	.accessed = VMX_EPT_ACCESS_BIT,
	.dirty = VMX_EPT_DIRTY_BIT,
	.large = EPT_LARGE,
	.memtype_wb = EPT_MEMTYPE_WB | VMX_EPT_IPAT_BIT,
	.memtype_uc = EPT_MEMTYPE_UC,
	.memtype_mask = EPT_MEMTYPE_MASK,
	.guest_type = EPT_GUEST_TYPES,
};

const struct spte_layout spte_layout_ept_noad = {
	.present = VMX_EPT_RWX_MASK,
	.table = VMX_EPT_RWX_MASK,
	.leaf = VMX_EPT_READABLE_MASK,
	.write = VMX_EPT_WRITABLE_MASK,
	.exec = VMX_EPT_EXECUTABLE_MASK,
	.large = EPT_LARGE,
	.memtype_wb = EPT_MEMTYPE_WB | VMX_EPT_IPAT_BIT,
	.memtype_uc = EPT_MEMTYPE_UC,
	.memtype_mask = EPT_MEMTYPE_MASK,
	.guest_type = EPT_GUEST_TYPES,
};

#define NPT_UC			(_PAGE_PWT | _PAGE_PCD)

/* The CPU makes nested walks as a user, so every entry allows the user. PAT
 * entry 0 of the host is write-back, entry 3 (PWT, PCD) uncached; the others are
 * the host's choice. The guest's PAT counts always, it is combined with ours.
 */
const struct spte_layout spte_layout_npt = {
	.present = _PAGE_PRESENT,
	.table = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED,
	.leaf = _PAGE_PRESENT | _PAGE_USER,
	.write = _PAGE_RW,
	.nx = _PAGE_NX,
	.accessed = _PAGE_ACCESSED,
	.dirty = _PAGE_DIRTY,
	.large = _PAGE_PSE,
	.memtype_wb = 0,
	.memtype_uc = NPT_UC,
	.memtype_mask = NPT_UC,
	.guest_type = {
		[MTRR_TYPE_UNCACHABLE] = NPT_UC,
		[MTRR_TYPE_WRCOMB] = NPT_UC,
		[MTRR_TYPE_WRTHROUGH] = NPT_UC,
		[MTRR_TYPE_WRPROT] = NPT_UC,
		[MTRR_TYPE_WRBACK] = 0,
	},
};

/**
 * spte_make_leaf() - an entry that maps memory
 * @l: layout
 * @pfn: host frame, aligned to @level
 * @level: 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB
 * @flags: SPTE_*
 *
 * The accessed bit is preset, and the dirty bit where writable: the mapping is
 * made because of an access, and the CPU need not write the entry for it.
 *
 * Return: the entry
 */
u64 spte_make_leaf(const struct spte_layout *l, u64 pfn, int level, u32 flags)
{
	u64 spte = (pfn << 12) | l->leaf | l->accessed;

	if (level > 1)
		spte |= l->large;
	if (flags & SPTE_WRITE)
		spte |= l->write | l->dirty;
	if (flags & SPTE_MAY_WRITE)
		spte |= SPTE_HOST_WRITABLE;
	if (flags & SPTE_EXEC)
		spte |= l->exec;
	else
		spte |= l->nx;
	if (flags & SPTE_UNCACHED)
		return spte | l->memtype_uc;
	if (flags & SPTE_GUEST_TYPE)
		return spte | l->guest_type[SPTE_TYPE_OF(flags)] | l->encrypt;
	return spte | l->memtype_wb | l->encrypt;
}

/**
 * spte_make_part() - an entry that maps a part of what a large one maps, as that does
 * @l: layout
 * @large: present leaf
 * @level: of it, 2 or 3
 * @i: which part, 0 to SPTE_PER_TABLE - 1
 *
 * Return: the entry, of the next lower level
 */
u64 spte_make_part(const struct spte_layout *l, u64 large, int level, unsigned int i)
{
	u64 kept = l->memtype_mask | l->encrypt;
	u64 pfn = spte_pfn(l, large) + i * spte_level_pages(level - 1);
	u32 flags = 0;

	if (spte_writable(l, large))
		flags |= SPTE_WRITE;
	if (large & SPTE_HOST_WRITABLE)
		flags |= SPTE_MAY_WRITE;
	if (level == 2 || spte_allows(l, large, false, true))
		flags |= SPTE_EXEC;
	return (spte_make_leaf(l, pfn, level - 1, flags) & ~kept) | (large & kept);
}

/**
 * spte_make_table() - an entry that points to the next table
 * @l: layout
 * @table: host physical address of the table
 *
 * Return: the entry
 */
u64 spte_make_table(const struct spte_layout *l, hpa_t table)
{
	return table | l->table | l->encrypt;
}

/**
 * spte_allows() - would the access go through a leaf?
 * @l: layout
 * @spte: a present leaf
 * @write: it is a write
 * @exec: it is an instruction fetch
 *
 * Return: true if so
 */
bool spte_allows(const struct spte_layout *l, u64 spte, bool write, bool exec)
{
	if (write && !(spte & l->write))
		return false;
	if (exec && ((spte & l->nx) || (spte & l->exec) != l->exec))
		return false;
	return true;
}
