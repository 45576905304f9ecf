/* SPDX-License-Identifier: GPL-2.0-only */
/* Address types: the field's own names. Pure: builds in unit tests too. */
#ifndef JOIST_CORE_TYPES_H
#define JOIST_CORE_TYPES_H

#include <linux/types.h>

typedef unsigned long gva_t;	/* guest virtual address */
typedef u64 gpa_t;		/* guest physical address */
typedef u64 gfn_t;		/* guest frame number */
typedef unsigned long hva_t;	/* host virtual address of the VMM process */
typedef u64 hpa_t;		/* host physical address */

/*
 * Address spaces: guest-physical memory as a vCPU sees it outside of system
 * management mode, and in it.
 */
enum space {
	SPACE_NORMAL,
	SPACE_SMM,
	NR_SPACES,
};

#define INVALID_GPA	(~(gpa_t)0)
#define INVALID_GFN	(~(gfn_t)0)
#define INVALID_HPA	(~(hpa_t)0)

static inline gfn_t gpa_to_gfn(gpa_t gpa)
{
	return gpa >> 12;
}

static inline gpa_t gfn_to_gpa(gfn_t gfn)
{
	return gfn << 12;
}

#endif
