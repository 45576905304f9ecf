/* SPDX-License-Identifier: GPL-2.0-only */
/* The netlink family "joist". */
#ifndef JOIST_CORE_NETLINK_H
#define JOIST_CORE_NETLINK_H

#include <linux/uidgid.h>
#include <uapi/linux/joist_netlink.h>

#include "types.h"

#define JOIST_VERSION	"0.1"		/* as vmctl's */

struct assigned;
struct netlink_ext_ack;
struct nlmsghdr;
struct pid_namespace;
struct sk_buff;
struct sock;
struct user_namespace;
struct vcpu;
struct vm;

/* Which VMs may be seen, and be steered; how uids are told. */
struct nl_asker {
	struct user_namespace *users;	/* of the socket, which holds it */
	kuid_t uid;
	bool admin;
	bool rawio;			/* may open ports to a guest */
};

/* How ids are to be told. */
struct nl_view {
	struct user_namespace *users;
	struct pid_namespace *pids;	/* NULL: not at all */
};

/* The module's ladder. */
int netlink_register(void);
void netlink_unregister(void);

/* netlink.c: who asks */
void nl_asker_get(struct nl_asker *asker, struct sk_buff *request);
bool nl_may_see(const struct nl_asker *asker, const struct vm *vm);
int nl_no_attrs(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack);
struct vm *nl_vm_find(const struct nl_asker *asker, u32 id,
		      struct netlink_ext_ack *extack);

/* netlink_fill.c: registry_lock is held; 0 or -EMSGSIZE */
int nl_fill_vm(struct sk_buff *skb, struct vm *vm, const struct nl_view *view,
	       bool report);
int nl_fill_vm_short(struct sk_buff *skb, struct vm *vm, const struct nl_view *view);
int nl_fill_fault(struct sk_buff *skb, struct vm *vm, bool report);
int nl_fill_assigned(struct sk_buff *skb, const struct assigned *a, u32 vm);
int nl_fill_vcpu(struct sk_buff *skb, struct vcpu *vcpu, const struct nl_view *view);

/* netlink_event.c */
void event_vm(struct vm *vm, u8 cmd);
void event_assigned(struct vm *vm, const struct assigned *a, u8 cmd);
u64 event_last(void);
void events_enable(bool on);
int events_start(void);
void events_stop(void);

#endif
