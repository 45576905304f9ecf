// SPDX-License-Identifier: GPL-2.0-only
/* Messages to standard error, one write each: vCPU threads may speak too. */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "terminal.h"

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

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line("warning: ", fmt, args);
	va_end(args);
}
