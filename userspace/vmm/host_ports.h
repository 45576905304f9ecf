/* SPDX-License-Identifier: GPL-2.0-only */
/* I/O ports of the host's that the guest uses by itself. */
#ifndef VMM_HOST_PORTS_H
#define VMM_HOST_PORTS_H

struct vm;

int host_ports_grant(struct vm *vm);

#endif
