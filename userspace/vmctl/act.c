// SPDX-License-Identifier: GPL-2.0-only
/* One thing, done to each of some VMs. */
#include <json-c/json.h>
#include <stdio.h>

#include "act.h"
#include "error.h"
#include "out.h"
#include "target.h"
#include "vmctl.h"

const struct opt act_options[] = {
	OPT_JSON(struct { struct args args; }),
	OPT_SOCKET,
	OPT_END,
};

static struct json_object *request_of(const struct act *act)
{
	struct json_object *request = client_request(act->op);

	if (!act->members)
		return request;
	json_object_object_foreach(act->members, name, value)
		json_object_object_add(request, name, json_object_get(value));
	return request;
}

static void tell(const struct args *args, const struct act *act, const char *done,
		 struct json_object *vm, const char *typed)
{
	struct json_object *whole;
	char text[TEXT_MAX];

	if (!args->json) {
		printf("%s: %s\n", out_text(vm, "name") || out_number(vm, "id") ?
		       target_name(vm, text) : typed, done);
		fflush(stdout);
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "verb", json_object_new_string(act->op));
	if (out_text(vm, "name")) {
		json_object_object_add(whole, "vm", json_object_get(vm));
	} else {
		vm = json_object_new_object();
		json_object_object_add(vm, "name", json_object_new_string(typed));
		json_object_object_add(whole, "vm", vm);
	}
	out_json(whole);
	json_object_put(whole);
}

/* Return: whether it can be done to a VM that is not vmd's. */
static bool possible(const struct act *act)
{
	return act->by_host || act->host_op != HOST_NONE;
}

/* A VM that is not vmd's. */
static int act_host(struct target *target, const struct act *act,
		    const char *typed, struct json_object **vm)
{
	struct json_object *now = NULL;
	int code, err;
	u32 id;

	code = target_find(target, typed, vm);
	if (code)
		return code;
	if (!possible(act)) {
		code = target_not_managed(*vm, act->op);
		goto put;
	}
	id = (u32)out_number(*vm, "id");
	err = act->by_host ? act->by_host(&target->host, id, act) :
			     host_do(&target->host, act->host_op, id);
	if (err) {
		code = host_fail(&target->host, err, typed);
		goto put;
	}
	/* As it is now, if it still is. */
	if (!host_vm(&target->host, id, &now)) {
		json_object_put(*vm);
		*vm = now;
	}
	return 0;
put:
	json_object_put(*vm);
	*vm = NULL;
	return code;
}

static int act_one(struct target *target, const struct args *args,
		   const struct act *act, const char *typed)
{
	struct json_object *vm = NULL;
	const char *done = act->done;
	int code;

	if (act->doing && !target->client_err)
		progress("%s %s", act->doing, typed);
	code = target_ask(target, typed, request_of(act), act->timeout_ms, &vm);
	if (code == TARGET_ELSEWHERE) {
		code = act_host(target, act, typed, &vm);
		if (act->host_done)
			done = act->host_done;
	}
	if (!code)
		tell(args, act, done, vm, typed);
	json_object_put(vm);
	return code;
}

/**
 * act_each() - do it to all VMs that are named
 * @args: the command line
 * @act: what
 *
 * One that fails does not keep the others from it.
 *
 * Return: 0 or the exit code of the first that failed.
 */
int act_each(const struct args *args, const struct act *act)
{
	struct target target;
	int first = 0, i, code;

	code = target_open(&target);
	/* What the module cannot do either needs vmd. */
	if (!code && target.client_err && !possible(act))
		code = client_fail(target.client_err);
	for (i = 0; !code && i < args->nr_operands; i++) {
		int one = act_one(&target, args, act, args->operand[i]);

		if (!first)
			first = one;
	}
	target_close(&target);
	json_object_put(act->members);
	return code ? code : first;
}

/* A verb with no options of its own. */
int act_simple(const struct command *cmd, int argc, char **argv,
	       const struct act *act)
{
	struct args args = { 0 };
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	return act_each(&args, act);
}
