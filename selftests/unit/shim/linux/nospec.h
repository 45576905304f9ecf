/* SPDX-License-Identifier: GPL-2.0-only */
/* Speculation barriers on indexes: nothing to do in userspace. */
#ifndef JOIST_SHIM_NOSPEC_H
#define JOIST_SHIM_NOSPEC_H

#define array_index_nospec(index, size)	(index)

#endif
