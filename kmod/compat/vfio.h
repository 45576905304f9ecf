/* SPDX-License-Identifier: GPL-2.0-only */
/* VFIO, as far as it is there: the module is not linked to it. */
#ifndef JOIST_COMPAT_VFIO_H
#define JOIST_COMPAT_VFIO_H

#include <linux/types.h>

struct file;

#define VFIO_MEMBERS_MAX	64
#define VFIO_NAME_BYTES		20	/* 00000000:00:00.0 and the end */

/**
 * struct vfio_members - the PCI devices behind a file of VFIO's
 * @group: number of their IOMMU group, or -1: it is not known
 * @nr: how many names; there may be more of them
 * @name: of each, as under /sys/bus/pci/devices
 */
struct vfio_members {
	int group;
	u32 nr;
	char name[VFIO_MEMBERS_MAX][VFIO_NAME_BYTES];
};

bool compat_vfio_file_valid(struct file *file);
bool compat_vfio_file_coherent(struct file *file);
void compat_vfio_members(struct file *file, struct vfio_members *members);

#endif
