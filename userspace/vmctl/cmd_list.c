// SPDX-License-Identifier: GPL-2.0-only
/* vmctl list */
#include <json-c/json.h>
#include <stdio.h>

#include "opt.h"
#include "out.h"
#include "table.h"
#include "vmctl.h"
#include "vms.h"

struct list_args {
	struct args args;
	bool quiet;
};

static const struct opt options[] = {
	OPT_FLAG("quiet", 'q', struct list_args, quiet,
		 "names only, or ids of those without"),
	OPT_JSON(struct list_args),
	OPT_SOCKET,
	OPT_END,
};

static void add_row(struct table *table, struct json_object *vm)
{
	char id[TEXT_MAX] = "", pid[TEXT_MAX] = "", text[TEXT_MAX];
	const char *name = out_text(vm, "name"), *state = out_text(vm, "state");

	if (out_number(vm, "id"))
		snprintf(id, sizeof(id), "%lld", (long long)out_number(vm, "id"));
	if (out_number(vm, "pid"))
		snprintf(pid, sizeof(pid), "%lld", (long long)out_number(vm, "pid"));
	table_cell(table, "%s", name ? name : "");
	table_cell(table, "%s", id);
	table_cell(table, "%s", state ? state : "");
	table_cell(table, "%lld", (long long)out_number(vm, "vcpus"));
	table_cell(table, "%s", out_size((u64)out_number(vm, "memory"), text));
	table_cell(table, "%s", vms_owner(vm, text));
	table_cell(table, "%s", pid);
	table_cell(table, "%s", out_flag(vm, "managed") ? "vmd" : "");
}

static void print_text(struct json_object *vms)
{
	static const char * const head[] = {
		"NAME", "ID", "STATE", "VCPUS", "MEMORY", "OWNER", "PID", "MANAGED",
	};
	struct table table;
	size_t i;

	table_start(&table, ARRAY_SIZE(head), BIT(1) | BIT(3) | BIT(4) | BIT(6));
	for (i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&table, "%s", head[i]);
	for (i = 0; i < json_object_array_length(vms); i++)
		add_row(&table, json_object_array_get_idx(vms, i));
	table_print(&table);
}

static void print_names(struct json_object *vms)
{
	char text[TEXT_MAX];
	size_t i;

	for (i = 0; i < json_object_array_length(vms); i++)
		puts(target_name(json_object_array_get_idx(vms, i), text));
}

static void print_json(struct target *target, struct json_object *vms)
{
	struct json_object *whole = json_object_new_object();

	vms_devices(target, vms);
	json_object_object_add(whole, "vms", json_object_get(vms));
	json_object_object_add(whole, "vmd",
			       json_object_new_boolean(!target->client_err));
	json_object_object_add(whole, "netlink",
			       json_object_new_boolean(!target->host_err));
	out_json(whole);
	json_object_put(whole);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct list_args args = { 0 };
	struct json_object *vms = NULL;
	struct target target;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	code = target_open(&target);
	if (!code)
		code = vms_load(&target, &vms);
	if (!code) {
		if (args.args.json)
			print_json(&target, vms);
		else if (args.quiet)
			print_names(vms);
		else
			print_text(vms);
	}
	json_object_put(vms);
	target_close(&target);
	return code;
}

const struct command cmd_list = {
	.name = "list",
	.run = run,
	.args = "",
	.help = "list virtual machines: vmd's, and all others on this host",
	.options = options,
};
