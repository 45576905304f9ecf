/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMD_DISK_TOOL_H
#define VMD_DISK_TOOL_H

#include "vmd.h"

/**
 * struct tool_user - whose rights a tool has
 * @procs_fd: the VM's cgroup, or -1
 */
struct tool_user {
	u32 uid, gid;
	int procs_fd;
};

int tool_become(void *arg);
int disk_tool_start(const struct definition *def, const struct disk *disk, int procs_fd,
		    struct failure *f);

#endif
