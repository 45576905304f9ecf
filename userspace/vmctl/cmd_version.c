// SPDX-License-Identifier: GPL-2.0-only
/* vmctl version: its own, and that of vmd and the module where they are there. */
#include <json-c/json.h>
#include <stdio.h>

#include "act.h"
#include "out.h"
#include "target.h"
#include "vmctl.h"

static struct json_object *ask_vmd(struct client *client)
{
	struct json_object *answer = NULL, *result = NULL;

	if (!client_try(client, client_request("version"), CLIENT_TIMEOUT_MS,
			&answer))
		result = json_object_get(out_member(answer, "result"));
	json_object_put(answer);
	return result;
}

static void print(struct json_object *whole)
{
	const char *vmd = out_text(whole, "vmd"), *module = out_text(whole, "module");

	printf("vmctl %s\n", out_text(whole, "vmctl"));
	if (vmd)
		printf("vmd %s, protocol %lld\n", vmd,
		       (long long)out_number(whole, "protocol"));
	if (module)
		printf("joist %s\n", module);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct json_object *whole, *vmd = NULL, *module = NULL;
	struct args args = { 0 };
	struct client client;
	struct host host;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (!client_connect(&client))
		vmd = ask_vmd(&client);
	if (!host_open(&host))
		host_info(&host, &module);
	whole = json_object_new_object();
	json_object_object_add(whole, "vmctl", out_string(VMCTL_VERSION));
	json_object_object_add(whole, "vmd", out_string(out_text(vmd, "vmd")));
	json_object_object_add(whole, "protocol",
			       json_object_get(out_member(vmd, "protocol")));
	json_object_object_add(whole, "module",
			       out_string(out_text(module, "version")));
	if (args.json)
		out_json(whole);
	else
		print(whole);
	json_object_put(whole);
	json_object_put(vmd);
	json_object_put(module);
	client_close(&client);
	host_close(&host);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.run = run,
	.args = "",
	.help = "show the versions of vmctl, vmd and the module",
	.options = act_options,
};
