// SPDX-License-Identifier: GPL-2.0-only
/* Definitions as JSON: the protocol's object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "js.h"
#include "vmm/disk_json.h"

struct json_object *owner_json(const struct owner *owner)
{
	bool user = owner->kind == OWNER_USER;
	struct json_object *obj;

	if (owner->kind == OWNER_NONE)
		return NULL;
	obj = js_new(user ? "user" : "group", owner->name);
	if (owner->id != NOBODY)
		js_add_int(obj, user ? "uid" : "gid", owner->id);
	return obj;
}

static struct json_object *number_or_null(u64 value)
{
	return value ? json_object_new_int64((s64)value) : NULL;
}

/* Those of a VM. Return: an array, the caller's. */
struct json_object *interfaces_json(const struct definition *def)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < def->nr_nics; i++)
		json_object_array_add(list, interface_json(&def->nic[i]));
	return list;
}

/* What it wants of the host's devices. Return: an array, the caller's. */
struct json_object *definition_devices_json(const struct definition *def)
{
	struct json_object *list = assignments_json(&def->devices);

	platform_json(&def->platform, list);
	return list;
}

/* One of its disks, as definition_json() has it. */
struct json_object *definition_disk_json(const struct disk *disk, bool all)
{
	struct json_object *obj = disk_json(json_object_new_string(disk->path),
					    &disk->options);

	js_add_text(obj, "name", disk->name);
	if (all && disk->uid != NOBODY) {
		js_add_int(obj, "adder-uid", disk->uid);
		js_add_int(obj, "adder-gid", disk->gid);
	}
	return obj;
}

/**
 * definition_json() - a definition as an object
 * @def: definition
 * @all: with what only the daemon's processes and its store need
 *
 * Return: the object, the caller's.
 */
struct json_object *definition_json(const struct definition *def, bool all)
{
	struct json_object *obj = js_new("name", def->name);
	struct json_object *disks = json_object_new_array();
	int i;

	js_add_text(obj, "uuid", def->uuid);
	js_add_text(obj, "firmware", def->firmware);
	js_add_text(obj, "kernel", def->kernel);
	js_add_text(obj, "initrd", def->initrd);
	js_add_text(obj, "cmdline", def->cmdline);
	js_add_text(obj, "user-data", def->user_data);
	js_add_text(obj, "meta-data", def->meta_data);
	js_add_text(obj, "network-config", def->network_config);
	js_add_int(obj, "vcpus", def->vcpus);
	js_add_int(obj, "memory", (s64)def->memory);
	js_add(obj, "pluggable", number_or_null(def->pluggable));
	js_add_bool(obj, "balloon", def->balloon);
	js_add_bool(obj, "rng", def->rng);
	js_add_text(obj, "watchdog", watchdog_name(def->watchdog));
	js_add(obj, "vsock", number_or_null(def->vsock));
	for (i = 0; i < def->nr_disks; i++)
		json_object_array_add(disks, definition_disk_json(&def->disk[i], all));
	js_add(obj, "disks", disks);
	if (def->nr_nics)
		js_add(obj, "interfaces", interfaces_json(def));
	if (def->shares.nr)
		js_add(obj, "shares", shares_json(&def->shares));
	if (def->devices.nr || def->platform.nr)
		js_add(obj, "devices", definition_devices_json(def));
	js_add(obj, "owner", owner_json(&def->owner));
	js_add_bool(obj, "autostart", def->autostart);
	js_add_text(obj, "restart", restart_name(def->restart));
	js_add(obj, "cpu-max", number_or_null(def->cpu_max));
	js_add(obj, "memory-max", number_or_null(def->memory_max));
	js_add(obj, "pids-max", number_or_null(def->pids_max));
	if (!all)
		return obj;
	js_add_bool(obj, "created", def->created);
	js_add_int(obj, "creator-uid", def->uid);
	js_add_int(obj, "creator-gid", def->gid);
	js_add_text(obj, "file", def->file);
	js_add_int(obj, "line", def->line);
	return obj;
}

