/* SPDX-License-Identifier: GPL-2.0-only */
/* What the control process says to a VM's process: fixed structures, SOCK_SEQPACKET. */
#ifndef VMD_VM_PROTOCOL_H
#define VMD_VM_PROTOCOL_H

#include <assert.h>

#include "libjoist/types.h"
#include "vmm/plug.h"
#include "vmm/virtio/balloon_stats.h"
#include "vmm/vmm.h"

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
	VM_DISK_RESIZE,	/* a disk's name behind; flags: MiB */
	VM_DISK_ERROR,	/* the VM's, unasked; see below */
	VM_PLUG,	/* a device in JSON behind, with its descriptors: so many as it takes */
	VM_UNPLUG,	/* a device's name behind; answered once the guest is asked */
	VM_UNPLUGGED,	/* the VM's, unasked: a device has gone */
	VM_WATCHDOG,	/* the VM's, unasked: its watchdog has fired */
	VM_SHARE_LOST,	/* the VM's, unasked: a share's server has ended */
	VM_MEMORY,	/* tell of the memory that can be plugged in, and set how much is to be */
	VM_MEMORY_AT,	/* the VM's, unasked: so much is */
	VM_RECLAIM,	/* have free memory of the guest's; answered once it is all here */
	VM_HOST_NEWS,	/* the VM's, unasked: of a device of the host's; error: enum host_news */
	NR_VM_OPS,
};

enum vm_state { VM_RUNNING, VM_PAUSED };

enum host_news {
	HOST_NEWS_ERROR,	/* it has an error that cannot be corrected */
	HOST_NEWS_WANTED,	/* the host wants it back */
};

#define CONSOLE_WRITE	BIT(0)
#define CONSOLE_FORCE	BIT(1)

#define BALLOON_SET	BIT(0)	/* to so many pages */
#define BALLOON_FRESH	BIT(1)	/* answered once the guest has told new figures */

/* Of the answer. */
#define BALLOON_DRIVER	BIT(0)	/* the guest has one */
#define BALLOON_REACHED	BIT(1)
#define BALLOON_INHIBITED BIT(2)	/* nothing goes back: devices use the memory */

#define RECLAIM_END	BIT(0)	/* the one that goes on has taken too long; no answer */

#define MEMORY_SET	BIT(0)	/* so many MiB are to be in */

/* Of the answer. */
#define MEMORY_DRIVER	BIT(0)	/* the guest has one */

#define UNPLUG_FORCE	BIT(0)
#define UNPLUG_KIND(kind)	((u32)(kind) << 1)	/* enum plug_kind */
#define UNPLUG_KIND_OF(flags)	((enum plug_kind)((flags) >> 1 & 3))

#define VM_TEXT_MAX	(32U << 10)	/* behind a request */
#define VM_WHY_SIZE	192

/**
 * struct vm_request - to the VM
 * @version: VM_PROTOCOL
 * @op: enum vm_op
 * @id: comes back
 * @flags: CONSOLE_*, BALLOON_*, RECLAIM_*, MEMORY_*, UNPLUG_*; MiB that a disk is to have
 * @amount: bytes of scrollback; pages that the guest is to keep; MiB to be plugged in
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
 * @state: enum vm_state, after what was asked; of VM_DISK_ERROR, how many requests failed
 *         that were not told of
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
 * @flags: BALLOON_DRIVER, BALLOON_REACHED, BALLOON_INHIBITED
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

/**
 * struct vm_reclaim_reply - of VM_RECLAIM, if it was done
 * @bytes: that the guest has hinted
 */
struct vm_reclaim_reply {
	struct vm_reply head;
	u32 zero;
	u64 bytes;
};

/**
 * struct vm_memory_reply - of VM_MEMORY, if there is any, and VM_MEMORY_AT
 * @flags: MEMORY_DRIVER
 * @size: bytes that can be plugged in
 * @wanted: bytes that are to be
 * @plugged: bytes that are
 */
struct vm_memory_reply {
	struct vm_reply head;
	u32 flags;
	u64 size;
	u64 wanted;
	u64 plugged;
};

/**
 * struct vm_device_reply - of VM_PLUG, VM_UNPLUGGED, VM_DISK_ERROR, VM_SHARE_LOST and VM_HOST_NEWS
 * @kind: of VM_UNPLUGGED: enum plug_kind
 * @name: the device's, or the share's tag
 * @why: of VM_PLUG: what went wrong
 */
struct vm_device_reply {
	struct vm_reply head;
	u32 kind;
	char name[DEVICE_NAME_SIZE];
	char why[VM_WHY_SIZE];
};

static_assert(PLUG_DISK == 0 && PLUG_NET == 1 && PLUG_HOSTDEV == 2,
	      "both processes may be of two builds");
static_assert(sizeof(struct vm_request) == 20, "likewise");
static_assert(sizeof(struct vm_reply) == 20, "likewise");
static_assert(sizeof(struct vm_balloon_reply) == 184, "likewise");
static_assert(sizeof(struct vm_reclaim_reply) == 32, "likewise");
static_assert(sizeof(struct vm_memory_reply) == 48, "likewise");
static_assert(sizeof(struct vm_device_reply) == 248, "likewise");

#endif
