// SPDX-License-Identifier: GPL-2.0-only
/* Messages to standard error, one write each: vCPU threads may speak too. */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "terminal.h"

#define WARNINGS_MAX	32

static void log_line(const char *kind, const char *fmt, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, args);
	fprintf(stderr, "vmctl: %s%s%s\n", kind, text, terminal_raw() ? "\r" : "");
}

void log_err(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line("", fmt, args);
	va_end(args);
}

/* A guest can cause warnings: it must not fill a log with them. */
void log_warn(const char *fmt, ...)
{
	static int nr;
	va_list args;

	if (__atomic_add_fetch(&nr, 1, __ATOMIC_RELAXED) > WARNINGS_MAX)
		return;
	va_start(args, fmt);
	log_line("warning: ", fmt, args);
	va_end(args);
}
