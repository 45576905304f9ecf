/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's end of NBD, the network block device protocol, on a local socket. */
#ifndef VMM_BACKEND_NBD_H
#define VMM_BACKEND_NBD_H

#include "libjoist/types.h"

#define NBD_LENGTH_MAX	(32U << 20)	/* of a transfer: what every server takes */

/**
 * struct nbd_export - what the server says of the disk
 * @size: bytes
 */
struct nbd_export {
	u64 size;
	bool readonly;
	bool can_flush;
	bool can_trim;
	bool can_zero;
};

int nbd_connect(int fd, struct nbd_export *exp);

#endif
