/* SPDX-License-Identifier: GPL-2.0-only */
/* The host bridge, a Q35's: where PCI's configuration space lies in memory. */
#ifndef VMM_HOST_BRIDGE_H
#define VMM_HOST_BRIDGE_H

#include "libjoist/types.h"

/* For a kernel that we start ourselves; firmware puts it where it likes. */
#define ECAM_GPA	0xb0000000ULL
#define ECAM_SIZE	0x10000000ULL

struct vm;

/**
 * struct ecam - the memory that shows configuration space
 * @base: where
 * @size: bytes, 1 MiB for each bus; 0: it is closed
 */
struct ecam {
	u64 base;
	u64 size;
};

int host_bridge_create(struct vm *vm);
void host_bridge_destroy(struct vm *vm);
struct ecam host_bridge_ecam(struct vm *vm);

#endif
