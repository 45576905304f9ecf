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
	u32 state = p->bytes;

	pending_free(p);
	/* Its process may have ended meanwhile. */
	if (!vm || !vm->pid)
		return;
	vm->id = (u32)js_int(msg->json, "vm-id", 0);
	machine_hello(vm, state);
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
	if (!p) {
		machine_hello(vm, state);
		return;
	}
	p->bytes = state;
	p->parent_done = identified;
	msg = js_new("type", "identify");
	js_add_text(msg, "vm", vm->def.name);
	parent_ask(p, msg, -1);
}

/* Of both lengths. Return: whether it is one that we understand. */
static bool understood(const struct vm_balloon_reply *reply, ssize_t n)
{
	bool long_one = n == sizeof(*reply);

	if ((n != sizeof(reply->head) && !long_one) || reply->head.version != VM_PROTOCOL)
		return false;
	return !long_one || reply->head.op == VM_BALLOON || reply->head.op == VM_BALLOON_AT;
}

/* The host's error; the guest has its own. */
static void disk_failed(struct machine *vm, const struct vm_reply *news)
{
	struct json_object *more = json_object_new_object();
	u32 disk = VM_DISK(news->state), nr = VM_FAILED(news->state);
	const char *path;
	char why[512];

	/* What runs may be of an older definition. */
	path = disk < (u32)vm->def.nr_disks ? vm->def.disk[disk].path : NULL;
	js_add_text(more, "disk", path);
	js_add_int(more, "errno", news->error);
	js_add_int(more, "requests", nr);
	snprintf(why, sizeof(why), "the disk %.300s: %s (%u request%s failed)", path ?: "",
		 strerror((int)news->error), nr, nr == 1 ? "" : "s");
	event_more(vm, "disk-error", why, more);
	json_object_put(more);
}

static void on_reply(struct watch *watch, u32 events)
{
	struct machine *vm = container_of(watch, struct machine, conn);
	int fds[MSG_FDS_MAX], nr;
	struct vm_balloon_reply reply;
	ssize_t n;

	(void)events;
	n = msg_read(vm->conn.fd, &reply, sizeof(reply), fds, &nr);
	while (nr > 0)
		close(fds[--nr]);
	if (n == -EAGAIN)
		return;
	if (!understood(&reply, n)) {
		/* Its end, if that is what it is, is the parent's to tell. */
		machine_hang_up(vm);
		return;
	}
	if (n == sizeof(reply))
		vm->balloon = reply;
	if (reply.head.op == VM_HELLO)
		machine_greet(vm, reply.head.state);
	else if (reply.head.op == VM_BALLOON_AT)
		machine_balloon_at(vm);
	else if (reply.head.op == VM_DISK_ERROR)
		disk_failed(vm, &reply.head);
	else
		pendings_reply(vm, &reply.head);
}

int machine_open(struct machine *vm, int fd)
{
	machine_hang_up(vm);
	return watch_add(&vm->conn, fd, EPOLLIN, on_reply);
}
