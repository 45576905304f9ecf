// SPDX-License-Identifier: GPL-2.0-only
/* Options as tables. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "error.h"
#include "opt.h"
#include "parse.h"
#include "vmctl.h"

#define OPTIONS_MAX	32
#define FIRST		256	/* past all letters */

int opt_socket(void *args, char *arg)
{
	(void)args;
	client_set_path(arg);
	return 0;
}

static int take(const struct command *cmd, const struct opt *opt, void *into,
		char *arg)
{
	void *where = (char *)into + opt->where;

	switch (opt->kind) {
	case OPT_KIND_FLAG:
		*(bool *)where = true;
		return 0;
	case OPT_KIND_TEXT:
		*(const char **)where = arg;
		return 0;
	case OPT_KIND_NUMBER:
		if (parse_number(arg, opt->lowest, opt->highest, where))
			return 0;
		return usage_error(cmd->name, "bad --%s '%s': give a number from %llu to %llu",
				   opt->name, arg,
				   (unsigned long long)opt->lowest,
				   (unsigned long long)opt->highest);
	case OPT_KIND_SIZE:
		if (parse_size(arg, where))
			return 0;
		return usage_error(cmd->name, "bad --%s '%s': give a number with K, M or G",
				   opt->name, arg);
	case OPT_KIND_TIME:
		if (parse_seconds(arg, where))
			return 0;
		return usage_error(cmd->name, "bad --%s '%s': give seconds, 0.5 for example",
				   opt->name, arg);
	default:
		return opt->take(into, arg);
	}
}

/* getopt's own table, from ours. Return: how many rows. */
static int translate(const struct command *cmd, struct option *table,
		     char *letters)
{
	const struct opt *opt;
	int n = 0;

	*letters++ = ':';
	*letters++ = 'h';
	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++) {
		table[n] = (struct option) {
			.name = opt->name,
			.has_arg = opt->arg ? required_argument : no_argument,
			.val = FIRST + n,
		};
		n++;
		if (!opt->letter)
			continue;
		*letters++ = opt->letter;
		if (opt->arg)
			*letters++ = ':';
	}
	*letters = '\0';
	table[n++] = (struct option) { .name = "help", .val = 'h' };
	table[n] = (struct option) { 0 };
	return n;
}

static const struct opt *by_value(const struct command *cmd, int value)
{
	const struct opt *opt;

	if (value >= FIRST)
		return &cmd->options[value - FIRST];
	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++)
		if (opt->letter == value)
			return opt;
	return NULL;
}

static int check_operands(const struct command *cmd, const struct args *args)
{
	static const char * const noun[] = {
		[OPERAND_NONE] = "argument", [OPERAND_VM] = "VM",
		[OPERAND_FILE] = "kernel", [OPERAND_COMMAND] = "command",
		[OPERAND_NAME] = "name", [OPERAND_WORD] = "argument",
	};

	if (args->nr_operands < cmd->least)
		return usage_error(cmd->name, "no %s given", noun[cmd->operand]);
	if (args->nr_operands <= cmd->most)
		return 0;
	if (cmd->most && cmd->operand != OPERAND_WORD)
		return usage_error(cmd->name, "more than one %s given ('%s')",
				   noun[cmd->operand], args->operand[cmd->most]);
	return usage_error(cmd->name, "unexpected argument '%s'",
			   args->operand[cmd->most]);
}

/* --json tells how errors are told, those in front of it too. */
static bool wants_json(const struct command *cmd, int argc, char **argv)
{
	const struct opt *opt;
	int i;

	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++)
		if (!strcmp(opt->name, "json"))
			break;
	if (opt->kind == OPT_KIND_END)
		return false;
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

/**
 * opt_parse() - understand a verb's command line
 * @cmd: the verb
 * @into: its arguments; struct args is their first member
 * @argc: of @argv
 * @argv: the verb, then its arguments
 * @code: set to the exit code where there is nothing left to do
 *
 * Return: whether the verb is to go on.
 */
bool opt_parse(const struct command *cmd, void *into, int argc, char **argv,
	       int *code)
{
	struct option table[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 3];
	struct args *args = into;
	int value;

	errors_as_json(wants_json(cmd, argc, argv));
	translate(cmd, table, letters);
	*code = 0;
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, table, NULL)) != -1) {
		if (value == 'h') {
			command_help(cmd);
			return false;
		}
		if (value == ':')
			*code = usage_error(cmd->name, "option '%s' needs an argument",
					    argv[optind - 1]);
		else if (value == '?')
			*code = usage_error(cmd->name, "unknown option '%s'",
					    argv[optind - 1]);
		else
			*code = take(cmd, by_value(cmd, value), into, optarg);
		if (*code)
			return false;
	}
	args->operand = argv + optind;
	args->nr_operands = argc - optind;
	*code = check_operands(cmd, args);
	return !*code;
}
