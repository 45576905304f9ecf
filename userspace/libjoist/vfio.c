// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of the kernel's VFIO: containers, groups and devices. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ret.h"
#include "vfio.h"

int vfio_api_version(int container)
{
	return ret_errno(ioctl(container, VFIO_GET_API_VERSION));
}

/* @type: VFIO_*_IOMMU */
bool vfio_has_type(int container, long type)
{
	return ioctl(container, VFIO_CHECK_EXTENSION, type) > 0;
}

/* Has somebody chosen the type already? Before that there is nothing to tell of. */
bool vfio_iommu_is_set(int container)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	return !ioctl(container, VFIO_IOMMU_GET_INFO, &info);
}

int vfio_set_iommu(int container, long type)
{
	return ret_errno(ioctl(container, VFIO_SET_IOMMU, type));
}

/* Devices find @hva's memory at @iova from here on; it stays where it is in the host's. */
int vfio_map_dma(int container, u64 iova, u64 size, void *hva)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (u64)(uintptr_t)hva,
		.iova = iova,
		.size = size,
	};

	return ret_errno(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
}

/* Whole mappings, as many as lie there. */
int vfio_unmap_dma(int container, u64 iova, u64 size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size,
	};

	return ret_errno(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap));
}

/* @flags: VFIO_GROUP_FLAGS_* */
int vfio_group_flags(int group, u32 *flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int err = ret_errno(ioctl(group, VFIO_GROUP_GET_STATUS, &status));

	*flags = status.flags;
	return err;
}

int vfio_group_join(int group, int container)
{
	return ret_errno(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
}

int vfio_group_leave(int group)
{
	return ret_errno(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
}

/* @name: a PCI address with its domain. Return: a file descriptor the caller closes, or -errno. */
int vfio_group_device(int group, const char *name)
{
	return ret_errno(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name));
}

int vfio_device_info(int device, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return ret_errno(ioctl(device, VFIO_DEVICE_GET_INFO, info));
}

/**
 * vfio_region_info() - what a region is, with its capabilities
 * @device: device
 * @index: region
 * @info: set to what the caller frees
 *
 * Return: 0 or -errno.
 */
int vfio_region_info(int device, u32 index, struct vfio_region_info **info)
{
	struct vfio_region_info *r, *more;
	u32 size = sizeof(*r);
	int err = -ENOMEM;

	*info = NULL;
	r = calloc(1, size);
	while (r) {
		r->argsz = size;
		r->index = index;
		err = ret_errno(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, r));
		if (err || r->argsz <= size)
			break;
		size = r->argsz;
		more = realloc(r, size);
		if (!more) {
			err = -ENOMEM;
			break;
		}
		r = more;
		memset(r, 0, size);
	}
	if (err)
		free(r);
	else
		*info = r;
	return err;
}

/* Return: how many interrupts @index has, or -errno. */
int vfio_irq_count(int device, u32 index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	int err = ret_errno(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));

	return err < 0 ? err : (int)info.count;
}

static int set_irqs(int device, u32 index, u32 flags, u32 start, u32 count, const int *fds)
{
	const size_t bytes = fds ? count * sizeof(*fds) : 0;
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + bytes);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = (u32)(sizeof(*set) + bytes);
	set->flags = flags | (fds ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = index;
	set->start = start;
	set->count = count;
	if (fds)
		memcpy(set->data, fds, bytes);
	ret = ret_errno(ioctl(device, VFIO_DEVICE_SET_IRQS, set));
	free(set);
	return ret;
}

/**
 * vfio_set_eventfds() - who is signalled by interrupts
 * @device: device
 * @index: which kind of them
 * @start: the first
 * @count: how many
 * @fds: eventfds; -1: nobody is
 *
 * Return: 0; of messages that are switched on by it, how many the host could have instead, if
 * it has some; or -errno.
 */
int vfio_set_eventfds(int device, u32 index, u32 start, u32 count, const int *fds)
{
	return set_irqs(device, index, VFIO_IRQ_SET_ACTION_TRIGGER, start, count, fds);
}

/* A write to @fd lets a line that has been signalled signal again. */
int vfio_set_unmask(int device, u32 index, int fd)
{
	return set_irqs(device, index, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1, &fd);
}

int vfio_disable_irqs(int device, u32 index)
{
	return set_irqs(device, index, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL);
}

int vfio_reset(int device)
{
	return ret_errno(ioctl(device, VFIO_DEVICE_RESET));
}

/**
 * vfio_hot_reset_info() - which devices a reset of the bus would reset
 * @device: device
 * @info: set to what the caller frees
 *
 * Return: 0 or -errno; -ENODEV: there is no such reset.
 */
int vfio_hot_reset_info(int device, struct vfio_pci_hot_reset_info **info)
{
	struct vfio_pci_hot_reset_info head = { .argsz = sizeof(head) }, *whole;
	int err = ret_errno(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &head));
	size_t size;

	*info = NULL;
	if (err && err != -ENOSPC)
		return err;
	size = sizeof(head) + head.count * sizeof(head.devices[0]);
	whole = calloc(1, size);
	if (!whole)
		return -ENOMEM;
	whole->argsz = (u32)size;
	err = ret_errno(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, whole));
	if (err)
		free(whole);
	else
		*info = whole;
	return err;
}

/* @groups: descriptors of all groups that it concerns: so it is shown that they are ours */
int vfio_hot_reset(int device, const int *groups, u32 nr)
{
	const size_t size = sizeof(struct vfio_pci_hot_reset) + nr * sizeof(*groups);
	struct vfio_pci_hot_reset *reset = calloc(1, size);
	int err;

	if (!reset)
		return -ENOMEM;
	reset->argsz = (u32)size;
	reset->count = nr;
	memcpy(reset->group_fds, groups, nr * sizeof(*groups));
	err = ret_errno(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
	free(reset);
	return err;
}
