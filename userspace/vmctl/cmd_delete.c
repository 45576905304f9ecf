// SPDX-License-Identifier: GPL-2.0-only
/* vmctl delete */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "delete",
		.host_op = HOST_NONE,
		.done = "deleted",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_delete = {
	.name = "delete",
	.run = run,
	.args = "VM...",
	.help = "forget a VM that was created",
	.more = "Its definition and console log go, its disks stay. It must not run. A VM of\n"
		"the configuration files goes by taking it out of there.\n",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
