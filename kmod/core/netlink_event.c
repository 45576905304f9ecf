// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family's events: what happens to VMs, and their statistics by request. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "../compat/genl.h"
#include "admin.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "vcpu.h"
#include "vm.h"

#define PERIOD_MIN_MS	100
#define PERIOD_MAX_MS	3600000
#define SUBSCRIBERS_MAX	64

static u64 last_seq;		/* registry_lock */
static bool enabled;		/* registry_lock: the family is registered */

/** event_last() - the number of the last event; registry_lock is held */
u64 event_last(void)
{
	lockdep_assert_held(&registry_lock);
	return last_seq;
}

/** events_enable() - from now on events are sent, or none */
void events_enable(bool on)
{
	mutex_lock(&registry_lock);
	enabled = on;
	mutex_unlock(&registry_lock);
}

/* Who opened the socket may not see the VM. A listener stays on its list as long as its
 * file is there.
 */
static int may_not_hear(struct sock *sk, struct sk_buff *skb, void *data)
{
	const struct vm *vm = data;
	const struct file *file = sk->sk_socket ? sk->sk_socket->file : NULL;

	return !file || (!uid_eq(file->f_cred->euid, vm->admin.owner_uid) &&
			 !file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN));
}

/* Puts what an event is about into its message. */
typedef int (*event_fill)(struct sk_buff *skb, const void *what, u8 cmd,
			  const struct nl_view *view);

static int event_send_to(struct net *net, struct vm *vm, const void *what, u8 cmd,
			 unsigned int group, event_fill fill)
{
	const struct nl_view view = {
		.users = net->user_ns,
		.pids = net_eq(net, &init_net) ? &init_pid_ns : NULL,
	};
	size_t size = NLMSG_DEFAULT_SIZE;
	struct sk_buff *skb;
	void *hdr;
	int err;

	if (cmd == JOIST_CMD_VM_FAULT)
		size += JOIST_REPORT_MAX;
	skb = genlmsg_new(size, GFP_ATOMIC);
	if (!skb)
		return -ENOBUFS;
	hdr = genlmsg_put(skb, 0, 0, &compat_genl, 0, cmd);
	err = hdr ? fill(skb, what, cmd, &view) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return -ENOBUFS;
	}
	genlmsg_end(skb, hdr);
	err = compat_genl_multicast(net, skb, group, may_not_hear, vm);
	return err == -ESRCH ? 0 : err;
}

/* To who listens in any network namespace. What cannot be sent to somebody he finds out. */
static void event_send(struct vm *vm, const void *what, u8 cmd, unsigned int group,
		       event_fill fill)
{
	struct net *net;

	lockdep_assert_held(&registry_lock);
	if (!enabled)
		return;
	rcu_read_lock();
	for_each_net_rcu(net) {
		if (!genl_has_listeners(&compat_genl, net, group))
			continue;
		if (event_send_to(net, vm, what, cmd, group, fill) == -ENOBUFS)
			genl_set_err(&compat_genl, net, 0, group, -ENOBUFS);
	}
	rcu_read_unlock();
}

static int fill_event_vm(struct sk_buff *skb, const void *what, u8 cmd,
			 const struct nl_view *view)
{
	struct vm *vm = (struct vm *)what;
	int err;

	switch (cmd) {
	case JOIST_CMD_VM_DESTROYED:
		err = nl_fill_vm_short(skb, vm, view);
		return err ?: nla_put_u32(skb, JOIST_A_VM_CAUSE, registry_cause(vm));
	case JOIST_CMD_VM_FAULT:
		err = nl_fill_vm_short(skb, vm, view);
		return err ?: nl_fill_fault(skb, vm, true);
	default:
		return nl_fill_vm(skb, vm, view, false);
	}
}

/* One more event, of a VM and of all. */
static void event_count(struct vm *vm)
{
	lockdep_assert_held(&registry_lock);
	vm->admin.seq++;
	last_seq++;
}

/**
 * event_vm() - tell of what has become of a VM
 * @vm: registry_lock is held
 * @cmd: JOIST_CMD_VM_*: which event
 *
 * Context: process. Does not wait for listeners.
 */
void event_vm(struct vm *vm, u8 cmd)
{
	event_count(vm);
	event_send(vm, vm, cmd,
		   cmd == JOIST_CMD_VM_FAULT ? JOIST_NLGRP_FAULT : JOIST_NLGRP_LIFECYCLE,
		   fill_event_vm);
}

/* What happened to which devices. */
struct assigned_event {
	const struct vm *vm;
	const struct assigned *assigned;
};

static int fill_event_assigned(struct sk_buff *skb, const void *what, u8 cmd,
			       const struct nl_view *view)
{
	const struct assigned_event *event = what;

	if (nla_put_u64_64bit(skb, JOIST_A_DEVICE_SEQ, last_seq, JOIST_A_DEVICE_PAD) ||
	    nla_put_u64_64bit(skb, JOIST_A_DEVICE_VM_SEQ, event->vm->admin.seq,
			      JOIST_A_DEVICE_PAD))
		return -EMSGSIZE;
	return nl_fill_assigned(skb, event->assigned, event->vm->id);
}

