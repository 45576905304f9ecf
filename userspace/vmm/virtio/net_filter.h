/* SPDX-License-Identifier: GPL-2.0-only */
/* Which frames a guest wants, as it said through the control queue. */
#ifndef VMM_VIRTIO_NET_FILTER_H
#define VMM_VIRTIO_NET_FILTER_H

#include <linux/if_ether.h>

#include "libjoist/types.h"

#define NET_MACS_MAX	64
#define NET_VLANS	4096
#define NET_FILTER_LEN	(ETH_HLEN + 2)	/* of a frame: addresses, type, VLAN tag */

/**
 * struct net_macs - a list of addresses
 * @all: there were too many: any matches
 */
struct net_macs {
	int nr;
	bool all;
	u8 mac[NET_MACS_MAX][ETH_ALEN];
};

/**
 * struct net_filter - what passes
 * @mac: the device's address
 * @vlans: tagged frames pass by @vlan only
 */
struct net_filter {
	u8 mac[ETH_ALEN];
	bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
	struct net_macs uni, multi;
	bool vlans;
	u8 vlan[NET_VLANS / 8];
};

void net_filter_reset(struct net_filter *f, const u8 *mac, bool vlans);
bool net_filter_pass(const struct net_filter *f, const u8 *frame);
void net_filter_vlan(struct net_filter *f, u16 id, bool pass);

#endif
