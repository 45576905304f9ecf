// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl device list and show: devices of the host, read from sysfs. vmd adds who has them, if it
 * is there.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "device_list.h"
#include "error.h"
#include "hostdev/hostdev.h"
#include "hostdev_json.h"
#include "opt.h"
#include "out.h"
#include "show.h"
#include "table.h"

/* What VMs have, as vmd tells it; NULL: it is not there. */
static struct json_object *ask_vmd(void)
{
	struct json_object *answer = NULL, *list = NULL;
	struct client client;

	if (client_connect(&client))
		return NULL;
	if (!client_try(&client, client_request("device-list"), CLIENT_TIMEOUT_MS, &answer)) {
		list = json_object_get(out_member(out_member(answer, "result"), "devices"));
		json_object_put(answer);
	}
	client_close(&client);
	return list;
}

static struct json_object *assigned_of(struct json_object *list, const char *addr)
{
	size_t i;

	for (i = 0; json_object_is_type(list, json_type_array) &&
	     i < json_object_array_length(list); i++) {
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

static void print_row(struct table *table, struct json_object *dev)
{
	struct json_object *sriov = out_member(dev, "sriov");
	const char *name = out_text(dev, "device-name");

	table_cell(table, "%s", out_text(dev, "address"));
	if (out_member(dev, "group"))
		table_cell(table, "%lld", (long long)out_number(dev, "group"));
	else
		table_cell(table, "-");
	table_cell(table, "%s", out_text(dev, "driver") ?: "-");
	if (sriov)
		table_cell(table, "%lld/%lld", (long long)out_number(sriov, "count"),
			   (long long)out_number(sriov, "most"));
	else
		table_cell(table, "%s", out_text(dev, "vf-of") ? "(vf)" : "-");
	table_cell(table, "%s", out_text(dev, "vm") ?: out_flag(dev, "bare") ? "(bound)" : "-");
	if (name)
		table_cell(table, "%s %s", out_text(dev, "kind"), name);
	else
		table_cell(table, "%s %s:%s", out_text(dev, "kind"), out_text(dev, "vendor"),
			   out_text(dev, "device"));
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
	for (i = 0; i < nr; i++) {
		struct json_object *dev;

		if (hostdev_is_bridge(&list[i]))
			continue;
		dev = json_of(&list[i], assigned);
		print_row(&table, dev);
		json_object_put(dev);
	}
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
	assigned = ask_vmd();
	if (args->json) {
		whole = json_object_new_object();
		all = json_object_new_array();
		for (i = 0; i < nr; i++)
			json_object_array_add(all, json_of(&list[i], assigned));
		json_object_object_add(whole, "devices", all);
		out_json(whole);
		json_object_put(whole);
	} else {
		print(list, nr, assigned);
	}
	json_object_put(assigned);
	free(list);
	return 0;
}

/* Look at one that is named on the command line. Return: 0, or the exit code, told. */
int device_read(const char *typed, struct hostdev *dev)
{
	char addr[PCI_ADDR_SIZE];

	if (pci_addr_parse(typed, addr))
		return usage_error("device", "'%s' is no PCI address: give one as 0000:01:00.0",
				   typed);
	if (hostdev_read("", addr, dev))
		return fail("not-found", "'vmctl device list' shows those there are",
			    "the host has no PCI device %s", addr);
	return 0;
}

int device_show(const struct args *args)
{
	struct json_object *assigned, *obj;
	struct hostdev dev;
	int code = device_read(args->operand[1], &dev);

	if (code)
		return code;
	assigned = ask_vmd();
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
