// SPDX-License-Identifier: GPL-2.0-only
/* vmctl disk: the disks of a VM, also while it runs. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "client.h"
#include "device.h"
#include "error.h"
#include "out.h"
#include "parse.h"
#include "table.h"
#include "vmctl.h"
#include "vmm/disk_json.h"

#define MIB	(1ULL << 20)

static int add(const struct device_args *args, const struct device_kind *kind)
{
	struct disk_options disk;
	const char *wrong;

	if (args->args.nr_operands != 3)
		return usage_error("disk", "give one VM and one disk to add");
	wrong = disk_parse(args->args.operand[2], &disk);
	if (wrong)
		return usage_error("disk", "'%s' %s", args->args.operand[2], wrong);
	return device_add(args, kind,
			  disk_json(out_path(args->args.operand[2]), &disk));
}

static int resize_disk(struct device_args *args)
{
	struct act act = {
		.op = "disk-resize",
		.host_op = HOST_NONE,
		.done = "disk resized",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};
	char **operand = args->args.operand;
	u64 size;

	if (args->args.nr_operands != 4)
		return usage_error("disk", "give one VM, one disk and its new size");
	if (!parse_size(operand[3], &size) || !size || size % MIB || size > INT64_MAX)
		return usage_error("disk", "bad size '%s': give whole MiB, with M, G or T",
				   operand[3]);
	act.members = json_object_new_object();
	json_object_object_add(act.members, "disk", json_object_new_string(operand[2]));
	json_object_object_add(act.members, "size", json_object_new_uint64(size));
	args->args.operand++;
	args->args.nr_operands = 1;
	return act_each(&args->args, &act);
}

/* "ro,serial=X": what is not as usual. */
static void print_options(struct json_object *disk, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	json_object_object_foreach(disk, key, value) {
		bool flag = json_object_is_type(value, json_type_boolean);

		if (!strcmp(key, "name") || !strcmp(key, "path") || len >= size ||
		    (!strcmp(key, "readonly") && !json_object_get_boolean(value)))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s%s%s", len ? "," : "",
					strcmp(key, "readonly") ? key : "ro",
					flag && json_object_get_boolean(value) ? "" : "=",
					!flag ? json_object_get_string(value) :
					json_object_get_boolean(value) ? "" : "off");
	}
}

static void print(struct json_object *result)
{
	struct json_object *disks = out_member(result, "disks");
	struct table table;
	char text[512];
	size_t i;

	table_start(&table, 3, 0);
	table_cell(&table, "NAME");
	table_cell(&table, "OPTIONS");
	table_cell(&table, "FILE");
	for (i = 0; json_object_is_type(disks, json_type_array) &&
	     i < json_object_array_length(disks); i++) {
		struct json_object *disk = json_object_array_get_idx(disks, i);

		print_options(disk, text, sizeof(text));
		table_cell(&table, "%s", out_text(disk, "name"));
		table_cell(&table, "%s", *text ? text : "-");
		table_cell(&table, "%s", out_text(disk, "path"));
	}
	table_print(&table);
}

static const struct device_kind kind = {
	.name = "disk",
	.member = "disk",
	.add = add,
	.print = print,
	.resize = resize_disk,
};

static int run(const struct command *cmd, int argc, char **argv)
{
	return device_run(cmd, argc, argv, &kind);
}

const struct command cmd_disk = {
	.name = "disk",
	.run = run,
	.args = "add VM FILE[,OPTION]... | remove VM DISK... | resize VM DISK SIZE | list VM",
	.help = "give a VM a disk or take one away, also while it runs",
	.more =
	"The options of a disk are those of 'vmctl run --disk'. A guest that runs is asked\n"
	"to let go of a disk; it may take its time, or never answer. The file is opened with\n"
	"your rights. A created VM keeps what is added; one of the configuration keeps it\n"
	"until the configuration is read again. For resize DISK is its name, its number, from\n"
	"0, its path or its serial number; SIZE has a suffix M, G or T. A file grows; of a\n"
	"block device SIZE is at most what it has. The guest is told.\n",
	.options = device_options,
	.operand = OPERAND_WORD,
	.words = "add remove resize list",
	.of_vm = true,
	.least = 1,
	.most = OPERANDS_ANY,
};
