// SPDX-License-Identifier: GPL-2.0-only
/* vmctl wait */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "act.h"
#include "client.h"
#include "error.h"
#include "out.h"
#include "vmctl.h"

#define NOT_GIVEN	UINT64_MAX
#define MARGIN_MS	10000	/* vmd's own time to answer */
#define POLL_MS		100

struct wait_args {
	struct args args;
	const char *what;
	u64 timeout_ms;
};

static const struct opt options[] = {
	OPT_TEXT("for", 0, struct wait_args, what, "STATE", "stopped running",
		 "stopped (and failed) or running"),
	OPT_TIME("timeout", 't', struct wait_args, timeout_ms,
		 "no longer than this, then fail"),
	OPT_JSON(struct wait_args),
	OPT_SOCKET,
	OPT_END,
};

/*
 * A VM that is not vmd's is looked at: to follow events takes root before Linux 6.6.
 * Stopped, it is not there any more.
 */
static int wait_host(struct host *host, u32 id, const struct act *act)
{
	bool running = !strcmp(act->done, "running");
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	s64 left = act->timeout_ms;

	for (;;) {
		struct json_object *vm = NULL;
		const char *state;
		bool is;
		int err;

		err = host_vm(host, id, &vm);
		if (err)
			return err == -ENOENT && !running ? 0 : err;
		state = out_text(vm, "state");
		is = running && state && strcmp(state, "created") != 0;
		json_object_put(vm);
		if (is)
			return 0;
		if (act->timeout_ms >= 0 && left <= MARGIN_MS)
			return -ETIMEDOUT;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		left -= POLL_MS;
	}
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct wait_args args = { .what = "stopped", .timeout_ms = NOT_GIVEN };
	struct act act = {
		.op = "wait", .by_host = wait_host, .doing = "waiting for",
		.timeout_ms = CLIENT_FOREVER,
	};
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (strcmp(args.what, "stopped") && strcmp(args.what, "running"))
		return usage_error(cmd->name, "bad --for '%s': give stopped or running",
				   args.what);
	act.done = args.what;
	act.members = json_object_new_object();
	json_object_object_add(act.members, "for",
			       json_object_new_string(args.what));
	if (args.timeout_ms != NOT_GIVEN) {
		act.timeout_ms = (int)min(args.timeout_ms + MARGIN_MS,
					  (u64)INT32_MAX);
		json_object_object_add(act.members, "timeout",
				       out_decimal((double)args.timeout_ms / 1000));
	}
	return act_each(&args.args, &act);
}

const struct command cmd_wait = {
	.name = "wait",
	.run = run,
	.args = "VM...",
	.help = "wait until a VM is stopped, or runs",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = OPERANDS_ANY,
};
