// SPDX-License-Identifier: GPL-2.0-only
/* user[,OPTION]... or tap=NAME[,OPTION]..., cut where it lies. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "libjoist/mac.h"
#include "parse.h"
#include "parse_net.h"
#include "vmm/backend/forward.h"
#include "vmm/pieces.h"
#include "vmm/vmm.h"

#define MTU_MIN		1280
#define MTU_MAX		65521

/* Return: behind @prefix, or NULL: @text does not begin so. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/* Return: NULL, or what is wrong with it. */
static const char *parse_kind(char *text, void *into)
{
	const char *name = behind(text, "tap=");
	struct vmm_net *net = into;
	size_t len;

	*net = (struct vmm_net) { .kind = VMM_NET_USER, .file = vmm_path(NULL) };
	if (!strcmp(text, "user"))
		return NULL;
	if (!name)
		return "is no network: give user or tap=NAME";
	len = strlen(name);
	if (!len || len >= IFNAMSIZ || strpbrk(name, "/: \t\n%") ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return "is no name of an interface: give 1 to 15 bytes";
	net->kind = VMM_NET_TAP;
	net->file = vmm_path(name);
	return NULL;
}

/* Likewise. */
static const char *parse_option(char *text, void *into)
{
	struct vmm_net *net = into;
	struct forward fwd;
	const char *value;
	u64 number;

	value = behind(text, "mac=");
	if (value) {
		if (!mac_parse(value, net->mac))
			return "is no address: give six bytes as 02:00:00:00:00:01";
		if (net->mac[0] & 1)
			return "is an address of a group: its first byte must be even";
		net->has_mac = true;
		return NULL;
	}
	value = behind(text, "mtu=");
	if (value) {
		if (!parse_number(value, MTU_MIN, MTU_MAX, &number))
			return "is no MTU: give 1280 to 65521";
		net->mtu = (u16)number;
		return NULL;
	}
	value = behind(text, "queues=");
	if (value) {
		if (net->kind != VMM_NET_TAP)
			return "is for a tap only";
		if (!parse_number(value, 1, VMM_NET_PAIRS_MAX, &number))
			return "is no number of queues: give 1 to 8";
		net->pairs = (int)number;
		return NULL;
	}
	value = behind(text, "vhost=");
	if (value) {
		if (net->kind != VMM_NET_TAP)
			return "is for a tap only";
		net->vhost = !strcmp(value, "on");
		return net->vhost || !strcmp(value, "off") ? NULL : "is neither on nor off";
	}
	value = behind(text, "hostfwd=");
	if (!value)
		return "is no option of a network: there are mac=, mtu=, queues=, vhost=, hostfwd=";
	if (net->kind != VMM_NET_USER)
		return "is for the user network only";
	if (!forward_parse(value, &fwd))
		return "is no port forward: give tcp:[ADDRESS]:PORT-[ADDRESS]:PORT, or udp:";
	if (net->nr_forwards == VMM_FORWARDS_MAX)
		return "is one port forward too many: there can be 32";
	net->forward[net->nr_forwards++] = value;
	return NULL;
}

/**
 * parse_net() - understand a network
 * @text: what was typed; cut into pieces, which must last as long as @net
 * @net: filled in
 * @wrong: what is wrong, if something is, with what @text is then
 *
 * Return: 0 or -EINVAL.
 */
int parse_net(char *text, struct vmm_net *net, const char **wrong)
{
	return pieces_parse(text, parse_kind, parse_option, net, wrong);
}
