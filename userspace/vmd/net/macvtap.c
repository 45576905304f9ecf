// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs on an interface of the host's, without a switch: the kernel's macvtap in its bridge mode.
 * They reach each other and what is behind the interface, not the host. A macvtap does not go
 * with its last descriptor, as a tap does: whose it is says its alias, and it goes when that
 * VM, or its interface, does.
 */
#include <errno.h>
#include <json-c/json.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libjoist/tap.h"
#include "macvtap.h"
#include "switches.h"
#include "tc.h"
#include "vmd/js.h"
#include "vmd/parent.h"

#define KIND		"macvtap"
#define NAME_FORMAT	"jmvt%u"
#define NAMES_MAX	10000
#define REMEDY_MODULES	"modprobe -a macvtap sch_ingress cls_bpf cls_matchall act_police act_gact"

/* There may be some: those of the daemon before are not known. */
static bool some = true;

static int create_named(const char *name, const struct link *lower, const u8 *mac, u32 mtu)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nl_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	struct nlattr *info, *data;

	if (msg) {
		nla_put_string(msg, IFLA_IFNAME, name);
		nla_put_u32(msg, IFLA_LINK, (u32)lower->index);
		nla_put(msg, IFLA_ADDRESS, 6, mac);
		nla_put_u32(msg, IFLA_MTU, mtu);
		info = nla_nest_start(msg, IFLA_LINKINFO);
		nla_put_string(msg, IFLA_INFO_KIND, KIND);
		data = nla_nest_start(msg, IFLA_INFO_DATA);
		nla_put_u32(msg, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	}
	return nl_do(msg);
}

/* By the first name that is free. @link: filled in. Return: 0 or -errno. */
static int create(const struct link *lower, const u8 *mac, u32 mtu, struct link *link)
{
	char name[IF_NAME_SIZE];
	int err = -EEXIST;
	u32 n;

	for (n = 0; n < NAMES_MAX; n++) {
		snprintf(name, sizeof(name), NAME_FORMAT, n);
		/* The kernel's list of names, not the links': those of another kind too. */
		if (if_nametoindex(name))
			continue;
		err = create_named(name, lower, mac, mtu);
		if (err != -EEXIST)
			break;
	}
	return err ?: link_find(name, link);
}

/* Checks and limits, and only then frames. */
static int arrange(const struct definition *def, const struct interface *nic,
		   const struct link *link, const u8 *mac)
{
	char alias[128];
	int err;

	snprintf(alias, sizeof(alias), PORT_ALIAS "%s/%s", def->name, nic->name);
	err = link_set_alias(link->index, alias);
	err = err ?: link_quiet(link->index);
	if (!err && nic->rate_in)
		err = tc_limit_hook(link->index, TC_H_MIN_INGRESS, nic->rate_in);
	err = err ?: tc_guard(link->index, TC_H_MIN_EGRESS, nic, mac);
	return err ?: link_set_up(link->index, true);
}

static int open_queue(void *index, bool queues)
{
	return tap_open_macvtap(*(int *)index, queues);
}

/* Return: -1. */
static int failed(int err, const struct interface *nic, struct failure *f)
{
	fail(f, "failed", "cannot put the interface \"%s\" on %s: %s", nic->name, nic->link,
	     err == -ENODEV ? "there is no such interface" : rtnl_why(err));
	if (err == -ENOENT || err == -EOPNOTSUPP)
		f->remedy = REMEDY_MODULES;
	else if (err == -EBUSY)
		f->remedy = "a bridge or another macvtap has it, in a way that shares with nobody";
	return -1;
}

/**
 * macvtap_plug() - put an interface of a VM's on one of the host's
 * @def: the VM
 * @nic: its interface
 * @fds: filled in, one for each pair of queues; the caller closes them
 * @net: told "tap" and "mtu"
 * @f: why not
 *
 * Return: how many descriptors, or less than one.
 */
int macvtap_plug(const struct definition *def, const struct interface *nic, int *fds,
		 struct json_object *net, struct failure *f)
{
	struct link lower, link;
	int err, nr = 0;
	u8 mac[6];
	u16 mtu;

	err = link_find(nic->link, &lower);
	if (err)
		return failed(err, nic, f);
	mtu = nic->mtu ?: (u16)min(lower.mtu, 65521U);
	interface_mac(nic, def->uuid, mac);
	err = create(&lower, mac, mtu, &link);
	if (err)
		return failed(err, nic, f);
	some = true;
	err = arrange(def, nic, &link, mac);
	if (!err) {
		nr = tap_queues((int)nic->queues, fds, open_queue, &link.index);
		err = min(nr, 0);
	}
	if (err) {
		failed(err, nic, f);
		link_delete(link.index);
		return -1;
	}
	js_add_text(net, "tap", link.name);
	js_add_int(net, "mtu", mtu);
	return nr;
}

/* Of a VM that runs, with that interface? @alias: VM/INTERFACE. */
static bool in_use(const char *alias)
{
	const char *slash = strrchr(alias, '/');
	const struct owned *vm;
	char name[128];
	size_t i;

	if (!slash)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(slash - alias), alias);
	vm = owned_find(name);
	for (i = 0; vm && vm->proc.nets && i < json_object_array_length(vm->proc.nets); i++) {
		struct json_object *net = json_object_array_get_idx(vm->proc.nets, i);

		if (!strcmp(js_text(net, "name") ?: "", slash + 1))
			return true;
	}
	return false;
}

/* Those go that no VM has any longer. */
void macvtap_settle(void)
{
	struct link *links = NULL;
	int nr = some ? link_all(&links) : 0, i;

	if (nr < 0)
		nr = 0;
	else
		some = false;
	for (i = 0; i < nr; i++) {
		if (strcmp(links[i].kind, KIND) ||
		    strncmp(links[i].alias, PORT_ALIAS, strlen(PORT_ALIAS)))
			continue;
		if (in_use(links[i].alias + strlen(PORT_ALIAS)) || link_delete(links[i].index))
			some = true;
	}
	free(links);
}
