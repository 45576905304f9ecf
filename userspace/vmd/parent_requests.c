// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the control process asks of the parent. It names VMs, and may be in a stranger's
 * hands: the paths that are opened are those of definitions, and who made a definition
 * is asked of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "js.h"
#include "net/net.h"
#include "notify.h"
#include "parent.h"
#include "parent_device.h"
#include "peer.h"
#include "platform_host.h"
#include "seed.h"
#include "store.h"

static void answer(s64 token, struct json_object *obj, struct fd_list *fds)
{
	js_add_text(obj, "type", "reply");
	js_add_int(obj, "token", token);
	channel_send_fds(&parent.control, obj, fds);
}

static void refuse(s64 token, const struct failure *f)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *error = js_new("code", f->code);
	struct fd_list none = { 0 };

	js_add_text(error, "message", f->why.text);
	if (f->remedy)
		js_add_text(error, "remedy", f->remedy);
	js_add(obj, "error", error);
	answer(token, obj, &none);
}

static struct owned *find(struct json_object *req, struct failure *f)
{
	const char *name = js_text(req, "vm");
	struct owned *vm = name ? owned_find(name) : NULL;

	if (!vm)
		fail(f, "not-found", "no VM '%s'", name ?: "");
	return vm;
}

static int do_start(struct json_object *req, struct failure *f)
{
	struct owned *vm = find(req, f);

	return vm ? owned_start(vm, f) : -1;
}

static int do_kill(struct json_object *req, struct failure *f)
{
	struct owned *vm = find(req, f);

	if (!vm)
		return -1;
	if (vm->proc.pid)
		syscall(SYS_pidfd_send_signal, vm->proc.pidfd, SIGKILL, NULL, 0);
	return 0;
}

static int do_identify(struct json_object *req, struct json_object *obj,
		       struct failure *f)
{
	struct owned *vm = find(req, f);

	if (!vm)
		return -1;
	js_add_int(obj, "vm-id", vm->proc.pid ? vm_identify(vm) : 0);
	return 0;
}

/* A process's own figures, in KiB; -1: it has none. */
static s64 status_kib(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? atoll(line + strlen(name)) : -1;
}

/* What the host has of a VM's memory. Its number was its process's, as long as that is there. */
static int do_memory(struct json_object *req, struct json_object *obj,
		     struct failure *f)
{
	struct owned *vm = find(req, f);
	char path[64], text[4096] = "";
	FILE *file;
	s64 kib;

	if (!vm)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/status", vm->proc.pid);
	file = vm->proc.pid ? fopen(path, "re") : NULL;
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	if (syscall(SYS_pidfd_send_signal, vm->proc.pidfd, 0, NULL, 0))
		return 0;
	kib = status_kib(text, "\nVmRSS:");
	if (kib >= 0)
		js_add_int(obj, "resident", kib << 10);
	kib = status_kib(text, "\nVmSwap:");
	if (kib >= 0)
		js_add_int(obj, "swapped", kib << 10);
	return 0;
}

static int do_resume(struct json_object *req, struct failure *f)
{
	struct owned *vm = find(req, f);

	if (!vm)
		return -1;
	if (vm->proc.pid)
		vm_let_go(vm);
	return 0;
}

static int count_created(u32 uid)
{
	struct owned *vm;
	int nr = 0;

	for (vm = parent.vms; vm; vm = vm->next)
		nr += vm->def.created && vm->def.uid == uid;
	return nr;
}

/* Whose it is, and whether they may. */
static int settle_owner(struct definition *def, const struct peer *peer,
			struct failure *f)
{
	bool admin = peer_is_admin(peer, parent.admin_gid);
	struct complaint c;

	def->created = true;
	def->uid = peer->uid;
	def->gid = peer->gid;
	if (def->owner.kind == OWNER_NONE && peer->uid) {
		snprintf(def->owner.name, sizeof(def->owner.name), "%u",
			 peer->uid);
		def->owner.kind = OWNER_USER;
		def->owner.id = peer->uid;
	}
	if (owner_resolve(&def->owner, &c))
		return fail(f, "bad-config", "%s", c.text);
	if (admin)
		return 0;
	if (def->owner.kind != OWNER_USER || def->owner.id != peer->uid)
		return fail(f, "not-yours", "only an admin can create a VM for somebody else");
	if (count_created(peer->uid) >= USER_VMS_MAX)
		return fail(f, "limit", "%d VMs are as many as one user may create",
			    USER_VMS_MAX);
	return 0;
}

static int create(struct definition *def, int client, struct failure *f)
{
	struct peer peer;
	int err;

	if (client < 0 || peer_get(client, &peer))
		return fail(f, "failed", "it is not known who asks");
	if (settle_owner(def, &peer, f) || (def->devices.nr && device_may(&peer, f)) ||
	    (def->platform.nr && platform_may(&peer, f)))
		return -1;
	if (parent.nr_vms >= VMS_MAX)
		return fail(f, "limit", "%d VMs are as many as there can be",
			    VMS_MAX);
	if (owned_find(def->name))
		return fail(f, "exists", "there is a VM '%s'", def->name);
	if (net_check(def, f))
		return -1;
	if (!*def->uuid && uuid_random(def->uuid))
		return fail(f, "failed", "no random numbers");
	if (owned_by_uuid(def->uuid))
		return fail(f, "exists", "there is a VM with the UUID %s",
			    def->uuid);
	if (vm_seed_save(def, f))
		return -1;
	err = store_save(def);
	if (!err)
		return 0;
	vm_seed_delete(def->name);
	return fail(f, "failed", "cannot save the definition: %s", strerror(-err));
}

