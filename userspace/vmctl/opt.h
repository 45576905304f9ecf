/* SPDX-License-Identifier: GPL-2.0-only */
/* Options as tables: parsing, help and completion read the same rows. */
#ifndef VMCTL_OPT_H
#define VMCTL_OPT_H

#include "libjoist/types.h"

struct command;

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_FLAG,		/* bool */
	OPT_KIND_TEXT,		/* const char * */
	OPT_KIND_NUMBER,	/* u64 */
	OPT_KIND_SIZE,		/* u64, bytes */
	OPT_KIND_TIME,		/* u64, milliseconds; typed in seconds */
	OPT_KIND_CALL,		/* what @take makes of it */
};

/**
 * struct opt - one option
 * @name: the long one
 * @letter: the short one, or 0
 * @arg: name of its argument, NULL: it has none
 * @help: one line
 * @where: offset of its value in the verb's arguments
 * @lowest: of a number
 * @highest: of a number
 * @take: returns 0 or an exit code; @arg is NULL for an option without one
 * @words: what its argument is usually, for completion; "@file": a file
 */
struct opt {
	enum opt_kind kind;
	const char *name;
	char letter;
	const char *arg;
	const char *help;
	size_t where;
	u64 lowest;
	u64 highest;
	int (*take)(void *args, char *arg);
	const char *words;
};

/**
 * struct args - what all verbs have; the first member of their own arguments
 * @json: --json
 * @operand: behind the options
 * @nr_operands: how many
 */
struct args {
	bool json;
	int nr_operands;
	char **operand;
};

#define OPT_FLAG(name_, letter_, type, member, help_)			\
	{ .kind = OPT_KIND_FLAG, .name = (name_), .letter = (letter_),	\
	  .where = offsetof(type, member), .help = (help_) }
#define OPT_TEXT(name_, letter_, type, member, arg_, words_, help_)	\
	{ .kind = OPT_KIND_TEXT, .name = (name_), .letter = (letter_),	\
	  .where = offsetof(type, member), .arg = (arg_), .words = (words_), \
	  .help = (help_) }
#define OPT_NUMBER(name_, letter_, type, member, low, high, help_)	\
	{ .kind = OPT_KIND_NUMBER, .name = (name_), .letter = (letter_), \
	  .where = offsetof(type, member), .arg = "N", .lowest = (low),	\
	  .highest = (high), .help = (help_) }
#define OPT_SIZE(name_, letter_, type, member, words_, help_)		\
	{ .kind = OPT_KIND_SIZE, .name = (name_), .letter = (letter_),	\
	  .where = offsetof(type, member), .arg = "SIZE",		\
	  .words = (words_), .help = (help_) }
#define OPT_TIME(name_, letter_, type, member, help_)			\
	{ .kind = OPT_KIND_TIME, .name = (name_), .letter = (letter_),	\
	  .where = offsetof(type, member), .arg = "SECONDS", .help = (help_) }
#define OPT_CALL(name_, letter_, take_, arg_, words_, help_)		\
	{ .kind = OPT_KIND_CALL, .name = (name_), .letter = (letter_),	\
	  .take = (take_), .arg = (arg_), .words = (words_), .help = (help_) }
#define OPT_JSON(type)							\
	OPT_FLAG("json", 0, type, args.json, "answer in JSON")
/* Of verbs that speak to vmd. */
#define OPT_SOCKET							\
	OPT_CALL("socket", 0, opt_socket, "PATH", "@file",		\
		 "vmd's control socket (/run/joist/control)")
#define OPT_END		{ .kind = OPT_KIND_END }

int opt_socket(void *args, char *arg);
bool opt_parse(const struct command *cmd, void *into, int argc, char **argv,
	       int *code);

#endif