/**
 * event_assigned() - a VM has devices of the host's, or has them no longer
 * @vm: registry_lock is held
 * @a: which
 * @cmd: JOIST_CMD_DEVICE_*: which event
 *
 * As event_vm().
 */
void event_assigned(struct vm *vm, const struct assigned *a, u8 cmd)
{
	const struct assigned_event event = { .vm = vm, .assigned = a };

	event_count(vm);
	event_send(vm, &event, cmd, JOIST_NLGRP_LIFECYCLE, fill_event_assigned);
}

/* --- statistics ------------------------------------------------------------------ */

/**
 * struct subscriber - a socket that wants the group stats to be fed
 * @node: in subscribers
 * @net: where; compared, no more
 * @portid: its address there
 * @period_ms: how often
 */
struct subscriber {
	struct list_head node;
	const struct net *net;
	u32 portid;
	u32 period_ms;
};

static DEFINE_MUTEX(stats_lock);
static LIST_HEAD(subscribers);		/* stats_lock */
static u32 nr_subscribers;		/* stats_lock */

static void stats_feed(struct work_struct *work);
static DECLARE_DELAYED_WORK(stats_work, stats_feed);

static int fill_event_vcpu(struct sk_buff *skb, const void *what, u8 cmd,
			   const struct nl_view *view)
{
	return nl_fill_vcpu(skb, (struct vcpu *)what, view);
}

/* As often as the most eager one wants; not at all where there is none. */
static void stats_schedule(void)
{
	const struct subscriber *s;
	u32 period = U32_MAX;

	lockdep_assert_held(&stats_lock);
	list_for_each_entry(s, &subscribers, node)
		period = min(period, s->period_ms);
	if (period != U32_MAX)
		mod_delayed_work(system_wq, &stats_work, msecs_to_jiffies(period));
}

static void stats_feed(struct work_struct *work)
{
	unsigned long id = 0;
	struct vcpu *vcpu;
	struct vm *vm;
	u32 i;

	mutex_lock(&registry_lock);
	while ((vm = registry_next(id))) {
		id = vm->id + 1UL;
		vm_for_each_vcpu(vm, vcpu, i)
			event_send(vm, vcpu, JOIST_CMD_VCPU_STATS, JOIST_NLGRP_STATS,
				   fill_event_vcpu);
	}
	mutex_unlock(&registry_lock);
	mutex_lock(&stats_lock);
	stats_schedule();
	mutex_unlock(&stats_lock);
}

static struct subscriber *subscriber_find(const struct net *net, u32 portid)
{
	struct subscriber *s;

	lockdep_assert_held(&stats_lock);
	list_for_each_entry(s, &subscribers, node)
		if (s->net == net && s->portid == portid)
			return s;
	return NULL;
}

static void subscriber_drop(struct subscriber *s)
{
	list_del(&s->node);
	nr_subscribers--;
	kfree(s);
}

static int subscriber_set(const struct net *net, u32 portid, u32 period)
{
	struct subscriber *s = subscriber_find(net, portid);

	if (!period) {
		if (s)
			subscriber_drop(s);
		return 0;
	}
	if (!s) {
		if (nr_subscribers >= SUBSCRIBERS_MAX)
			return -ENOSPC;
		s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
		if (!s)
			return -ENOMEM;
		s->net = net;
		s->portid = portid;
		list_add(&s->node, &subscribers);
		nr_subscribers++;
	}
	s->period_ms = period;
	stats_schedule();
	return 0;
}

int joist_nl_stats_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[JOIST_A_HOST_STATS_PERIOD_MS];
	u32 period;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, JOIST_A_HOST_STATS_PERIOD_MS)) {
		NL_SET_ERR_MSG(info->extack, "how often? stats-period-ms is missing");
		return -EINVAL;
	}
	period = nla_get_u32(attr);
	if (period && (period < PERIOD_MIN_MS || period > PERIOD_MAX_MS)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "stats-period-ms: 100 to 3600000, or 0");
		return -ERANGE;
	}
	/* It makes work for all, by all VMs. */
	if (!netlink_capable(skb, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "needs CAP_SYS_ADMIN in the initial user namespace: dump vcpu-get instead");
		return -EPERM;
	}
	mutex_lock(&stats_lock);
	err = subscriber_set(genl_info_net(info), info->snd_portid, period);
	mutex_unlock(&stats_lock);
	return err;
}

/* A socket is gone: nobody is fed for it any more. */
static int socket_gone(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *gone = data;
	struct subscriber *s;

	if (event != NETLINK_URELEASE || gone->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	mutex_lock(&stats_lock);
	s = subscriber_find(gone->net, gone->portid);
	if (s)
		subscriber_drop(s);
	mutex_unlock(&stats_lock);
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_gone,
};

/** events_start() - be ready for events_enable() and for subscribers; 0 or -errno */
int events_start(void)
{
	return netlink_register_notifier(&socket_notifier);
}

/** events_stop() - the family is unregistered: forget those who subscribed */
void events_stop(void)
{
	struct subscriber *s, *next;

	netlink_unregister_notifier(&socket_notifier);
	mutex_lock(&stats_lock);
	list_for_each_entry_safe(s, next, &subscribers, node)
		subscriber_drop(s);
	mutex_unlock(&stats_lock);
	/* It does not schedule itself again: there is nobody. */
	cancel_delayed_work_sync(&stats_work);
}
