// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's windows. What can be mapped is the guest's without an exit; the rest is read and
 * written for it. The table of MSI-X and its pending bits are ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "libjoist/vfio.h"

static bool touches(u64 offset, unsigned int len, u64 start, u64 size)
{
	return offset < start + size && offset + len > start;
}

/* Does an access meet the table? What does so half-way gets nothing there. */
static bool in_table(const struct region *r, u64 offset, unsigned int len)
{
	const struct filter *f = &r->hd->filter;

	return f->msix && r->bar == f->table_bar &&
	       touches(offset, len, f->table_offset, msix_table_size(&r->hd->irqs.msix));
}

static bool in_pba(const struct region *r, u64 offset, unsigned int len)
{
	const struct filter *f = &r->hd->filter;

	return f->msix && r->bar == f->pba_bar &&
	       touches(offset, len, f->pba_offset, msix_pba_size(&r->hd->irqs.msix));
}

static void region_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct region *r = ctx;
	struct hostdev *hd = r->hd;

	if (in_table(r, offset, len)) {
		msix_table_read(&hd->irqs.msix, offset - hd->filter.table_offset, data, len);
		return;
	}
	if (in_pba(r, offset, len)) {
		msix_pba_read(&hd->irqs.msix, offset - hd->filter.pba_offset, data, len);
		return;
	}
	if (pread(hd->fd, data, len, (off_t)(r->offset + offset)) != (ssize_t)len)
		memset(data, 0xff, len);
}

static void region_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct region *r = ctx;
	struct hostdev *hd = r->hd;

	if (in_table(r, offset, len)) {
		msix_table_write(&hd->irqs.msix, offset - hd->filter.table_offset, data, len);
		return;
	}
	if (in_pba(r, offset, len) || r->bar == PCI_ROM)
		return;
	if (pwrite(hd->fd, data, len, (off_t)(r->offset + offset)) != (ssize_t)len)
		log_warn("%s: a write to its window %d fails: %s", hd->host, r->bar,
			 strerror(errno));
}

static const struct bus_ops region_ops = {
	.read = region_read,
	.write = region_write,
};

static void unmap_areas(struct vm *vm, struct region *r)
{
	int i;

	for (i = 0; i < r->areas.nr; i++) {
		if (r->slot[i] < 0)
			continue;
		memory_slot(vm->fd, (u32)r->slot[i], 0, 0, NULL);
		container_slot_free(&vm->container, r->slot[i]);
		r->slot[i] = -1;
	}
}

/* Where there is no slot for it, it is trapped as the rest is: slow, and right. */
static void map_area(struct vm *vm, struct region *r, int i, u64 addr)
{
	const struct area *area = &r->areas.area[i];
	int slot = container_slot(&vm->container), err = slot;

	if (slot >= 0) {
		err = memory_slot(vm->fd, (u32)slot, addr + area->offset, area->size, r->hva[i]);
		if (!err) {
			r->slot[i] = slot;
			return;
		}
		container_slot_free(&vm->container, slot);
	}
	log_warn("%s: its window %d is slow, for the hypervisor does not map it: %s", r->hd->host,
		 r->bar, strerror(-err));
}

/* The guest has moved a window. The bus's lock is held. */
void region_mapped(struct pci_dev *pci, int bar, u64 addr)
{
	struct hostdev *hd = container_of(pci, struct hostdev, pci);
	struct region *r = &hd->region[bar];
	int i;

	unmap_areas(pci->vm, r);
	for (i = 0; addr && i < r->areas.nr; i++)
		map_area(pci->vm, r, i, addr);
}