/* The number beside a name is believed only of our own processes. */
static int take_owner(struct definition *def, struct json_object *value,
		      bool all, struct complaint *c)
{
	struct json_object *id = NULL;
	char text[NAME_LEN_MAX + 2];
	bool group = false;
	s64 number = NOBODY;
	const char *name;

	json_object_object_foreach(value, key, member) {
		if (!strcmp(key, "uid") || !strcmp(key, "gid")) {
			number = json_object_get_int64(member);
			continue;
		}
		if (id || (strcmp(key, "user") && strcmp(key, "group")))
			return complain(c, "an owner is a 'user' or a 'group', no '%.40s'",
					key);
		group = !strcmp(key, "group");
		id = member;
	}
	name = json_object_is_type(id, json_type_int) ?
	       json_object_get_string(id) : json_plain(id);
	if (!name || !*name || *name == ':' || strlen(name) > NAME_LEN_MAX)
		return complain(c, "an owner is a name or a number");
	snprintf(text, sizeof(text), "%s%s", group ? ":" : "", name);
	if (owner_parse(&def->owner, text, c))
		return -1;
	if (all && number >= 0 && number < NOBODY)
		def->owner.id = (u32)number;
	return 0;
}

/* A number that our own processes say; it is taken out. */
static u32 take_id(struct json_object *obj, const char *key)
{
	u32 id = (u32)js_int(obj, key, NOBODY);

	json_object_object_del(obj, key);
	return id;
}

/* The way back: @obj becomes one more of @def's. Its "name", if it has one, is taken out. */
int definition_disk_from_json(struct definition *def, struct json_object *obj, bool all,
			      struct complaint *c)
{
	struct json_object *name = js_get(obj, "name");
	char text[NAME_LEN_MAX + 1] = "";
	u32 uid = NOBODY, gid = NOBODY;
	struct disk_options options;
	const char *path;

	if (!json_object_is_type(obj, json_type_object))
		return complain(c, "a disk is an object with 'path'");
	if (name) {
		if (!json_plain(name) || !device_name_valid(json_plain(name)))
			return complain(c, "a disk has the name %.100s, which is none",
					json_object_to_json_string(name));
		snprintf(text, sizeof(text), "%s", json_plain(name));
		json_object_object_del(obj, "name");
	}
	if (all) {
		uid = take_id(obj, "adder-uid");
		gid = take_id(obj, "adder-gid");
	}
	if (disk_from_json(obj, &path, &options, c->text, sizeof(c->text)) ||
	    definition_add_disk(def, *text ? text : NULL, path, &options, c))
		return -1;
	def->disk[def->nr_disks - 1].uid = uid;
	def->disk[def->nr_disks - 1].gid = gid;
	return 0;
}

static int take_disks(struct definition *def, struct json_object *value, bool all,
		      struct complaint *c)
{
	size_t i;

	for (i = 0; i < json_object_array_length(value); i++)
		if (definition_disk_from_json(def, json_object_array_get_idx(value, i), all, c))
			return -1;
	return 0;
}

/* Its place, or the first that gives it a name of its own. */
static int free_index(struct definition *def)
{
	char name[IF_NAME_SIZE];
	int i, index = def->nr_nics;

	for (i = 0; i <= def->nr_nics; index = i++) {
		snprintf(name, sizeof(name), "eth%d", index);
		if (!definition_find_interface(def, name))
			break;
	}
	return index;
}

/* The way back: @obj becomes one more of @def's, or none. */
int definition_interface_from_json(struct definition *def, struct json_object *obj,
				   struct complaint *c)
{
	struct interface nic;
	int err;

	if (def->nr_nics == INTERFACES_MAX)
		return complain(c, "more than %d interfaces", INTERFACES_MAX);
	err = interface_from_json(&nic, obj, free_index(def), c);
	if (!err && definition_find_interface(def, nic.name))
		err = complain(c, "two interfaces have the name '%s'", nic.name);
	if (err)
		interface_free(&nic);
	else
		def->nic[def->nr_nics++] = nic;
	return err;
}

static int take_interfaces(struct definition *def, struct json_object *value,
			   struct complaint *c)
{
	size_t i;

