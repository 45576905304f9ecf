// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the nested page tables: the two layouts, and making entries. */
#include <asm/pgtable_types.h>
#include <asm/vmx.h>

#include "spte.h"

#define EPT_MEMTYPE_UC		(0ULL << VMX_EPT_MT_EPTE_SHIFT)
#define EPT_MEMTYPE_WB		(6ULL << VMX_EPT_MT_EPTE_SHIFT)
#define EPT_LARGE		BIT_ULL(7)

/* RAM is write-back whatever the guest's PAT says (IPAT): the host maps the
 * same frames so, and aliases of another type are not coherent everywhere.
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
};

/* The CPU makes nested walks as a user, so every entry allows the user. PAT
 * entry 0 of the host is write-back, entry 3 (PWT, PCD) uncached.
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
	.memtype_uc = _PAGE_PWT | _PAGE_PCD,
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
		spte |= l->memtype_uc;
	else
		spte |= l->memtype_wb | l->encrypt;
	return spte;
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
