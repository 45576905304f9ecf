// SPDX-License-Identifier: GPL-2.0-only
/* vmctl balloon: how much memory a guest keeps, and is to keep. */
#include "amount.h"

static const struct opt options[] = {
	OPT_FLAG("reclaim", 'r', struct amount_args, reclaim,
		 "take back what the guest has free, once"),
	AMOUNT_OPT_WAIT,
	AMOUNT_OPT_TIMEOUT,
	OPT_JSON(struct amount_args),
	OPT_SOCKET,
	OPT_END,
};

static int run(const struct command *cmd, int argc, char **argv)
{
	static const struct amount what = {
		.verb = "balloon", .member = "balloon", .reclaims = true,
	};

	return amount_run(cmd, argc, argv, &what);
}

const struct command cmd_balloon = {
	.name = "balloon",
	.run = run,
	.args = "VM [SIZE] | --reclaim VM",
	.help = "show how much memory a guest keeps, and set it",
	.more =
	"SIZE is what the guest is to keep, at most the VM's memory. With --reclaim it may keep all\n"
	"that it has: what it does not use goes back to the host until it does.\n",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 2,
};
