/* SPDX-License-Identifier: GPL-2.0-only */
/* Which parts of a window the guest can have as they are. */
#ifndef VMM_VFIO_AREAS_H
#define VMM_VFIO_AREAS_H

#include "libjoist/types.h"

#define AREAS_MAX	8

/* A part of a window, whole pages of it. */
struct area {
	u64 offset;
	u64 size;
};

struct areas {
	int nr;
	struct area area[AREAS_MAX];
};

void areas_add(struct areas *a, u64 size, u64 offset, u64 len);
void areas_cut(struct areas *a, u64 offset, u64 len);

#endif
