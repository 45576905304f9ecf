/* SPDX-License-Identifier: GPL-2.0-only */
/* One cgroup (v2) for each VM. */
#ifndef VMD_CGROUP_H
#define VMD_CGROUP_H

#include "vmd.h"

void cgroup_init(void);
int cgroup_hold(void);
int cgroup_procs(const char *name);
int cgroup_create(const struct definition *def, int *procs_fd);
void cgroup_remove(const char *name);

#endif