static int do_create(struct json_object *req, int client, struct failure *f)
{
	struct definition def;
	struct complaint c;
	struct owned *vm;

	if (definition_from_json(&def, js_get(req, "definition"), false, &c)) {
		definition_free(&def);
		return fail(f, "bad-config", "%s", c.text);
	}
	if (create(&def, client, f)) {
		definition_free(&def);
		return -1;
	}
	vm = owned_add(&def);
	if (!vm)
		return fail(f, "failed", "out of memory");
	owned_tell(vm);
	return 0;
}

static int do_delete(struct json_object *req, struct failure *f)
{
	struct owned *vm = find(req, f);
	char path[256];
	int err;

	if (!vm)
		return -1;
	if (!vm->def.created) {
		fail(f, "not-yours", "the VM '%s' is of the configuration", vm->def.name);
		f->remedy = "take it out of the file, and reload";
		return -1;
	}
	if (vm->proc.pid)
		return fail(f, "running", "the VM '%s' runs", vm->def.name);
	err = store_delete(vm->def.name);
	if (err)
		return fail(f, "failed", "cannot delete the definition: %s",
			    strerror(-err));
	snprintf(path, sizeof(path), LOG_DIR "/%s.log", vm->def.name);
	unlink(path);
	vm_seed_delete(vm->def.name);
	process_erase(vm->def.name);
	owned_remove(vm);
	return 0;
}

static int do_device_add(struct json_object *req, int client, struct json_object *obj,
			 struct fd_list *fds, struct failure *f)
{
	struct json_object *disk = js_get(req, "disk");
	struct owned *vm = find(req, f);

	if (!vm)
		return -1;
	if (disk)
		return device_add_disk(vm, disk, client, obj, fds, f);
	if (js_get(req, "device"))
		return device_add_host(vm, js_get(req, "device"), client, obj, fds, f);
	return device_add_network(vm, js_get(req, "interface"), client, obj, fds, f);
}

/* @strike: it is wanted, of a VM that does not run; else it has happened. */
static int do_device_gone(struct json_object *req, bool strike, struct failure *f)
{
	struct owned *vm = find(req, f);

	if (!vm || (strike && device_check(vm, f)))
		return -1;
	return device_gone(vm, js_int(req, "kind", 0), js_text(req, "device") ?: "", f);
}

static int do_log(struct json_object *req, struct fd_list *fds, struct failure *f)
{
	struct owned *vm = find(req, f);
	char path[256];
	int fd;

	if (!vm)
		return -1;
	snprintf(path, sizeof(path), LOG_DIR "/%s.log", vm->def.name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return fail(f, "failed", "cannot open the log: %s",
			    strerror(errno));
	if (fd >= 0)
		fds->fd[fds->nr++] = fd;
	return 0;
}

/* Not a failure: the faults are the answer. */
static void do_config(struct json_object *obj, bool apply)
{
	struct json_object *changed = json_object_new_array();
	struct config config;

	if (!config_load(&config) && apply)
		config_apply(&config, changed);
	js_add(obj, "faults", config_faults_json(&config));
	js_add(obj, "changed", changed);
	config_free(&config);
}

static void tell_ready(void)
{
	owned_status();
	notify("READY=1");
}

/* A message from the control process. */
void parent_take(struct channel *ch, struct msg *msg)
{
	const char *type = js_text(msg->json, "type") ?: "";
	s64 token = js_int(msg->json, "token", 0);
	struct json_object *obj;
	struct failure f = { 0 };
	int client = msg_take_fd(msg, 0), err = 0;
	struct fd_list fds = { 0 };

	(void)ch;
	obj = json_object_new_object();
	if (!strcmp(type, "ready"))
		tell_ready();
	else if (!strcmp(type, "start"))
		err = do_start(msg->json, &f);
	else if (!strcmp(type, "kill"))
		err = do_kill(msg->json, &f);
	else if (!strcmp(type, "identify"))
		err = do_identify(msg->json, obj, &f);
	else if (!strcmp(type, "resume"))
		err = do_resume(msg->json, &f);
	else if (!strcmp(type, "memory"))
		err = do_memory(msg->json, obj, &f);
	else if (!strcmp(type, "create"))
		err = do_create(msg->json, client, &f);
	else if (!strcmp(type, "delete"))
		err = do_delete(msg->json, &f);
	else if (!strcmp(type, "device-add"))
		err = do_device_add(msg->json, client, obj, &fds, &f);
	else if (!strcmp(type, "device-gone") || !strcmp(type, "device-strike"))
		err = do_device_gone(msg->json, type[7] == 's', &f);
	else if (!strcmp(type, "log"))
		err = do_log(msg->json, &fds, &f);
	else if (!strcmp(type, "check") || !strcmp(type, "reload"))
		do_config(obj, *type == 'r');
	else
		err = fail(&f, "failed", "the parent does not know '%s'", type);
	if (client >= 0)
		close(client);
	if (err) {
		json_object_put(obj);
		refuse(token, &f);
	} else {
		answer(token, obj, &fds);
	}
}
