/* SPDX-License-Identifier: GPL-2.0-only */
/* The frontend of a VM's process: the daemon's orders, and the console. */
#ifndef VMD_VM_FRONT_H
#define VMD_VM_FRONT_H

#include "vmm/frontend.h"

/* What it is given; the descriptors are its own. */
struct front_config {
	int listen_fd;
	int log_fd;
};

extern const struct vmm_frontend vm_frontend;

#endif
