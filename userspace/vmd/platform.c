// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports and memory of the host's in a definition. Pure: whose they are on the host is asked
 * elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include "definition.h"
#include "js.h"
#include "vmm/disk_json.h"
#include "vmm/host_mmio.h"

#define PORT_LAST	0xffff

const char *const platform_keys[] = { "io-ports", "mmio", NULL };

/**
 * platform_set() - one more range
 * @dev: device
 * @key: one of platform_keys
 * @text: range
 * @c: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int platform_set(struct platform_device *dev, const char *key, const char *text,
		 struct complaint *c)
{
	const bool ports = !strcmp(key, "io-ports");
	struct range range;

	if (ports ? number_range(text, PORT_LAST, &range) :
		    number_range(text, HOST_MMIO_LAST, &range) || !host_mmio_whole(&range))
		return complain(c, "%s '%.40s' is not %s", key, text,
				ports ? "FIRST or FIRST-LAST, 0 to 0xffff each" : HOST_MMIO_RULE);
	if (ports ? dev->nr_ports == VMM_IO_PORTS_MAX : dev->nr_mmio == VMM_MMIO_MAX)
		return complain(c, "more than %d ranges of %s", VMM_IO_PORTS_MAX, key);
	if (ports)
		dev->ports[dev->nr_ports++] = range;
	else
		dev->mmio[dev->nr_mmio++] = range;
	return 0;
}

/* Return: whether one of @a is one of @b. */
static bool meet(const struct range *a, int nr_a, const struct range *b, int nr_b)
{
	int i, k;

	for (i = 0; i < nr_a; i++)
		for (k = 0; k < nr_b; k++)
			if (ranges_meet(&a[i], &b[k]))
				return true;
	return false;
}

static bool devices_meet(const struct platform_device *a, const struct platform_device *b)
{
	return meet(a->ports, a->nr_ports, b->ports, b->nr_ports) ||
	       meet(a->mmio, a->nr_mmio, b->mmio, b->nr_mmio);
}

/* Return: the name of one of @a that wants what one of @b has, or NULL. */
const char *platform_meets(const struct platform_devices *a, const struct platform_devices *b)
{
	int i, k;

	for (i = 0; i < a->nr; i++)
		for (k = 0; k < b->nr; k++)
			if (devices_meet(&a->dev[i], &b->dev[k]))
				return a->dev[i].name;
	return NULL;
}

static bool meets_itself(const struct platform_device *dev)
{
	int i;

	for (i = 1; i < dev->nr_ports; i++)
		if (meet(dev->ports, i, &dev->ports[i], 1))
			return true;
	for (i = 1; i < dev->nr_mmio; i++)
		if (meet(dev->mmio, i, &dev->mmio[i], 1))
			return true;
	return false;
}

/* Return: NULL: there is none of that name. */
const struct platform_device *platform_find(const struct platform_devices *list, const char *name)
{
	int i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->dev[i].name, name))
			return &list->dev[i];
	return NULL;
}

/* All that they have together. Return: how many; @ports: room for VMM_IO_PORTS_MAX, or NULL. */
int platform_ports(const struct platform_devices *list, struct range *ports)
{
	int i, k, nr = 0;

	for (i = 0; i < list->nr; i++)
		for (k = 0; k < list->dev[i].nr_ports; k++, nr++)
			if (ports)
				ports[nr] = list->dev[i].ports[k];
	return nr;
}

/* Likewise. */
int platform_mmio(const struct platform_devices *list, struct vmm_mmio *mmio)
{
	int i, k, nr = 0;

	for (i = 0; i < list->nr; i++)
		for (k = 0; k < list->dev[i].nr_mmio; k++, nr++)
			if (mmio)
				mmio[nr] = (struct vmm_mmio) { .at = list->dev[i].mmio[k] };
	return nr;
}

/* Return: 0 or -EINVAL. */
int platform_add(struct platform_devices *list, const struct platform_device *dev,
		 struct complaint *c)
{
	const struct platform_devices one = { .nr = 1, .dev[0] = *dev };

