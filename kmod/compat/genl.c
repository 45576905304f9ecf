// SPDX-License-Identifier: GPL-2.0-only
/* The family "joist", registered as this kernel wants it. */
#include <linux/slab.h>

#include "genl.h"
#include "../core/netlink_gen.h"

#ifdef HAVE_GENL_SPLIT_OPS

/** compat_genl_register() - the family is there; 0 or -errno */
int compat_genl_register(void)
{
	return genl_register_family(&joist_nl_family);
}

/** compat_genl_unregister() - no operation of it is under way after this */
void compat_genl_unregister(void)
{
	genl_unregister_family(&joist_nl_family);
}

#else

#undef genl_family

struct genl_family compat_genl;

/* A command's doit and dumpit are one row here. */
static unsigned int merge_ops(struct genl_ops *ops, const struct genl_split_ops *split,
			      unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++) {
		const struct genl_split_ops *s = &split[i];

		if (!n || ops[n - 1].cmd != s->cmd)
			n++;
		ops[n - 1].cmd = s->cmd;
		if (s->doit)
			ops[n - 1].doit = s->doit;
		if (s->dumpit)
			ops[n - 1].dumpit = s->dumpit;
		if (s->policy) {
			ops[n - 1].policy = s->policy;
			ops[n - 1].maxattr = s->maxattr;
		}
	}
	return n;
}

int compat_genl_register(void)
{
	const struct compat_genl_family *f = &joist_nl_family;
	struct genl_multicast_group *groups;
	struct genl_ops *ops;
	unsigned int i;
	int err = -ENOMEM;

	ops = kcalloc(f->n_split_ops, sizeof(*ops), GFP_KERNEL);
	groups = kcalloc(f->n_mcgrps, sizeof(*groups), GFP_KERNEL);
	if (!ops || !groups)
		goto out;
	for (i = 0; i < f->n_mcgrps; i++) {
		groups[i] = f->mcgrps[i];
		groups[i].flags = GENL_MCAST_CAP_SYS_ADMIN;
	}
	strscpy(compat_genl.name, f->name, sizeof(compat_genl.name));
	compat_genl.version = f->version;
	compat_genl.netnsok = f->netnsok;
	compat_genl.parallel_ops = f->parallel_ops;
	compat_genl.module = f->module;
	compat_genl.ops = ops;
	compat_genl.n_ops = merge_ops(ops, f->split_ops, f->n_split_ops);
	compat_genl.mcgrps = groups;
	compat_genl.n_mcgrps = f->n_mcgrps;
	err = genl_register_family(&compat_genl);
	if (!err)
		return 0;
out:
	kfree(groups);
	kfree(ops);
	return err;
}

void compat_genl_unregister(void)
{
	genl_unregister_family(&compat_genl);
	kfree(compat_genl.mcgrps);
	kfree(compat_genl.ops);
}

#endif

/**
 * compat_genl_multicast() - send an event to a group's listeners
 * @net: in this network namespace
 * @skb: consumed
 * @group: by its place in the family
 * @drop: not to be sent to @sk? Where the kernel cannot ask (HAVE_NETLINK_FILTER) only
 *        CAP_SYS_ADMIN can listen, in the initial network namespace
 * @data: for it
 *
 * Who has no room finds ENOBUFS. Context: RCU read section; does not sleep.
 *
 * Return: 0, -ESRCH: nobody got it, or another -errno.
 */
int compat_genl_multicast(struct net *net, struct sk_buff *skb, unsigned int group,
			  int (*drop)(struct sock *sk, struct sk_buff *skb, void *data),
			  void *data)
{
#ifdef HAVE_NETLINK_FILTER
	group += compat_genl.mcgrp_offset;
	NETLINK_CB(skb).dst_group = group;
	return netlink_broadcast_filtered(net->genl_sock, skb, 0, group, GFP_ATOMIC, drop,
					  data);
#else
	if (!net_eq(net, &init_net)) {
		kfree_skb(skb);
		return -ESRCH;
	}
	return genlmsg_multicast_netns(&compat_genl, net, skb, 0, group, GFP_ATOMIC);
#endif
}
