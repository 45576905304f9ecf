/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's allocators, in userspace. */
#ifndef JOIST_SHIM_SLAB_H
#define JOIST_SHIM_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL_ACCOUNT	0
#define kzalloc(size, gfp)	calloc(1, size)
#define kcalloc(n, size, gfp)	calloc(n, size)
#define kvzalloc(size, gfp)	calloc(1, size)
#define kfree(p)		free(p)
#define kvfree(p)		free(p)

#endif
