// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces as JSON: members of the protocol's definition. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "definition.h"
#include "interface.h"
#include "js.h"
#include "libjoist/mac.h"
#include "vmm/disk_json.h"

static void add_number(struct json_object *obj, const char *key, u64 value)
{
	if (value)
		js_add_int(obj, key, (s64)value);
}

static void add_lists(struct json_object *obj, const struct interface *nic)
{
	struct json_object *trunk = json_object_new_array(), *ips = json_object_new_array();
	struct json_object *forwards = json_object_new_array();
	char text[80];
	int i;

	for (i = 0; i < nic->nr_trunk; i++) {
		snprintf(text, sizeof(text), "%u-%u", nic->trunk[i].first, nic->trunk[i].last);
		if (nic->trunk[i].first == nic->trunk[i].last)
			*strchr(text, '-') = '\0';
		json_object_array_add(trunk, json_object_new_string(text));
	}
	for (i = 0; i < nic->nr_ips; i++) {
		ip_text(&nic->ip[i], text, sizeof(text));
		json_object_array_add(ips, json_object_new_string(text));
	}
	for (i = 0; i < nic->nr_forwards; i++)
		json_object_array_add(forwards, json_object_new_string(nic->forward[i]));
	if (nic->nr_trunk)
		js_add(obj, "trunk", json_object_get(trunk));
	if (nic->nr_ips)
		js_add(obj, "ip", json_object_get(ips));
	if (nic->nr_forwards)
		js_add(obj, "forward", json_object_get(forwards));
	json_object_put(trunk);
	json_object_put(ips);
	json_object_put(forwards);
}

/* What is as it is by default is left out. Return: an object, the caller's. */
struct json_object *interface_json(const struct interface *nic)
{
	struct json_object *obj = js_new("name", nic->name);
	char text[MAC_TEXT_SIZE];

	if (nic->kind == IF_SWITCH)
		js_add_text(obj, "switch", nic->link);
	if (nic->kind == IF_MACVTAP)
		js_add_text(obj, "macvtap", nic->link);
	if (nic->kind == IF_USER)
		js_add_bool(obj, "user", true);
	mac_text(nic->mac, text);
	if (nic->has_mac)
		js_add_text(obj, "mac", text);
	add_number(obj, "vlan", nic->vlan);
	if (nic->isolated)
		js_add_bool(obj, "isolated", true);
	add_number(obj, "rate-in", nic->rate_in);
	add_number(obj, "rate-out", nic->rate_out);
	if (!nic->mac_check)
		js_add_bool(obj, "mac-check", false);
	add_number(obj, "mtu", nic->mtu);
	if (nic->queues > 1)
		js_add_int(obj, "queues", nic->queues);
	add_lists(obj, nic);
	return obj;
}

static int take_value(struct interface *nic, const char *key, struct json_object *value,
		      struct complaint *c)
{
	const char *text = json_object_get_string(value);
	bool scalar = json_object_is_type(value, json_type_int) ||
		      json_object_is_type(value, json_type_boolean) ||
		      json_plain(value);

	if (!scalar)
		return complain(c, "'%.40s' of an interface has the wrong type", key);
	return interface_set(nic, key, text, c);
}

static int take_member(struct interface *nic, const char *key, struct json_object *value,
		       struct complaint *c)
{
	size_t i;

	if (!interface_list(key) || !json_object_is_type(value, json_type_array))
		return take_value(nic, key, value, c);
	for (i = 0; i < json_object_array_length(value); i++)
		if (take_value(nic, key, json_object_array_get_idx(value, i), c))
			return -EINVAL;
	return 0;
}

/**
 * interface_from_json() - the way back; nothing of @obj is trusted
 * @nic: filled in; interface_free() is due in all cases
 * @obj: an object
 * @index: which of its VM's it is: its name follows from that
 * @c: what is wrong
 *
 * Return: 0 or less.
 */
int interface_from_json(struct interface *nic, struct json_object *obj, int index,
			struct complaint *c)
{
	char name[IF_NAME_SIZE];
	int err;

	snprintf(name, sizeof(name), "eth%d", index);
	interface_init(nic, name, c);
	if (!json_object_is_type(obj, json_type_object))
		return complain(c, "an interface is an object");
	if (js_get(obj, "name")) {
		if (!js_text(obj, "name") || !*js_text(obj, "name"))
			return complain(c, "the name of an interface is a text");
		err = interface_init(nic, js_text(obj, "name"), c);
		if (err)
			return err;
	}
	json_object_object_foreach(obj, key, value) {
		if (value && strcmp(key, "name") && take_member(nic, key, value, c))
			return -EINVAL;
	}
	return interface_check(nic, c);
}
