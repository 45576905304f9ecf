// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl device list and show: devices of the host, read from sysfs. vmd and the module add who
 * has them, if they are there.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_list.h"
#include "error.h"
#include "hostdev/hostdev.h"
#include "hostdev_json.h"
#include "opt.h"
#include "out.h"
#include "show.h"
#include "table.h"
#include "vms.h"

#define NAME_SIZE	128

static struct json_object *assigned_of(struct json_object *list, const char *addr)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *host = out_text(one, "host");

		if (host && !strcmp(host, addr))
			return one;
	}
	return NULL;
}

static struct json_object *json_of(const struct hostdev *dev, struct json_object *assigned)
{
	return hostdev_json(dev, assigned_of(assigned, dev->addr));
}

/* Whose a device is, for people. */
static const char *whose(const struct hostdev *dev, struct json_object *assigned)
{
	const char *vm = out_text(assigned_of(assigned, dev->addr), "vm");
	struct hostdev_state state;

	if (vm)
		return vm;
	return !hostdev_state(dev->root, dev->addr, &state) && state.bare ? "(bound)" : "-";
}

/* What takes longer to find out, whether it can be given away for one, is not in the table. */
static void print_row(struct table *table, const struct hostdev *dev, struct json_object *assigned)
{
	const char *kind = hostdev_class_name(dev->class);
	char vendor[NAME_SIZE], device[NAME_SIZE];

	table_cell(table, "%s", dev->addr);
	if (dev->group >= 0)
		table_cell(table, "%d", dev->group);
	else
		table_cell(table, "-");
	table_cell(table, "%s", *dev->driver ? dev->driver : "-");
	if (dev->total_vfs)
		table_cell(table, "%u/%u", dev->nr_vfs, dev->total_vfs);
	else
		table_cell(table, "%s", *dev->physfn ? "(vf)" : "-");
	table_cell(table, "%s", whose(dev, assigned));
	hostdev_names(dev, vendor, device, NAME_SIZE);
	if (*device)
		table_cell(table, "%s %s", kind, device);
	else
		table_cell(table, "%s %04x:%04x", kind, dev->vendor, dev->device);
}

/* Those that are not PCI's: their ports and memory. Return: an array, the caller's. */
static struct json_object *platform_of(struct json_object *assigned)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(assigned); i++) {
		struct json_object *one = json_object_array_get_idx(assigned, i);

		if (out_member(one, "io-ports") || out_member(one, "mmio"))
			json_object_array_add(list, json_object_get(one));
	}
	return list;
}

static void add_ranges(char *text, size_t size, struct json_object *ranges)
{
	size_t i, len;

	for (i = 0; json_object_is_type(ranges, json_type_array) &&
	     i < json_object_array_length(ranges); i++) {
		len = strlen(text);
		snprintf(text + len, size - len, " %s",
			 json_object_get_string(json_object_array_get_idx(ranges, i)));
	}
}

static void print_platform(struct table *table, struct json_object *assigned)
{
	struct json_object *list = platform_of(assigned);
	size_t i, k;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		char ranges[256] = "";

		add_ranges(ranges, sizeof(ranges), out_member(one, "io-ports"));
		add_ranges(ranges, sizeof(ranges), out_member(one, "mmio"));
		for (k = 0; k < 4; k++)
			table_cell(table, "-");
		table_cell(table, "%s", out_text(one, "vm") ?: "-");
		table_cell(table, "%s%s", out_text(one, "name") ?: "", ranges);
	}
	json_object_put(list);
}

/* The host's own bridges are nobody's to give: people do not see them. */
static void print(struct hostdev *list, int nr, struct json_object *assigned)
{
	static const char *const head[] = { "ADDRESS", "GROUP", "DRIVER", "VFS", "VM", "WHAT" };
	struct table table;
	size_t k;
	int i;

	table_start(&table, ARRAY_SIZE(head), BIT(1));
	for (k = 0; k < ARRAY_SIZE(head); k++)
		table_cell(&table, "%s", head[k]);
	for (i = 0; i < nr; i++)
		if (!hostdev_is_bridge(&list[i]))
			print_row(&table, &list[i], assigned);
	print_platform(&table, assigned);
	table_print(&table);
}

/* Return: the exit code. */
int device_list(const struct args *args)
{
	struct json_object *assigned, *whole, *all;
	struct hostdev *list;
	int nr = hostdev_list("", &list), i;

	if (nr < 0) {
		free(list);
		return fail_errno(nr, "cannot read the host's PCI devices");
	}
	assigned = vms_holders();
	if (args->json) {
		whole = json_object_new_object();
		all = json_object_new_array();
		for (i = 0; i < nr; i++)
			json_object_array_add(all, json_of(&list[i], assigned));
		json_object_object_add(whole, "devices", all);
		json_object_object_add(whole, "platform", platform_of(assigned));
		out_json(whole);
		json_object_put(whole);
	} else {
		print(list, nr, assigned);
	}
	json_object_put(assigned);
	free(list);
	return 0;
}

/* Of the command line; @addr: PCI_ADDR_SIZE. Return: 0, or the exit code, told. */
int device_addr(const char *typed, char *addr)
{
	return pci_addr_parse(typed, addr) ?
	       usage_error("device", "'%s' is no PCI address: give one as 0000:01:00.0", typed) : 0;
}

/* Look at one. Return: 0, or the exit code, told. */
int device_read(const char *addr, struct hostdev *dev)
{
	if (hostdev_read("", addr, dev))
		return fail("not-found", "'vmctl device list' shows those there are",
			    "the host has no PCI device %s", addr);
	return 0;
}

int device_show(const struct args *args)
{
	struct json_object *assigned, *obj;
	char addr[PCI_ADDR_SIZE];
	struct hostdev dev;
	int code = device_addr(args->operand[1], addr) ?: device_read(addr, &dev);

	if (code)
		return code;
	assigned = vms_holders();
	obj = json_of(&dev, assigned);
	hostdev_json_interrupts(obj, &dev);
	if (args->json)
		out_json(obj);
	else
		show_object(obj, 0);
	json_object_put(obj);
	json_object_put(assigned);
	return 0;
}
