/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's monotonic clock: in unit tests it goes as the test says. */
#ifndef JOIST_SHIM_KTIME_H
#define JOIST_SHIM_KTIME_H

#include <linux/types.h>

typedef s64 ktime_t;

#define NSEC_PER_SEC		1000000000L
#define ns_to_ktime(ns)		((ktime_t)(ns))

u64 ktime_get_ns(void);

#endif
