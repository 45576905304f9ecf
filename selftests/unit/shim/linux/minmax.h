/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's min() and max(), in userspace. */
#ifndef JOIST_SHIM_MINMAX_H
#define JOIST_SHIM_MINMAX_H

#define min(a, b) \
	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) \
	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

#endif
