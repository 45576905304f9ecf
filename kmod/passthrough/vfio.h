/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host's that a guest has for itself, by VFIO. */
#ifndef JOIST_PASSTHROUGH_VFIO_H
#define JOIST_PASSTHROUGH_VFIO_H

#include <linux/list.h>
#include <linux/types.h>

#include "../compat/vfio.h"

struct file;
struct vm_device_ops;

#define ASSIGNED_MAX		256	/* groups of a VM */

/**
 * struct assigned - an IOMMU group, or one device, that the VMM said the VM has
 * @node: in vm->assigned
 * @file: VFIO's; a reference
 * @no_snoop: its DMA may go past the CPUs' caches
 * @members: who they were when it was added
 *
 * Protection: vm->lock and registry_lock to write, either to read.
 */
struct assigned {
	struct list_head node;
	struct file *file;
	bool no_snoop;
	struct vfio_members members;
};

extern const struct vm_device_ops vfio_device_ops;

#endif
