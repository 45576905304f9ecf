/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors as pointers, in userspace. */
#ifndef JOIST_SHIM_ERR_H
#define JOIST_SHIM_ERR_H

#include <linux/errno.h>
#include <linux/types.h>

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= (unsigned long)-4095;
}

#endif
