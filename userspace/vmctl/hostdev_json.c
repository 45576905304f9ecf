// SPDX-License-Identifier: GPL-2.0-only
/* Devices of the host in JSON: as they are, and as a definition wants one. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "hostdev/hostdev.h"
#include "hostdev_json.h"
#include "out.h"
#include "vmm/pieces.h"

static void put(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, text && *text ? json_object_new_string(text) : NULL);
}

/* io-ports= or mmio=, of a device that is not PCI's. Return: whether it is one of these. */
static bool take_range(const char *piece, void *into)
{
	static const char *const keys[] = { "io-ports", "mmio" };
	struct json_object *list;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		len = strlen(keys[i]);
		if (strncmp(piece, keys[i], len) || piece[len] != '=')
			continue;
		list = out_member(into, keys[i]);
		if (!list) {
			list = json_object_new_array();
			json_object_object_add(into, keys[i], list);
		}
		/* vmd knows which are good. */
		json_object_array_add(list, json_object_new_string(piece + len + 1));
		return true;
	}
	return false;
}

static const char *take_address(char *piece, void *into)
{
	bool pool = !strncmp(piece, "vf-of=", 6);
	char addr[PCI_ADDR_SIZE];

	if (take_range(piece, into))
		return NULL;
	if (pci_addr_parse(pool ? piece + 6 : piece, addr))
		return "is no PCI address: give one as 0000:01:00.0, or vf-of= before it";
	put(into, pool ? "vf-of" : "host", addr);
	return NULL;
}

static const char *take_option(char *piece, void *into)
{
	static const char *const keys[] = { "name", "mac", "vlan", "on-fault" };
	char *value = strchr(piece, '=');
	size_t i;

	if (!strcmp(piece, "force")) {
		json_object_object_add(into, "force", json_object_new_boolean(true));
		return NULL;
	}
	if (take_range(piece, into))
		return NULL;
	if (!value || !value[1])
		return "is no option of a device with its value";
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(piece, keys[i]))
			continue;
		/* vmd knows which values are good. */
		put(into, piece, value);
		return NULL;
	}
	return "is no option of a device";
}

/**
 * device_option_json() - ADDRESS[,OPTION]..., vf-of=ADDRESS[,OPTION]..., or what is not PCI's:
 *	io-ports=RANGE and mmio=RANGE, and its name
 * @text: what was typed; cut into pieces
 * @wrong: what is wrong, if something is, with what @text is then
 *
 * Return: an object, the caller's, or NULL.
 */
struct json_object *device_option_json(char *text, const char **wrong)
{
	struct json_object *obj = json_object_new_object();

	if (!pieces_parse(text, take_address, take_option, obj, wrong))
		return obj;
	json_object_put(obj);
	return NULL;
}

static struct json_object *hex(const char *fmt, u32 value)
{
	char text[16];

	snprintf(text, sizeof(text), fmt, value);
	return json_object_new_string(text);
}

static void add_names(struct json_object *obj, const struct hostdev *dev)
{
	char vendor[128], device[128];

	hostdev_names(dev, vendor, device, sizeof(vendor));
	json_object_object_add(obj, "vendor", hex("%04x", dev->vendor));
	json_object_object_add(obj, "device", hex("%04x", dev->device));
	json_object_object_add(obj, "class", hex("%06x", dev->class));
	put(obj, "kind", hostdev_class_name(dev->class));
	put(obj, "vendor-name", vendor);
	put(obj, "device-name", device);
}

static void add_group(struct json_object *obj, const struct hostdev *dev)
{
	struct json_object *list = json_object_new_array();
	struct hostdev_id member[HOSTDEV_MEMBERS_MAX];
	int nr = 0, i;

	if (dev->group >= 0)
		nr = hostdev_members(dev->root, dev->group, member, HOSTDEV_MEMBERS_MAX);
	for (i = 0; i < nr; i++)
		json_object_array_add(list, json_object_new_string(member[i].addr));
	json_object_object_add(obj, "group",
			       dev->group >= 0 ? json_object_new_int(dev->group) : NULL);
	json_object_object_add(obj, "members", list);
}

