/* SPDX-License-Identifier: GPL-2.0-only */
/* How a filter of system calls is made; what it lets through is said by who makes it. */
#ifndef VMD_FILTER_H
#define VMD_FILTER_H

#include <seccomp.h>

#include "libjoist/types.h"

scmp_filter_ctx filter_begin(u32 otherwise, int *err);
int filter_allow(scmp_filter_ctx ctx, const int *calls, size_t nr);
int filter_allow_value(scmp_filter_ctx ctx, int nr, unsigned int arg, u64 value);
int filter_finish(scmp_filter_ctx ctx, int err);

#endif
