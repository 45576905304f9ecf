// SPDX-License-Identifier: GPL-2.0-only
/* Operations on a VM that runs, or is to. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

#define STOP_SECONDS	60

void op_start(struct request *req)
{
	struct pending *p;
	struct failure f;

	if (machine_alive(req->vm)) {
		client_refuse(req->client, req->id, "running",
			      "the VM is not stopped");
		return;
	}
	p = pending_new(req, FOR_RUNNING);
	if (!p)
		return;
	p->strict = true;
	req->vm->tries = 0;
	if (machine_start(req->vm, &f))
		pending_refuse(p, f.code, f.why.text, f.remedy);
}

void op_stop(struct request *req)
{
	bool timed = js_get(req->json, "timeout");
	bool force = js_bool(req->json, "force", false);
	double limit = request_seconds(req, force ? 0 : STOP_SECONDS);
	struct machine *vm = req->vm;
	struct pending *p;

	if (!machine_alive(vm)) {
		if (!vm->again.due) {
			request_not_running(req);
			return;
		}
		/* It waited for its restart: now it does not. */
		timer_clear(&vm->again);
		pendings_stopped(vm);
		request_result(req, machine_json(vm));
		return;
	}
	machine_stopping(vm);
	if (!force || timed)
		machine_ask(vm, VM_BUTTON, 0, 0, 0, -1);
	if (!force && timed && limit <= 0) {
		request_result(req, machine_json(vm));
		return;
	}
	p = pending_new(req, FOR_STOPPED);
	if (!p)
		return;
	p->force = force;
	if (force && limit <= 0)
		machine_end(vm);
	else
		pending_timeout(p, limit);
}

static void paused(struct pending *p, const struct vm_reply *reply)
{
	struct machine *vm = p->vm;

	if (reply->error) {
		pending_refuse(p, "failed", strerror((int)reply->error), NULL);
		return;
	}
	if (reply->state == VM_PAUSED && vm->state == RUNNING) {
		machine_state(vm, PAUSED);
		event(vm, "paused", NULL);
	} else if (reply->state == VM_RUNNING && vm->state == PAUSED) {
		machine_state(vm, RUNNING);
		event(vm, "resumed", NULL);
	}
	pending_vm(p);
}

/* What its process answers with its state. */
static void ask_process(struct request *req, enum vm_op op)
{
	struct machine *vm = req->vm;
	struct pending *p;

	if (!machine_takes_orders(vm)) {
		request_not_running(req);
		return;
	}
	p = pending_new(req, FOR_PROCESS);
	if (!p)
		return;
	p->process_done = paused;
	if (machine_ask(vm, op, p->token, 0, 0, -1))
		pending_busy(p);
}

void op_pause(struct request *req)
{
	ask_process(req, VM_PAUSE);
}

/* Paused by whomever: the parent has seen to the module, now its process. */
static void let_go(struct pending *p, struct msg *msg)
{
	if (parent_refused(p, msg))
		return;
	if (!p->vm) {
		pending_refuse(p, "not-found", "the VM is gone", NULL);
		return;
	}
	p->waiting = FOR_PROCESS;
	p->process_done = paused;
	if (machine_ask(p->vm, VM_RESUME, p->token, 0, 0, -1))
		pending_busy(p);
}

void op_resume(struct request *req)
{
	struct machine *vm = req->vm;
	struct json_object *msg;
	struct pending *p;

	if (!machine_takes_orders(vm)) {
		request_not_running(req);
		return;
	}
	p = pending_new(req, FOR_PARENT);
	if (!p)
		return;
	p->parent_done = let_go;
	msg = js_new("type", "resume");
	js_add_text(msg, "vm", vm->def.name);
	parent_ask(p, msg, -1);
}

void op_nmi(struct request *req)
{
	ask_process(req, VM_NMI);
}

void op_reset(struct request *req)
{
	struct machine *vm = req->vm;
	struct pending *p;

	if (vm->state != RUNNING && vm->state != PAUSED) {
		request_not_running(req);
		return;
	}
	p = pending_new(req, FOR_RUNNING);
	if (!p)
		return;
	p->strict = true;
	vm->reset_asked = true;
	if (machine_ask(vm, VM_RESET, 0, 0, 0, -1)) {
		vm->reset_asked = false;
		pending_busy(p);
	}
}

void op_wait(struct request *req)
{
	const char *what = js_text(req->json, "for") ?: "stopped";
	struct machine *vm = req->vm;
	bool now, running = !strcmp(what, "running");
	struct pending *p;

	if (!running && strcmp(what, "stopped")) {
		client_refuse(req->client, req->id, "bad-request",
			      "'for' is \"stopped\" or \"running\"");
		return;
	}
	if (running)
		now = vm->state == RUNNING || vm->state == PAUSED;
	else
		now = machine_at_rest(vm);
	if (now) {
		request_result(req, machine_json(vm));
		return;
	}
	p = pending_new(req, running ? FOR_RUNNING : FOR_STOPPED);
	if (p && js_get(req->json, "timeout"))
		pending_timeout(p, request_seconds(req, 0));
}

static void attached(struct pending *p, const struct vm_reply *reply)
{
	struct json_object *obj;
	int fd = p->fd;

	if (reply->error == EBUSY) {
		pending_refuse(p, "busy", "somebody else is writing to the console",
			       "read it only, or use force");
		return;
	}
	if (reply->error == EMFILE) {
		pending_refuse(p, "limit", "too many are attached to the console",
			       NULL);
		return;
	}
	if (reply->error) {
		pending_refuse(p, "failed", strerror((int)reply->error), NULL);
		return;
	}
	p->fd = -1;
	obj = js_new("mode", p->write ? "rw" : "ro");
	pending_result(p, obj, fd);
}

void op_console(struct request *req)
{
	const char *mode = js_text(req->json, "mode") ?: "rw";
	u32 flags = js_bool(req->json, "force", false) ? CONSOLE_FORCE : 0;
	s64 bytes = js_int(req->json, "scrollback", 0);
	struct machine *vm = req->vm;
	struct pending *p;
	int pair[2], err;

	if (strcmp(mode, "rw") && strcmp(mode, "ro")) {
		client_refuse(req->client, req->id, "bad-request",
			      "'mode' is \"rw\" or \"ro\"");
		return;
	}
	if (!machine_alive(vm)) {
		request_not_running(req);
		return;
	}
	p = pending_new(req, FOR_PROCESS);
	if (!p)
		return;
	p->write = !strcmp(mode, "rw");
	p->process_done = attached;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		pending_refuse(p, "limit", strerror(errno), NULL);
		return;
	}
	p->fd = pair[0];
	err = machine_ask(vm, VM_CONSOLE, p->token,
			  flags | (p->write ? CONSOLE_WRITE : 0),
			  (u32)min(bytes, (s64)SCROLLBACK_MAX), pair[1]);
	close(pair[1]);
	if (err)
		pending_busy(p);
}
