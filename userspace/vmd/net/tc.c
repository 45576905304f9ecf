// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel does with a tap's frames before the switch sees them, and behind it. All
 * of it hangs on the tap, and goes when that does, whoever is there to see it: no rule is
 * left of a VM that was killed. That is why it is tc, and not nftables' bridge family.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "tc.h"

#define TICK_NS		64	/* of the kernel's packet schedulers */
#define NS_PER_S	1000000000ULL
#define BYTES_MIN	(256ULL << 10)	/* some frames that are still to be cut */
#define BURST_MS	50
#define QUEUE_MS	100
#define RATE_CELLS	256
#define PRIO_CHECK	1
#define PRIO_REST	2

static struct nl_msg *tc_msg(int type, int index, u32 handle, u32 parent, u32 info,
			     const char *kind)
{
	struct tcmsg tc = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = index, .tcm_handle = handle,
		.tcm_parent = parent, .tcm_info = info,
	};
	struct nl_msg *msg = nl_new(type, NLM_F_CREATE | NLM_F_EXCL, &tc, sizeof(tc));

	if (msg)
		nla_put_string(msg, TCA_KIND, kind);
	return msg;
}

static u32 bytes_in(u64 rate, u32 ms)
{
	u64 bytes = rate / 8 * ms / 1000;

	return (u32)max(bytes, BYTES_MIN);
}

/* How long @bytes take, in ticks. */
static u32 ticks(u64 rate, u64 bytes)
{
	u64 ns = bytes * NS_PER_S / (rate / 8);

	return (u32)min(ns / TICK_NS, (u64)UINT32_MAX);
}

static struct tc_ratespec ratespec(u64 rate)
{
	return (struct tc_ratespec) {
		.linklayer = TC_LINKLAYER_ETHERNET, .cell_log = 8, .cell_align = -1,
		.rate = (u32)(rate / 8),
	};
}

/* To the guest: what is too much waits in a queue of the tap's. */
int tc_limit_in(int index, u64 rate)
{
	struct nl_msg *msg = tc_msg(RTM_NEWQDISC, index, 1 << 16, TC_H_ROOT, 0, "tbf");
	u32 burst = bytes_in(rate, BURST_MS);
	struct tc_tbf_qopt opt = {
		.rate = ratespec(rate), .buffer = ticks(rate, burst),
		.limit = burst + bytes_in(rate, QUEUE_MS),
	};
	struct nlattr *options;

	if (msg) {
		options = nla_nest_start(msg, TCA_OPTIONS);
		nla_put(msg, TCA_TBF_PARMS, sizeof(opt), &opt);
		nla_put_u32(msg, TCA_TBF_BURST, burst);
		nla_nest_end(msg, options);
	}
	return nl_do(msg);
}

/* From the guest: there is no queue, what is too much is dropped. */
static void put_police(struct nl_msg *msg, u64 rate)
{
	/* The kernel wants a table, and computes for itself. */
	static const u32 table[RATE_CELLS];
	struct tc_police police = {
		.action = TC_ACT_SHOT, .mtu = UINT32_MAX >> 1, .rate = ratespec(rate),
		.burst = ticks(rate, bytes_in(rate, BURST_MS)),
	};
	struct nlattr *options;

	nla_put_string(msg, TCA_ACT_KIND, "police");
	options = nla_nest_start(msg, TCA_ACT_OPTIONS | NLA_F_NESTED);
	nla_put(msg, TCA_POLICE_TBF, sizeof(police), &police);
	nla_put(msg, TCA_POLICE_RATE, sizeof(table), table);
	nla_put_u32(msg, TCA_POLICE_RESULT, TC_ACT_OK);
	nla_nest_end(msg, options);
}

static void put_gact(struct nl_msg *msg, int action)
{
	struct tc_gact gact = { .action = action };
	struct nlattr *options;

	nla_put_string(msg, TCA_ACT_KIND, "gact");
	options = nla_nest_start(msg, TCA_ACT_OPTIONS | NLA_F_NESTED);
	nla_put(msg, TCA_GACT_PARMS, sizeof(gact), &gact);
	nla_nest_end(msg, options);
}

/* @rate: 0: @action it is. */
static void put_action(struct nl_msg *msg, int type, u64 rate, int action)
{
	struct nlattr *actions = nla_nest_start(msg, type), *first;

	first = nla_nest_start(msg, 1);
	if (rate)
		put_police(msg, rate);
	else
		put_gact(msg, action);
	nla_nest_end(msg, first);
	nla_nest_end(msg, actions);
}

/* Where filters hang. Return: 0 or -errno. */
static int add_hooks(int index)
{
	int err = nl_do(tc_msg(RTM_NEWQDISC, index, TC_H_MAKE(TC_H_CLSACT, 0), TC_H_CLSACT, 0,
			       "clsact"));

	return err == -EEXIST ? 0 : err;
}

static struct nl_msg *filter_msg(int index, u32 hook, u32 prio, const char *kind)
{
	return tc_msg(RTM_NEWTFILTER, index, 0, TC_H_MAKE(TC_H_CLSACT, hook),
		      TC_H_MAKE(prio << 16, htons(ETH_P_ALL)), kind);
}

/* What passes the program is limited, if it is to be. */
static int add_program(int index, u32 hook, const struct sock_filter *insns, int nr, u64 rate)
{
	struct nl_msg *msg = filter_msg(index, hook, PRIO_CHECK, "bpf");
	struct nlattr *options;

	if (msg) {
		options = nla_nest_start(msg, TCA_OPTIONS);
		nla_put_u16(msg, TCA_BPF_OPS_LEN, (u16)nr);
		nla_put(msg, TCA_BPF_OPS, nr * (int)sizeof(*insns), insns);
		put_action(msg, TCA_BPF_ACT, rate, TC_ACT_OK);
		nla_nest_end(msg, options);
	}
	return nl_do(msg);
}

/* The others: all, or those that the program does not let pass. */
static int add_rest(int index, u32 hook, u64 rate)
{
	struct nl_msg *msg = filter_msg(index, hook, PRIO_REST, "matchall");
	struct nlattr *options;

	if (msg) {
		options = nla_nest_start(msg, TCA_OPTIONS);
		put_action(msg, TCA_MATCHALL_ACT, rate, TC_ACT_SHOT);
		nla_nest_end(msg, options);
	}
	return nl_do(msg);
}

/* To the guest, where there is no queue to wait in: what comes by @hook is dropped. */
int tc_limit_hook(int index, u32 hook, u64 rate)
{
	int err = add_hooks(index);

	return err ?: add_rest(index, hook, rate);
}

/**
 * tc_guard() - what a guest may send, and how much
 * @index: its interface on the host
 * @hook: TC_H_MIN_INGRESS: a tap, by which it comes in; TC_H_MIN_EGRESS: it goes out by it
 * @nic: its interface
 * @mac: address
 *
 * Return: 0 or -errno.
 */
int tc_guard(int index, u32 hook, const struct interface *nic, const u8 *mac)
{
	static struct sock_filter insns[GUARD_INSNS_MAX];
	int nr = guard_program(insns, nic, mac), err;

	if (!nr && !nic->rate_out)
		return 0;
	err = add_hooks(index);
	if (err)
		return err;
	if (!nr)
		return add_rest(index, hook, nic->rate_out);
	/* First what drops all: nothing passes unchecked in between. */
	err = add_rest(index, hook, 0);
	return err ?: add_program(index, hook, insns, nr, nic->rate_out);
}
