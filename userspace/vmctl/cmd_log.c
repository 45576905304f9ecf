// SPDX-License-Identifier: GPL-2.0-only
/* vmctl log: what a VM's console has printed. */
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "attach.h"
#include "client.h"
#include "error.h"
#include "opt.h"
#include "out.h"
#include "vmctl.h"

#define BYTES_MAX	65536

struct log_args {
	struct args args;
	u64 bytes;
	bool follow;
};

static const struct opt options[] = {
	OPT_NUMBER("bytes", 'n', struct log_args, bytes, 1, BYTES_MAX,
		   "the last N only (65536)"),
	OPT_FLAG("follow", 'f', struct log_args, follow,
		 "and what is printed from now on, until the guest ends"),
	OPT_JSON(struct log_args),
	OPT_SOCKET,
	OPT_END,
};

static int follow(struct client *client, const struct log_args *args)
{
	struct attach attach = {
		.vm = args->args.operand[0],
		.read_only = true,
		.scrollback = args->bytes,
	};
	int fd = attach_open(client, &attach), end;

	if (fd < 0)
		return -fd;
	end = attach_carry(fd, &attach, false, NULL, NULL);
	close(fd);
	if (end == ATTACH_BROKEN)
		return fail("failed", NULL, "nobody takes what the log says");
	return end > ATTACH_SIGNAL ? end : 0;
}

static int print(struct client *client, const struct log_args *args)
{
	struct json_object *request = client_request("log"), *log = NULL;
	struct json_object *text;
	int code;

	json_object_object_add(request, "vm",
			       json_object_new_string(args->args.operand[0]));
	json_object_object_add(request, "bytes",
			       json_object_new_uint64(args->bytes));
	code = client_call(client, request, CLIENT_TIMEOUT_MS, &log);
	if (code)
		return code;
	text = out_member(log, "text");
	if (args->args.json) {
		json_object_object_add(log, "vm",
				       json_object_new_string(args->args.operand[0]));
		out_json(log);
	} else if (text) {
		fwrite(json_object_get_string(text), 1,
		       (size_t)json_object_get_string_len(text), stdout);
	}
	json_object_put(log);
	return 0;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct log_args args = { .bytes = BYTES_MAX };
	struct client client;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.follow && args.args.json)
		return usage_error(cmd->name, "--follow and --json do not go together");
	code = client_open(&client);
	if (code)
		return code;
	code = args.follow ? follow(&client, &args) : print(&client, &args);
	client_close(&client);
	return code;
}

const struct command cmd_log = {
	.name = "log",
	.run = run,
	.args = "VM",
	.help = "show what a VM's console has printed",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 1,
};
