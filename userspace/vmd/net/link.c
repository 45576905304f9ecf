// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces of the host: found, changed, taken away. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "rtnl.h"

static struct nl_msg *link_msg(int type, int flags, int index)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = index };

	return nl_new(type, flags, &ifi, sizeof(ifi));
}

/**
 * struct links - a list that grows
 * @failed: there was no memory
 */
struct links {
	struct link *list;
	int nr;
	bool failed;
};

static void parse_link(struct nlmsghdr *hdr, struct link *link)
{
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct ifinfomsg *ifi = nlmsg_data(hdr);

	memset(link, 0, sizeof(*link));
	if (hdr->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(hdr, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0)
		return;
	link->index = ifi->ifi_index;
	if (tb[IFLA_IFNAME])
		nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	if (tb[IFLA_IFALIAS])
		nla_strlcpy(link->alias, tb[IFLA_IFALIAS], sizeof(link->alias));
	if (tb[IFLA_MASTER])
		link->master = (int)nla_get_u32(tb[IFLA_MASTER]);
	if (tb[IFLA_MTU])
		link->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_LINKINFO] &&
	    nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) >= 0 &&
	    info[IFLA_INFO_KIND])
		nla_strlcpy(link->kind, info[IFLA_INFO_KIND], sizeof(link->kind));
}

static void take_link(struct nlmsghdr *hdr, void *arg)
{
	struct links *links = arg;
	struct link *more;

	more = realloc(links->list, ((size_t)links->nr + 1) * sizeof(*more));
	if (!more) {
		links->failed = true;
		return;
	}
	links->list = more;
	parse_link(hdr, &more[links->nr]);
	links->nr += more[links->nr].index > 0;
}

/* All of them. @list: freed by the caller, in all cases. Return: how many, or -errno. */
int link_all(struct link **list)
{
	struct links links = { NULL, 0, false };
	int err = nl_list(link_msg(RTM_GETLINK, 0, 0), take_link, &links);

	*list = links.list;
	if (!err && links.failed)
		err = -ENOMEM;
	return err ?: links.nr;
}

/* One, by its name. Return: 0, -ENODEV or another -errno. */
int link_find(const char *name, struct link *link)
{
	struct link *list;
	int nr = link_all(&list), i, err = nr < 0 ? nr : -ENODEV;

	for (i = 0; i < nr; i++) {
		if (!strcmp(list[i].name, name)) {
			*link = list[i];
			err = 0;
		}
	}
	free(list);
	return err;
}

/* What is written on it. */
int link_set_alias(int index, const char *alias)
{
	struct nl_msg *msg = link_msg(RTM_SETLINK, 0, index);

	if (msg)
		nla_put_string(msg, IFLA_IFALIAS, alias);
	return nl_do(msg);
}

int link_set_up(int index, bool up)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC, .ifi_index = index,
		.ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP,
	};

	return nl_do(nl_new(RTM_NEWLINK, 0, &ifi, sizeof(ifi)));
}

int link_set_mtu(int index, u32 mtu)
{
	struct nl_msg *msg = link_msg(RTM_NEWLINK, 0, index);

	if (msg)
		nla_put_u32(msg, IFLA_MTU, mtu);
	return nl_do(msg);
}

/* @master: 0: nobody. */
int link_set_master(int index, int master)
{
	struct nl_msg *msg = link_msg(RTM_NEWLINK, 0, index);

	if (msg)
		nla_put_u32(msg, IFLA_MASTER, (u32)master);
	return nl_do(msg);
}

/*
 * The host says nothing there of itself: it has no IPv6 address on it. Without IPv6
 * there is nothing to be done.
 */
int link_quiet(int index)
{
	struct nl_msg *msg = link_msg(RTM_NEWLINK, 0, index);
	struct nlattr *spec, *inet6;
	int err;

	if (msg) {
		spec = nla_nest_start(msg, IFLA_AF_SPEC);
		inet6 = nla_nest_start(msg, AF_INET6);
		nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		nla_nest_end(msg, inet6);
		nla_nest_end(msg, spec);
	}
	err = nl_do(msg);
	return err == -EAFNOSUPPORT || err == -EOPNOTSUPP ? 0 : err;
}

int link_delete(int index)
{
	return nl_do(link_msg(RTM_DELLINK, 0, index));
}

/**
 * struct stale - addresses to be taken away
 * @keep: the one that is not, or NULL
 * @kept: it was there
 */
struct stale {
	int index;
	const struct ip_prefix *keep;
	bool kept;
	int nr;
	struct ip_prefix ip[16];
};

static void take_address(struct nlmsghdr *hdr, void *arg)
{
	struct ifaddrmsg *ifa = nlmsg_data(hdr);
	struct stale *stale = arg;
	struct nlattr *tb[IFA_MAX + 1];
	struct ip_prefix ip = { .family = AF_INET };

	if (hdr->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(hdr, sizeof(*ifa), tb, IFA_MAX, NULL) < 0 ||
	    (int)ifa->ifa_index != stale->index || ifa->ifa_family != AF_INET ||
	    !tb[IFA_LOCAL] || nla_len(tb[IFA_LOCAL]) != 4)
		return;
	memcpy(ip.addr, nla_data(tb[IFA_LOCAL]), 4);
	ip.bits = ifa->ifa_prefixlen;
	if (stale->keep && !memcmp(stale->keep, &ip, sizeof(ip)))
		stale->kept = true;
	else if (stale->nr < (int)ARRAY_SIZE(stale->ip))
		stale->ip[stale->nr++] = ip;
}

static int change_address(int type, int flags, int index, const struct ip_prefix *ip)
{
	struct ifaddrmsg ifa = {
		.ifa_family = AF_INET, .ifa_prefixlen = ip->bits, .ifa_index = (u32)index,
	};
	struct nl_msg *msg = nl_new(type, flags, &ifa, sizeof(ifa));
	u32 addr, brd;

	memcpy(&addr, ip->addr, sizeof(addr));
	brd = addr | htonl(ip->bits ? (u32)(0xffffffffULL >> ip->bits) : ~0U);
	if (msg) {
		nla_put(msg, IFA_LOCAL, sizeof(addr), &addr);
		nla_put(msg, IFA_ADDRESS, sizeof(addr), &addr);
		nla_put(msg, IFA_BROADCAST, sizeof(brd), &brd);
	}
	return nl_do(msg);
}

/**
 * link_address() - give an interface of ours its IPv4 address, and no other
 * @index: interface
 * @ip: address, or of family 0: none
 *
 * Return: 0 or -errno.
 */
int link_address(int index, const struct ip_prefix *ip)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_INET };
	struct stale stale = { .index = index, .keep = ip->family ? ip : NULL };
	int err, i;

	err = nl_list(nl_new(RTM_GETADDR, 0, &ifa, sizeof(ifa)), take_address, &stale);
	for (i = 0; !err && i < stale.nr; i++)
		err = change_address(RTM_DELADDR, 0, index, &stale.ip[i]);
	if (!err && stale.keep && !stale.kept)
		err = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, ip);
	return err;
}
