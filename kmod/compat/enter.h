/* SPDX-License-Identifier: GPL-2.0-only */
/* For the assembly around a guest: mitigations under the kernel's own names,
 * empty where a kernel does not have them yet.
 */
#ifndef JOIST_COMPAT_ENTER_H
#define JOIST_COMPAT_ENTER_H

#include <asm/nospec-branch.h>

/* Before the first RET after an exit. Clobbers RAX, RCX, RDX. */
#ifdef UNTRAIN_RET_VM
#define COMPAT_UNTRAIN_RET_VM	UNTRAIN_RET_VM
#else
#define COMPAT_UNTRAIN_RET_VM	UNTRAIN_RET
#endif

/* Right before the guest runs. Clobbers ZF. */
#ifdef VM_CLEAR_CPU_BUFFERS
#define COMPAT_VM_CLEAR_CPU_BUFFERS	VM_CLEAR_CPU_BUFFERS
#else
#define COMPAT_VM_CLEAR_CPU_BUFFERS
#endif

#endif
