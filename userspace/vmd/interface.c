// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network interfaces of definitions: as with other members, text is what configuration
 * files and JSON have in common. Pure: whether a switch is there is asked elsewhere.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "interface.h"
#include "libjoist/mac.h"
#include "libjoist/number.h"
#include "vmm/backend/forward.h"

#define MTU_MIN		1280
#define MTU_MAX		65521
#define RATE_MIN	8000ULL
#define RATE_MAX	32000000000ULL

/* An interface's name on Linux. */
bool ifname_valid(const char *name)
{
	const char *p;

	if (!*name || strlen(name) >= IF_NAME_SIZE || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	for (p = name; *p; p++)
		if (!isgraph((unsigned char)*p) || strchr("/:%\"", *p))
			return false;
	return true;
}

/* @name: "" for one that gets its name by its place. Return: 0 or -EINVAL. */
int interface_init(struct interface *nic, const char *name, struct complaint *c)
{
	*nic = (struct interface) { .mac_check = true, .queues = 1 };
	if (*name && !ifname_valid(name))
		return complain(c, "'%.40s' is no name of an interface: 1 to %d bytes, no blank",
				name, IF_NAME_SIZE - 1);
	snprintf(nic->name, sizeof(nic->name), "%s", name);
	return 0;
}

void interface_free(struct interface *nic)
{
	while (nic->nr_forwards)
		free(nic->forward[--nic->nr_forwards]);
}

/* An address, with /BITS behind it or not. */
bool ip_parse(const char *text, struct ip_prefix *ip)
{
	const char *slash = strchrnul(text, '/');
	char addr[INET6_ADDRSTRLEN], *end;
	unsigned long bits, most;

	if ((size_t)(slash - text) >= sizeof(addr))
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	*ip = (struct ip_prefix) { .family = strchr(addr, ':') ? AF_INET6 : AF_INET };
	if (inet_pton(ip->family, addr, ip->addr) != 1)
		return false;
	most = ip->family == AF_INET ? 32 : 128;
	bits = most;
	if (*slash) {
		if (!isdigit((unsigned char)slash[1]))
			return false;
		bits = strtoul(slash + 1, &end, 10);
		if (*end || bits > most)
			return false;
	}
	ip->bits = (u8)bits;
	return true;
}

void ip_text(const struct ip_prefix *ip, char *text, size_t size)
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(ip->family, ip->addr, addr, sizeof(addr));
	if (ip->bits == (ip->family == AF_INET ? 32 : 128))
		snprintf(text, size, "%s", addr);
	else
		snprintf(text, size, "%s/%u", addr, ip->bits);
}

static int set_mac(struct interface *nic, const char *text, struct complaint *c)
{
	if (!mac_parse(text, nic->mac))
		return complain(c, "mac '%.40s' is no address, as 02:00:00:00:00:01", text);
	if (nic->mac[0] & 1)
		return complain(c, "mac '%s' is an address of a group: its first byte is odd",
				text);
	nic->has_mac = true;
	return 0;
}

/* Digits from @least to @most, up to @end. Return: behind them, or NULL. */
static const char *take_number(const char *text, u64 least, u64 most, u64 *value)
{
	const char *end;
	u64 n;

	if (number_take(text, 10, &n, &end) || n < least || n > most)
		return NULL;
	*value = n;
	return end;
}

/* Return: 0 or -EINVAL. */
int number_set(const char *key, const char *text, u64 least, u64 most, u64 *value,
	       struct complaint *c)
{
	const char *end = take_number(text, least, most, value);

	if (end && !*end)
		return 0;
	return complain(c, "%s '%.40s' is no number from %llu to %llu", key, text,
			(unsigned long long)least, (unsigned long long)most);
}

static int add_trunk(struct interface *nic, const char *text, struct complaint *c)
{
	const char *end;
	u64 first, last;

	end = take_number(text, 1, VLAN_MAX, &first);
	last = first;
	if (end && *end == '-')
		end = take_number(end + 1, first, VLAN_MAX, &last);
	if (!end || *end)
		return complain(c, "trunk '%.40s' is no VLAN from 1 to %d, nor a range as 10-19",
				text, VLAN_MAX);
	if (nic->nr_trunk == TRUNK_MAX)
		return complain(c, "more than %d VLANs or ranges in a trunk", TRUNK_MAX);
	nic->trunk[nic->nr_trunk++] = (struct vlan_range) { (u16)first, (u16)last };
	return 0;
}

