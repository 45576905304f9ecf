// SPDX-License-Identifier: GPL-2.0-only
/* JSON out and in, progress, and numbers as people read them. */
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "out.h"

#define PLAIN	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* One line. */
void out_json_to(FILE *out, struct json_object *value)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(value, PLAIN));
	fflush(out);	/* who follows events through a pipe does not wait */
}

void out_json(struct json_object *value)
{
	out_json_to(stdout, value);
}

/* Return: a borrowed member of an object, or NULL: absent, or null. */
struct json_object *out_member(struct json_object *from, const char *member)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(from, json_type_object))
		return NULL;
	json_object_object_get_ex(from, member, &value);
	return value;
}

/* Return: a member's text, or NULL. */
const char *out_text(struct json_object *from, const char *member)
{
	struct json_object *value = out_member(from, member);

	return json_object_is_type(value, json_type_string) ?
	       json_object_get_string(value) : NULL;
}

/* Return: a member's number, or 0. */
s64 out_number(struct json_object *from, const char *member)
{
	struct json_object *value = out_member(from, member);

	return json_object_is_type(value, json_type_int) ?
	       json_object_get_int64(value) : 0;
}

bool out_flag(struct json_object *from, const char *member)
{
	struct json_object *value = out_member(from, member);

	return json_object_is_type(value, json_type_boolean) &&
	       json_object_get_boolean(value);
}

/* Return: a string, or null. */
struct json_object *out_string(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

/* A file's name, absolute: vmd has another working directory. */
struct json_object *out_path(const char *path)
{
	char whole[PATH_MAX], cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)) ||
	    snprintf(whole, sizeof(whole), "%s/%s", cwd, path) >= (int)sizeof(whole))
		return json_object_new_string(path);
	return json_object_new_string(whole);
}

/* With three decimals, and not the seventeen of a double. */
struct json_object *out_decimal(double value)
{
	struct json_object *out = json_object_new_double(value);

	json_object_set_serializer(out, json_object_double_to_json_string,
				   (void *)"%.3f", NULL);
	return out;
}

/* In the unit that keeps it whole: 16M, 1536K, 3G. */
const char *out_size(u64 bytes, char *text)
{
	static const char unit[] = "\0KMGT";
	int i = 0;

	while (i < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(text, TEXT_MAX, "%llu%.1s", (unsigned long long)bytes,
		 unit + i);
	return text;
}

/* In at most five columns: 12345, 123k, 12.3M. */
const char *out_count(u64 value, char *text)
{
	static const char unit[] = "kMGTPE";
	u64 scale = 1000;
	int i = 0;

	if (value < 100000) {
		snprintf(text, TEXT_MAX, "%llu", (unsigned long long)value);
		return text;
	}
	while (i < 5 && value / scale >= 1000) {
		scale *= 1000;
		i++;
	}
	if (value / scale >= 100)
		snprintf(text, TEXT_MAX, "%llu%c",
			 (unsigned long long)(value / scale), unit[i]);
	else
		snprintf(text, TEXT_MAX, "%llu.%llu%c",
			 (unsigned long long)(value / scale),
			 (unsigned long long)(value % scale / (scale / 10)),
			 unit[i]);
	return text;
}

const char *out_age(u64 ms, char *text)
{
	unsigned long long s = ms / 1000;

	if (s < 60)
		snprintf(text, TEXT_MAX, "%llu s", s);
	else if (s < 3600)
		snprintf(text, TEXT_MAX, "%llu min", s / 60);
	else if (s < 48 * 3600)
		snprintf(text, TEXT_MAX, "%llu h", s / 3600);
	else
		snprintf(text, TEXT_MAX, "%llu d", s / 86400);
	return text;
}

static bool shown;

/* For a person who waits: on a terminal only, and gone once it is over. */
void progress(const char *fmt, ...)
{
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (!shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	shown = false;
}
