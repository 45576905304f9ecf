/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory: where it lies for the guest and for us. */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <pthread.h>

#include "libjoist/types.h"

/*
 * The guest's physical map. RAM fills [0, LOW_RAM_MAX), what is left goes
 * above 4 GiB; between them lie PCI memory and the interrupt controllers. SeaBIOS
 * puts PCI's configuration space at LOW_RAM_MAX, whatever we tell: so do we.
 */
#define LOW_RAM_MAX	0xb0000000ULL
#define WINDOWS_START	0x80000000ULL	/* of PCI devices, or where RAM ends; OVMF's choice */
#define PCI_HOLE_START	0xc0000000ULL
#define PCI_HOLE_END	0xfec00000ULL
#define HIGH_RAM_START	0x100000000ULL

#define IOAPIC_GPA	0xfec00000ULL
#define LAPIC_GPA	0xfee00000ULL	/* and a megabyte by which interrupts are sent */

/*
 * Three pages and one that Intel CPUs need to start in real mode: below what firmware may
 * take, where it expects them.
 */
#define IDENTITY_MAP_GPA	0xfeffc000ULL
#define TSS_GPA			0xfeffd000ULL
#define FIRMWARE_START		0xff000000ULL	/* to 4 GiB: the largest there is */
#define FIRMWARE_END		0x100000000ULL

/* Slots of the hypervisor's that are no RAM. */
#define SLOT_FIRMWARE_CODE	8
#define SLOT_FIRMWARE_VARS	9
/* And one that becomes some. */
#define SLOT_PLUGGABLE		2
/* Windows of devices of the host's, as many as there are at a time. */
#define SLOT_HOSTDEV		16
#define SLOT_HOSTDEV_NR		48
#define SLOT_HOST_MMIO		64	/* VMM_MMIO_MAX of them */

#define MEM_SIZE_MIN	(4ULL << 20)
#define MEM_SIZE_MAX	(1ULL << 40)

struct mem_region {
	u64 gpa;
	u64 size;
	u8 *hva;
};

#define PLUGGABLE_ALIGN	(1ULL << 30)	/* Linux takes memory in pieces of up to 2 GiB */

/**
 * struct memory - all of it; written before the first vCPU starts, constant afterwards
 * @size: of what the guest has from the start
 * @nr_regions: of that
 * @pluggable: what it can plug in; of size 0: nothing
 * @keep_lock: protects @kept
 * @kept: nothing goes back to the host: devices have been told where it lies. It may change
 */
struct memory {
	u64 size;
	u8 *map;
	u64 map_size;
	int nr_regions;
	struct mem_region region[2];
	struct mem_region pluggable;
	u8 *plug_map;
	pthread_mutex_t keep_lock;
	bool kept;
};

int memory_init(struct memory *mem, int vm_fd, u64 size);
int memory_add_pluggable(struct memory *mem, int vm_fd, u64 size);
void memory_destroy(struct memory *mem);
int memory_slot(int vm_fd, u32 number, u64 gpa, u64 size, u8 *hva);
void memory_keep(struct memory *mem, bool keep);
bool memory_is_kept(struct memory *mem);
int memory_discard(struct memory *mem, void *hva, u64 len);
void *memory_ptr(const struct memory *mem, u64 gpa, u64 len);
int memory_write(const struct memory *mem, u64 gpa, const void *data, u64 len);
int memory_read(const struct memory *mem, u64 gpa, void *data, u64 len);

/* Behind all that is memory, or can be: not below 4 GiB. */
static inline u64 memory_end(const struct memory *mem)
{
	const struct mem_region *last = &mem->region[max(mem->nr_regions, 1) - 1];

	if (mem->pluggable.size)
		last = &mem->pluggable;
	return max(last->gpa + last->size, HIGH_RAM_START);
}

/* Where RAM below 4 GiB ends. */
static inline u64 memory_low_end(const struct memory *mem)
{
	return mem->region[0].size;
}

#endif
