// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of VFIO: a container, a group and a device. Its windows lie in a file one behind the
 * other. What the VMM must never ask, whatever a guest does, ends the run.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_kvm.h"
#include "fake_vfio.h"
#include "vmm/chipset/pci.h"

#define STRIDE		(1UL << 20)	/* of the windows in the file */
#define REGIONS		VFIO_PCI_NUM_REGIONS
#define FILE_SIZE	(REGIONS * STRIDE)
#define MAPPINGS_MAX	32
#define VECTORS		40
#define MESSAGES	8

/* The device: four pages with the table of MSI-X in the second, ports, a small window, a ROM. */
#define BAR_MAIN	0
#define BAR_PORTS	2
#define BAR_SMALL	3
#define BAR_LARGE	4
#define TABLE_OFFSET	0x1000
#define PBA_OFFSET	0x2800

static const struct {
	u64 size;
	u32 flags;
} regions[REGIONS] = {
	[BAR_MAIN] = { 0x4000, PCI_BASE_ADDRESS_MEM_TYPE_64 },
	[BAR_PORTS] = { 0x20, PCI_BASE_ADDRESS_SPACE_IO },
	[BAR_SMALL] = { 0x100, 0 },
	[BAR_LARGE] = { 0x10000, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH },
	[VFIO_PCI_ROM_REGION_INDEX] = { 0x800, 0 },
	[VFIO_PCI_CONFIG_REGION_INDEX] = { PCI_CONFIG_SIZE, 0 },
};

static const u32 irq_counts[VFIO_PCI_NUM_IRQS] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = 1, [VFIO_PCI_MSI_IRQ_INDEX] = MESSAGES,
	[VFIO_PCI_MSIX_IRQ_INDEX] = VECTORS, [VFIO_PCI_ERR_IRQ_INDEX] = 1,
	[VFIO_PCI_REQ_IRQ_INDEX] = 1,
};

static int file = -1;

static struct {
	u32 flags;
	bool joined, iommu, open;
	int nr_mappings;
	struct vfio_iommu_type1_dma_map mapping[MAPPINGS_MAX];
	int fd[VFIO_PCI_NUM_IRQS][VECTORS];	/* ours; 0: none */
	bool on[VFIO_PCI_NUM_IRQS];
} vfio;

static void broken(const char *what)
{
	fprintf(stderr, "==== VFIO is told what cannot be: %s\n", what);
	abort();
}

int fake_vfio_file(void)
{
	if (file < 0)
		file = memfd_create("vfio", MFD_CLOEXEC);
	return file;
}

/* The chain: power management, MSI, MSI-X, PCI Express, one that is not known, of the maker's. */
static void write_config(u64 wild)
{
	u8 c[PCI_CONFIG_SIZE] = { 0 };
	int i;

	pci_set32(c + PCI_VENDOR_ID, 0x56781234);
	pci_set16(c + PCI_STATUS, PCI_STATUS_CAP_LIST);
	pci_set32(c + PCI_CLASS_REVISION, 0x01080201);
	for (i = 0; i < PCI_BARS; i++)
		pci_set32(c + PCI_BASE_ADDRESS_0 + 4 * i, regions[i].flags);
	c[PCI_INTERRUPT_PIN] = 1;
	c[PCI_CAPABILITY_LIST] = 0x40;
	pci_set32(c + 0x40, PCI_CAP_ID_PM | 0x48 << 8 | 3 << 16);
	pci_set32(c + 0x48, PCI_CAP_ID_MSI | 0x60 << 8 |
		  (PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 3 << 1) << 16);
	pci_set32(c + 0x60, PCI_CAP_ID_MSIX | 0x70 << 8 | (VECTORS - 1) << 16);
	pci_set32(c + 0x64, TABLE_OFFSET | BAR_MAIN);
	pci_set32(c + 0x68, PBA_OFFSET | BAR_MAIN);
	pci_set32(c + 0x70, PCI_CAP_ID_VNDR | 0x80 << 8 | 0x10 << 16);
	pci_set32(c + 0x80, PCI_CAP_ID_SSVID | 0x90 << 8);
	if (!(vfio.flags & FAKE_VFIO_CONVENTIONAL))
		pci_set32(c + 0x90, PCI_CAP_ID_EXP | 2 << 16);
	pci_set32(c + 0x94, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER);
	pci_set32(c + 0x100, PCI_EXT_CAP_ID_ERR | 1 << 16 | 0x140 << 20);
	pci_set32(c + 0x140, PCI_EXT_CAP_ID_DSN | 1 << 16);
	if (vfio.flags & FAKE_VFIO_WILD)
		for (i = 0; i < 4; i++)
			c[0x34 + (wild >> (i * 16) & 0x7f)] = (u8)(wild >> (i * 16 + 8));
	if (pwrite(file, c, sizeof(c), VFIO_PCI_CONFIG_REGION_INDEX * STRIDE) != sizeof(c))
		abort();
}

void fake_vfio_begin(u32 flags, u64 wild)
{
	memset(&vfio, 0, sizeof(vfio));
	vfio.flags = flags;
	if (ftruncate(fake_vfio_file(), 0) || ftruncate(file, FILE_SIZE))
		abort();
	write_config(wild);
}

static int map_dma(const struct vfio_iommu_type1_dma_map *map)
{
	int i;

	if (!vfio.iommu || fake_kvm_ram(map->iova, map->size, true) !=
	    (u8 *)(uintptr_t)map->vaddr)
		broken("memory that is not the guest's is mapped");
	for (i = 0; i < vfio.nr_mappings; i++)
		if (map->iova < vfio.mapping[i].iova + vfio.mapping[i].size &&
		    vfio.mapping[i].iova < map->iova + map->size)
			return -EEXIST;
	if (vfio.nr_mappings == MAPPINGS_MAX)
		return -ENOSPC;
	vfio.mapping[vfio.nr_mappings++] = *map;
	return 0;
}

