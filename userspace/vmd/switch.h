/* SPDX-License-Identifier: GPL-2.0-only */
/* A soft switch, as configured. */
#ifndef VMD_SWITCH_H
#define VMD_SWITCH_H

#include "definition.h"

#define SWITCH_PREFIX	"jsw-"
#define SWITCHES_MAX	64
#define SWITCH_USERS_MAX	32
#define SWITCH_DNS_MAX	4

/**
 * struct switch_def - what a section says
 * @vlan_filtering: ports are in VLANs
 * @nat: what its guests send elsewhere goes out under the host's address
 * @ip_forward: the host forwards packets, as nat needs
 * @isolated: no port reaches another
 * @uplink: an interface of the host's that is one of its ports; empty: none
 * @address: the host's own in it; its family 0: none
 * @dhcp_first: first of the addresses that are leased, of network byte order; 0: none are
 * @dns: name servers guests are told of; none: the switch's own
 * @no_dns: guests are told of none, and none is there
 * @mtu: 0: 1500
 * @users: who but admins may plug VMs of theirs in
 */
struct switch_def {
	char name[SWITCH_NAME_MAX + 1];
	bool vlan_filtering, nat, ip_forward, isolated;
	char uplink[IF_NAME_SIZE];
	struct ip_prefix address;
	u32 dhcp_first, dhcp_last;
	bool no_dns;
	int nr_dns;
	u32 dns[SWITCH_DNS_MAX];
	u16 mtu;
	int nr_users;
	struct owner user[SWITCH_USERS_MAX];
};

int switch_init(struct switch_def *sw, const char *name, struct complaint *c);
int switch_set(struct switch_def *sw, const char *key, const char *text,
	       struct complaint *c);
int switch_check(const struct switch_def *sw, struct complaint *c);
bool switch_equal(const struct switch_def *a, const struct switch_def *b);
int switch_takes(const struct switch_def *sw, const struct interface *nic,
		 struct complaint *c);

#endif
