// SPDX-License-Identifier: GPL-2.0-only
/* Switches of the configuration. Pure, but for users' names. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch.h"
#include "users.h"

#define MTU_MIN		1280
#define MTU_MAX		65521

/* Return: 0 or -EINVAL. */
int switch_init(struct switch_def *sw, const char *name, struct complaint *c)
{
	memset(sw, 0, sizeof(*sw));
	if (!name_valid(name) || strlen(name) > SWITCH_NAME_MAX)
		return complain(c, "'%.40s' is no name for a switch: as a VM's, up to %d bytes",
				name, SWITCH_NAME_MAX);
	snprintf(sw->name, sizeof(sw->name), "%s", name);
	return 0;
}

static int set_address(struct switch_def *sw, const char *text, struct complaint *c)
{
	struct ip_prefix ip;

	if (!ip_parse(text, &ip) || ip.family != AF_INET || !strchr(text, '/') ||
	    !ip.bits || ip.bits > 30)
		return complain(c,
				"address '%.40s' is none with its network's length, as 10.0.0.1/24",
				text);
	sw->address = ip;
	return 0;
}

static int set_dhcp(struct switch_def *sw, const char *text, struct complaint *c)
{
	const char *dash = strchr(text, '-');
	char first[INET_ADDRSTRLEN] = "";
	u32 from, to;

	if (dash && (size_t)(dash - text) < sizeof(first))
		memcpy(first, text, (size_t)(dash - text));
	if (!dash || inet_pton(AF_INET, first, &from) != 1 ||
	    inet_pton(AF_INET, dash + 1, &to) != 1)
		return complain(c, "dhcp '%.40s' is no range, as 10.0.0.100-10.0.0.199",
				text);
	if (ntohl(from) > ntohl(to) || !from)
		return complain(c, "dhcp '%.40s' ends before it begins", text);
	sw->dhcp_first = from;
	sw->dhcp_last = to;
	return 0;
}

/* yes, no, or a server, and perhaps another. */
static int add_dns(struct switch_def *sw, const char *text, struct complaint *c)
{
	bool on;

	if (bool_parse(text, &on)) {
		sw->no_dns = !on;
		return 0;
	}
	if (sw->nr_dns == SWITCH_DNS_MAX)
		return complain(c, "more than %d name servers", SWITCH_DNS_MAX);
	if (inet_pton(AF_INET, text, &sw->dns[sw->nr_dns]) != 1)
		return complain(c, "dns '%.40s' is neither yes, no, nor an IPv4 address", text);
	sw->nr_dns++;
	return 0;
}

static int add_user(struct switch_def *sw, const char *text, struct complaint *c)
{
	struct owner *user = &sw->user[sw->nr_users];

	if (sw->nr_users == SWITCH_USERS_MAX)
		return complain(c, "more than %d users", SWITCH_USERS_MAX);
	if (owner_parse(user, text, c) || owner_resolve(user, c))
		return -EINVAL;
	sw->nr_users++;
	return 0;
}

static int set_mtu(struct switch_def *sw, const char *text, struct complaint *c)
{
	u64 mtu;
	int err = number_set("mtu", text, MTU_MIN, MTU_MAX, &mtu, c);

	sw->mtu = err ? sw->mtu : (u16)mtu;
	return err;
}

static int set_uplink(struct switch_def *sw, const char *text, struct complaint *c)
{
	if (!ifname_valid(text) || !strcmp(text, "lo") ||
	    !strncmp(text, SWITCH_PREFIX, strlen(SWITCH_PREFIX)))
		return complain(c, "uplink '%.40s' is no interface that can be in a switch",
				text);
	snprintf(sw->uplink, sizeof(sw->uplink), "%s", text);
	return 0;
}

/**
 * switch_set() - set a member from text
 * @sw: switch
 * @key: its name; of users and dns one more is added
 * @text: its value
 * @c: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int switch_set(struct switch_def *sw, const char *key, const char *text,
	       struct complaint *c)
{
	const struct {
		const char *key;
		bool *value;
	} bools[] = {
		{ "vlan-filtering", &sw->vlan_filtering }, { "nat", &sw->nat },
		{ "ip-forward", &sw->ip_forward }, { "isolated", &sw->isolated },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bools); i++)
		if (!strcmp(key, bools[i].key))
			return bool_set(key, text, bools[i].value, c);
	if (!strcmp(key, "uplink"))
		return set_uplink(sw, text, c);
	if (!strcmp(key, "address"))
		return set_address(sw, text, c);
	if (!strcmp(key, "dhcp"))
		return set_dhcp(sw, text, c);
	if (!strcmp(key, "dns"))
		return add_dns(sw, text, c);
	if (!strcmp(key, "mtu"))
		return set_mtu(sw, text, c);
	if (!strcmp(key, "users"))
		return add_user(sw, text, c);
	return complain(c, "a switch has no '%.40s'", key);
}

/* What no single member can say. */
int switch_check(const struct switch_def *sw, struct complaint *c)
{
	u32 addr, mask, first = ntohl(sw->dhcp_first), last = ntohl(sw->dhcp_last);

	memcpy(&addr, sw->address.addr, sizeof(addr));
	addr = ntohl(addr);
	if ((sw->nat || sw->dhcp_first) && !sw->address.family)
		return complain(c, "the switch \"%s\" has %s, which needs an address", sw->name,
				sw->nat ? "nat" : "dhcp");
	if (sw->ip_forward && !sw->nat)
		return complain(c, "the switch \"%s\" has ip-forward, which is for nat = yes",
				sw->name);
	if (!sw->dhcp_first)
		return 0;
	mask = ~0U << (32 - sw->address.bits);
	if ((first & mask) != (addr & mask) || (last & mask) != (addr & mask) ||
	    !(first & ~mask) || !(~last & ~mask))
		return complain(c, "dhcp of the switch \"%s\" is not within its address's network",
				sw->name);
	if (first <= addr && addr <= last)
		return complain(c, "dhcp of the switch \"%s\" has its own address in it",
				sw->name);
	return 0;
}

bool switch_equal(const struct switch_def *a, const struct switch_def *b)
{
	/* Both were zeroed before they were filled in. */
	return !memcmp(a, b, sizeof(*a));
}

/* Can an interface be plugged in, as it is? Return: 0 or -EINVAL. */
int switch_takes(const struct switch_def *sw, const struct interface *nic,
		 struct complaint *c)
{
	if ((nic->vlan || nic->nr_trunk) && !sw->vlan_filtering)
		return complain(c,
				"the interface \"%s\" has a VLAN, the switch \"%s\" no vlan-filtering",
				nic->name, sw->name);
	if (nic->mtu > (sw->mtu ?: 1500))
		return complain(c, "the interface \"%s\" has a larger mtu than the switch \"%s\"",
				nic->name, sw->name);
	return 0;
}