static int add_ip(struct interface *nic, const char *text, struct complaint *c)
{
	if (nic->nr_ips == IPS_MAX)
		return complain(c, "more than %d addresses", IPS_MAX);
	if (!ip_parse(text, &nic->ip[nic->nr_ips]))
		return complain(c, "ip '%.60s' is no IPv4 or IPv6 address", text);
	nic->nr_ips++;
	return 0;
}

static int add_forward(struct interface *nic, const char *text, struct complaint *c)
{
	struct forward fwd;

	if (!forward_parse(text, &fwd))
		return complain(c, "forward '%.80s' is no port forward, as tcp::8080-:80",
				text);
	if (nic->nr_forwards == VMM_FORWARDS_MAX)
		return complain(c, "more than %d port forwards", VMM_FORWARDS_MAX);
	nic->forward[nic->nr_forwards] = strdup(text);
	if (!nic->forward[nic->nr_forwards])
		return complain(c, "out of memory");
	nic->nr_forwards++;
	return 0;
}

/* Bits per second: here K is 1000, as with all rates of networks. */
static int set_rate(const char *key, const char *text, u64 *rate, struct complaint *c)
{
	u64 value, unit = 1;
	const char *end = take_number(text, 1, RATE_MAX, &value);

	if (end && *end) {
		unit = toupper((unsigned char)*end) == 'K' ? 1000 :
		       toupper((unsigned char)*end) == 'M' ? 1000000 :
		       toupper((unsigned char)*end) == 'G' ? 1000000000 : 0;
		end++;
	}
	if (!end || *end || !unit || value > RATE_MAX / unit || value * unit < RATE_MIN)
		return complain(c, "%s '%.40s' is no rate from 8K to 32G bits per second",
				key, text);
	*rate = value * unit;
	return 0;
}

static int set_switch(struct interface *nic, const char *text, struct complaint *c)
{
	bool good = name_valid(text) && strlen(text) <= SWITCH_NAME_MAX;

	/* A bad one is complained of once: it is still known what it was to be. */
	nic->kind = IF_SWITCH;
	snprintf(nic->link, sizeof(nic->link), "%s", good ? text : "");
	if (good)
		return 0;
	return complain(c, "switch '%.40s' is no name of a switch", text);
}

static int set_macvtap(struct interface *nic, const char *text, struct complaint *c)
{
	bool good = ifname_valid(text);

	nic->kind = IF_MACVTAP;
	snprintf(nic->link, sizeof(nic->link), "%s", good ? text : "");
	if (good)
		return 0;
	return complain(c, "macvtap '%.40s' is no name of an interface", text);
}

int bool_set(const char *key, const char *text, bool *value, struct complaint *c)
{
	if (bool_parse(text, value))
		return 0;
	return complain(c, "%s '%.40s' is neither yes nor no", key, text);
}

static int set_user(struct interface *nic, const char *text, struct complaint *c)
{
	bool on = true;
	int err = bool_set("user", text, &on, c);

	if (on) {
		/* Whichever is given last: a template may have the other. */
		nic->kind = IF_USER;
		nic->link[0] = '\0';
	} else if (nic->kind == IF_USER) {
		nic->kind = IF_NONE;
	}
	return err;
}

/* Is it given several times, and each adds to the others? */
bool interface_list(const char *key)
{
	return !strcmp(key, "trunk") || !strcmp(key, "ip") || !strcmp(key, "forward");
}

