// SPDX-License-Identifier: GPL-2.0-only
/* vmctl host: what the module says of this host. */
#include <json-c/json.h>
#include <stdio.h>

#include "host.h"
#include "opt.h"
#include "out.h"
#include "vmctl.h"

static const struct opt options[] = {
	OPT_JSON(struct { struct args args; }),
	OPT_END,
};

static void print_text(struct json_object *info)
{
	struct json_object *features = out_member(info, "features");
	size_t i;

	printf("vendor: %s\n", out_text(info, "vendor"));
	printf("version: %s\n", out_text(info, "version"));
	printf("vms: %lld\n", (long long)out_number(info, "vms"));
	printf("max-vcpus: %lld\n", (long long)out_number(info, "max-vcpus"));
	printf("features:");
	for (i = 0; i < json_object_array_length(features); i++)
		printf(" %s", json_object_get_string(json_object_array_get_idx(features, i)));
	printf("\n");
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct json_object *info = NULL;
	struct args args = { 0 };
	struct host host;
	int code, err;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	err = host_open(&host);
	if (err)
		return host_fail_open(err);
	err = host_info(&host, &info);
	if (err)
		code = host_fail(&host, err, "cannot ask for the host");
	else if (args.json)
		out_json(info);
	else
		print_text(info);
	json_object_put(info);
	host_close(&host);
	return code;
}

const struct command cmd_host = {
	.name = "host",
	.run = run,
	.args = "",
	.help = "show what the module says of this host",
	.options = options,
};
