/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI device that VFIO has for us: found, taken, opened. */
#ifndef JOIST_SELFTESTS_VFIO_H
#define JOIST_SELFTESTS_VFIO_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDU		0x123411e8	/* vendor and device: QEMU's educational device */
#define EDU_ID		0x010000ed	/* its first register */
#define BOCHS_DISPLAY	0x12341111	/* BAR 0 is 16 MiB of memory */

/* Files are -1 while they are not open. */
struct test_vfio {
	char pci[256];		/* its name: 0000:00:02.0 */
	int nr;			/* of its IOMMU group */
	int container;
	int group;
	int device;
};

/* NULL, or why there is none: in words for SKIP(). */
const char *vfio_find(struct test_vfio *v, uint32_t id);

/* 0 or -errno. */
int vfio_group_open(struct test_vfio *v);	/* the group's file alone */
int vfio_attach(struct test_vfio *v);		/* and a container with type1v2 */
int vfio_open(struct test_vfio *v);		/* and the device, its memory and DMA on */
void vfio_close(struct test_vfio *v);

/* The device's DMA does not look in caches. */
bool vfio_no_snoop(const struct test_vfio *v);
int vfio_map_dma(struct test_vfio *v, void *mem, uint64_t iova, uint64_t size);
int vfio_command(struct test_vfio *v, uint16_t command);	/* PCI's register */
/* Its first message signals an eventfd; @fd -1: there are none any more. */
int vfio_set_msi(struct test_vfio *v, int fd);
/* The host's number of that, or -1. */
int vfio_msi_irq(const struct test_vfio *v);
/* A BAR, for reading and writing; NULL: it cannot be. */
void *vfio_map_bar(struct test_vfio *v, int bar, size_t *size);

#endif
