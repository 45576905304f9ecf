// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that come and go. The parent decides, opens and keeps the definition; the VM's process
 * plugs in. What leaves is told by that process, whoever wanted it: the guest may have.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

#define REMOVE_SECONDS	30

/* The answer to who added or removed something. */
static void result(struct pending *p)
{
	struct json_object *obj = machine_json(p->vm);

	js_add_text(obj, "device", p->name);
	pending_result(p, obj, -1);
}

/**
 * struct kind - what there is of each kind of device
 * @word: what it is called; events have it
 * @member: of requests, and of what the parent and the VM's process are told
 * @list: where to see which there are
 */
static const struct kind {
	const char *word, *member, *list;
} kinds[] = {
	[PLUG_DISK] = { "disk", "disk", "'disk list' tells which it has" },
	[PLUG_NET] = { "network", "interface", "'net list' tells which it has" },
	[PLUG_HOSTDEV] = { "device", "device", "'show' tells which it has" },
};

static void tell(const struct pending *p, const char *what)
{
	struct json_object *more = js_new("device", p->name);
	char why[80];

	js_add_text(more, "kind", kinds[p->kind].word);
	snprintf(why, sizeof(why), "the %s %s", kinds[p->kind].word, p->name);
	event_more(p->vm, what, why, more);
	json_object_put(more);
}

/* The parent takes a device out of the definition. */
static void ask_parent(struct pending *p, const char *type, enum plug_kind kind, const char *name,
		       void (*done)(struct pending *p, struct msg *msg))
{
	struct json_object *msg = js_new("type", type);

	p->kind = kind;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->parent_done = done;
	js_add_text(msg, "vm", p->vm->def.name);
	js_add_int(msg, "kind", kind);
	js_add_text(msg, "device", name);
	parent_ask(p, msg, -1);
}

/* Of a VM that runs. @done: with the answer. */
static void forget(struct machine *vm, enum plug_kind kind, const char *name,
		   void (*done)(struct pending *p, struct msg *msg))
{
	struct pending *p = pending_internal(vm, FOR_PARENT);

	if (p)
		ask_parent(p, "device-gone", kind, name, done);
}

static void forgotten(struct pending *p, struct msg *msg)
{
	(void)msg;
	pending_free(p);
}

/* It was not plugged in after all. */
static void undo(const struct pending *p)
{
	forget(p->vm, p->kind, p->name, forgotten);
}

static void plugged(struct pending *p, const struct vm_reply *head)
{
	const struct vm_device_reply *reply = container_of(head, struct vm_device_reply, head);

	if (head->error) {
		undo(p);
		pending_refuse(p, "failed", *reply->why ? reply->why :
			       strerror((int)head->error), NULL);
		return;
	}
	tell(p, "device-added");
	result(p);
}

/* The parent's answer: what the device is, and its descriptors if the VM runs. */
static void allowed(struct pending *p, struct msg *msg)
{
	struct json_object *device = js_get(msg->json, "device");

	if (parent_refused(p, msg))
		return;
	snprintf(p->name, sizeof(p->name), "%s", js_text(msg->json, "name") ?: "");
	if (!p->vm) {
		pending_refuse(p, "not-found", "the VM is gone", NULL);
	} else if (!msg->fds.nr) {
		tell(p, "device-added");
		result(p);
	} else {
		p->waiting = FOR_PROCESS;
		p->process_done = plugged;
		if (machine_tell(p->vm, VM_PLUG, p->token, 0,
				 json_object_to_json_string(device), &msg->fds)) {
			undo(p);
			pending_busy(p);
		}
	}
}

static void add(struct request *req, enum plug_kind kind)
{
	const char *member = kinds[kind].member;
	struct json_object *device = js_get(req->json, member), *msg;
	struct pending *p;

	if (!device || req->vm->state == STARTING) {
		client_refuse(req->client, req->id, device ? "busy" : "bad-request",
			      device ? "the VM is being started" : "what to add is missing");
		return;
	}
	p = pending_new(req, FOR_PARENT);
	if (!p)
		return;
	p->kind = kind;
	p->parent_done = allowed;
	msg = js_new("type", "device-add");
	js_add_text(msg, "vm", req->vm->def.name);
	js_add(msg, member, json_object_get(device));
	/* The parent asks the kernel who that is: it is opened with their rights. */
	parent_ask(p, msg, dup(req->client->watch.fd));
}

void op_disk_add(struct request *req)
{
	add(req, PLUG_DISK);
}

void op_net_add(struct request *req)
{
	add(req, PLUG_NET);
}

void op_device_add(struct request *req)
{
	add(req, PLUG_HOSTDEV);
}

/* The definition is without it: then all is told. */
static void gone(struct pending *p, struct msg *msg)
{
	(void)msg;
	if (p->vm) {
		tell(p, "device-removed");
		pendings_unplugged(p->vm, p->kind, p->name, result);
	}
	pending_free(p);
}

