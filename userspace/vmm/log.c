// SPDX-License-Identifier: GPL-2.0-only
/* Messages to standard error, one write each: vCPU threads may speak too. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "terminal.h"

#define WARNINGS_MAX	32

static const char *speaker = "vmctl";
static char last[1024];
static void (*teller)(const char *text);

/* Who speaks; before there are threads. @name must last. */
void log_name(const char *name)
{
	speaker = name;
}

/* The last error told: why a VM could not be started. Main thread. */
const char *log_last(void)
{
	return last;
}

/* Who tells errors, warnings excepted; before there are threads. @tell: any thread's. */
void log_errors_to(void (*tell)(const char *text))
{
	teller = tell;
}

static void log_line(const char *kind, const char *text)
{
	fprintf(stderr, "%s: %s%s%s\n", speaker, kind, text,
		terminal_raw() ? "\r" : "");
}

void log_err(const char *fmt, ...)
{
	char text[sizeof(last)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (teller)
		teller(text);
	else
		log_line("", text);
	memcpy(last, text, sizeof(last));
}

/* A guest can cause warnings: it must not fill a log with them. */
void log_warn(const char *fmt, ...)
{
	static int nr;
	char text[sizeof(last)];
	va_list args;

	if (__atomic_add_fetch(&nr, 1, __ATOMIC_RELAXED) > WARNINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_line("warning: ", text);
}

/* The host's, which must be told: who calls sees to how often. */
void log_trouble(const char *fmt, ...)
{
	char text[sizeof(last)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_line("", text);
}
