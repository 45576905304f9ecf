/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that the parent starts besides the daemon's own processes. */
#ifndef VMD_NET_CHILDREN_H
#define VMD_NET_CHILDREN_H

#include "libjoist/types.h"

int child_start(void (*ended)(int pid, int status));
void child_forget(int pid);
void children_reap(void);

#endif
