// SPDX-License-Identifier: GPL-2.0-only
/* json-c with fewer words. */
#include <stdio.h>

#include "js.h"

/* Return: a member, NULL if it is not there or null. */
struct json_object *js_get(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

/* Return: NULL unless it is a string. */
const char *js_text(struct json_object *obj, const char *key)
{
	struct json_object *value = js_get(obj, key);

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

s64 js_int(struct json_object *obj, const char *key, s64 otherwise)
{
	struct json_object *value = js_get(obj, key);

	if (!json_object_is_type(value, json_type_int))
		return otherwise;
	return json_object_get_int64(value);
}

bool js_bool(struct json_object *obj, const char *key, bool otherwise)
{
	struct json_object *value = js_get(obj, key);

	if (!json_object_is_type(value, json_type_boolean))
		return otherwise;
	return json_object_get_boolean(value);
}

void js_add(struct json_object *obj, const char *key, struct json_object *value)
{
	json_object_object_add(obj, key, value);
}

void js_add_text(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, text ? json_object_new_string(text) : NULL);
}

void js_add_int(struct json_object *obj, const char *key, s64 value)
{
	json_object_object_add(obj, key, json_object_new_int64(value));
}

/* Seconds with three digits behind the point, not as many as a double has. */
void js_add_time(struct json_object *obj, const char *key, double time)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", time);
	json_object_object_add(obj, key, json_object_new_double_s(time, text));
}

void js_add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

struct json_object *js_new(const char *key, const char *text)
{
	struct json_object *obj = json_object_new_object();

	js_add_text(obj, key, text);
	return obj;
}