	for (i = 0; i < json_object_array_length(value); i++)
		if (definition_interface_from_json(def, json_object_array_get_idx(value, i), c))
			return -1;
	return 0;
}

static int take_devices(struct definition *def, struct json_object *array, struct complaint *c)
{
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++) {
		struct json_object *obj = json_object_array_get_idx(array, i);

		if (platform_is(obj) ? platform_from_json(&def->platform, obj, c) :
				       assigned_from_json(&def->devices, obj, c))
			return -1;
	}
	return 0;
}

/* Which JSON type a member of text has: the others are as they are written. */
static bool right_type(const char *key, struct json_object *value)
{
	static const char *const numbers[] = {
		"vcpus", "memory", "pluggable", "cpu-max", "memory-max", "pids-max", "vsock",
	};
	enum json_type type = json_type_string;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(key, numbers[i]))
			type = json_type_int;
	if (!strcmp(key, "autostart") || !strcmp(key, "balloon") || !strcmp(key, "rng"))
		type = json_type_boolean;
	if (type == json_type_string)
		return json_plain(value);
	return json_object_is_type(value, type);
}

static int take_private(struct definition *def, const char *key,
			struct json_object *value)
{
	if (!strcmp(key, "created")) {
		def->created = json_object_get_boolean(value);
	} else if (!strcmp(key, "creator-uid")) {
		def->uid = (u32)json_object_get_int64(value);
	} else if (!strcmp(key, "creator-gid")) {
		def->gid = (u32)json_object_get_int64(value);
	} else if (!strcmp(key, "line")) {
		def->line = json_object_get_int(value);
	} else if (!strcmp(key, "file")) {
		free(def->file);
		def->file = strdup(json_object_get_string(value));
	} else {
		return -1;
	}
	return 0;
}

/* One that is no member of text. */
static bool is_list(const char *key)
{
	return !strcmp(key, "disks") || !strcmp(key, "interfaces") || !strcmp(key, "shares") ||
	       !strcmp(key, "devices");
}

static int take_member(struct definition *def, const char *key,
		       struct json_object *value, bool all, struct complaint *c)
{
	const char *text;

	if (!strcmp(key, "name")) {
		text = json_plain(value);
		if (!text || !name_valid(text))
			return complain(c, "'%.100s' is no name for a VM: " NAME_RULE,
					text ?: "");
		snprintf(def->name, sizeof(def->name), "%s", text);
		return 0;
	}
	if (!strcmp(key, "disks") && json_object_is_type(value, json_type_array))
		return take_disks(def, value, all, c);
	if (!strcmp(key, "interfaces") && json_object_is_type(value, json_type_array))
		return take_interfaces(def, value, c);
	if (!strcmp(key, "shares") && json_object_is_type(value, json_type_array))
		return shares_from_json(&def->shares, value, c);
	if (!strcmp(key, "devices") && json_object_is_type(value, json_type_array))
		return take_devices(def, value, c);
	if (!strcmp(key, "owner") && json_object_is_type(value, json_type_object))
		return take_owner(def, value, all, c);
	if (all && !take_private(def, key, value))
		return 0;
	if (!definition_key(key) && !is_list(key))
		return complain(c, "a definition has no '%.40s'", key);
	if (!strcmp(key, "owner") || is_list(key) || !right_type(key, value))
		return complain(c, "'%.40s' has the wrong type", key);
	return definition_set(def, key, json_object_get_string(value), c);
}

/**
 * definition_from_json() - the way back; nothing of @obj is trusted
 * @def: filled in; definition_free() is due in all cases
 * @obj: an object
 * @all: what only the daemon's processes say is taken, not refused
 * @c: what is wrong
 *
 * Return: 0 or less.
 */
int definition_from_json(struct definition *def, struct json_object *obj,
			 bool all, struct complaint *c)
{
	definition_init(def);
	if (!json_object_is_type(obj, json_type_object))
		return complain(c, "a definition is an object");
	json_object_object_foreach(obj, key, value) {
		if (value && take_member(def, key, value, all, c))
			return -1;
	}
	return definition_check(def, c);
}
