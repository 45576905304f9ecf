/* SPDX-License-Identifier: GPL-2.0-only */
/* What run.c and enter.S agree upon. */
#ifndef JOIST_VMX_ENTER_H
#define JOIST_VMX_ENTER_H

/* Offsets in struct vmx_enter_args; run.c asserts them. */
#define VMX_ARGS_REGS		0
#define VMX_ARGS_HOST_RSP	8
#define VMX_ARGS_FLAGS		16
#define VMX_ARGS_SPEC_GUEST	20
#define VMX_ARGS_SPEC_HOST	24

/* Flags, by bit number. */
#define VMX_ENTER_LAUNCHED	0	/* VMRESUME, not VMLAUNCH */
#define VMX_ENTER_SPEC_SAVE	1	/* the guest writes SPEC_CTRL without exits */

#ifndef __ASSEMBLY__

#include <linux/types.h>

/**
 * struct vmx_enter_args - what the entry needs and leaves
 * @regs: the general registers, RAX..R15 as instructions number them; RSP's
 *        place is not touched
 * @host_rsp: what HOST_RSP holds, so that it is written only when it changes
 * @flags: VMX_ENTER_*
 * @spec_guest: the guest's SPEC_CTRL; updated when VMX_ENTER_SPEC_SAVE is set
 * @spec_host: this CPU's own
 */
struct vmx_enter_args {
	u64 *regs;
	u64 host_rsp;
	u32 flags;
	u32 spec_guest;
	u32 spec_host;
};

/* enter.S: 0: the guest ran and left; 1: VMLAUNCH/VMRESUME failed. */
int vmx_enter(struct vmx_enter_args *args);
/* enter.S: where VM exits arrive; only its address is used. */
void vmx_exit_point(void);
/* enter.S: let the host's handler have the NMI that ended the guest's run. */
void vmx_handle_nmi(void);

#endif
#endif
