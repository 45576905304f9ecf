// SPDX-License-Identifier: GPL-2.0-only
/* vmctl stop: the power button, and the plug. */
#include <json-c/json.h>

#include "act.h"
#include "client.h"
#include "out.h"
#include "vmctl.h"

#define NOT_GIVEN	UINT64_MAX
#define MARGIN_MS	10000	/* vmd's own time to answer */

struct stop_args {
	struct args args;
	bool force;
	u64 timeout_ms;
};

static const struct opt options[] = {
	OPT_FLAG("force", 'f', struct stop_args, force,
		 "end it at once, or after --timeout: the guest is lost"),
	OPT_TIME("timeout", 't', struct stop_args, timeout_ms,
		 "wait so long for the guest (60); 0: do not wait"),
	OPT_JSON(struct stop_args),
	OPT_SOCKET,
	OPT_END,
};

static int run(const struct command *cmd, int argc, char **argv)
{
	struct stop_args args = { .timeout_ms = NOT_GIVEN };
	struct act act = {
		.op = "stop", .host_op = HOST_STOP, .done = "stopped",
		.host_done = "asked to stop",
		.doing = "stopping", .timeout_ms = 60000 + MARGIN_MS,
	};
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	act.members = json_object_new_object();
	if (args.force) {
		act.host_op = HOST_KILL;
		act.host_done = "stopped";
		json_object_object_add(act.members, "force",
				       json_object_new_boolean(true));
	}
	if (args.timeout_ms != NOT_GIVEN) {
		act.timeout_ms = (int)min(args.timeout_ms + MARGIN_MS,
					  (u64)INT32_MAX);
		json_object_object_add(act.members, "timeout",
				       out_decimal((double)args.timeout_ms / 1000));
		if (!args.timeout_ms && !args.force)
			act.done = "stopping";
	}
	return act_each(&args.args, &act);
}

const struct command cmd_stop = {
	.name = "stop",
	.run = run,
	.args = "VM...",
	.help = "press a VM's power button, and wait until it is off",
	.more = "A VM that is not vmd's is asked over netlink, and not waited for.\n",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
