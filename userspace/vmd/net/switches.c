// SPDX-License-Identifier: GPL-2.0-only
/*
 * The switches: bridges of the kernel's that are ours. By what is written on it (its
 * alias) a bridge is known again: one that an earlier daemon left is taken over, and
 * what has the name of one but is not ours is left alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"
#include "macvtap.h"
#include "nat.h"
#include "switches.h"

#define MTU_DEFAULT	1500

static struct soft_switch *list;

struct soft_switch *switch_first(void)
{
	return list;
}

struct soft_switch *switch_find(const char *name)
{
	struct soft_switch *sw;

	for (sw = list; sw; sw = sw->next)
		if (!strcmp(sw->def.name, name))
			return sw;
	return NULL;
}

static void bridge_name(const struct soft_switch *sw, char *name)
{
	snprintf(name, IF_NAME_SIZE, SWITCH_PREFIX "%s", sw->def.name);
}

/* The switch's name, and behind a blank its uplink's, if it has one. */
static int write_alias(const struct soft_switch *sw)
{
	char alias[128];

	snprintf(alias, sizeof(alias), SWITCH_ALIAS "%s%s%s", sw->def.name,
		 *sw->def.uplink ? " " : "", sw->def.uplink);
	return link_set_alias(sw->index, alias);
}

/* Return: whether @link is a switch of ours; the names are those in its alias. */
static bool read_alias(const struct link *link, char *name, char *uplink)
{
	*uplink = '\0';
	return !strcmp(link->kind, "bridge") &&
	       sscanf(link->alias, SWITCH_ALIAS "%11s %15s", name, uplink) >= 1;
}

/* Return: 0, or -errno with @sw->why filled in. */
static int find_or_create(struct soft_switch *sw, char *old_uplink)
{
	char name[IF_NAME_SIZE], was[IF_NAME_SIZE] = "";
	struct link link;
	int err;

	*old_uplink = '\0';
	bridge_name(sw, name);
	err = link_find(name, &link);
	if (!err) {
		if (read_alias(&link, was, old_uplink) && !strcmp(was, sw->def.name)) {
			sw->index = link.index;
			return 0;
		}
		complain(&sw->why, "there is an interface %s that is not vmd's: take it away",
			 name);
		return -EEXIST;
	}
	if (err == -ENODEV)
		err = bridge_create(name, sw->def.vlan_filtering);
	err = err ?: link_find(name, &link);
	sw->index = err ? 0 : link.index;
	err = err ?: write_alias(sw);
	if (!err)
		return 0;
	complain(&sw->why, "cannot make the bridge %s: %s%s", name, rtnl_why(err),
		 err == -EOPNOTSUPP ? " (modprobe bridge)" : "");
	/* Without its alias it would not be known again. */
	if (sw->index)
		link_delete(sw->index);
	return err;
}

static void release(const struct soft_switch *sw, const char *uplink)
{
	struct link link;

	if (*uplink && strcmp(uplink, sw->def.uplink) && !link_find(uplink, &link) &&
	    link.master == sw->index)
		link_set_master(link.index, 0);
}

static int plug_uplink(struct soft_switch *sw)
{
	const char *name = sw->def.uplink;
	struct link link;
	int err;

	if (!*name)
		return 0;
	err = link_find(name, &link);
	if (err) {
		complain(&sw->why, "there is no interface %s for its uplink", name);
		return err;
	}
	if (link.master && link.master != sw->index) {
		complain(&sw->why, "its uplink %s is a port of something else", name);
		return -EBUSY;
	}
	if (!link.master)
		err = link_set_master(link.index, sw->index);
	if (!err && sw->def.vlan_filtering)
		err = bridge_port_all_vlans(link.index);
	err = err ?: link_set_up(link.index, true);
	if (err)
		complain(&sw->why, "its uplink %s cannot be plugged in: %s", name,
			 rtnl_why(err));
	return err;
}

/* Make the bridge as the switch is to be. Return: 0, or -errno with @sw->why filled in. */
static int arrange(struct soft_switch *sw, const char *old_uplink)
{
	int err;

	err = bridge_set_filtering(sw->index, sw->def.vlan_filtering);
	release(sw, old_uplink);
	err = err ?: write_alias(sw);
	err = err ?: link_set_mtu(sw->index, sw->def.mtu ?: MTU_DEFAULT);
	err = err ?: link_quiet(sw->index);
	err = err ?: link_address(sw->index, &sw->def.address);
	err = err ?: link_set_up(sw->index, true);
	if (err) {
		complain(&sw->why, "its bridge cannot be set up: %s", rtnl_why(err));
		return err;
	}
	err = plug_uplink(sw);
	sw->dhcp.delay = 0;
	return dhcp_start(sw) ?: err;
}

