/* SPDX-License-Identifier: GPL-2.0-only */
/* What the control process says to a VM's process: fixed structures, SOCK_SEQPACKET. */
#ifndef VMD_VM_PROTOCOL_H
#define VMD_VM_PROTOCOL_H

#include <assert.h>

#include "libjoist/types.h"
#include "vmm/virtio/balloon_stats.h"

#define VM_PROTOCOL	1

enum vm_op {
	VM_HELLO,	/* the VM's, when it is connected to */
	VM_BUTTON,	/* press the power button */
	VM_END,		/* end at once */
	VM_RESET,	/* end, to be started again */
	VM_PAUSE,
	VM_RESUME,
	VM_NMI,
	VM_CONSOLE,	/* with a stream socket */
	VM_BALLOON,	/* tell of the balloon, and set its target */
	VM_BALLOON_AT,	/* the VM's, unasked: the target has been reached */
	VM_DISK_RESIZE,	/* flags: which one; amount: MiB */
	VM_DISK_ERROR,	/* the VM's, unasked; see below */
	NR_VM_OPS,
};

enum vm_state { VM_RUNNING, VM_PAUSED };

#define VM_FAILED_MAX	0xffffU
#define VM_STATE_OF_DISK(disk, failed)	((disk) | (failed) << 16)
#define VM_DISK(state)		((state) & 0xffff)
#define VM_FAILED(state)	((state) >> 16)

#define CONSOLE_WRITE	BIT(0)
#define CONSOLE_FORCE	BIT(1)

#define BALLOON_SET	BIT(0)	/* to so many pages */
#define BALLOON_FRESH	BIT(1)	/* answered once the guest has told new figures */

/* Of the answer. */
#define BALLOON_DRIVER	BIT(0)	/* the guest has one */
#define BALLOON_REACHED	BIT(1)

/**
 * struct vm_request - to the VM
 * @version: VM_PROTOCOL
 * @op: enum vm_op
 * @id: comes back
 * @flags: CONSOLE_*, BALLOON_*
 * @amount: bytes of scrollback; pages that the guest is to keep; MiB
 *	    that a disk is to have
 */
struct vm_request {
	u32 version;
	u32 op;
	u32 id;
	u32 flags;
	u32 amount;
};

/**
 * struct vm_reply - from the VM
 * @error: 0 or an errno
 * @state: enum vm_state, after what was asked; of VM_DISK_ERROR, which disk, and how many
 *         requests failed that were not told of: VM_DISK(), VM_FAILED()
 */
struct vm_reply {
	u32 version;
	u32 op;
	u32 id;
	u32 error;
	u32 state;
};

/**
 * struct vm_balloon_reply - of VM_BALLOON, if there is one, and VM_BALLOON_AT
 * @flags: BALLOON_DRIVER, BALLOON_REACHED
 * @target: bytes that the guest is to keep
 * @actual: bytes that it keeps
 * @age_ms: of its figures
 * @known: those that it tells, a bit for each
 * @stat: by VIRTIO_BALLOON_S_*
 */
struct vm_balloon_reply {
	struct vm_reply head;
	u32 flags;
	u64 target;
	u64 actual;
	u64 age_ms;
	u64 known;
	u64 stat[BALLOON_STATS];
};

static_assert(sizeof(struct vm_request) == 20, "both processes may be of two builds");
static_assert(sizeof(struct vm_reply) == 20, "likewise");
static_assert(sizeof(struct vm_balloon_reply) == 184, "likewise");

#endif
