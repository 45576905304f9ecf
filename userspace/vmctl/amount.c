// SPDX-License-Identifier: GPL-2.0-only
/* An amount that a guest is asked for: how much it is, and is to be. */
#include <json-c/json.h>
#include <stdio.h>

#include "amount.h"
#include "error.h"
#include "opt.h"
#include "out.h"
#include "parse.h"
#include "show.h"
#include "target.h"
#include "vmctl.h"

#define NOT_GIVEN	UINT64_MAX
#define MARGIN_MS	10000	/* vmd's own time to answer */

static struct json_object *request_of(const struct amount_args *args, const char *verb,
				      u64 target)
{
	struct json_object *request = client_request(verb);

	if (target)
		json_object_object_add(request, "target",
				       json_object_new_uint64(target));
	if (args->wait)
		json_object_object_add(request, "wait", json_object_new_boolean(true));
	if (args->reclaim)
		json_object_object_add(request, "reclaim", json_object_new_boolean(true));
	if (args->timeout_ms != NOT_GIVEN)
		json_object_object_add(request, "timeout",
				       out_decimal((double)args->timeout_ms / 1000));
	return request;
}

static void tell(const struct amount_args *args, const struct amount *what,
		 struct json_object *vm)
{
	struct json_object *whole;

	if (!args->args.json) {
		show_value("name", out_member(vm, "name"), 0);
		show_value("memory", out_member(vm, "memory"), 0);
		show_object(out_member(vm, what->member), 0);
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "verb", json_object_new_string(what->verb));
	json_object_object_add(whole, "vm", json_object_get(vm));
	out_json(whole);
	json_object_put(whole);
}

static int ask(const struct amount_args *args, const struct amount *what, u64 target_bytes)
{
	const char *typed = args->args.operand[0];
	int timeout = CLIENT_TIMEOUT_MS, code;
	struct json_object *vm = NULL;
	struct target target;

	/* vmd has its own limit for what it reclaims. */
	if (args->wait || args->reclaim)
		timeout = args->timeout_ms == NOT_GIVEN ? CLIENT_FOREVER :
			  (int)min(args->timeout_ms + MARGIN_MS, (u64)INT32_MAX);
	code = target_open(&target);
	if (!code && target.client_err)
		code = client_fail(target.client_err);
	if (!code && (args->wait || args->reclaim))
		progress("waiting for %s", typed);
	if (!code)
		code = target_ask(&target, typed, request_of(args, what->verb, target_bytes),
				  timeout, &vm);
	if (code == TARGET_ELSEWHERE) {
		code = target_find(&target, typed, &vm);
		if (!code)
			code = target_not_managed(vm, what->verb);
	} else if (!code) {
		tell(args, what, vm);
	}
	json_object_put(vm);
	target_close(&target);
	return code;
}

/**
 * amount_run() - a verb that asks for an amount
 * @cmd: its command, with AMOUNT_OPT_*
 * @argc: of @argv
 * @argv: operands and options
 * @what: the amount
 *
 * Return: exit code.
 */
int amount_run(const struct command *cmd, int argc, char **argv, const struct amount *what)
{
	struct amount_args args = { .timeout_ms = NOT_GIVEN };
	u64 target = 0;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.args.nr_operands > 1 &&
	    (!parse_size(args.args.operand[1], &target) || !target || target > INT64_MAX))
		return usage_error(cmd->name, "bad size '%s': give a number with K, M or G",
				   args.args.operand[1]);
	if (args.reclaim && (target || args.wait))
		return usage_error(cmd->name, "--reclaim is without a size, and waits by itself");
	if (args.timeout_ms != NOT_GIVEN && !args.wait && !args.reclaim)
		return usage_error(cmd->name, "--timeout is of --wait%s",
				   what->reclaims ? " and --reclaim" : "");
	return ask(&args, what, target);
}
