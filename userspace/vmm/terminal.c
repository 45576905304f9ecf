// SPDX-License-Identifier: GPL-2.0-only
/* Raw mode of the terminal, and the ways back from it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* Signals that end us without a chance to clean up anywhere else. */
static const int fatal_signals[] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP,
};

static struct termios saved;
static volatile sig_atomic_t is_raw;

bool terminal_raw(void)
{
	return is_raw;
}

/* Async-signal-safe, and harmless when called twice. */
void terminal_leave(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
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
