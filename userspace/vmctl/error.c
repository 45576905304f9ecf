// SPDX-License-Identifier: GPL-2.0-only
/* How errors are told. */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "out.h"

static bool as_json;

void errors_as_json(bool on)
{
	as_json = on;
}

static void tell_json(struct json_object *error, enum vmctl_exit code)
{
	struct json_object *whole = json_object_new_object();

	json_object_object_add(error, "exit", json_object_new_int((int)code));
	json_object_object_add(whole, "error", json_object_get(error));
	out_json_to(stderr, whole);
	json_object_put(whole);
}

/*
 * @error: {code, message, remedy?, file?, line?}, as the protocol has it. A message that
 * does not name the VM it is about has it put in front.
 */
static int tell(struct json_object *error, const char *vm)
{
	const char *message = out_text(error, "message");
	const char *remedy = out_text(error, "remedy");
	const char *file = out_text(error, "file");
	enum vmctl_exit code = exit_code(out_text(error, "code"));

	if (vm && message && strstr(message, vm))
		vm = NULL;
	if (as_json) {
		tell_json(error, code);
		return (int)code;
	}
	fflush(stdout);
	fputs("vmctl: ", stderr);
	if (file && *file)
		fprintf(stderr, "%s:%lld: ", file,
			(long long)out_number(error, "line"));
	if (vm)
		fprintf(stderr, "%s: ", vm);
	fputs(message && *message ? message : "failed, and vmd does not say why",
	      stderr);
	if (remedy && *remedy)
		fprintf(stderr, "; %s", remedy);
	fputc('\n', stderr);
	return (int)code;
}

static int vfail(const char *word, const char *remedy, const char *fmt,
		 va_list args)
{
	struct json_object *error = json_object_new_object();
	char text[1024];
	int code;

	vsnprintf(text, sizeof(text), fmt, args);
	json_object_object_add(error, "code", json_object_new_string(word));
	json_object_object_add(error, "message", json_object_new_string(text));
	if (remedy)
		json_object_object_add(error, "remedy",
				       json_object_new_string(remedy));
	code = tell(error, NULL);
	json_object_put(error);
	return code;
}

/**
 * fail() - tell an error
 * @word: of the table in exit.c
 * @remedy: what to do about it, or NULL
 * @fmt: the cause
 *
 * Return: the exit code.
 */
int fail(const char *word, const char *remedy, const char *fmt, ...)
{
	va_list args;
	int code;

	va_start(args, fmt);
	code = vfail(word, remedy, fmt, args);
	va_end(args);
	return code;
}

/* The same for -errno. */
int fail_errno(int err, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	switch (err) {
	case -EACCES:
	case -EPERM:
		return fail("not-yours", "ask its owner, or run vmctl as root",
			    "%s: %s", text, strerror(-err));
	case -ENOENT:
		return fail("not-found", "'vmctl list' shows those there are",
			    "%s: %s", text, strerror(-err));
	default:
		return fail("failed", NULL, "%s: %s", text, strerror(-err));
	}
}

/* An error of vmd's; @vm: about which VM, or NULL. */
int fail_answer(struct json_object *error, const char *vm)
{
	if (!error || !json_object_is_type(error, json_type_object))
		return fail("bad-answer", NULL, "vmd refuses and does not say why");
	if (vm)
		json_object_object_add(error, "vm", json_object_new_string(vm));
	return tell(error, vm);
}

/* What is wrong with the command line. */
int usage_error(const char *verb, const char *fmt, ...)
{
	char remedy[64];
	va_list args;
	int code;

	snprintf(remedy, sizeof(remedy), "see 'vmctl help%s%s'", verb ? " " : "",
		 verb ? verb : "");
	va_start(args, fmt);
	code = vfail("usage", remedy, fmt, args);
	va_end(args);
	return code;
}
