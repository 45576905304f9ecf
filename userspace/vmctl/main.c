// SPDX-License-Identifier: GPL-2.0-only
/* vmctl: the command table and the dispatch. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "vmctl.h"

const struct command * const commands[] = {
	&cmd_run,
	&cmd_create,
	&cmd_delete,
	&cmd_start,
	&cmd_stop,
	&cmd_pause,
	&cmd_resume,
	&cmd_reset,
	&cmd_nmi,
	&cmd_balloon,
	&cmd_memory,
	&cmd_list,
	&cmd_show,
	&cmd_wait,
	&cmd_disk,
	&cmd_net,
	&cmd_device,
	&cmd_console,
	&cmd_log,
	&cmd_events,
	&cmd_top,
	&cmd_stats,
	&cmd_config,
	&cmd_host,
	&cmd_caps,
	&cmd_version,
	&cmd_completion,
	&cmd_help,
};

const unsigned int nr_commands = ARRAY_SIZE(commands);

static const char *spelled(const char *name)
{
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return "version";
	return name;
}

/* Return: the verb, or NULL. */
const struct command *command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_commands; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2)
		return usage_error(NULL, "no command given");
	cmd = command_find(spelled(argv[1]));
	if (!cmd)
		return usage_error(NULL, "unknown command '%s'", argv[1]);
	return cmd->run(cmd, argc - 1, argv + 1);
}
