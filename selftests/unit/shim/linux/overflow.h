/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's struct_size(), in userspace. */
#ifndef JOIST_SHIM_OVERFLOW_H
#define JOIST_SHIM_OVERFLOW_H

#define struct_size(p, member, n) \
	(sizeof(*(p)) + sizeof((p)->member[0]) * (n))

#endif
