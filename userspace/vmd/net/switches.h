/* SPDX-License-Identifier: GPL-2.0-only */
/* Switches that are there. */
#ifndef VMD_NET_SWITCHES_H
#define VMD_NET_SWITCHES_H

#include "dhcp.h"
#include "net.h"
#include "rtnl.h"

#define NET_DIR		RUN_DIR "/net"
#define SWITCH_ALIAS	"joist switch "
#define PORT_ALIAS	"joist port "

/**
 * struct soft_switch - one
 * @index: of its bridge; 0: there is none
 * @dropped: of the configuration no more; it goes when nobody is plugged in
 * @why: it is not there, or not as it is to be
 */
struct soft_switch {
	struct soft_switch *next;
	struct switch_def def;
	int index;
	bool dropped;
	struct complaint why;
	struct dhcp dhcp;
};

struct soft_switch *switch_first(void);
struct soft_switch *switch_find(const char *name);
int switch_ready(struct soft_switch *sw);

#endif
