/* SPDX-License-Identifier: GPL-2.0-only */
/* The SVM instructions that C code uses; VMRUN and its kin are in enter.S. */
#ifndef JOIST_SVM_INSN_H
#define JOIST_SVM_INSN_H

#include "../core/types.h"

/* FS, GS, TR, LDTR with their hidden parts, KERNEL_GS_BASE, the SYSCALL and
 * SYSENTER MSRs into the VMCB-shaped page at @pa.
 */
static __always_inline void insn_vmsave(hpa_t pa)
{
	asm volatile("vmsave %%rax" : : "a" (pa) : "memory");
}

static __always_inline void insn_stgi(void)
{
	asm volatile("stgi" : : : "memory");
}

#endif
