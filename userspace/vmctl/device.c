// SPDX-License-Identifier: GPL-2.0-only
/* vmctl disk and its like: KIND add VM WHAT, KIND remove VM NAME..., KIND list VM. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "device.h"
#include "error.h"
#include "out.h"
#include "vmctl.h"

#define REMOVE_MS	30000
#define MARGIN_MS	10000	/* vmd's own time to answer */

const struct opt device_options[] = {
	OPT_TEXT("name", 'n', struct device_args, name, "NAME", NULL,
		 "add: the new one's name within the VM"),
	OPT_FLAG("force", 'f', struct device_args, force,
		 "remove: whatever the guest does with it"),
	OPT_TIME("timeout", 't', struct device_args, timeout_ms,
		 "remove: wait so long for the guest (30); 0: do not wait"),
	OPT_JSON(struct device_args),
	OPT_SOCKET,
	OPT_END,
};

static struct json_object *request_of(const struct device_args *args,
				      const struct device_kind *kind, const char *what)
{
	struct json_object *request;
	char op[32];

	snprintf(op, sizeof(op), "%s-%s", kind->name, what);
	request = client_request(op);
	json_object_object_add(request, "vm", json_object_new_string(args->args.operand[1]));
	return request;
}

/* @result: the VM with "device". */
static void tell(const struct device_args *args, const char *verb, const char *done,
		 struct json_object *result)
{
	struct json_object *whole;

	if (!args->args.json) {
		printf("%s: %s %s\n", out_text(result, "name"), out_text(result, "device"),
		       done);
		fflush(stdout);
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "verb", json_object_new_string(verb));
	json_object_object_add(whole, "device",
			       json_object_get(out_member(result, "device")));
	json_object_object_del(result, "device");
	json_object_object_add(whole, "vm", json_object_get(result));
	out_json(whole);
	json_object_put(whole);
}

/**
 * device_add() - give a VM a device
 * @args: the command line
 * @kind: of which it is
 * @device: what; taken over
 *
 * Return: the exit code.
 */
int device_add(const struct device_args *args, const struct device_kind *kind,
	       struct json_object *device)
{
	struct json_object *request = request_of(args, kind, "add"), *result = NULL;
	int code;

	if (args->name)
		json_object_object_add(device, "name", json_object_new_string(args->name));
	json_object_object_add(request, kind->member, device);
	code = client_once(request, CLIENT_TIMEOUT_MS, &result);
	if (!code)
		tell(args, "add", "added", result);
	json_object_put(result);
	return code;
}

static int remove_one(const struct device_args *args, const struct device_kind *kind,
		      const char *name)
{
	struct json_object *request = request_of(args, kind, "remove"), *result = NULL;
	bool waits = args->timeout_ms || args->force;
	u64 ms = args->timeout_ms == DEVICE_NO_TIME ? REMOVE_MS : args->timeout_ms;
	int code;

	json_object_object_add(request, kind->member, json_object_new_string(name));
	json_object_object_add(request, "force", json_object_new_boolean(args->force));
	json_object_object_add(request, "timeout", out_decimal((double)ms / 1000));
	code = client_once(request, (int)min(ms + MARGIN_MS, (u64)INT32_MAX), &result);
	if (!code)
		tell(args, "remove", waits ? "removed" : "asked for", result);
	json_object_put(result);
	return code;
}

/* One that fails does not keep the others from it. Return: the first exit code. */
int device_remove(const struct device_args *args, const struct device_kind *kind)
{
	int first = 0, i;

	if (args->args.nr_operands < 3)
		return usage_error(kind->name, "no %s given", kind->member);
	for (i = 2; i < args->args.nr_operands; i++) {
		int code = remove_one(args, kind, args->args.operand[i]);

		first = first ? first : code;
	}
	return first;
}

static int list(const struct device_args *args, const struct device_kind *kind)
{
	struct json_object *result = NULL;
	int code = client_once(request_of(args, kind, "list"), CLIENT_TIMEOUT_MS, &result);

	if (!code && args->args.json)
		out_json(result);
	else if (!code)
		kind->print(result);
	json_object_put(result);
	return code;
}

/**
 * device_run() - KIND add|remove|list|resize VM ...
 * @cmd: the verb
 * @argc: of its command line
 * @argv: likewise
 * @kind: what it is about
 *
 * Return: the exit code.
 */
int device_run(const struct command *cmd, int argc, char **argv,
	       const struct device_kind *kind)
{
	struct device_args args = { .timeout_ms = DEVICE_NO_TIME };
	const char *word;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	word = args.args.operand[0];
	if (args.args.nr_operands < 2)
		return usage_error(cmd->name, "no VM given");
	if (!strcmp(word, "add"))
		return kind->add(&args, kind);
	if (!strcmp(word, "remove"))
		return device_remove(&args, kind);
	if (!strcmp(word, "list") && args.args.nr_operands == 2)
		return list(&args, kind);
	if (kind->resize && !strcmp(word, "resize"))
		return kind->resize(&args);
	return usage_error(cmd->name, "unexpected argument '%s': give add, remove%s or list",
			   strcmp(word, "list") ? word : args.args.operand[2],
			   kind->resize ? ", resize" : "");
}
