/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: one row of the table and one file per verb. */
#ifndef VMCTL_VMCTL_H
#define VMCTL_VMCTL_H

#include "libjoist/types.h"

#define VMCTL_VERSION	"0.1.0"
#define OPERANDS_ANY	1000000

struct opt;

/* What a verb's operands are: completion asks, and errors name them. */
enum operand {
	OPERAND_NONE,
	OPERAND_VM,
	OPERAND_FILE,
	OPERAND_COMMAND,
	OPERAND_NAME,	/* of a VM that is to be */
	OPERAND_WORD,	/* one of struct command's words */
};

/**
 * struct command - a verb
 * @name: as typed
 * @run: gets its arguments, argv[0] being the verb; returns the exit code
 * @args: synopsis, but for the options
 * @help: one line
 * @more: what 'vmctl help VERB' adds behind the options, or NULL
 * @options: ended by OPT_END
 * @operand: what its operands are
 * @words: with OPERAND_WORD, those that there are, between blanks
 * @of_vm: behind one of them a VM is named, and then a file
 * @least: no fewer operands
 * @most: no more
 */
struct command {
	const char *name;
	int (*run)(const struct command *cmd, int argc, char **argv);
	const char *args;
	const char *help;
	const char *more;
	const struct opt *options;
	enum operand operand;
	const char *words;
	bool of_vm;
	int least;
	int most;
};

extern const struct command * const commands[];
extern const unsigned int nr_commands;

extern const struct command cmd_run, cmd_create, cmd_delete, cmd_start, cmd_stop,
	cmd_pause, cmd_resume, cmd_reset, cmd_nmi, cmd_balloon, cmd_memory, cmd_disk,
	cmd_net, cmd_device,
	cmd_list, cmd_show, cmd_wait, cmd_console, cmd_log, cmd_events, cmd_top,
	cmd_stats, cmd_config, cmd_host, cmd_caps, cmd_version, cmd_completion, cmd_help;

extern const char completion_script[];	/* script.S */

const struct command *command_find(const char *name);
void command_help(const struct command *cmd);

#endif
