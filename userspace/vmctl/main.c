// SPDX-License-Identifier: GPL-2.0-only
/* vmctl: the command table and the dispatch. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmctl.h"
#include "vmm/vmm.h"

const struct command commands[] = {
	{ "run", cmd_run, "[OPTION]... KERNEL",
	  "run a virtual machine on this terminal" },
	{ "caps", cmd_caps, "[--json] [--device-path PATH]",
	  "list what the hypervisor can do" },
	{ "version", cmd_version, "", "show the version" },
	{ "help", cmd_help, "[COMMAND]", "explain a command" },
};

const unsigned int nr_commands = ARRAY_SIZE(commands);

/* Say what is wrong with the command line. Return: the exit code for that. */
int usage_error(const char *verb, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vmctl: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; see 'vmctl help%s%s'\n", verb ? " " : "",
		verb ? verb : "");
	return VMM_USAGE;
}

static const char *spelled(const char *name)
{
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return "version";
	return name;
}

int main(int argc, char **argv)
{
	const char *name;
	unsigned int i;

	if (argc < 2)
		return usage_error(NULL, "no command given");
	name = spelled(argv[1]);
	for (i = 0; i < nr_commands; i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return usage_error(NULL, "unknown command '%s'", argv[1]);
}
