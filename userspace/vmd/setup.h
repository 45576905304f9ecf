/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors that the parent sends to a VM's process, in this order. */
#ifndef VMD_SETUP_H
#define VMD_SETUP_H

enum setup_fd {
	SETUP_DEVICE,
	SETUP_START,	/* the kernel, or the firmware */
	SETUP_LISTEN,	/* where the daemon connects */
	SETUP_LOG,	/* the console's */
	SETUP_RESULT,	/* written at the end */
	/*
	 * Then the initrd or the firmware's variables, the disks, the seed, the shares,
	 * the sockets, the interfaces, VFIO's container, a group for each device, and the
	 * host's memory.
	 */
	SETUP_FIXED,
};

#endif
