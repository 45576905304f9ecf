/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that knows the files of a share. */
#ifndef VMM_BACKEND_SHARE_TOOL_H
#define VMM_BACKEND_SHARE_TOOL_H

#include "libjoist/types.h"

int share_tool_start(const char *dir, bool readonly, int (*become)(void *arg), void *arg);
const char *share_tool_error(int err);

#endif
