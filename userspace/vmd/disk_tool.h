/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMD_DISK_TOOL_H
#define VMD_DISK_TOOL_H

#include "vmd.h"

int disk_tool_start(const struct definition *def, const struct disk *disk, int procs_fd,
		    struct failure *f);

#endif
