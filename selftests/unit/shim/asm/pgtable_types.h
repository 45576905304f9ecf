/* SPDX-License-Identifier: GPL-2.0-only */
/* Page-table bits of the kernel's <asm/pgtable_types.h>, for unit tests. */
#ifndef JOIST_SHIM_ASM_PGTABLE_TYPES_H
#define JOIST_SHIM_ASM_PGTABLE_TYPES_H

#include <linux/types.h>

#define _PAGE_PRESENT		BIT_ULL(0)
#define _PAGE_RW		BIT_ULL(1)
#define _PAGE_USER		BIT_ULL(2)
#define _PAGE_PWT		BIT_ULL(3)
#define _PAGE_PCD		BIT_ULL(4)
#define _PAGE_ACCESSED		BIT_ULL(5)
#define _PAGE_DIRTY		BIT_ULL(6)
#define _PAGE_PSE		BIT_ULL(7)
#define _PAGE_NX		BIT_ULL(63)

#endif
