// SPDX-License-Identifier: GPL-2.0-only
/* JSON as people read it: a name and a value a line. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "show.h"

#define INDENT	2

void show_object(struct json_object *object, int indent)
{
	json_object_object_foreach(object, name, value)
		show_value(name, value, indent);
}

static void print_array(const char *name, struct json_object *array, int indent)
{
	size_t i, nr = json_object_array_length(array);

	for (i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);

		if (json_object_is_type(item, json_type_object)) {
			printf("%*s%s %zu:\n", indent, "", name, i);
			show_object(item, indent + INDENT);
		} else {
			show_value(name, item, indent);
		}
	}
}

/* A text of many lines stands below its name. */
static void print_string(const char *name, const char *text, int indent)
{
	const char *end;

	if (!strchr(text, '\n')) {
		printf("%*s%s: %s\n", indent, "", name, text);
		return;
	}
	printf("%*s%s:\n", indent, "", name);
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		printf("%*s%.*s\n", indent + INDENT, "", (int)(end - text), text);
	}
}

static bool is_bytes(const char *name)
{
	static const char * const bytes[] = {
		"memory", "pluggable", "memory-max", "most", "limit-memory", "size", "target",
		"actual", "hinted", "given-back",
		"resident", "swapped", "free", "total", "available", "caches",
		"swap-in", "swap-out",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		if (!strcmp(name, bytes[i]))
			return true;
	return false;
}

/* Of null, nothing. */
void show_value(const char *name, struct json_object *value, int indent)
{
	char text[TEXT_MAX];

	if (json_object_is_type(value, json_type_object)) {
		printf("%*s%s:\n", indent, "", name);
		show_object(value, indent + INDENT);
	} else if (json_object_is_type(value, json_type_array)) {
		print_array(name, value, indent);
	} else if (json_object_is_type(value, json_type_string)) {
		print_string(name, json_object_get_string(value), indent);
	} else if (json_object_is_type(value, json_type_int) && is_bytes(name)) {
		printf("%*s%s: %s\n", indent, "", name,
		       out_size(json_object_get_uint64(value), text));
	} else if (value) {
		printf("%*s%s: %s\n", indent, "", name,
		       json_object_get_string(value));
	}
}
