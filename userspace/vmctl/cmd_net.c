// SPDX-License-Identifier: GPL-2.0-only
/* vmctl net: the networks of a VM, also while it runs. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "error.h"
#include "net_json.h"
#include "out.h"
#include "table.h"
#include "vmctl.h"

static int add(const struct device_args *args, const struct device_kind *kind)
{
	struct json_object *net;
	const char *wrong;

	if (args->args.nr_operands != 3)
		return usage_error("net", "give one VM and one network to add");
	net = net_json(args->args.operand[2], &wrong);
	if (!net)
		return usage_error("net", "'%s' %s", args->args.operand[2], wrong);
	return device_add(args, kind, net);
}

static void print(struct json_object *result)
{
	struct json_object *nets = out_member(result, "interfaces");
	struct table table;
	size_t i;

	table_start(&table, 4, 0);
	table_cell(&table, "NAME");
	table_cell(&table, "SWITCH");
	table_cell(&table, "MAC");
	table_cell(&table, "TAP");
	for (i = 0; json_object_is_type(nets, json_type_array) &&
	     i < json_object_array_length(nets); i++) {
		struct json_object *net = json_object_array_get_idx(nets, i);
		const char *into = out_text(net, "switch") ?: out_text(net, "macvtap");

		table_cell(&table, "%s", out_text(net, "name"));
		table_cell(&table, "%s", out_flag(net, "user") ? "(user)" : into ?: "-");
		table_cell(&table, "%s", out_text(net, "mac") ?: "-");
		table_cell(&table, "%s", out_text(net, "tap") ?: "-");
	}
	table_print(&table);
}

static const struct device_kind kind = {
	.name = "net",
	.member = "interface",
	.add = add,
	.print = print,
};

static int run(const struct command *cmd, int argc, char **argv)
{
	return device_run(cmd, argc, argv, &kind);
}

const struct command cmd_net = {
	.name = "net",
	.run = run,
	.args = "add VM KIND[,OPTION]... | remove VM NAME... | list VM",
	.help = "give a VM a network or take one away, also while it runs",
	.more =
	"The networks are those of 'vmctl create --net'. A guest that runs is asked to let go\n"
	"of a network; it may take its time, or never answer. A created VM keeps what is\n"
	"added; one of the configuration keeps it until the configuration is read again.\n",
	.options = device_options,
	.operand = OPERAND_WORD,
	.words = "add remove list",
	.of_vm = true,
	.least = 1,
	.most = OPERANDS_ANY,
};
