// SPDX-License-Identifier: GPL-2.0-only
/* vmctl nmi */
#include "act.h"
#include "client.h"
#include "vmctl.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct act act = {
		.op = "nmi",
		.host_op = HOST_NMI,
		.done = "NMI injected",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};

	return act_simple(cmd, argc, argv, &act);
}

const struct command cmd_nmi = {
	.name = "nmi",
	.run = run,
	.args = "VM...",
	.help = "press a VM's NMI button",
	.more = "Each vCPU gets one: most systems then tell how they are, or panic.\n",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
