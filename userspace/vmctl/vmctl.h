/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: one row of the table and one file per verb. */
#ifndef VMCTL_VMCTL_H
#define VMCTL_VMCTL_H

#include "libjoist/types.h"

#define VMCTL_VERSION	"0.1.0"

/**
 * struct command - a verb
 * @name: as typed
 * @run: its own arguments, argv[0] being the verb; returns the exit code
 * @args: synopsis
 * @help: one line
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *help;
};

extern const struct command commands[];
extern const unsigned int nr_commands;

int cmd_run(int argc, char **argv);
int cmd_caps(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

int help_for(const char *verb);
int usage_error(const char *verb, const char *fmt, ...) __printf(2, 3);

#endif
