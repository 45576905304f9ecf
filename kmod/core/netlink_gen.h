/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/joist.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_JOIST_GEN_H
#define _LINUX_JOIST_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/joist_netlink.h>

int joist_nl_host_get_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_get_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int joist_nl_vm_set_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_pause_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_resume_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_stop_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vm_nmi_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_vcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int joist_nl_slot_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int joist_nl_device_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int joist_nl_port_grant_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_port_revoke_doit(struct sk_buff *skb, struct genl_info *info);
int joist_nl_stats_subscribe_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	JOIST_NLGRP_LIFECYCLE,
	JOIST_NLGRP_FAULT,
	JOIST_NLGRP_STATS,
};

extern struct genl_family joist_nl_family;

#endif /* _LINUX_JOIST_GEN_H */
