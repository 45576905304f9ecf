/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the host's devices that the guest reaches by itself. */
#ifndef VMM_HOST_MMIO_H
#define VMM_HOST_MMIO_H

#include "vmm.h"

#define HOST_MMIO_LAST	((1ULL << 52) - 1)	/* no CPU has longer addresses */
#define HOST_MMIO_RULE	"whole pages of 4 KiB, as 0xfed40000-0xfed44fff"

struct memory;
struct vm;

static inline bool host_mmio_whole(const struct range *at)
{
	return !(at->first % PAGE_SIZE) && !((at->last + 1) % PAGE_SIZE);
}

int host_mmio_map(struct vmm_mmio *mmio, int nr, int fd);
const char *host_mmio_taken(const struct memory *mem, const struct range *at);
int host_mmio_add(struct vm *vm);

#endif
