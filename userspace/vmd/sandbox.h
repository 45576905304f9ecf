/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon's processes give up. */
#ifndef VMD_SANDBOX_H
#define VMD_SANDBOX_H

#include <sys/capability.h>

#include "vmd.h"

#define EMPTY_DIR	RUN_DIR "/empty"

int sandbox_parent(void);
int sandbox_bound(const cap_value_t *keep, int nr);
int sandbox_empty_root(void);
int sandbox_become(u32 uid, u32 gid);

/* seccomp.c */
int seccomp_control(void);
int seccomp_vm(void);

#endif
