/* SPDX-License-Identifier: GPL-2.0-only */
/* The EPT entry bits of the kernel's <asm/vmx.h>, for unit tests of pure files. */
#ifndef JOIST_SHIM_ASM_VMX_H
#define JOIST_SHIM_ASM_VMX_H

#include <linux/types.h>

#define VMX_EPT_MT_EPTE_SHIFT		3
#define VMX_EPT_READABLE_MASK		0x1ULL
#define VMX_EPT_WRITABLE_MASK		0x2ULL
#define VMX_EPT_EXECUTABLE_MASK		0x4ULL
#define VMX_EPT_RWX_MASK		0x7ULL
#define VMX_EPT_IPAT_BIT		BIT_ULL(6)
#define VMX_EPT_ACCESS_BIT		BIT_ULL(8)
#define VMX_EPT_DIRTY_BIT		BIT_ULL(9)

#endif
