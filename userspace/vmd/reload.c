// SPDX-License-Identifier: GPL-2.0-only
/* The configuration becomes the parent's VMs, at the start and at each reload. */
#include <stdio.h>
#include <string.h>

#include "js.h"
#include "net/net.h"
#include "parent.h"
#include "passthrough.h"
#include "users.h"

/* What only a daemon that has VMs can see. */
static void check_created(struct config *config)
{
	struct owned *vm;
	int i;

	for (i = 0; i < config->nr_vms; i++) {
		const struct definition *def = &config->vm[i];

		for (vm = parent.vms; vm; vm = vm->next)
			if (vm->def.created &&
			    (!strcmp(vm->def.name, def->name) ||
			     !strcmp(vm->def.uuid, def->uuid)))
				config_fault(config, def->file, def->line,
					     "a client has created the VM '%s', which has this name or UUID",
					     vm->def.name);
	}
}

/**
 * config_load() - read the files, and tell the log what is wrong
 * @config: filled in; config_free() is due in all cases
 *
 * Return: 0 or -EINVAL.
 */
int config_load(struct config *config)
{
	int i;

	config_read(config, options.file, parent.host);
	check_created(config);
	for (i = 0; i < config->nr_faults; i++)
		say("%s:%d: %s", config->fault[i].file, config->fault[i].line,
		    config->fault[i].message);
	return config->nr_faults ? -1 : 0;
}

void config_settings(const struct config *config)
{
	parent.user_uid = 0;
	parent.user_gid = 0;
	parent.admin_gid = NOBODY;
	user_find(config->user, &parent.user_uid, &parent.user_gid);
	group_find(config->group, &parent.admin_gid);
	parent.stagger_ms = config->stagger_ms;
}

static void tell_change(struct json_object *changed, const char *name,
			const char *what)
{
	struct json_object *obj = js_new("vm", name);

	js_add_text(obj, "what", what);
	if (changed)
		json_object_array_add(changed, obj);
	else
		json_object_put(obj);
	obj = js_new("type", "changed");
	js_add_text(obj, "vm", name);
	js_add_text(obj, "what", what);
	channel_send(&parent.control, obj, -1);
}

static bool named(const struct config *config, const char *name)
{
	int i;

	for (i = 0; i < config->nr_vms; i++)
		if (!strcmp(config->vm[i].name, name))
			return true;
	return false;
}

static void drop_missing(const struct config *config, struct json_object *changed)
{
	struct owned *vm, *next;

	for (vm = parent.vms; vm; vm = next) {
		next = vm->next;
		if (vm->def.created || vm->orphan || named(config, vm->def.name))
			continue;
		tell_change(changed, vm->def.name, "removed");
		if (vm->proc.pid) {
			vm->orphan = true;
			owned_tell(vm);
		} else {
			owned_remove(vm);
		}
	}
}

static void update(struct owned *vm, struct definition *def,
		   struct json_object *changed)
{
	bool same = definition_equal(&vm->def, def) && !vm->orphan;

	definition_free(&vm->def);
	vm->def = *def;
	vm->orphan = false;
	if (same)
		return;
	vm->pending = vm->proc.pid;
	owned_tell(vm);
	tell_change(changed, vm->def.name, "changed");
}

/**
 * config_apply() - make it the daemon's
 * @config: good; its definitions are used up
 * @changed: an array that is told what changed, or NULL
 */
void config_apply(struct config *config, struct json_object *changed)
{
	struct json_object *obj = js_new("type", "settings");
	int i;

	config_settings(config);
	net_apply(config);
	passthrough_apply(config);
	js_add_int(obj, "admin-gid", parent.admin_gid);
	js_add_int(obj, "stagger", parent.stagger_ms);
	channel_send(&parent.control, obj, -1);
	drop_missing(config, changed);
	for (i = 0; i < config->nr_vms; i++) {
		struct owned *vm = owned_find(config->vm[i].name);

		if (vm) {
			update(vm, &config->vm[i], changed);
			continue;
		}
		vm = owned_add(&config->vm[i]);
		if (!vm)
			continue;
		owned_tell(vm);
		tell_change(changed, vm->def.name, "added");
	}
	config->nr_vms = 0;
	channel_send(&parent.control, js_new("type", "reloaded"), -1);
}
