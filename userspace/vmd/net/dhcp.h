/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and names for a switch's guests. */
#ifndef VMD_NET_DHCP_H
#define VMD_NET_DHCP_H

#include "vmd/loop.h"

struct soft_switch;

/**
 * struct dhcp - the server of a switch
 * @pid: 0: it does not run
 * @again: when it is started again
 * @delay: until then, doubled each time
 */
struct dhcp {
	int pid;
	struct timer again;
	u64 delay;
};

int dhcp_start(struct soft_switch *sw);
void dhcp_stop(struct soft_switch *sw);

#endif
