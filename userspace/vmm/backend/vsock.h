/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernel has the host's end of a guest's sockets. */
#ifndef VMM_BACKEND_VSOCK_H
#define VMM_BACKEND_VSOCK_H

#include "libjoist/types.h"

/* 0 to 2 are taken: nobody's, the machine's own, the host's; the last one is anybody's. */
#define VSOCK_CID_MIN	3U
#define VSOCK_CID_MAX	0xfffffffeU

struct vmm_vsock;

const char *vsock_remedy(int err);
int vsock_open(const struct vmm_vsock *config);

#endif