static int unmap_dma(const struct vfio_iommu_type1_dma_unmap *unmap)
{
	int i = 0;

	while (i < vfio.nr_mappings) {
		const struct vfio_iommu_type1_dma_map *m = &vfio.mapping[i];

		if (m->iova + m->size <= unmap->iova || unmap->iova + unmap->size <= m->iova) {
			i++;
			continue;
		}
		if (m->iova < unmap->iova || m->iova + m->size > unmap->iova + unmap->size)
			broken("part of a mapping is unmapped");
		vfio.mapping[i] = vfio.mapping[--vfio.nr_mappings];
	}
	return 0;
}

static int region_info(struct vfio_region_info *info)
{
	if (info->index >= REGIONS)
		return -EINVAL;
	info->size = regions[info->index].size;
	info->offset = info->index * STRIDE;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (info->size >= PAGE_SIZE)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

static void drop(u32 index, u32 which)
{
	int *held = &vfio.fd[index][which];

	if (*held > 0)
		close(*held);
	*held = 0;
}

static void disable(u32 index)
{
	u32 i;

	for (i = 0; i < VECTORS; i++)
		drop(index, i);
	vfio.on[index] = false;
}

static bool is_event(u32 index)
{
	return index == VFIO_PCI_ERR_IRQ_INDEX || index == VFIO_PCI_REQ_IRQ_INDEX;
}

/* One kind of interrupts at a time. */
static void check_kind(u32 index)
{
	u32 i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		if (i != index && vfio.on[i] && !is_event(i))
			broken("two kinds of interrupts at a time");
}

static int set_trigger(const struct vfio_irq_set *set)
{
	const int *fds = (const void *)set->data;
	u32 i;

	if (!is_event(set->index) && !vfio.on[set->index]) {
		check_kind(set->index);
		if (set->start)
			broken("a vector is armed while messages are off");
		if ((vfio.flags & FAKE_VFIO_SCARCE) && set->count > 1)
			return 1;
	}
	vfio.on[set->index] = true;
	for (i = 0; i < set->count; i++) {
		drop(set->index, set->start + i);
		if (fds[i] < 0)
			continue;
		vfio.fd[set->index][set->start + i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (vfio.fd[set->index][set->start + i] < 0)
			broken("an eventfd that is none");
	}
	return 0;
}

static int set_irqs(const struct vfio_irq_set *set)
{
	if (set->index >= VFIO_PCI_NUM_IRQS || set->start > irq_counts[set->index] ||
	    set->count > irq_counts[set->index] - set->start)
		broken("interrupts that there are not");
	if (set->flags & VFIO_IRQ_SET_ACTION_UNMASK) {
		if (!vfio.on[VFIO_PCI_INTX_IRQ_INDEX])
			broken("a line is unmasked that is off");
		return 0;
	}
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_trigger(set);
	disable(set->index);
	return 0;
}

static int leave(void)
{
	if (!vfio.joined)
		return -EINVAL;
	vfio.joined = false;
	vfio.iommu = false;
	vfio.nr_mappings = 0;
	return 0;
}

static int device_info(struct vfio_device_info *info)
{
	info->flags = VFIO_DEVICE_FLAGS_PCI;
	if (vfio.flags & FAKE_VFIO_RESETS)
		info->flags |= VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

int fake_vfio_ioctl(unsigned long request, void *arg)
{
	struct vfio_irq_info *irq = arg;

	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return 1;
	case VFIO_IOMMU_GET_INFO:
		/* It has the number of a device's request for what its bus would reset, too. */
		if (*(u32 *)arg < sizeof(struct vfio_iommu_type1_info))
			return -ENODEV;
		return vfio.iommu ? 0 : -EINVAL;
	case VFIO_SET_IOMMU:
		vfio.iommu = vfio.joined;
		return vfio.joined ? 0 : -EINVAL;
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(arg);
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		vfio.joined = true;
		return 0;
	case VFIO_GROUP_UNSET_CONTAINER:
		return leave();
	case VFIO_GROUP_GET_DEVICE_FD:
		return fcntl(file, F_DUPFD_CLOEXEC, 0);
	case VFIO_DEVICE_GET_INFO:
		return device_info(arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		if (irq->index >= VFIO_PCI_NUM_IRQS)
			return -EINVAL;
		irq->count = irq_counts[irq->index];
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(arg);
	case VFIO_DEVICE_RESET:
		return 0;
	case KVM_CREATE_DEVICE:
		((struct kvm_create_device *)arg)->fd = (u32)fcntl(file, F_DUPFD_CLOEXEC, 0);
		return 0;
	case KVM_SET_DEVICE_ATTR:
		return 0;
	}
	return -ENOTTY;
}

/* An interrupt, or an event. */
void fake_vfio_signal(u32 index, u32 which)
{
	index %= VFIO_PCI_NUM_IRQS;
	if (vfio.fd[index][which % irq_counts[index]] > 0)
		eventfd_write(vfio.fd[index][which % irq_counts[index]], 1);
}

/* The device's last descriptor is closed. */
void fake_vfio_end(void)
{
	u32 i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		disable(i);
	/* Where a group could not be let go of, they are dropped with the last descriptor. */
	if (vfio.nr_mappings && !fake_kvm_failed())
		broken("mappings are left");
}
