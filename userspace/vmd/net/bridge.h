/* SPDX-License-Identifier: GPL-2.0-only */
/* Bridges and their ports. */
#ifndef VMD_NET_BRIDGE_H
#define VMD_NET_BRIDGE_H

#include "rtnl.h"

int bridge_create(const char *name, bool vlan_filtering);
int bridge_set_filtering(int index, bool vlan_filtering);
int bridge_port_isolated(int index, bool isolated);
int bridge_port_vlans(int index, const struct interface *nic);
int bridge_port_all_vlans(int index);

#endif
