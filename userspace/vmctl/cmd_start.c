// SPDX-License-Identifier: GPL-2.0-only
/* vmctl start */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "start",
		.host_op = HOST_NONE,
		.done = "started",
		.doing = "starting",
		.timeout_ms = CLIENT_FOREVER,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_start = {
	.name = "start",
	.run = run,
	.args = "VM...",
	.help = "start a VM of vmd's",
	.more = "The answer comes when the guest runs, or with what kept it from running.\n",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
