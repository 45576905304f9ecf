// SPDX-License-Identifier: GPL-2.0-only
/* A walk of the guest's page tables: 32-bit, PAE, four and five levels. */
#include <linux/kvm.h>
#include <string.h>

#include "memory.h"
#include "walk.h"

#define CR0_PG		BIT(31)
#define CR4_PSE		BIT(4)
#define CR4_PAE		BIT(5)
#define CR4_LA57	BIT(12)
#define EFER_LMA	BIT(10)

#define PTE_PRESENT	BIT(0)
#define PTE_LARGE	BIT(7)
#define PTE_ADDR	0x000ffffffffff000ULL

/* How one paging mode reads its tables. */
struct mode {
	int levels;
	int index_bits;
	unsigned int entry_size;
	u64 root;
};

static struct mode paging_mode(const struct kvm_sregs *sregs)
{
	if (!(sregs->cr4 & CR4_PAE))
		return (struct mode) { 2, 10, 4, sregs->cr3 & 0xfffff000 };
	if (!(sregs->efer & EFER_LMA))
		return (struct mode) { 3, 9, 8, sregs->cr3 & 0xffffffe0 };
	return (struct mode) {
		sregs->cr4 & CR4_LA57 ? 5 : 4, 9, 8, sregs->cr3 & PTE_ADDR,
	};
}

static bool is_leaf(const struct kvm_sregs *sregs, const struct mode *mode,
		    int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LARGE))
		return false;
	if (mode->entry_size == 4)
		return sregs->cr4 & CR4_PSE;
	return level == 2 || (level == 3 && mode->levels > 3);
}

/**
 * walk_gva() - translate a guest virtual address as the guest's tables say
 * @mem: guest memory
 * @sregs: control registers of the vCPU
 * @gva: linear address
 * @walk: filled in
 *
 * Permissions are not checked: a report shows the entries.
 */
void walk_gva(const struct memory *mem, const struct kvm_sregs *sregs, u64 gva,
	      struct walk *walk)
{
	struct mode mode = paging_mode(sregs);
	u64 table = mode.root;
	int level;

	memset(walk, 0, sizeof(*walk));
	if (!(sregs->cr0 & CR0_PG)) {
		walk->ok = true;
		walk->gpa = gva;
		walk->page_size = PAGE_SIZE;
		return;
	}
	for (level = mode.levels; level > 0; level--) {
		int shift = 12 + (level - 1) * mode.index_bits;
		u64 index = (gva >> shift) & ((1U << mode.index_bits) - 1);
		struct walk_step *step = &walk->steps[walk->nr_steps++];

		if (mode.levels == 3 && level == 3)
			index &= 3;
		step->level = level;
		step->gpa = table + index * mode.entry_size;
		if (memory_read(mem, step->gpa, &step->entry, mode.entry_size)) {
			walk->why = "the table lies outside of memory";
			return;
		}
		if (!(step->entry & PTE_PRESENT)) {
			walk->why = "not present";
			return;
		}
		table = step->entry & PTE_ADDR;
		if (is_leaf(sregs, &mode, level, step->entry)) {
			walk->page_size = 1ULL << shift;
			walk->gpa = align_down(table, walk->page_size) |
				    (gva & (walk->page_size - 1));
			walk->ok = true;
			return;
		}
	}
}
