// SPDX-License-Identifier: GPL-2.0-only
/* vmctl show: one VM, and all that is known of it. */
#include <json-c/json.h>

#include "act.h"
#include "assigned.h"
#include "error.h"
#include "out.h"
#include "show.h"
#include "vmctl.h"
#include "vms.h"

/* What is only asked for one VM. A VM that ends meanwhile has none of it. */
static void add_details(struct host *host, struct json_object *vm)
{
	static int (* const get[])(struct host *host, u32 vm,
				   struct json_object **list) = {
		host_vcpus, host_slots, host_devices,
	};
	static const char * const name[] = { "vcpu", "slot", "device" };
	struct json_object *of_host = out_member(vm, "host"), *full = NULL, *fault;
	u32 id = (u32)out_number(vm, "id");
	size_t i;

	/* A fault's report is only there if one asks for the one VM. */
	if (of_host && !host_vm(host, id, &full)) {
		fault = out_member(out_member(full, "host"), "last-fault");
		json_object_object_add(of_host, "last-fault", json_object_get(fault));
	}
	json_object_put(full);
	for (i = 0; of_host && i < ARRAY_SIZE(get); i++) {
		struct json_object *list = NULL;

		if (!get[i](host, id, &list))
			json_object_object_add(of_host, name[i], list);
	}
	assigned_add("", vm, out_member(of_host, "device"));
}

/* Its balloon, where vmd says that it has one. One that does not answer has none to show. */
static void add_balloon(struct target *target, struct json_object *vm)
{
	struct json_object *request, *answer = NULL, *result;

	if (!out_flag(out_member(vm, "definition"), "balloon") || !out_number(vm, "pid") ||
	    target->client_err)
		return;
	request = client_request("balloon");
	json_object_object_add(request, "vm", json_object_get(out_member(vm, "name")));
	if (client_try(&target->client, request, CLIENT_TIMEOUT_MS, &answer))
		return;
	result = out_member(out_member(answer, "result"), "balloon");
	if (result)
		json_object_object_add(vm, "balloon", json_object_get(result));
	json_object_put(answer);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct json_object *vm = NULL;
	struct args args = { 0 };
	struct target target;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	code = target_open(&target);
	if (!code)
		code = vms_show(&target, args.operand[0], &vm);
	if (!code) {
		add_details(&target.host, vm);
		add_balloon(&target, vm);
		if (args.json)
			out_json(vm);
		else
			show_object(vm, 0);
	}
	json_object_put(vm);
	target_close(&target);
	return code;
}

const struct command cmd_show = {
	.name = "show",
	.run = run,
	.args = "VM",
	.help = "show what is known of a VM",
	.options = act_options,
	.operand = OPERAND_VM,
	.least = 1,
	.most = 1,
};
