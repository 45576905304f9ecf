/* SPDX-License-Identifier: GPL-2.0-only */
/* The parent's side of ports and memory that VMs have: whose they are, and how they are opened. */
#ifndef VMD_PLATFORM_HOST_H
#define VMD_PLATFORM_HOST_H

#include "vmd.h"

struct owned;
struct peer;

/* Descriptors that the VM's process is given for them: the host's memory. */
static inline int platform_fds(const struct definition *def)
{
	return platform_mmio(&def->platform, NULL) ? 1 : 0;
}

int platform_may(const struct peer *peer, struct failure *f);
int platform_check(const struct definition *def, struct failure *f);
int platform_open(struct failure *f);
void platform_follow(struct owned *vm);

#endif
