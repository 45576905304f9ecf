/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit codes but for those with which vmctl run tells how a guest ended. */
#ifndef VMCTL_EXIT_H
#define VMCTL_EXIT_H

enum vmctl_exit {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
	EXIT_NOT_FOUND	= 3,
	EXIT_DENIED	= 4,
	EXIT_NO_DAEMON	= 5,
	EXIT_NO_HOST	= 6,
	EXIT_STATE	= 7,
	EXIT_EXISTS	= 8,
	EXIT_TIMEOUT	= 9,
	EXIT_BAD_CONFIG	= 10,
	EXIT_LIMIT	= 11,
	EXIT_PROTOCOL	= 12,
	EXIT_AMBIGUOUS	= 13,
};

/**
 * struct exit_row - a row of the table of what can go wrong
 * @word: as vmd's protocol and JSON errors have it
 * @code: what vmctl exits with
 * @help: one line
 */
struct exit_row {
	const char *word;
	enum vmctl_exit code;
	const char *help;
};

extern const struct exit_row exit_rows[];
extern const unsigned int nr_exit_rows;

enum vmctl_exit exit_code(const char *word);

#endif
