// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl completion: the shell's script, and what that asks. Each answer comes from
 * the tables that parse the command line: it cannot be out of date.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "opt.h"
#include "out.h"
#include "target.h"
#include "vmctl.h"
#include "vms.h"

#define FILES	"@file"	/* the shell does these itself */

static const struct opt options[] = {
	OPT_JSON(struct { struct args args; }),
	OPT_END,
};

static void print_words(const char *words)
{
	for (; *words; words++)
		putchar(*words == ' ' ? '\n' : *words);
	putchar('\n');
}

/* Somebody waits for it on a command line: no errors, and no noise. */
static void print_vms(void)
{
	struct json_object *answer = NULL, *vms;
	struct target target;
	char text[TEXT_MAX];
	size_t i;

	if (!client_connect(&target.client) &&
	    !client_try(&target.client, client_request("list"), 2000, &answer)) {
		vms = out_member(out_member(answer, "result"), "vms");
		for (i = 0; json_object_is_type(vms, json_type_array) &&
		     i < json_object_array_length(vms); i++)
			puts(target_name(json_object_array_get_idx(vms, i), text));
	}
	client_close(&target.client);
	json_object_put(answer);
	vms = NULL;
	if (!host_open(&target.host) && !host_vms(&target.host, &vms))
		for (i = 0; i < json_object_array_length(vms); i++)
			puts(target_name(json_object_array_get_idx(vms, i), text));
	json_object_put(vms);
	host_close(&target.host);
}

static void print_commands(void)
{
	unsigned int i;

	for (i = 0; i < nr_commands; i++)
		puts(commands[i]->name);
}

/* Return: the option @text is, if it wants an argument. */
static const struct opt *wants_argument(const struct command *cmd, const char *text)
{
	const struct opt *opt;

	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++) {
		if (!opt->arg)
			continue;
		if (!strncmp(text, "--", 2) && !strcmp(text + 2, opt->name))
			return opt;
		if (opt->letter && text[0] == '-' && text[1] == opt->letter &&
		    !text[2])
			return opt;
	}
	return NULL;
}

static bool is_word(const char *words, const char *text)
{
	size_t len = strlen(text);

	for (; *words; words += strcspn(words, " "), words += *words == ' ')
		if (strcspn(words, " ") == len && !strncmp(words, text, len))
			return true;
	return false;
}

/* @before: the operand in front; empty: there is none. */
static void print_operands(const struct command *cmd, const char *before)
{
	if (cmd->of_vm && *before) {
		if (is_word(cmd->words, before))
			print_vms();
		else
			puts(FILES);
		return;
	}
	switch (cmd->operand) {
	case OPERAND_VM:
		print_vms();
		break;
	case OPERAND_FILE:
		puts(FILES);
		break;
	case OPERAND_COMMAND:
		print_commands();
		break;
	case OPERAND_WORD:
		print_words(cmd->words);
		break;
	default:
		break;
	}
}

/* What could stand for @word, behind @before, among @verb's arguments. */
static void reply(const char *verb, const char *before, const char *word)
{
	const struct command *cmd = command_find(verb);
	const struct opt *opt;

	if (!cmd)
		return;
	opt = wants_argument(cmd, before);
	if (opt) {
		if (opt->words)
			print_words(opt->words);
		return;
	}
	if (*word != '-') {
		print_operands(cmd, before);
		return;
	}
	for (opt = cmd->options; opt->kind != OPT_KIND_END; opt++)
		printf("--%s\n", opt->name);
	puts("--help");
}

static void print_script(bool json)
{
	struct json_object *whole;

	if (!json) {
		fputs(completion_script, stdout);
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "shell", json_object_new_string("bash"));
	json_object_object_add(whole, "script",
			       json_object_new_string(completion_script));
	out_json(whole);
	json_object_put(whole);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct args args = { 0 };
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	if (args.nr_operands == 1 && !strcmp(args.operand[0], "bash"))
		print_script(args.json);
	else if (args.nr_operands == 1 && !strcmp(args.operand[0], "commands"))
		print_commands();
	else if (args.nr_operands == 4 && !strcmp(args.operand[0], "reply"))
		reply(args.operand[1], args.operand[2], args.operand[3]);
	else
		return usage_error(cmd->name, "no completion for '%s': there is one for bash",
				   args.operand[0]);
	return 0;
}

const struct command cmd_completion = {
	.name = "completion",
	.run = run,
	.args = "bash",
	.help = "print the completion script of a shell",
	.more = "In bash: source <(vmctl completion bash)\n",
	.options = options,
	.operand = OPERAND_WORD,
	.words = "bash",
	.least = 1,
	.most = 4,
};
