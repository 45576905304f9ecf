// SPDX-License-Identifier: GPL-2.0-only
/* vmctl disk resize */
#include <json-c/json.h>
#include <string.h>

#include "act.h"
#include "client.h"
#include "error.h"
#include "parse.h"
#include "vmctl.h"

#define MIB	(1ULL << 20)

enum { OPERAND_WHAT, OPERAND_WHOSE, OPERAND_DISK, OPERAND_SIZE };

static int run(const struct command *cmd, int argc, char **argv)
{
	struct act act = {
		.op = "disk-resize",
		.host_op = HOST_NONE,
		.done = "disk resized",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};
	struct args args = { 0 };
	int code;
	u64 size;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (strcmp(args.operand[OPERAND_WHAT], "resize"))
		return usage_error("disk", "'%s' is nothing to do to a disk: give resize",
				   args.operand[OPERAND_WHAT]);
	if (!parse_size(args.operand[OPERAND_SIZE], &size) || !size || size % MIB ||
	    size > INT64_MAX)
		return usage_error("disk", "bad size '%s': give whole MiB, with M, G or T",
				   args.operand[OPERAND_SIZE]);
	act.members = json_object_new_object();
	json_object_object_add(act.members, "disk",
			       json_object_new_string(args.operand[OPERAND_DISK]));
	json_object_object_add(act.members, "size", json_object_new_uint64(size));
	args.operand += OPERAND_WHOSE;
	args.nr_operands = 1;
	return act_each(&args, &act);
}

const struct command cmd_disk = {
	.name = "disk",
	.run = run,
	.args = "resize VM DISK SIZE",
	.help = "make a running VM's disk larger",
	.more =
	"DISK is its number, from 0, its path or its serial number; SIZE has a suffix M, G or T.\n"
	"A file grows; of a block device SIZE is at most what it has. The guest is told.\n",
	.options = act_options,
	.operand = OPERAND_NONE,
	.least = 4,
	.most = 4,
};
