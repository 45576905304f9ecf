// SPDX-License-Identifier: GPL-2.0-only
/* vmctl memory: how much memory a guest has plugged in, and is to have. */
#include "amount.h"

static const struct opt options[] = {
	AMOUNT_OPT_WAIT,
	AMOUNT_OPT_TIMEOUT,
	OPT_JSON(struct amount_args),
	OPT_SOCKET,
	OPT_END,
};

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct amount what = { .verb = "memory", .member = "plugged" };

	return amount_run(cmd, argc, argv, &what);
}

const struct command cmd_memory = {
	.name = "memory",
	.run = run,
	.args = "VM [SIZE]",
	.help = "show how much memory a VM has, and plug some in or out",
	.more =
	"SIZE is what the VM is to have: from the memory it starts with to that and 'pluggable'\n"
	"of its definition. The guest does it as far as it can.\n",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 2,
};
