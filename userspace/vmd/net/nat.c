// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guests of switches with nat = yes send elsewhere goes out under the host's address:
 * one nftables table of ours, "ip joist", which is made anew when a switch comes or goes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nat.h"

#define TABLE		"joist"
#define CHAIN		"nat"
#define PRIORITY_SRCNAT	100
#define AT_SOURCE	12
#define MARK		NET_DIR "/nat"	/* there: the table is, too */
#define FORWARDING	"/proc/sys/net/ipv4/ip_forward"

static struct nl_msg *nft_msg(int op, int flags)
{
	struct nfgenmsg nfg = { .nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0 };

	return nl_new(NFNL_SUBSYS_NFTABLES << 8 | op, flags, &nfg, sizeof(nfg));
}

static struct nl_msg *table_msg(int op, int flags)
{
	struct nl_msg *msg = nft_msg(op, flags);

	if (msg)
		nla_put_string(msg, NFTA_TABLE_NAME, TABLE);
	return msg;
}

static struct nl_msg *chain_msg(void)
{
	struct nl_msg *msg = nft_msg(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	if (!msg)
		return NULL;
	nla_put_string(msg, NFTA_CHAIN_TABLE, TABLE);
	nla_put_string(msg, NFTA_CHAIN_NAME, CHAIN);
	nla_put_string(msg, NFTA_CHAIN_TYPE, "nat");
	hook = nla_nest_start(msg, NFTA_CHAIN_HOOK);
	nla_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(NF_INET_POST_ROUTING));
	nla_put_u32(msg, NFTA_HOOK_PRIORITY, htonl(PRIORITY_SRCNAT));
	nla_nest_end(msg, hook);
	return msg;
}

/* An expression's beginning and end; @data: set. */
static struct nlattr *expr_begin(struct nl_msg *msg, const char *name, struct nlattr **data)
{
	struct nlattr *elem = nla_nest_start(msg, NFTA_LIST_ELEM);

	nla_put_string(msg, NFTA_EXPR_NAME, name);
	*data = nla_nest_start(msg, NFTA_EXPR_DATA);
	return elem;
}

static void expr_end(struct nl_msg *msg, struct nlattr *elem, struct nlattr *data)
{
	nla_nest_end(msg, data);
	nla_nest_end(msg, elem);
}

static void put_value(struct nl_msg *msg, int type, const void *value, int len)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	nla_put(msg, NFTA_DATA_VALUE, len, value);
	nla_nest_end(msg, nest);
}

static void put_cmp(struct nl_msg *msg, u32 op, const void *value, int len)
{
	struct nlattr *data, *elem = expr_begin(msg, "cmp", &data);

	nla_put_u32(msg, NFTA_CMP_SREG, htonl(NFT_REG_1));
	nla_put_u32(msg, NFTA_CMP_OP, htonl(op));
	put_value(msg, NFTA_CMP_DATA, value, len);
	expr_end(msg, elem, data);
}

/* Of the switch's network */
static void put_source(struct nl_msg *msg, const struct ip_prefix *ip)
{
	u32 mask = htonl(~0U << (32 - ip->bits)), none = 0, net;
	struct nlattr *data, *elem = expr_begin(msg, "payload", &data);

	nla_put_u32(msg, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	nla_put_u32(msg, NFTA_PAYLOAD_BASE, htonl(NFT_PAYLOAD_NETWORK_HEADER));
	nla_put_u32(msg, NFTA_PAYLOAD_OFFSET, htonl(AT_SOURCE));
	nla_put_u32(msg, NFTA_PAYLOAD_LEN, htonl(sizeof(net)));
	expr_end(msg, elem, data);
	elem = expr_begin(msg, "bitwise", &data);
	nla_put_u32(msg, NFTA_BITWISE_SREG, htonl(NFT_REG_1));
	nla_put_u32(msg, NFTA_BITWISE_DREG, htonl(NFT_REG_1));
	nla_put_u32(msg, NFTA_BITWISE_LEN, htonl(sizeof(mask)));
	put_value(msg, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(msg, NFTA_BITWISE_XOR, &none, sizeof(none));
	expr_end(msg, elem, data);
	memcpy(&net, ip->addr, sizeof(net));
	net &= mask;
	put_cmp(msg, NFT_CMP_EQ, &net, sizeof(net));
}

/* ... and out by another interface */
static void put_elsewhere(struct nl_msg *msg, const char *bridge)
{
	struct nlattr *data, *elem = expr_begin(msg, "meta", &data);
	char name[IF_NAME_SIZE] = "";

	snprintf(name, sizeof(name), "%s", bridge);
	nla_put_u32(msg, NFTA_META_DREG, htonl(NFT_REG_1));
	nla_put_u32(msg, NFTA_META_KEY, htonl(NFT_META_OIFNAME));
	expr_end(msg, elem, data);
	put_cmp(msg, NFT_CMP_NEQ, name, sizeof(name));
}

static struct nl_msg *rule_msg(const struct soft_switch *sw)
{
	struct nl_msg *msg = nft_msg(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nlattr *list, *elem, *data;
	char bridge[IF_NAME_SIZE];

	if (!msg)
		return NULL;
	snprintf(bridge, sizeof(bridge), SWITCH_PREFIX "%s", sw->def.name);
	nla_put_string(msg, NFTA_RULE_TABLE, TABLE);
	nla_put_string(msg, NFTA_RULE_CHAIN, CHAIN);
	list = nla_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	put_source(msg, &sw->def.address);
	put_elsewhere(msg, bridge);
	elem = expr_begin(msg, "masq", &data);
	expr_end(msg, elem, data);
	nla_nest_end(msg, list);
	return msg;
}

/* Is there forwarding, or is it asked for? */
static void check_forwarding(bool asked)
{
	int fd = open(FORWARDING, (asked ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	char value = '1';

	if (fd >= 0 && read(fd, &value, 1) == 1 && value == '0' && asked)
		value = pwrite(fd, "1", 1, 0) == 1 ? '1' : '0';
	if (fd >= 0)
		close(fd);
	if (value == '0')
		say("switches have nat, but the host does not forward (net.ipv4.ip_forward is 0)");
}

/**
 * nat_apply() - make the table as the switches are now
 * @list: they
 *
 * Return: 0 or -errno; rtnl_why() has it in words.
 */
int nat_apply(const struct soft_switch *list)
{
	struct nl_msg *msg[4 + 2 * SWITCHES_MAX];
	const struct soft_switch *sw;
	bool asked = false;
	int nr = 0, err;

	/* Adding it makes sure that there is one to be deleted. */
	msg[nr++] = table_msg(NFT_MSG_NEWTABLE, NLM_F_CREATE);
	msg[nr++] = table_msg(NFT_MSG_DELTABLE, 0);
	for (sw = list; sw; sw = sw->next) {
		if (!sw->index || !sw->def.nat || nr == (int)ARRAY_SIZE(msg))
			continue;
		if (nr == 2) {
			msg[nr++] = table_msg(NFT_MSG_NEWTABLE, NLM_F_CREATE);
			msg[nr++] = chain_msg();
		}
		msg[nr++] = rule_msg(sw);
		asked = asked || sw->def.ip_forward;
	}
	if (nr == 2 && access(MARK, F_OK)) {
		nlmsg_free(msg[0]);
		nlmsg_free(msg[1]);
		return 0;
	}
	err = nl_batch(msg, nr);
	if (nr > 2)
		check_forwarding(asked);
	if (!err && nr == 2)
		unlink(MARK);
	else if (!err)
		close(open(MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return err;
}
