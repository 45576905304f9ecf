// SPDX-License-Identifier: GPL-2.0-only
/* vmctl balloon: how much memory a guest keeps, and is to keep. */
#include "amount.h"

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct amount what = { .verb = "balloon", .member = "balloon" };

	return amount_run(cmd, argc, argv, &what);
}

const struct command cmd_balloon = {
	.name = "balloon",
	.run = run,
	.args = "VM [SIZE]",
	.help = "show how much memory a guest keeps, and set it",
	.more = "SIZE is what the guest is to keep, at most the VM's memory.\n",
	.options = amount_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 2,
};
