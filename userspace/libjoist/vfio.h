/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's VFIO: devices of the host's that a process drives, confined by the IOMMU. */
#ifndef LIBJOIST_VFIO_H
#define LIBJOIST_VFIO_H

#include <linux/vfio.h>

#include "types.h"

#define VFIO_CONTAINER_DEVICE	"/dev/vfio/vfio"

/* On a container. */
int vfio_api_version(int container);
bool vfio_has_type(int container, long type);
bool vfio_iommu_is_set(int container);
int vfio_set_iommu(int container, long type);
int vfio_map_dma(int container, u64 iova, u64 size, void *hva);
int vfio_unmap_dma(int container, u64 iova, u64 size);

/* On a group. */
int vfio_group_flags(int group, u32 *flags);
int vfio_group_join(int group, int container);
int vfio_group_leave(int group);
int vfio_group_device(int group, const char *name);

/* On a device. */
int vfio_device_info(int device, struct vfio_device_info *info);
int vfio_region_info(int device, u32 index, struct vfio_region_info **info);
int vfio_irq_count(int device, u32 index);
int vfio_set_eventfds(int device, u32 index, u32 start, u32 count, const int *fds);
int vfio_set_unmask(int device, u32 index, int fd);
int vfio_disable_irqs(int device, u32 index);
int vfio_reset(int device);
int vfio_hot_reset_info(int device, struct vfio_pci_hot_reset_info **info);
int vfio_hot_reset(int device, const int *groups, u32 nr);

#endif