/**
 * interface_set() - set a member from text
 * @nic: interface
 * @key: its name; of a list one more is added
 * @text: its value
 * @c: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int interface_set(struct interface *nic, const char *key, const char *text,
		  struct complaint *c)
{
	u64 value;
	int err;

	if (!strcmp(key, "switch"))
		return set_switch(nic, text, c);
	if (!strcmp(key, "macvtap"))
		return set_macvtap(nic, text, c);
	if (!strcmp(key, "user"))
		return set_user(nic, text, c);
	if (!strcmp(key, "mac"))
		return set_mac(nic, text, c);
	if (!strcmp(key, "trunk"))
		return add_trunk(nic, text, c);
	if (!strcmp(key, "ip"))
		return add_ip(nic, text, c);
	if (!strcmp(key, "forward"))
		return add_forward(nic, text, c);
	if (!strcmp(key, "isolated"))
		return bool_set(key, text, &nic->isolated, c);
	if (!strcmp(key, "mac-check"))
		return bool_set(key, text, &nic->mac_check, c);
	if (!strcmp(key, "rate-in"))
		return set_rate(key, text, &nic->rate_in, c);
	if (!strcmp(key, "rate-out"))
		return set_rate(key, text, &nic->rate_out, c);
	if (!strcmp(key, "vlan")) {
		err = number_set(key, text, 1, VLAN_MAX, &value, c);
		nic->vlan = err ? nic->vlan : (u16)value;
		return err;
	}
	if (!strcmp(key, "queues")) {
		err = number_set(key, text, 1, IF_QUEUES_MAX, &value, c);
		nic->queues = err ? nic->queues : (u32)value;
		return err;
	}
	if (!strcmp(key, "mtu")) {
		err = number_set(key, text, MTU_MIN, MTU_MAX, &value, c);
		nic->mtu = err ? nic->mtu : (u16)value;
		return err;
	}
	return complain(c, "an interface has no '%.40s'", key);
}

/* How many descriptors interfaces come with. */
int interfaces_fds(const struct interface *nic, int nr)
{
	int i, fds = 0;

	for (i = 0; i < nr; i++)
		fds += (int)nic[i].queues;
	return fds;
}

/* What no single member can say. */
int interface_check(const struct interface *nic, struct complaint *c)
{
	if (nic->kind == IF_NONE)
		return complain(c,
				"the interface \"%s\" is plugged into nothing: give switch, macvtap or user",
				nic->name);
	if (nic->kind != IF_USER && nic->nr_forwards)
		return complain(c, "the interface \"%s\" has forward, which is for user = yes",
				nic->name);
	if (nic->kind != IF_SWITCH && (nic->vlan || nic->nr_trunk || nic->isolated))
		return complain(c,
				"the interface \"%s\" has what is for one in a switch: vlan, ...",
				nic->name);
	if (nic->kind == IF_USER &&
	    (nic->rate_in || nic->rate_out || nic->nr_ips || nic->queues > 1))
		return complain(c,
				"the interface \"%s\" has what is not for user = yes: ip, rate-in, ...",
				nic->name);
	return 0;
}

bool interface_equal(const struct interface *a, const struct interface *b)
{
	int i;

	if (a->nr_forwards != b->nr_forwards || a->nr_trunk != b->nr_trunk ||
	    a->nr_ips != b->nr_ips)
		return false;
	for (i = 0; i < a->nr_forwards; i++)
		if (strcmp(a->forward[i], b->forward[i]))
			return false;
	for (i = 0; i < a->nr_trunk; i++)
		if (a->trunk[i].first != b->trunk[i].first ||
		    a->trunk[i].last != b->trunk[i].last)
			return false;
	for (i = 0; i < a->nr_ips; i++)
		if (memcmp(&a->ip[i], &b->ip[i], sizeof(a->ip[i])))
			return false;
	return !strcmp(a->name, b->name) && a->kind == b->kind && !strcmp(a->link, b->link) &&
	       a->has_mac == b->has_mac && !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
	       a->vlan == b->vlan && a->isolated == b->isolated &&
	       a->rate_in == b->rate_in && a->rate_out == b->rate_out &&
	       a->mac_check == b->mac_check && a->mtu == b->mtu && a->queues == b->queues;
}

/* Its address: the one given, or one that is the same at each start of the VM. */
void interface_mac(const struct interface *nic, const char *uuid, u8 *mac)
{
	u64 hash = 0xcbf29ce484222325ULL;
	char text[UUID_LEN + IF_NAME_SIZE + 2];
	const char *p;

	memcpy(mac, nic->mac, sizeof(nic->mac));
	if (nic->has_mac)
		return;
	snprintf(text, sizeof(text), "%s/%s", uuid, nic->name);
	for (p = text; *p; p++)
		hash = (hash ^ (u8)*p) * 0x100000001b3ULL;
	/* The last rounds hardly reach the high bytes: fold them. */
	hash ^= hash >> 29;
	memcpy(mac, &hash, sizeof(nic->mac));
	/* Locally administered. */
	mac[0] = (u8)((mac[0] & ~1) | 2);
}
