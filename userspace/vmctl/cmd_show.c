// SPDX-License-Identifier: GPL-2.0-only
/* vmctl show: one VM, and all that is known of it. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "error.h"
#include "out.h"
#include "vmctl.h"
#include "vms.h"

#define INDENT	2

static void print_value(const char *name, struct json_object *value, int indent);

static void print_object(struct json_object *object, int indent)
{
	json_object_object_foreach(object, name, value)
		print_value(name, value, indent);
}

static void print_array(const char *name, struct json_object *array, int indent)
{
	size_t i, nr = json_object_array_length(array);

	for (i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (json_object_is_type(item, json_type_object)) {
			printf("%*s%s %zu:\n", indent, "", name, i);
			print_object(item, indent + INDENT);
		} else {
			print_value(name, item, indent);
		}
	}
}

/* A text of many lines stands below its name. */
static void print_string(const char *name, const char *text, int indent)
{
	const char *end;

	if (!strchr(text, '\n')) {
		printf("%*s%s: %s\n", indent, "", name, text);
		return;
	}
	printf("%*s%s:\n", indent, "", name);
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		printf("%*s%.*s\n", indent + INDENT, "", (int)(end - text), text);
	}
}

static bool is_bytes(const char *name)
{
	static const char * const bytes[] = {
		"memory", "memory-max", "limit-memory", "size",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		if (!strcmp(name, bytes[i]))
			return true;
	return false;
}

static void print_value(const char *name, struct json_object *value, int indent)
{
	char text[TEXT_MAX];

	if (json_object_is_type(value, json_type_object)) {
		printf("%*s%s:\n", indent, "", name);
		print_object(value, indent + INDENT);
	} else if (json_object_is_type(value, json_type_array)) {
		print_array(name, value, indent);
	} else if (json_object_is_type(value, json_type_string)) {
		print_string(name, json_object_get_string(value), indent);
	} else if (json_object_is_type(value, json_type_int) && is_bytes(name)) {
		printf("%*s%s: %s\n", indent, "", name,
		       out_size(json_object_get_uint64(value), text));
	} else if (value) {
		printf("%*s%s: %s\n", indent, "", name,
		       json_object_get_string(value));
	}
}

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
		if (args.json)
			out_json(vm);
		else
			print_object(vm, 0);
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
