// SPDX-License-Identifier: GPL-2.0-only
/* The parent's VMs: their processes start and end here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "js.h"
#include "net/net.h"
#include "notify.h"
#include "parent.h"
#include "passthrough.h"
#include "platform_host.h"
#include "users.h"
#include "vmm/vmm.h"

#ifndef P_PIDFD
#define P_PIDFD	3
#endif

struct owned *owned_find(const char *name)
{
	struct owned *vm;

	for (vm = parent.vms; vm; vm = vm->next)
		if (!strcmp(vm->def.name, name))
			return vm;
	return NULL;
}

struct owned *owned_by_uuid(const char *uuid)
{
	struct owned *vm;

	for (vm = parent.vms; vm; vm = vm->next)
		if (!strcmp(vm->def.uuid, uuid))
			return vm;
	return NULL;
}

/* For the service manager to show. */
void owned_status(void)
{
	char text[64];
	struct owned *vm;
	int running = 0;

	for (vm = parent.vms; vm; vm = vm->next)
		running += !!vm->proc.pid;
	snprintf(text, sizeof(text), "STATUS=VMs: %d, running: %d", parent.nr_vms,
		 running);
	notify(text);
}

/* @def: its strings are the VM's from here on. Return: NULL: out of memory. */
struct owned *owned_add(struct definition *def)
{
	struct owned *vm = calloc(1, sizeof(*vm));

	if (!vm) {
		definition_free(def);
		return NULL;
	}
	vm->def = *def;
	vm->exit.fd = -1;
	vm->ask.fd = -1;
	vm->next = parent.vms;
	parent.vms = vm;
	parent.nr_vms++;
	owned_status();
	return vm;
}

/* It does not run. */
void owned_remove(struct owned *vm)
{
	struct json_object *obj = js_new("type", "gone");
	struct owned **link;

	js_add_text(obj, "vm", vm->def.name);
	channel_send(&parent.control, obj, -1);
	for (link = &parent.vms; *link != vm; link = &(*link)->next)
		;
	*link = vm->next;
	parent.nr_vms--;
	definition_free(&vm->def);
	free(vm);
	owned_status();
}

/* Its process asks for nothing more. */
void owned_hang_up(struct owned *vm)
{
	int fd = vm->ask.fd;

	if (fd < 0)
		return;
	watch_remove(&vm->ask);
	close(fd);
}

/* What it has of the host's devices now. */
static struct json_object *devices_json(const struct owned *vm)
{
	struct json_object *list = passthrough_json(vm->def.name);

	platform_json(&vm->proc.platform, list);
	return list;
}

/* The control process hears what the VM is. */
void owned_tell(const struct owned *vm)
{
	struct json_object *obj = js_new("type", "vm");
	struct json_object *last = vm->proc.pid ? NULL : process_result(vm->def.name);

	js_add(obj, "definition", definition_json(&vm->def, true));
	js_add_bool(obj, "pending", vm->pending);
	js_add_bool(obj, "orphan", vm->orphan);
	js_add_bool(obj, "known", vm->unseen || process_known(vm->def.name));
	if (vm->proc.pid)
		js_add(obj, "interfaces", json_object_get(vm->proc.nets));
	if (vm->proc.pid)
		js_add(obj, "devices", devices_json(vm));
	js_add(obj, "last", last);
	channel_send(&parent.control, obj, -1);
}

/* ... and that it has a process. */
void owned_tell_process(const struct owned *vm, bool found)
{
	struct json_object *obj = js_new("type", "started");

	js_add_text(obj, "vm", vm->def.name);
	js_add_int(obj, "pid", vm->proc.pid);
	js_add_bool(obj, "found", found);
	js_add(obj, "interfaces", json_object_get(vm->proc.nets));
	js_add(obj, "devices", devices_json(vm));
	channel_send(&parent.control, obj, process_connect(vm->def.name));
}

