/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink, whose families have struct genl_split_ops since 6.2, and whose events
 * can be kept from some of a group's listeners since 6.6. To be included before what the
 * specification's generator has made, which is in the terms of younger kernels.
 */
#ifndef JOIST_COMPAT_GENL_H
#define JOIST_COMPAT_GENL_H

#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

int compat_genl_register(void);
void compat_genl_unregister(void);

#ifdef HAVE_GENL_SPLIT_OPS

/* The family as this kernel knows it. */
#define compat_genl joist_nl_family

#else

extern struct genl_family compat_genl;

struct genl_split_ops {
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 flags;
};

/* Of struct genl_family, what the generator fills in. */
struct compat_genl_family {
	char name[GENL_NAMSIZ];
	unsigned int version;
	bool netnsok;
	bool parallel_ops;
	struct module *module;
	const struct genl_split_ops *split_ops;
	unsigned int n_split_ops;
	const struct genl_multicast_group *mcgrps;
	unsigned int n_mcgrps;
};

/* What is declared from here on is ours. */
#define genl_family compat_genl_family

#endif

/* The attributes of a dump's request; NULL: its operation has none. */
static inline struct nlattr **compat_genl_dump_attrs(struct netlink_callback *cb)
{
#ifdef HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

int compat_genl_multicast(struct net *net, struct sk_buff *skb, unsigned int group,
			  int (*drop)(struct sock *sk, struct sk_buff *skb, void *data),
			  void *data);

#endif
