/* SPDX-License-Identifier: GPL-2.0-only */
/* What unit tests of pure files need of the kernel's <asm/msr-index.h>. */
#ifndef JOIST_SHIM_ASM_MSR_INDEX_H
#define JOIST_SHIM_ASM_MSR_INDEX_H

#include <linux/types.h>

#define EFER_SCE		BIT_ULL(0)
#define EFER_LME		BIT_ULL(8)
#define EFER_LMA		BIT_ULL(10)
#define EFER_NX			BIT_ULL(11)
#define EFER_SVME		BIT_ULL(12)

#endif
