/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <time.h>

#include "libjoist/types.h"

#define NS_PER_SECOND	1000000000ULL

/* Of CLOCK_MONOTONIC. */
static inline u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NS_PER_SECOND + (u64)ts.tv_nsec;
}

#endif
