/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's networks, through netlink. */
#ifndef VMD_NET_RTNL_H
#define VMD_NET_RTNL_H

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "libjoist/types.h"
#include "vmd/interface.h"

/**
 * struct link - an interface of the host
 * @index: its number
 * @kind: "bridge", "tun", ...; empty: a device
 * @alias: what somebody wrote on it: by that ours are known
 * @master: whose port it is; 0: nobody's
 */
struct link {
	int index;
	char name[IF_NAME_SIZE];
	char kind[16];
	char alias[128];
	int master;
	u32 mtu;
};

typedef void (*nl_take)(struct nlmsghdr *hdr, void *arg);

int rtnl_open(void);
const char *rtnl_why(int err);

struct nl_msg *nl_new(int type, int flags, const void *header, size_t len);
int nl_do(struct nl_msg *msg);
int nl_list(struct nl_msg *msg, nl_take take, void *arg);
int nl_batch(struct nl_msg **msg, int nr);

/* link.c */
int link_find(const char *name, struct link *link);
int link_all(struct link **list);
int link_set_alias(int index, const char *alias);
int link_set_up(int index, bool up);
int link_set_mtu(int index, u32 mtu);
int link_set_master(int index, int master);
int link_quiet(int index);
int link_delete(int index);
int link_address(int index, const struct ip_prefix *ip);

#endif
