// SPDX-License-Identifier: GPL-2.0-only
/* vmctl resume */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "resume",
		.host_op = HOST_RESUME,
		.done = "resumed",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_resume = {
	.name = "resume",
	.run = run,
	.args = "VM...",
	.help = "let a paused VM go on",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