	if (!device_name_valid(dev->name))
		return complain(c, "'%s' is no name for a device: " DEVICE_NAME_RULE, dev->name);
	if (platform_find(list, dev->name))
		return complain(c, "there is a device '%s' already", dev->name);
	if (!dev->nr_ports && !dev->nr_mmio)
		return complain(c, "the device '%s' has neither io-ports nor mmio", dev->name);
	if (meets_itself(dev) || platform_meets(&one, list))
		return complain(c, "the device '%s' has ports or memory that are there already",
				dev->name);
	if (list->nr == PLATFORM_DEVICES_MAX ||
	    platform_ports(list, NULL) + dev->nr_ports > VMM_IO_PORTS_MAX ||
	    platform_mmio(list, NULL) + dev->nr_mmio > VMM_MMIO_MAX)
		return complain(c, "more than %d devices with io-ports and mmio, or ranges of them",
				PLATFORM_DEVICES_MAX);
	list->dev[list->nr++] = *dev;
	return 0;
}

static bool same(const struct range *a, int nr_a, const struct range *b, int nr_b)
{
	int i;

	if (nr_a != nr_b)
		return false;
	for (i = 0; i < nr_a; i++)
		if (a[i].first != b[i].first || a[i].last != b[i].last)
			return false;
	return true;
}

bool platform_equal(const struct platform_devices *a, const struct platform_devices *b)
{
	int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++) {
		const struct platform_device *x = &a->dev[i], *y = &b->dev[i];

		if (strcmp(x->name, y->name) ||
		    !same(x->ports, x->nr_ports, y->ports, y->nr_ports) ||
		    !same(x->mmio, x->nr_mmio, y->mmio, y->nr_mmio))
			return false;
	}
	return true;
}

static void add_ranges(struct json_object *obj, const char *key, const struct range *range, int nr)
{
	struct json_object *array;
	char text[48];
	int i;

	if (!nr)
		return;
	array = json_object_new_array();
	for (i = 0; i < nr; i++) {
		snprintf(text, sizeof(text), "0x%llx-0x%llx", (unsigned long long)range[i].first,
			 (unsigned long long)range[i].last);
		json_object_array_add(array, json_object_new_string(text));
	}
	js_add(obj, key, array);
}

/* @array: of what a VM has of the host's: they are added. */
void platform_json(const struct platform_devices *list, struct json_object *array)
{
	int i;

	for (i = 0; i < list->nr; i++) {
		const struct platform_device *dev = &list->dev[i];
		struct json_object *obj = js_new("name", dev->name);

		add_ranges(obj, "io-ports", dev->ports, dev->nr_ports);
		add_ranges(obj, "mmio", dev->mmio, dev->nr_mmio);
		json_object_array_add(array, obj);
	}
}

/* Is that one of these, and none of PCI's? */
bool platform_is(struct json_object *obj)
{
	return js_get(obj, "io-ports") || js_get(obj, "mmio");
}

static int take_ranges(struct platform_device *dev, const char *key, struct json_object *array,
		       struct complaint *c)
{
	size_t i;

	if (!json_object_is_type(array, json_type_array))
		return complain(c, "a device's '%s' has the wrong type", key);
	for (i = 0; i < json_object_array_length(array); i++) {
		const char *text = json_plain(json_object_array_get_idx(array, i));

		if (!text)
			return complain(c, "a device's '%s' has the wrong type", key);
		if (platform_set(dev, key, text, c))
			return -1;
	}
	return 0;
}

static int take(struct platform_device *dev, const char *key, struct json_object *value,
		struct complaint *c)
{
	const char *text = json_plain(value);
	int i;

	for (i = 0; platform_keys[i]; i++)
		if (!strcmp(key, platform_keys[i]))
			return take_ranges(dev, key, value, c);
	if (strcmp(key, "name"))
		return complain(c, "a device with io-ports or mmio has no '%.40s'", key);
	if (!text || !device_name_valid(text))
		return complain(c, "'%.100s' is no name for a device: " DEVICE_NAME_RULE,
				text ?: "");
	snprintf(dev->name, sizeof(dev->name), "%s", text);
	return 0;
}

/* The way back: @obj, of which nothing is trusted, becomes one more. Return: 0 or less. */
int platform_from_json(struct platform_devices *list, struct json_object *obj,
		       struct complaint *c)
{
	struct platform_device dev = { 0 };

	json_object_object_foreach(obj, key, value) {
		if (value && take(&dev, key, value, c))
			return -1;
	}
	return platform_add(list, &dev, c);
}