/* The VM's process: a device has gone, asked for or not. */
void machine_unplugged(struct machine *vm, u32 kind, const char *name)
{
	/* What it says is a number, and may be any. */
	if (kind < ARRAY_SIZE(kinds))
		forget(vm, (enum plug_kind)kind, name, gone);
}

/* The guest has been asked. */
static void asked(struct pending *p, const struct vm_reply *reply)
{
	if (reply->error) {
		pending_refuse(p, "not-found", "the VM has no such device", NULL);
		return;
	}
	p->waiting = FOR_UNPLUGGED;
	/* Not to wait is no failure. */
	if (!p->timer.due && !p->force)
		result(p);
}

/* Of a VM that does not run. */
static void struck(struct pending *p, struct msg *msg)
{
	if (parent_refused(p, msg))
		return;
	if (!p->vm) {
		pending_refuse(p, "not-found", "the VM is gone", NULL);
		return;
	}
	tell(p, "device-removed");
	result(p);
}

static void drop_at_rest(struct request *req, enum plug_kind kind, const char *name)
{
	struct pending *p = pending_new(req, FOR_PARENT);

	if (p)
		ask_parent(p, "device-strike", kind, name, struck);
}

/* @name: a device that the VM has. */
static void take_out(struct request *req, enum plug_kind kind, const char *name)
{
	bool force = js_bool(req->json, "force", false);
	double limit = request_seconds(req, REMOVE_SECONDS);
	struct machine *vm = req->vm;
	struct pending *p;

	if (machine_at_rest(vm)) {
		drop_at_rest(req, kind, name);
		return;
	}
	if (!machine_takes_orders(vm)) {
		request_not_running(req);
		return;
	}
	p = pending_new(req, FOR_PROCESS);
	if (!p)
		return;
	p->kind = kind;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->process_done = asked;
	p->force = force;
	if (machine_tell(vm, VM_UNPLUG, p->token, (force ? UNPLUG_FORCE : 0) | UNPLUG_KIND(kind),
			 name, NULL)) {
		pending_busy(p);
		return;
	}
	if (limit > 0 && !force)
		pending_timeout(p, limit);
}

static void no_such(struct request *req, enum plug_kind kind, const char *name)
{
	struct failure f;

	fail(&f, "not-found", "the VM '%s' has no %s '%.40s'", req->vm->def.name,
	     kinds[kind].word, name);
	f.remedy = kinds[kind].list;
	request_refuse(req, &f);
}

static bool has(struct definition *def, enum plug_kind kind, const char *name)
{
	switch (kind) {
	case PLUG_DISK:
		return definition_disk(def, name);
	case PLUG_NET:
		return definition_find_interface(def, name);
	default:
		return assignments_find(&def->devices, name);
	}
}

static void drop(struct request *req, enum plug_kind kind)
{
	const char *name = js_text(req->json, kinds[kind].member) ?: "";

	if (has(&req->vm->def, kind, name))
		take_out(req, kind, name);
	else
		no_such(req, kind, name);
}

void op_disk_remove(struct request *req)
{
	drop(req, PLUG_DISK);
}

void op_net_remove(struct request *req)
{
	drop(req, PLUG_NET);
}

void op_device_remove(struct request *req)
{
	drop(req, PLUG_HOSTDEV);
}

/* They are among what is told of a VM anyway. */
void op_net_list(struct request *req)
{
	struct json_object *obj = machine_json(req->vm);

	if (!js_get(obj, "interfaces"))
		js_add(obj, "interfaces", json_object_new_array());
	request_result(req, obj);
}

void op_disk_list(struct request *req)
{
	struct json_object *obj = machine_json(req->vm);
	struct json_object *disks = json_object_new_array();
	const struct definition *def = &req->vm->def;
	int i;

	for (i = 0; i < def->nr_disks; i++)
		json_object_array_add(disks, definition_disk_json(&def->disk[i], false));
	js_add(obj, "disks", disks);
	request_result(req, obj);
}

static void list_devices(const struct machine *vm, struct json_object *list)
{
	static const char *const keys[] = { "name", "host", "io-ports", "mmio" };
	size_t i, k;

	for (i = 0; vm->devices && i < json_object_array_length(vm->devices); i++) {
		struct json_object *dev = json_object_array_get_idx(vm->devices, i);
		struct json_object *obj = js_new("vm", vm->def.name);

		for (k = 0; k < ARRAY_SIZE(keys); k++)
			if (js_get(dev, keys[k]))
				js_add(obj, keys[k], json_object_get(js_get(dev, keys[k])));
		json_object_array_add(list, obj);
	}
}

/* The host's devices that VMs have now: those of one, or of all that may be seen. */
void op_device_list(struct request *req)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct machine *vm;

	for (vm = machines(); vm; vm = vm->next)
		if (req->vm ? vm == req->vm :
		    req->admin || peer_owns(&req->client->peer, &vm->def.owner))
			list_devices(vm, list);
	js_add(obj, "devices", list);
	request_result(req, obj);
}
