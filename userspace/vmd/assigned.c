// SPDX-License-Identifier: GPL-2.0-only
/* The host's devices in a definition. Pure: whether there are such is asked elsewhere. */
#include <stdio.h>
#include <string.h>

#include "assigned.h"
#include "definition.h"
#include "js.h"
#include "libjoist/mac.h"
#include "vmm/disk_json.h"

const char *const assigned_keys[] = {
	"host", "vf-of", "mac", "vlan", "on-fault", "force", NULL,
};

static int set_host(struct assigned *dev, const char *key, const char *text, struct complaint *c)
{
	bool pool = !strcmp(key, "vf-of");

	if (*dev->host && dev->pool != pool)
		return complain(c, "a device is either 'host' or 'vf-of'");
	if (pci_addr_parse(text, dev->host))
		return complain(c, "%s '%.40s' is no PCI address as 0000:01:00.0", key, text);
	dev->pool = pool;
	return 0;
}

static int set_mac(struct assigned *dev, const char *text, struct complaint *c)
{
	if (!mac_parse(text, dev->mac) || (dev->mac[0] & 1))
		return complain(c, "mac '%.40s' is no address of one interface", text);
	dev->has_mac = true;
	return 0;
}

/**
 * assigned_set() - set a member from text
 * @dev: device
 * @key: one of assigned_keys
 * @text: its value
 * @c: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int assigned_set(struct assigned *dev, const char *key, const char *text, struct complaint *c)
{
	u64 vlan;
	int err;

	if (!strcmp(key, "host") || !strcmp(key, "vf-of"))
		return set_host(dev, key, text, c);
	if (!strcmp(key, "mac"))
		return set_mac(dev, text, c);
	if (!strcmp(key, "force"))
		return bool_set(key, text, &dev->force, c);
	if (!strcmp(key, "vlan")) {
		err = number_set(key, text, 0, VLAN_MAX, &vlan, c);
		if (!err)
			dev->vlan = (u16)vlan;
		return err;
	}
	if (strcmp(key, "on-fault"))
		return complain(c, "a device has no '%.40s'", key);
	if (strcmp(text, "keep") && strcmp(text, "stop"))
		return complain(c, "on-fault '%.40s' is neither keep nor stop", text);
	dev->stop = !strcmp(text, "stop");
	return 0;
}

/* Return: NULL: there is none of that name. */
struct assigned *assignments_find(struct assignments *list, const char *name)
{
	int i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->dev[i].name, name))
			return &list->dev[i];
	return NULL;
}

/* One that has no name gets one. Return: 0 or -EINVAL. */
int assignments_add(struct assignments *list, const struct assigned *dev, struct complaint *c)
{
	struct assigned *new = &list->dev[list->nr];
	int i;

	if (!*dev->host)
		return complain(c,
				"the device '%s' is neither 'host' nor 'vf-of', and has no io-ports or mmio",
				dev->name);
	if (list->nr == ASSIGNED_MAX)
		return complain(c, "more than %d devices of the host", ASSIGNED_MAX);
	if (*dev->name && !device_name_valid(dev->name))
		return complain(c, "'%s' is no name for a device: " DEVICE_NAME_RULE, dev->name);
	if (*dev->name && assignments_find(list, dev->name))
		return complain(c, "there is a device '%s' already", dev->name);
	for (i = 0; i < list->nr; i++)
		if (!dev->pool && !list->dev[i].pool && !strcmp(list->dev[i].host, dev->host))
			return complain(c, "the device %s is there already", dev->host);
	*new = *dev;
	for (i = 0; !*dev->name && (!i || assignments_find(list, new->name)); i++)
		snprintf(new->name, sizeof(new->name), "hostdev%d", i);
	list->nr++;
	return 0;
}

/* The others stay in their order. */
void assignments_remove(struct assignments *list, const char *name)
{
	struct assigned *dev = assignments_find(list, name);

	if (!dev)
		return;
	list->nr--;
	memmove(dev, dev + 1, (size_t)(&list->dev[list->nr] - dev) * sizeof(*dev));
}

static bool equal(const struct assigned *a, const struct assigned *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->host, b->host) && a->pool == b->pool &&
	       a->has_mac == b->has_mac && !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
	       a->vlan == b->vlan && a->stop == b->stop && a->force == b->force;
}

bool assignments_equal(const struct assignments *a, const struct assignments *b)
{
	int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (!equal(&a->dev[i], &b->dev[i]))
			return false;
	return true;
}

struct json_object *assigned_json(const struct assigned *dev)
{
	struct json_object *obj = js_new("name", dev->name);
	char mac[MAC_TEXT_SIZE];

	js_add_text(obj, dev->pool ? "vf-of" : "host", dev->host);
	if (dev->has_mac) {
		mac_text(dev->mac, mac);
		js_add_text(obj, "mac", mac);
	}
	if (dev->vlan)
		js_add_int(obj, "vlan", dev->vlan);
	js_add_text(obj, "on-fault", dev->stop ? "stop" : "keep");
	js_add_bool(obj, "force", dev->force);
	return obj;
}

/* Return: an array, the caller's. */
struct json_object *assignments_json(const struct assignments *list)
{
	struct json_object *array = json_object_new_array();
	int i;

	for (i = 0; i < list->nr; i++)
		json_object_array_add(array, assigned_json(&list->dev[i]));
	return array;
}

static int take(struct assigned *dev, const char *key, struct json_object *value,
		struct complaint *c)
{
	bool right = !strcmp(key, "force") ? json_object_is_type(value, json_type_boolean) :
		     json_plain(value) ||
		     (!strcmp(key, "vlan") && json_object_is_type(value, json_type_int));

	if (!right)
		return complain(c, "a device's '%.40s' has the wrong type", key);
	if (!strcmp(key, "name")) {
		if (!device_name_valid(json_plain(value)))
			return complain(c, "'%.100s' is no name for a device: " DEVICE_NAME_RULE,
					json_plain(value));
		snprintf(dev->name, sizeof(dev->name), "%s", json_plain(value));
		return 0;
	}
	return assigned_set(dev, key, json_object_get_string(value), c);
}

/* The way back: @obj, of which nothing is trusted, becomes one more. Return: 0 or less. */
int assigned_from_json(struct assignments *list, struct json_object *obj, struct complaint *c)
{
	struct assigned dev = { 0 };

	if (!json_object_is_type(obj, json_type_object))
		return complain(c, "a device is an object with 'host' or 'vf-of'");
	json_object_object_foreach(obj, key, value) {
		if (value && take(&dev, key, value, c))
			return -1;
	}
	return assignments_add(list, &dev, c);
}
