// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables for a guest that has paging off, on a CPU that has it always on: the
 * first 4 GiB, one to one, by PAE paging with pages of 2 MiB. Its four page-directory
 * pointers are in the VMCS, so CR3 keeps the guest's value; the directories are the
 * same for all guests, and no guest can write them.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/pgtable_types.h>

#include "vmx.h"
#include "../mmu/mmu.h"

#define DIRECTORIES		4
#define DIRECTORY_ORDER		2
#define DIRECTORY_ENTRIES	512

/* Accessed and dirty, so that the CPU has nothing to write there. */
#define FLAT_PDE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | \
			 _PAGE_DIRTY | _PAGE_PSE)

static struct page *directories __ro_after_init;
static gpa_t flat_gpa __ro_after_init;

/**
 * vmx_flat_setup() - the directories, at the end of what a guest can address
 *
 * After vmx_ept_setup().
 *
 * Return: 0 or -ENOMEM.
 */
int vmx_flat_setup(void)
{
	u64 *entry;
	u64 i;

	if (vmx_unrestricted())
		return 0;
	directories = alloc_pages(GFP_KERNEL, DIRECTORY_ORDER);
	if (!directories)
		return -ENOMEM;
	entry = page_address(directories);
	for (i = 0; i < DIRECTORIES * DIRECTORY_ENTRIES; i++)
		entry[i] = i << PMD_SHIFT | FLAT_PDE;
	flat_gpa = mmu_reserve_end(page_to_pfn(directories), DIRECTORIES);
	return 0;
}

/** vmx_flat_teardown() - undo vmx_flat_setup() */
void vmx_flat_teardown(void)
{
	if (directories)
		__free_pages(directories, DIRECTORY_ORDER);
}

/** vmx_flat_pdpte() - entry @i of the four that an entry is to load */
u64 vmx_flat_pdpte(int i)
{
	return (flat_gpa + i * PAGE_SIZE) | _PAGE_PRESENT;
}
