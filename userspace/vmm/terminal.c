// SPDX-License-Identifier: GPL-2.0-only
/* Raw mode of the terminal, the ways back from it, and the escape. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

#define ESCAPE		0x01	/* Ctrl-A */

/* Signals that end us without a chance to clean up anywhere else. */
static const int fatal_signals[] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP,
};

static struct termios saved;
static volatile sig_atomic_t is_raw;
static char farewell[32];

bool terminal_raw(void)
{
	return is_raw;
}

/* What terminal_leave() is to print first; NULL: nothing. */
void terminal_farewell(const char *text)
{
	snprintf(farewell, sizeof(farewell), "%s", text ? text : "");
}

/* Async-signal-safe, and harmless when called twice. */
void terminal_leave(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	if (farewell[0] && write(STDOUT_FILENO, farewell, strlen(farewell)) < 0)
		farewell[0] = '\0';	/* nobody is there to be told */
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

static void fatal_handler(int sig)
{
	terminal_leave();
	/* SA_RESETHAND: now it ends us as it would have. */
	raise(sig);
}

/**
 * terminal_enter() - make the terminal raw, if there is one and it is ours
 *
 * Keys, Ctrl-C among them, then go to the guest. A job in the background
 * leaves the terminal alone.
 */
void terminal_enter(void)
{
	struct sigaction sa = {
		.sa_handler = fatal_handler,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER),
	};
	struct termios raw;
	size_t i;

	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	if (tcgetattr(STDIN_FILENO, &saved))
		return;
	raw = saved;
	cfmakeraw(&raw);
	for (i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		sigaction(fatal_signals[i], &sa, NULL);
	atexit(terminal_leave);
	is_raw = 1;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/**
 * terminal_key() - tell the escape, Ctrl-A and a key, from what is for the guest
 * @escaped: kept by the caller: Ctrl-A was the last byte
 * @byte: typed; changed where another is meant
 *
 * Return: KEY_BYTE: @byte is for the guest; KEY_NONE: nothing yet; or what is wanted.
 */
enum terminal_key terminal_key(bool *escaped, u8 *byte)
{
	if (!*escaped) {
		*escaped = *byte == ESCAPE;
		return *escaped ? KEY_NONE : KEY_BYTE;
	}
	*escaped = false;
	switch (*byte) {
	case 'x':
	case 'X':
		return KEY_LEAVE;
	case 'd':
		return KEY_DETACH;
	case 'p':
		return KEY_POWER;
	case 's':
		return KEY_SLEEP;
	case 'c':
		return KEY_CONTINUE;
	case 'a':
	case ESCAPE:
		*byte = ESCAPE;
		return KEY_BYTE;
	default:
		return KEY_UNKNOWN;
	}
}
