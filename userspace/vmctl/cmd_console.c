// SPDX-License-Identifier: GPL-2.0-only
/* vmctl console: the guest's console on this terminal. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "client.h"
#include "error.h"
#include "opt.h"
#include "out.h"
#include "vmctl.h"

#define SCROLLBACK_MAX	65536
#define END_SECONDS	1

struct console_args {
	struct args args;
	struct attach attach;
};

static const struct opt options[] = {
	OPT_FLAG("read-only", 'r', struct console_args, attach.read_only,
		 "look only: there may be several who do"),
	OPT_FLAG("force", 'f', struct console_args, attach.force,
		 "who writes now may only read from here on"),
	OPT_NUMBER("scrollback", 'n', struct console_args, attach.scrollback, 0,
		   SCROLLBACK_MAX, "bytes of what was printed before (4096)"),
	OPT_FLAG("json", 0, struct console_args, args.json,
		 "tell how it ended as JSON on standard error"),
	OPT_SOCKET,
	OPT_END,
};

/* On a connection of its own; the console is not kept waiting for the guest. */
static void power(void *arg)
{
	const struct attach *attach = arg;
	struct json_object *request = client_request("stop");

	json_object_object_add(request, "vm", json_object_new_string(attach->vm));
	json_object_object_add(request, "timeout", json_object_new_int(0));
	client_once(request, CLIENT_TIMEOUT_MS, NULL);
}

static struct json_object *ask(struct client *client, const char *op, const char *vm)
{
	struct json_object *request = client_request(op);
	struct json_object *answer = NULL, *result = NULL;

	json_object_object_add(request, "vm", json_object_new_string(vm));
	if (!strcmp(op, "wait"))
		json_object_object_add(request, "timeout",
				       json_object_new_int(END_SECONDS));
	if (!client_try(client, request, CLIENT_TIMEOUT_MS, &answer))
		result = json_object_get(out_member(answer, "result"));
	json_object_put(answer);
	return result;
}

/*
 * How the VM is now; the caller puts it. NULL: nobody knows. Its console ends a little
 * before vmd knows of its end; but at a reset it goes on.
 */
static struct json_object *state_of(const char *vm)
{
	struct json_object *result;
	struct client client;

	if (client_connect(&client))
		return NULL;
	result = ask(&client, "wait", vm);
	if (!result)
		result = ask(&client, "show", vm);
	client_close(&client);
	return result;
}

static void tell_text(struct json_object *vm, const char *typed, int end)
{
	const char *state = out_text(vm, "state");
	const char *why = out_text(out_member(vm, "last"), "message");

	if (end == ATTACH_DETACHED)
		fprintf(stderr, "\nvmctl: left the console of %s\n", typed);
	else if (end == ATTACH_CLOSED)
		fprintf(stderr, "vmctl: the console of %s ended: %s%s%s\n", typed,
			state ? state : "vmd does not answer", why ? ", " : "",
			why ? why : "");
}

static void tell_json(struct json_object *vm, const char *typed, int end)
{
	struct json_object *whole = json_object_new_object();

	json_object_object_add(whole, "verb", json_object_new_string("console"));
	json_object_object_add(whole, "vm", json_object_new_string(typed));
	json_object_object_add(whole, "end",
			       json_object_new_string(end == ATTACH_DETACHED ?
						      "detached" :
						      end == ATTACH_CLOSED ?
						      "closed" : "signal"));
	json_object_object_add(whole, "state", out_string(out_text(vm, "state")));
	json_object_object_add(whole, "last",
			       json_object_get(out_member(vm, "last")));
	out_json_to(stderr, whole);
	json_object_put(whole);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct console_args args = { .attach.scrollback = 4096 };
	struct json_object *vm = NULL;
	struct client client;
	int code, fd, end;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	args.attach.vm = args.args.operand[0];
	code = client_open(&client);
	if (code)
		return code;
	fd = attach_open(&client, &args.attach);
	client_close(&client);
	if (fd < 0)
		return -fd;
	if (isatty(STDIN_FILENO) && !args.args.json)
		fprintf(stderr, "vmctl: console of %s: Ctrl-A x leaves\n",
			args.attach.vm);
	end = attach_carry(fd, &args.attach, true, power, &args.attach);
	close(fd);
	if (end == ATTACH_BROKEN)
		return fail("failed", NULL, "nobody takes what the console prints");
	if (end == ATTACH_CLOSED)
		vm = state_of(args.attach.vm);
	if (args.args.json)
		tell_json(vm, args.attach.vm, end);
	else
		tell_text(vm, args.attach.vm, end);
	json_object_put(vm);
	return end > ATTACH_SIGNAL ? end : 0;
}

const struct command cmd_console = {
	.name = "console",
	.run = run,
	.args = "VM",
	.help = "use a VM's console on this terminal",
	.more = "Ctrl-A x (or Ctrl-A d) leaves, and the guest goes on; Ctrl-A p presses its power\n"
		"button, Ctrl-A a sends Ctrl-A. It ends by itself when the guest does.\n",
	.options = options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 1,
};
