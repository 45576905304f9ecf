// SPDX-License-Identifier: GPL-2.0-only
/* vmctl pause */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "pause",
		.host_op = HOST_PAUSE,
		.done = "paused",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_pause = {
	.name = "pause",
	.run = run,
	.args = "VM...",
	.help = "keep a VM's vCPUs from the guest",
	.more = "All vCPUs, until 'vmctl resume'. The guest's clocks go on.\n",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
