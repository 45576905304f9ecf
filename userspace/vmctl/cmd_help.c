// SPDX-License-Identifier: GPL-2.0-only
/* vmctl help [COMMAND] */
#include <stdio.h>
#include <string.h>

#include "vmctl.h"

static const char run_text[] =
	"\n"
	"KERNEL is a bzImage, an ELF file with a PVH note, or a multiboot image.\n"
	"\n"
	"  -c, --vcpus N          virtual CPUs (1)\n"
	"  -m, --memory SIZE      memory, with suffix K, M or G (256M)\n"
	"  -i, --initrd FILE      initial RAM disk\n"
	"  -a, --cmdline STRING   appended to the default kernel command line\n"
	"      --cmdline-only     STRING replaces the default\n"
	"  -d, --disk FILE[,ro]   a raw disk, /dev/vda and on; may be repeated\n"
	"      --debug-exit PORT  a write of V to PORT ends with exit code V*2+1\n"
	"      --reboot           start again when the guest asks for a reset\n"
	"      --device-path PATH hypervisor (/dev/joist)\n"
	"      --json             tell how it ended as JSON on standard error\n"
	"  -q, --quiet            do not tell how it ended\n"
	"\n"
	"On a terminal, Ctrl-A x leaves, Ctrl-A p presses the power button,\n"
	"Ctrl-A a sends Ctrl-A.\n"
	"\n"
	"Exit codes: 0 guest power-off, 1 the host cannot run it, 2 usage,\n"
	"16 guest reset, 18 guest panic, 20 triple fault, 22 hypervisor error,\n"
	"24 VM entry refused, 26 unknown exit, 28 left by Ctrl-A x, 128+N signal N.\n";

static void list(void)
{
	unsigned int i;

	printf("usage: vmctl COMMAND [ARGUMENT]...\n\n");
	for (i = 0; i < nr_commands; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	printf("\n'vmctl help COMMAND' tells more, vmctl(1) everything.\n");
}

/* Explain one command. Return: the exit code. */
int help_for(const char *verb)
{
	unsigned int i;

	for (i = 0; i < nr_commands; i++) {
		if (strcmp(verb, commands[i].name) != 0)
			continue;
		printf("usage: vmctl %s %s\n%s\n", commands[i].name,
		       commands[i].args, commands[i].help);
		if (commands[i].run == cmd_run)
			fputs(run_text, stdout);
		return 0;
	}
	return usage_error(NULL, "no command '%s' to explain", verb);
}

int cmd_help(int argc, char **argv)
{
	if (argc > 1)
		return help_for(argv[1]);
	list();
	return 0;
}