/* How it ended: what it told itself, else what the kernel tells. */
static struct json_object *how_it_ended(const struct owned *vm)
{
	struct json_object *obj = process_result(vm->def.name);
	siginfo_t info = { 0 };
	char text[128];
	int code = VMM_ERROR;

	if (vm->unseen || waitid((idtype_t)P_PIDFD, (id_t)vm->proc.pidfd, &info,
				 WEXITED | WNOHANG))
		info.si_pid = 0;
	if (obj && js_text(obj, "reason"))
		return obj;
	json_object_put(obj);
	if (info.si_pid && info.si_code != CLD_EXITED) {
		code = VMM_SIGNAL + info.si_status;
		snprintf(text, sizeof(text), "killed by signal %d (%s)",
			 info.si_status, strsignal(info.si_status));
	} else if (info.si_pid) {
		snprintf(text, sizeof(text), "its process ended with code %d",
			 info.si_status);
	} else {
		snprintf(text, sizeof(text), "its process was killed");
	}
	obj = js_new("reason", "killed");
	js_add_int(obj, "code", code);
	js_add_text(obj, "message", text);
	return obj;
}

/* The control process hears of the end of its process, which is none any longer. */
void owned_tell_end(struct owned *vm)
{
	struct json_object *obj = js_new("type", "exited");

	js_add_text(obj, "vm", vm->def.name);
	js_add(obj, "last", how_it_ended(vm));
	vm->unseen = false;
	process_forget(vm->def.name);
	channel_send(&parent.control, obj, -1);
}

static void on_exit_of(struct watch *watch, u32 events)
{
	struct owned *vm = container_of(watch, struct owned, exit);

	(void)events;
	watch_remove(&vm->exit);
	owned_hang_up(vm);
	owned_tell_end(vm);
	close(vm->proc.pidfd);
	vm->proc.pid = 0;
	json_object_put(vm->proc.nets);
	vm->proc.nets = NULL;
	vm->pending = false;
	net_settle();
	passthrough_drop(vm->def.name, NULL);
	if (vm->orphan)
		owned_remove(vm);
	else
		owned_status();
}

static void follow(struct owned *vm)
{
	if (watch_add(&vm->exit, vm->proc.pidfd, EPOLLIN, on_exit_of))
		say("the end of the VM %s will not be seen", vm->def.name);
	owned_status();
}

/* Take over the process that an earlier daemon started, if there is one. */
void owned_adopt(struct owned *vm)
{
	int err = process_find(vm->def.name, vm->def.uuid, &vm->proc);

	if (!err) {
		follow(vm);
		return;
	}
	vm->proc.pid = 0;
	vm->unseen = err == -ESRCH;
}

/* Whom its process shall be: its owner, if that is a user, else ours for the purpose. */
void owned_user(const struct definition *def, u32 *uid, u32 *gid)
{
	u32 owner;

	*uid = parent.user_uid;
	*gid = parent.user_gid;
	if (def->owner.kind != OWNER_USER || !def->owner.id ||
	    def->owner.id == NOBODY)
		return;
	/* A user that has no entry has no group either: ours then. */
	if (user_find_id(def->owner.id, &owner) || !owner)
		owner = parent.user_gid;
	*uid = def->owner.id;
	*gid = owner;
}

int owned_start(struct owned *vm, struct failure *f)
{
	u32 uid, gid;

	if (vm->proc.pid)
		return fail(f, "running", "the VM '%s' runs", vm->def.name);
	if (vm->orphan)
		return fail(f, "not-found", "no VM '%s'", vm->def.name);
	owned_user(&vm->def, &uid, &gid);
	if (spawn_vm(&vm->def, uid, gid, &vm->proc, f)) {
		vm->proc.pid = 0;
		net_settle();
		passthrough_drop(vm->def.name, NULL);
		return -1;
	}
	vm->pending = false;
	follow(vm);
	platform_follow(vm);
	owned_tell_process(vm, false);
	return 0;
}