static int bring_up(struct soft_switch *sw)
{
	char old_uplink[IF_NAME_SIZE];
	int err;

	sw->why.text[0] = '\0';
	err = find_or_create(sw, old_uplink);
	if (err) {
		sw->index = 0;
		return err;
	}
	return arrange(sw, old_uplink);
}

/* It is to be there now. Return: 0, or less: it is not, and @sw->why says why. */
int switch_ready(struct soft_switch *sw)
{
	struct link link;
	char name[IF_NAME_SIZE];

	bridge_name(sw, name);
	/* Somebody may have taken it away. */
	if (!sw->index || link_find(name, &link) || link.index != sw->index) {
		sw->index = 0;
		bring_up(sw);
	}
	return sw->index ? 0 : -ENODEV;
}

static void drop(struct soft_switch *sw)
{
	struct soft_switch **link;

	dhcp_stop(sw);
	if (sw->index)
		link_delete(sw->index);
	for (link = &list; *link != sw; link = &(*link)->next)
		;
	*link = sw->next;
	free(sw);
}

static bool has_ports(const struct soft_switch *sw, const struct link *links, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (links[i].master == sw->index &&
		    !strncmp(links[i].alias, PORT_ALIAS, strlen(PORT_ALIAS)))
			return true;
	return false;
}

/* Those go that nobody wants any more: with @all, those too that only we want. */
static void drop_unused(bool all)
{
	struct soft_switch *sw, *next;
	struct link *links = NULL;
	int nr = list ? link_all(&links) : 0;

	for (sw = list; sw && nr >= 0; sw = next) {
		next = sw->next;
		if ((all || sw->dropped) && !(sw->index && has_ports(sw, links, nr)))
			drop(sw);
	}
	free(links);
}

static void settle(void)
{
	struct soft_switch *sw;

	for (sw = list; sw && !sw->dropped; sw = sw->next)
		;
	if (!sw)
		return;
	drop_unused(false);
	if (nat_apply(list))
		say("rules for NAT cannot be changed: %s", rtnl_why(-EIO));
}

/* A VM has ended, or did not start, or has an interface less. */
void net_settle(void)
{
	macvtap_settle();
	settle();
}

/* The daemon ends. VMs that run on keep what they are plugged into. */
void net_end(void)
{
	drop_unused(true);
	nat_apply(list);
}

static struct soft_switch *add(const struct switch_def *def)
{
	struct soft_switch *sw = calloc(1, sizeof(*sw));

	if (!sw)
		return NULL;
	sw->def = *def;
	sw->next = list;
	list = sw;
	return sw;
}

/* What an earlier daemon left: whether it is wanted, the configuration says. */
void net_init(void)
{
	char name[IF_NAME_SIZE], uplink[IF_NAME_SIZE];
	struct link *links = NULL;
	struct switch_def def;
	struct soft_switch *sw;
	struct complaint c;
	int nr, i;

	nr = rtnl_open() ? 0 : link_all(&links);
	for (i = 0; i < nr; i++) {
		if (!read_alias(&links[i], name, uplink) || switch_init(&def, name, &c))
			continue;
		snprintf(def.uplink, sizeof(def.uplink), "%s", uplink);
		sw = add(&def);
		if (!sw)
			break;
		sw->index = links[i].index;
		sw->dropped = true;
	}
	free(links);
}

static void change(struct soft_switch *sw, const struct switch_def *def)
{
	bool same = sw->index && switch_equal(&sw->def, def) && !*sw->why.text;

	sw->def = *def;
	if (!same && bring_up(sw))
		say("the switch %s: %s", sw->def.name, sw->why.text);
}

/* Make the switches those of the configuration. */
void net_apply(const struct config *config)
{
	struct soft_switch *sw;
	int i, err;

	for (sw = list; sw; sw = sw->next)
		sw->dropped = !config_switch(config, sw->def.name);
	/* What goes may have an uplink that another is to get. */
	settle();
	for (i = 0; i < config->nr_switches; i++) {
		sw = switch_find(config->sw[i].name) ?: add(&config->sw[i]);
		if (sw)
			change(sw, &config->sw[i]);
	}
	err = nat_apply(list);
	if (err)
		say("no NAT for switches: %s (modprobe nft_chain_nat nft_masq)", rtnl_why(err));
}