static void add_bars(struct json_object *obj, const struct hostdev *dev)
{
	static const char *const names[HOSTDEV_BARS] = { "0", "1", "2", "3", "4", "5", "rom" };
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < HOSTDEV_BARS; i++) {
		struct json_object *bar;

		if (!dev->bar[i])
			continue;
		bar = json_object_new_object();
		put(bar, "bar", names[i]);
		json_object_object_add(bar, "size", json_object_new_uint64(dev->bar[i]));
		json_object_array_add(list, bar);
	}
	json_object_object_add(obj, "bars", list);
}

static void add_vfs(struct json_object *obj, const struct hostdev *dev)
{
	struct json_object *sriov, *list;
	char addr[PCI_ADDR_SIZE];
	u32 i;

	put(obj, "vf-of", dev->physfn);
	if (!dev->total_vfs)
		return;
	sriov = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < dev->nr_vfs && !hostdev_vf(dev, i, addr); i++)
		json_object_array_add(list, json_object_new_string(addr));
	json_object_object_add(sriov, "most", json_object_new_uint64(dev->total_vfs));
	json_object_object_add(sriov, "count", json_object_new_uint64(dev->nr_vfs));
	json_object_object_add(sriov, "functions", list);
	json_object_object_add(obj, "sriov", sriov);
}

/* What keeps it from being given away, if something does. */
static void add_check(struct json_object *obj, const struct hostdev *dev,
		      struct json_object *assigned)
{
	struct hostdev_why why;
	bool can = !hostdev_check(dev, NULL, 0, false, &why);

	if (can && assigned)
		can = !hostdev_why(&why, "in-use", out_flag(assigned, "managed") ?
				   "release it there first: vmctl device release" :
				   "unplug it there, or end that VM: it is not vmd's",
				   "it is the VM %s's", out_text(assigned, "vm"));
	json_object_object_add(obj, "assignable", json_object_new_boolean(can));
	if (can)
		return;
	put(obj, "why", why.text);
	put(obj, "remedy", why.remedy);
}

/* How one that VFIO has interrupts; null: not now. */
void hostdev_json_interrupts(struct json_object *obj, const struct hostdev *dev)
{
	struct hostdev_interrupts irqs;
	struct json_object *told;

	if (!hostdev_on_vfio(dev))
		return;
	json_object_object_add(obj, "interrupts", NULL);
	if (!hostdev_interrupts(dev, &irqs))
		return;
	told = json_object_new_object();
	put(told, "kind", irqs.kind);
	json_object_object_add(told, "vectors", json_object_new_uint64(irqs.vectors));
	json_object_object_add(told, "count", json_object_new_uint64(irqs.count));
	json_object_object_add(obj, "interrupts", told);
}

/**
 * hostdev_json() - a device of the host's, and all that is known of it
 * @dev: device
 * @assigned: who has it, of vms_holders(), or NULL; the caller's
 *
 * Return: an object, the caller's.
 */
struct json_object *hostdev_json(const struct hostdev *dev, struct json_object *assigned)
{
	struct json_object *obj = json_object_new_object();
	struct hostdev_state state;

	put(obj, "address", dev->addr);
	add_names(obj, dev);
	put(obj, "driver", dev->driver);
	add_group(obj, dev);
	add_bars(obj, dev);
	put(obj, "reset", dev->reset);
	add_vfs(obj, dev);
	if (assigned) {
		put(obj, "vm", out_text(assigned, "vm"));
		put(obj, "name", out_text(assigned, "name"));
	}
	/* Only root can read these. */
	if (!hostdev_state(dev->root, dev->addr, &state)) {
		put(obj, "goes-back-to", state.driver);
		json_object_object_add(obj, "bare", json_object_new_boolean(state.bare));
	}
	add_check(obj, dev, assigned);
	return obj;
}
