// SPDX-License-Identifier: GPL-2.0-only
/* vmctl help [COMMAND] */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "vmctl.h"

#define EXIT_CODES	"exit-codes"

static const struct opt options[] = {
	OPT_JSON(struct { struct args args; }),
	OPT_END,
};

static void list(void)
{
	unsigned int i;

	printf("usage: vmctl COMMAND [OPTION]... [ARGUMENT]...\n\n");
	for (i = 0; i < nr_commands; i++)
		printf("  %-11s %s\n", commands[i]->name, commands[i]->help);
	printf("\nA VM is meant by its name, its id, or the first 4 or more digits of its UUID.\n"
	       "'vmctl help COMMAND' tells more, 'vmctl help " EXIT_CODES "' how commands end,\n"
	       "vmctl(8) everything.\n");
}

/* Explain a verb. */
void command_help(const struct command *cmd)
{
	const struct opt *opt;

	printf("usage: vmctl %s [OPTION]...%s%s\n%s\n\n", cmd->name,
	       *cmd->args ? " " : "", cmd->args, cmd->help);
	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s%s%s", opt->name,
			 opt->arg ? " " : "", opt->arg ? opt->arg : "");
		if (opt->letter)
			printf("  -%c, %-20s %s\n", opt->letter, text, opt->help);
		else
			printf("      %-20s %s\n", text, opt->help);
	}
	printf("  -h, %-20s %s\n", "--help", "this text");
	if (cmd->more)
		printf("\n%s", cmd->more);
}

static void list_exit_codes(void)
{
	unsigned int code, i;

	printf("   0  it was done\n");
	for (code = EXIT_FAILED; code <= EXIT_AMBIGUOUS; code++)
		for (i = 0; i < nr_exit_rows; i++)
			if (exit_rows[i].code == code)
				printf("  %2u  %-12s %s\n", code,
				       exit_rows[i].word, exit_rows[i].help);
	printf("\nThose of 'vmctl run' beyond 15 tell how the guest ended: 'vmctl help run'.\n");
}

static struct json_object *json_option(const struct opt *opt)
{
	struct json_object *out = json_object_new_object();
	char letter[2] = { opt->letter, '\0' };

	json_object_object_add(out, "name", out_string(opt->name));
	json_object_object_add(out, "letter",
			       out_string(opt->letter ? letter : NULL));
	json_object_object_add(out, "argument", out_string(opt->arg));
	json_object_object_add(out, "help", out_string(opt->help));
	return out;
}

static struct json_object *json_command(const struct command *cmd)
{
	struct json_object *out = json_object_new_object();
	struct json_object *list_of = json_object_new_array();
	const struct opt *opt;

	json_object_object_add(out, "name", out_string(cmd->name));
	json_object_object_add(out, "arguments", out_string(cmd->args));
	json_object_object_add(out, "help", out_string(cmd->help));
	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++)
		json_object_array_add(list_of, json_option(opt));
	json_object_object_add(out, "options", list_of);
	return out;
}

static struct json_object *json_exit_codes(void)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i;

	for (i = 0; i < nr_exit_rows; i++) {
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "code", out_string(exit_rows[i].word));
		json_object_object_add(row, "exit",
				       json_object_new_int((int)exit_rows[i].code));
		json_object_object_add(row, "help", out_string(exit_rows[i].help));
		json_object_array_add(rows, row);
	}
	return rows;
}

/* Of one verb, or of all. */
static void print_json(const struct command *cmd)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *list_of = json_object_new_array();
	unsigned int i;

	for (i = 0; i < nr_commands; i++)
		if (!cmd || commands[i] == cmd)
			json_object_array_add(list_of, json_command(commands[i]));
	json_object_object_add(whole, "commands", list_of);
	json_object_object_add(whole, EXIT_CODES, json_exit_codes());
	out_json(whole);
	json_object_put(whole);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	const struct command *about = NULL;
	struct args args = { 0 };
	bool codes;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	codes = args.nr_operands && !strcmp(args.operand[0], EXIT_CODES);
	if (args.nr_operands && !codes) {
		about = command_find(args.operand[0]);
		if (!about)
			return usage_error(NULL, "no command '%s' to explain",
					   args.operand[0]);
	}
	if (args.json)
		print_json(about);
	else if (about)
		command_help(about);
	else if (codes)
		list_exit_codes();
	else
		list();
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.run = run,
	.args = "[COMMAND]",
	.help = "explain a command",
	.options = options,
	.operand = OPERAND_COMMAND,
	.most = 1,
};