/* What the driver lets be mapped: named parts of it, or all. */
static void add_areas(struct region *r, const struct vfio_region_info *info)
{
	const struct vfio_info_cap_header *cap;
	u32 at = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;
	bool sparse = false;
	u32 i;

	for (; at && at + sizeof(*cap) <= info->argsz; at = cap->next) {
		const struct vfio_region_info_cap_sparse_mmap *s;

		cap = (const void *)((const u8 *)info + at);
		s = (const void *)cap;
		if (cap->id != VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			continue;
		sparse = true;
		for (i = 0; i < s->nr_areas; i++)
			areas_add(&r->areas, r->size, s->areas[i].offset, s->areas[i].size);
	}
	if (!sparse)
		areas_add(&r->areas, r->size, 0, r->size);
}

static void cut_msix(struct region *r)
{
	const struct filter *f = &r->hd->filter;
	const struct msix *msix = &r->hd->irqs.msix;

	if (f->msix && r->bar == f->table_bar)
		areas_cut(&r->areas, f->table_offset, msix_table_size(msix));
	if (f->msix && r->bar == f->pba_bar)
		areas_cut(&r->areas, f->pba_offset, msix_pba_size(msix));
}

static void map_region(struct region *r, const struct vfio_region_info *info)
{
	int i, nr = 0;

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	add_areas(r, info);
	cut_msix(r);
	for (i = 0; i < r->areas.nr; i++) {
		const struct area area = r->areas.area[i];
		void *hva = mmap(NULL, area.size, PROT_READ | PROT_WRITE, MAP_SHARED, r->hd->fd,
				 (off_t)(r->offset + area.offset));

		if (hva == MAP_FAILED) {
			log_warn("%s: its window %d cannot be mapped: %s", r->hd->host, r->bar,
				 strerror(errno));
			continue;
		}
		r->areas.area[nr] = area;
		r->slot[nr] = -1;
		r->hva[nr++] = hva;
	}
	r->areas.nr = nr;
}

static u32 flags_of(const u8 *config, int bar)
{
	u32 reg = pci_get32(config + PCI_BASE_ADDRESS_0 + 4 * bar);

	if (bar == PCI_ROM)
		return 0;
	return reg & (reg & PCI_BASE_ADDRESS_SPACE_IO ? PCI_BASE_ADDRESS_SPACE_IO :
		      PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
}

/* Return: 0, or -errno with the reason logged. */
static int add_region(struct hostdev *hd, int bar, const u8 *config)
{
	struct region *r = &hd->region[bar];
	struct vfio_region_info *info;
	int err;

	r->hd = hd;
	r->bar = bar;
	err = vfio_region_info(hd->fd, bar == PCI_ROM ? VFIO_PCI_ROM_REGION_INDEX :
			       VFIO_PCI_BAR0_REGION_INDEX + (u32)bar, &info);
	if (err) {
		/* A device without a ROM need not know of one. */
		if (bar == PCI_ROM)
			return 0;
		log_err("%s does not tell of its window %d: %s", hd->host, bar, strerror(-err));
		return err;
	}
	if (info->size && !(info->size & (info->size - 1)) && info->size >= 4) {
		r->size = info->size;
		r->offset = info->offset;
		if (bar != PCI_ROM)
			map_region(r, info);
		pci_dev_window(&hd->pci, bar, r->size, flags_of(config, bar), &region_ops, r);
	}
	free(info);
	return 0;
}

/* Is what the capability names there, and does it lie where it can? */
static int check_msix(const struct hostdev *hd)
{
	const struct filter *f = &hd->filter;

	if (!f->msix ||
	    (f->table_bar < PCI_BARS && f->pba_bar < PCI_BARS &&
	     (u64)f->table_offset + msix_table_size(&hd->irqs.msix) <=
	     hd->region[f->table_bar].size &&
	     (u64)f->pba_offset + msix_pba_size(&hd->irqs.msix) <= hd->region[f->pba_bar].size))
		return 0;
	log_err("%s: its MSI-X table lies outside of its windows: the device is broken, or needs a quirk",
		hd->host);
	return -EINVAL;
}

/**
 * regions_init() - the windows of a device
 * @hd: device whose interrupts are known, before pci_dev_add()
 * @config: the hardware's configuration space
 *
 * Return: 0, or -errno with the reason logged; regions_destroy() is due in both cases.
 */
int regions_init(struct hostdev *hd, const u8 *config)
{
	int bar, err = 0;

	for (bar = 0; !err && bar < PCI_REGIONS; bar++) {
		err = add_region(hd, bar, config);
		/* The upper half of one. */
		if (hd->pci.bar[bar].flags & PCI_BASE_ADDRESS_MEM_TYPE_64)
			bar++;
	}
	return err ?: check_msix(hd);
}

/* It is off the bus. */
void regions_destroy(struct hostdev *hd)
{
	int bar, i;

	for (bar = 0; bar < PCI_REGIONS; bar++)
		for (i = 0; i < hd->region[bar].areas.nr; i++)
			munmap(hd->region[bar].hva[i], hd->region[bar].areas.area[i].size);
}
