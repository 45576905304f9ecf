// SPDX-License-Identifier: GPL-2.0-only
/* A disk as JSON: "path", "readonly", and of the other options those that were given. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "disk_json.h"

static struct json_object *value_json(const char *name, u64 number, const char *text)
{
	switch (disk_option_type(name)) {
	case DISK_OPTION_BOOL:
		return json_object_new_boolean(number != 0);
	case DISK_OPTION_TEXT:
		return json_object_new_string(text);
	default:
		return json_object_new_uint64(number);
	}
}

/* @path: a string, which the disk takes over. Return: the object, the caller's. */
struct json_object *disk_json(struct json_object *path, const struct disk_options *options)
{
	struct json_object *disk = json_object_new_object();
	const char *name, *text = NULL;
	u64 number = 0;
	size_t i;

	json_object_object_add(disk, "path", path);
	for (i = 0; (name = disk_option_name(i)); i++)
		if (disk_option_get(options, name, &number, &text) ||
		    !strcmp(name, "readonly"))
			json_object_object_add(disk, name, value_json(name, number, text));
	return disk;
}

/* Return: NULL unless it is a string without a NUL inside. */
const char *json_plain(struct json_object *value)
{
	const char *text = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string) ||
	    strlen(text) != (size_t)json_object_get_string_len(value))
		return NULL;
	return text;
}

static bool right_type(const char *name, struct json_object *value)
{
	const char *known;
	size_t i;

	for (i = 0; (known = disk_option_name(i)) && strcmp(known, name); i++)
		;
	if (!known)
		return false;
	switch (disk_option_type(name)) {
	case DISK_OPTION_BOOL:
		return json_object_is_type(value, json_type_boolean);
	case DISK_OPTION_TEXT:
		return json_plain(value);
	default:
		return json_object_is_type(value, json_type_int);
	}
}

/**
 * disk_from_json() - the way back; nothing of @disk is trusted
 * @disk: an object
 * @path: set; lives as long as @disk
 * @options: filled in
 * @wrong: a sentence, if something is
 * @size: bytes of @wrong
 *
 * Return: 0 or -EINVAL.
 */
int disk_from_json(struct json_object *disk, const char **path,
		   struct disk_options *options, char *wrong, size_t size)
{
	const char *how;

	*path = NULL;
	*options = (struct disk_options) { 0 };
	json_object_object_foreach(disk, key, value) {
		if (!strcmp(key, "path")) {
			*path = json_plain(value);
			continue;
		}
		if (!right_type(key, value)) {
			snprintf(wrong, size, "a disk has no such '%.40s'", key);
			return -EINVAL;
		}
		how = disk_option_set(options, key, json_object_get_string(value));
		if (how) {
			snprintf(wrong, size, "a disk's %s '%.40s' %s", key,
				 json_object_get_string(value), how);
			return -EINVAL;
		}
	}
	if (*path)
		return 0;
	snprintf(wrong, size, "a disk has no path");
	return -EINVAL;
}
