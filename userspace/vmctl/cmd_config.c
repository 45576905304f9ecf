// SPDX-License-Identifier: GPL-2.0-only
/* vmctl config: check or reload vmd's configuration files. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "client.h"
#include "error.h"
#include "out.h"
#include "vmctl.h"

static void print_fault(struct json_object *fault)
{
	const char *file = out_text(fault, "file");
	const char *message = out_text(fault, "message");

	if (file)
		fprintf(stderr, "%s:%lld: ", file,
			(long long)out_number(fault, "line"));
	fprintf(stderr, "%s\n", message ? message : "wrong");
}

static void print_change(struct json_object *change)
{
	const char *vm = out_text(change, "vm"), *what = out_text(change, "what");

	printf("%s: %s\n", vm ? vm : "-", what ? what : "changed");
}

/* Return: how many. */
static size_t each(struct json_object *list, void (*print)(struct json_object *item))
{
	size_t i, nr;

	if (!json_object_is_type(list, json_type_array))
		return 0;
	nr = json_object_array_length(list);
	for (i = 0; print && i < nr; i++)
		print(json_object_array_get_idx(list, i));
	return nr;
}

static int tell(bool json, bool reload, struct json_object *result)
{
	struct json_object *faults = out_member(result, "faults");

	if (json) {
		out_json(result);
		return each(faults, NULL) ? EXIT_BAD_CONFIG : 0;
	}
	if (each(faults, print_fault))
		return fail("bad-config", reload ?
			    "mend it, then reload again; vmd goes on with the old one" :
			    "mend it, then check again",
			    "the configuration has faults");
	if (!reload)
		puts("the configuration has no faults");
	else if (!each(out_member(result, "changed"), print_change))
		puts("nothing has changed");
	return 0;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct json_object *result = NULL;
	struct args args = { 0 };
	bool reload;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	reload = !strcmp(args.operand[0], "reload");
	if (!reload && strcmp(args.operand[0], "check"))
		return usage_error(cmd->name, "unexpected argument '%s': give check or reload",
				   args.operand[0]);
	code = client_once(client_request(reload ? "reload" : "config-check"),
			   CLIENT_TIMEOUT_MS, &result);
	if (!code)
		code = tell(args.json, reload, result);
	json_object_put(result);
	return code;
}

const struct command cmd_config = {
	.name = "config",
	.run = run,
	.args = "check|reload",
	.help = "check vmd's configuration files, or have vmd read them again",
	.more = "Where vmd is not running, 'vmd -n' checks them.\n",
	.options = act_options,
	.operand = OPERAND_WORD,
	.words = "check reload",
	.least = 1,
	.most = 1,
};
