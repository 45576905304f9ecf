/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMD_SHARE_TOOL_H
#define VMD_SHARE_TOOL_H

#include "vmd.h"

int share_open_as(const struct definition *def, const struct share *share, u32 uid, u32 gid,
		  int procs_fd, struct failure *f);

#endif
