// SPDX-License-Identifier: GPL-2.0-only
/* vmctl reset */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "reset",
		.host_op = HOST_NONE,
		.done = "reset",
		.doing = "resetting",
		.timeout_ms = CLIENT_FOREVER,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_reset = {
	.name = "reset",
	.run = run,
	.args = "VM...",
	.help = "press a VM's reset button",
	.more = "It starts anew, in a new process. What the guest has not written is lost.\n",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
