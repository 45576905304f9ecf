// SPDX-License-Identifier: GPL-2.0-only
/* The connection to a VM's process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

/* Return: 0 or -errno: the VM's process does not listen (any longer). */
int machine_ask(struct machine *vm, enum vm_op op, u32 id, u32 flags, u32 amount,
		int fd)
{
	struct vm_request req = {
		.version = VM_PROTOCOL, .op = op, .id = id,
		.flags = flags, .amount = amount,
	};
	int n;

	if (vm->conn.fd < 0)
		return -ENOTCONN;
	n = msg_write(vm->conn.fd, &req, sizeof(req), &fd, fd >= 0);
	return n < 0 ? n : 0;
}

/* Likewise, with text behind the request, and descriptors; @fds may be NULL. */
int machine_tell(struct machine *vm, enum vm_op op, u32 id, u32 flags, const char *text,
		 const struct fd_list *fds)
{
	static struct {
		struct vm_request req;
		char text[VM_TEXT_MAX];
	} out;
	size_t len = strlen(text);
	int n;

	if (vm->conn.fd < 0)
		return -ENOTCONN;
	if (len > sizeof(out.text))
		return -EMSGSIZE;
	out.req = (struct vm_request) {
		.version = VM_PROTOCOL, .op = op, .id = id, .flags = flags,
	};
	memcpy(out.text, text, len);
	n = msg_write(vm->conn.fd, &out, sizeof(out.req) + len, fds ? fds->fd : NULL,
		      fds ? fds->nr : 0);
	return n < 0 ? n : 0;
}

void machine_hang_up(struct machine *vm)
{
	int fd = vm->conn.fd;

	if (fd < 0)
		return;
	watch_remove(&vm->conn);
	close(fd);
	pendings_hang_up(vm);
}

static void identified(struct pending *p, struct msg *msg)
{
	struct machine *vm = p->vm;

	pending_free(p);
	/* Its process may have ended meanwhile. */
	if (!vm || !vm->pid)
		return;
	vm->id = (u32)js_int(msg->json, "vm-id", 0);
	machine_hello(vm, vm->said);
}

/*
 * Its process says hello, the first time or again: what the module calls the VM is known before
 * anybody is told that it runs.
 */
void machine_greet(struct machine *vm, u32 state)
{
	struct pending *p = vm->greeted ? NULL : pending_internal(vm, FOR_PARENT);
	struct json_object *msg;

	vm->greeted = true;
	vm->said = state;
	if (!p) {
		machine_hello(vm, state);
		return;
	}
	p->parent_done = identified;
	msg = js_new("type", "identify");
	js_add_text(msg, "vm", vm->def.name);
	parent_ask(p, msg, -1);
}

/* The host's error; the guest has its own. */
static void disk_failed(struct machine *vm, const struct vm_device_reply *news)
{
	struct disk *disk = definition_disk(&vm->def, news->name);
	struct json_object *more = json_object_new_object();
	int error = (int)news->head.error;
	u32 nr = news->head.state;
	const char *path;
	char why[512];

	/* What runs may be of an older definition. */
	path = disk ? disk->path : NULL;
	js_add_text(more, "disk", path);
	js_add_text(more, "device", news->name);
	js_add_int(more, "errno", error);
	js_add_int(more, "requests", nr);
	snprintf(why, sizeof(why), "the disk %.300s: %s (%u request%s failed)",
		 path ?: news->name, strerror(error), nr, nr == 1 ? "" : "s");
	event_more(vm, "disk-error", why, more);
	json_object_put(more);
}

/* Its server has ended: the guest has errors for whatever it asks of it. */
static void share_lost(struct machine *vm, const char *tag)
{
	struct json_object *more = js_new("share", tag);
	char why[128];

	snprintf(why, sizeof(why), "the share %s: its server has ended", tag);
	event_more(vm, "share-lost", why, more);
	json_object_put(more);
}

/*
 * Its process has done what is to be done; of an end the parent tells. It may come while the
 * parent is being asked what the module calls the VM: then that is its state when it runs.
 */
static void watchdog_fired(struct machine *vm, u32 state)
{
	event(vm, "watchdog", "the guest's watchdog has fired");
	vm->said = state;
	if (state != VM_PAUSED || vm->state != RUNNING)
		return;
	machine_state(vm, PAUSED);
	event(vm, "paused", "by the guest's watchdog");
}

union reply {
	struct vm_reply head;
	struct vm_balloon_reply balloon;
	struct vm_reclaim_reply reclaim;
	struct vm_memory_reply memory;
	struct vm_device_reply device;
};

/* Return: whether it is as long as one of its kind. */
static bool understood(union reply *reply, ssize_t n)
{
	if (reply->head.version != VM_PROTOCOL)
		return false;
	switch (reply->head.op) {
	case VM_BALLOON:
	case VM_BALLOON_AT:
		/* A VM without a balloon has no figures of it. */
		return n == sizeof(reply->balloon) ||
		       (n == sizeof(reply->head) && reply->head.error);
	case VM_RECLAIM:
		return n == sizeof(reply->reclaim) ||
		       (n == sizeof(reply->head) && reply->head.error);
	case VM_MEMORY:
	case VM_MEMORY_AT:
		return n == sizeof(reply->memory) ||
		       (n == sizeof(reply->head) && reply->head.error);
	case VM_PLUG:
	case VM_UNPLUGGED:
	case VM_DISK_ERROR:
	case VM_SHARE_LOST:
	case VM_HOST_NEWS:
		reply->device.name[sizeof(reply->device.name) - 1] = '\0';
		reply->device.why[sizeof(reply->device.why) - 1] = '\0';
		return n == sizeof(reply->device);
	default:
		return n == sizeof(reply->head);
	}
}

static void on_reply(struct watch *watch, u32 events)
{
	struct machine *vm = container_of(watch, struct machine, conn);
	struct fd_list fds;
	union reply reply;
	ssize_t n;

	(void)events;
	n = msg_read(vm->conn.fd, &reply, sizeof(reply), fds.fd, &fds.nr);
	fds_close(&fds);
	if (n == -EAGAIN)
		return;
	if (n < (ssize_t)sizeof(reply.head) || !understood(&reply, n)) {
		/* Its end, if that is what it is, is the parent's to tell. */
		machine_hang_up(vm);
		return;
	}
	if (n == sizeof(reply.balloon))
		vm->balloon = reply.balloon;
	if (n == sizeof(reply.memory))
		vm->memory = reply.memory;
	if (reply.head.op == VM_HELLO)
		machine_greet(vm, reply.head.state);
	else if (reply.head.op == VM_BALLOON_AT)
		machine_balloon_at(vm);
	else if (reply.head.op == VM_MEMORY_AT)
		machine_memory_at(vm);
	else if (reply.head.op == VM_DISK_ERROR)
		disk_failed(vm, &reply.device);
	else if (reply.head.op == VM_SHARE_LOST)
		share_lost(vm, reply.device.name);
	else if (reply.head.op == VM_WATCHDOG)
		watchdog_fired(vm, reply.head.state);
	else if (reply.head.op == VM_UNPLUGGED)
		machine_unplugged(vm, reply.device.kind, reply.device.name);
	else if (reply.head.op == VM_HOST_NEWS)
		machine_host_news(vm, &reply.device);
	else
		pendings_reply(vm, &reply.head);
}

int machine_open(struct machine *vm, int fd)
{
	machine_hang_up(vm);
	return watch_add(&vm->conn, fd, EPOLLIN, on_reply);
}
