/* SPDX-License-Identifier: GPL-2.0-only */
/* The program that knows disk formats. */
#ifndef VMM_BACKEND_TOOL_H
#define VMM_BACKEND_TOOL_H

#include <sys/types.h>

#include "../disk_options.h"

int tool_start(const char *path, const struct disk_options *options, const char *dir,
	       int (*become)(void *arg), void *arg, pid_t *pid);
void tool_end(pid_t pid);

#endif
