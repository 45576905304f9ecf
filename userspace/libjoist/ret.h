/* SPDX-License-Identifier: GPL-2.0-only */
/* How this library reports: -errno instead of -1 and a global. */
#ifndef LIBJOIST_RET_H
#define LIBJOIST_RET_H

#include <errno.h>

#include "joist.h"

static inline int ret_errno(int ret)
{
	return ret < 0 ? -errno : ret;
}

#endif
