/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's min() and max(), in userspace. */
#ifndef JOIST_SHIM_MINMAX_H
#define JOIST_SHIM_MINMAX_H

#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))

#endif
