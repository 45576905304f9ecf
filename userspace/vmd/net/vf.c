// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions that are networks: what their physical function lets them be. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl.h"
#include "vf.h"

/**
 * vf_message() - the request that sets what a virtual function may be
 * @index: its physical function's interface
 * @vf: which it is
 * @mac: its address; NULL: as it is
 * @vlan: its network, 0: any; less: as it is
 *
 * Return: the message, for nl_do(); NULL: out of memory.
 */
struct nl_msg *vf_message(int index, u32 vf, const u8 *mac, int vlan)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_msg *msg = nl_new(RTM_SETLINK, 0, &ifi, sizeof(ifi));
	struct ifla_vf_mac vf_mac = { .vf = vf };
	struct ifla_vf_vlan vf_vlan = { .vf = vf, .vlan = (u32)vlan };
	struct nlattr *list, *info;

	if (!msg)
		return NULL;
	list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	info = nla_nest_start(msg, IFLA_VF_INFO);
	if (mac) {
		memcpy(vf_mac.mac, mac, 6);
		nla_put(msg, IFLA_VF_MAC, sizeof(vf_mac), &vf_mac);
	}
	if (vlan >= 0)
		nla_put(msg, IFLA_VF_VLAN, sizeof(vf_vlan), &vf_vlan);
	nla_nest_end(msg, info);
	nla_nest_end(msg, list);
	return msg;
}

/* @pf: the interface's name; the others as of vf_message(). Return: 0 or -errno. */
int vf_set(const char *pf, u32 vf, const u8 *mac, int vlan)
{
	struct link link;
	int err = link_find(pf, &link);

	return err ?: nl_do(vf_message(link.index, vf, mac, vlan));
}
