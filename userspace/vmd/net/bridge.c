// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's bridge: it learns, filters VLANs and keeps ports apart. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge.h"

#define DEFAULT_VLAN	1

static void put_bridge(struct nl_msg *msg, bool vlan_filtering)
{
	struct nlattr *info, *data;

	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "bridge");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, vlan_filtering);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
}

/*
 * The address is a bridge's own, and stays as it is whoever plugs in: without one it would
 * be the lowest of its ports'.
 */
static void own_mac(const char *name, u8 *mac)
{
	u32 hash = 0x811c9dc5;

	while (*name)
		hash = (hash ^ (u8)*name++) * 0x01000193;
	mac[0] = 0x02;
	mac[1] = 0x6a;
	memcpy(mac + 2, &hash, sizeof(hash));
}

/* Return: 0, -EEXIST: something has that name, or another -errno. */
int bridge_create(const char *name, bool vlan_filtering)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nl_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	u8 mac[6];

	own_mac(name, mac);
	if (msg) {
		nla_put_string(msg, IFLA_IFNAME, name);
		nla_put(msg, IFLA_ADDRESS, sizeof(mac), mac);
		put_bridge(msg, vlan_filtering);
	}
	return nl_do(msg);
}

int bridge_set_filtering(int index, bool vlan_filtering)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_msg *msg = nl_new(RTM_NEWLINK, 0, &ifi, sizeof(ifi));

	if (msg)
		put_bridge(msg, vlan_filtering);
	return nl_do(msg);
}

static struct nl_msg *port_msg(int type, int index)
{
	struct ifinfomsg ifi = { .ifi_family = PF_BRIDGE, .ifi_index = index };

	return nl_new(type, 0, &ifi, sizeof(ifi));
}

/* It reaches ports that are not isolated, and the host. */
int bridge_port_isolated(int index, bool isolated)
{
	struct nl_msg *msg = port_msg(RTM_SETLINK, index);
	struct nlattr *info;

	if (msg) {
		info = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
		nla_put_u8(msg, IFLA_BRPORT_ISOLATED, isolated);
		nla_nest_end(msg, info);
	}
	return nl_do(msg);
}

/* @type: RTM_SETLINK or RTM_DELLINK. */
static int change_vlans(int type, int index, u16 first, u16 last, u16 flags)
{
	struct bridge_vlan_info from = { .flags = flags, .vid = first }, to = from;
	struct nl_msg *msg = port_msg(type, index);
	struct nlattr *spec;

	if (!msg)
		return -ENOMEM;
	spec = nla_nest_start(msg, IFLA_AF_SPEC);
	if (first != last) {
		from.flags |= BRIDGE_VLAN_INFO_RANGE_BEGIN;
		nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(from), &from);
		to.flags |= BRIDGE_VLAN_INFO_RANGE_END;
		to.vid = last;
	}
	nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(to), &to);
	nla_nest_end(msg, spec);
	return nl_do(msg);
}

/* Put a new port of a filtering bridge into its VLANs. Return: 0 or -errno. */
int bridge_port_vlans(int index, const struct interface *nic)
{
	int err = 0, i;

	if (!nic->vlan && !nic->nr_trunk)
		return 0;
	err = change_vlans(RTM_DELLINK, index, DEFAULT_VLAN, DEFAULT_VLAN, 0);
	for (i = 0; !err && i < nic->nr_trunk; i++)
		err = change_vlans(RTM_SETLINK, index, nic->trunk[i].first,
				   nic->trunk[i].last, 0);
	if (!err && nic->vlan)
		err = change_vlans(RTM_SETLINK, index, nic->vlan, nic->vlan,
				   BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	return err;
}

/* Of an uplink: the default one stays without a tag. */
int bridge_port_all_vlans(int index)
{
	return change_vlans(RTM_SETLINK, index, DEFAULT_VLAN + 1, VLAN_MAX, 0);
}
