/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's BIT() and kin, for pure module files in userspace. */
#ifndef JOIST_SHIM_BITS_H
#define JOIST_SHIM_BITS_H

#include <linux/types.h>

#define GENMASK(h, l)		(((~0UL) << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l)	GENMASK(h, l)

#endif
