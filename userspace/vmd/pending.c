// SPDX-License-Identifier: GPL-2.0-only
/* Requests that wait: for the parent, for a VM's process, for a VM's state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

static struct pending *pendings;
static u32 next_token;

static struct pending *pending_add(struct client *c, struct json_object *id,
				   struct machine *vm, enum waiting waiting)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->client = c;
	p->id = json_object_get(id);
	p->vm = vm;
	p->waiting = waiting;
	p->token = ++next_token;
	p->fd = -1;
	p->hinted = -1;
	p->next = pendings;
	p->link = &pendings;
	if (p->next)
		p->next->link = &p->next;
	pendings = p;
	if (c)
		c->nr_pending++;
	return p;
}

/* Return: NULL with the request refused. */
struct pending *pending_new(const struct request *req, enum waiting waiting)
{
	struct client *c = req->client;
	struct pending *p = NULL;

	/* What a client asked for that is gone by now goes on, as in pendings_leave(). */
	if (c->nr_pending < PENDING_OF_ONE)
		p = pending_add(c->dead ? NULL : c, req->id, req->vm, waiting);
	if (!p)
		client_refuse(c, req->id, "limit",
			      "too many requests wait for an answer");
	return p;
}

/* Likewise, for an amount that the guest may take its time to reach. */
struct pending *pending_amount(const struct request *req)
{
	struct pending *p = pending_new(req, FOR_PROCESS);

	if (!p)
		return NULL;
	p->wait = js_bool(req->json, "wait", false);
	p->limit = request_seconds(req, -1);
	return p;
}

/* One that nobody waits for. */
struct pending *pending_internal(struct machine *vm, enum waiting waiting)
{
	return pending_add(NULL, NULL, vm, waiting);
}

void pending_free(struct pending *p)
{
	struct client *c = p->client;

	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	timer_clear(&p->timer);
	json_object_put(p->id);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
	if (c) {
		c->nr_pending--;
		client_settle(c);
	}
}

/* The client is gone: what it asked for goes on. */
void pendings_leave(struct client *c)
{
	struct pending *p, *next;

	for (p = pendings; p; p = next) {
		next = p->next;
		if (p->client != c)
			continue;
		p->client = NULL;
		/* Nothing else hangs on a mere wait; a stop by force goes on. */
		if (p->waiting == FOR_RUNNING || p->waiting == FOR_BALLOON ||
		    p->waiting == FOR_MEMORY ||
		    p->waiting == FOR_UNPLUGGED ||
		    (p->waiting == FOR_STOPPED && !p->force))
			pending_free(p);
	}
	c->nr_pending = 0;
}

/*
 * Its client, who waits for it no longer: the answer may find them gone, and then all that
 * they wait for is freed.
 */
static struct client *let_client_go(struct pending *p)
{
	struct client *c = p->client;

	p->client = NULL;
	if (c)
		c->nr_pending--;
	return c;
}

/**
 * pending_result() - answer, and be done with it
 * @p: freed
 * @result: released
 * @fd: goes with it and is closed here; -1: none
 */
void pending_result(struct pending *p, struct json_object *result, int fd)
{
	struct client *c = let_client_go(p);
	struct json_object *line;

	if (c) {
		line = json_object_new_object();
		js_add_int(line, "v", 1);
		js_add(line, "id", json_object_get(p->id));
		js_add_bool(line, "ok", true);
		js_add(line, "result", result);
		client_send(c, line, fd);
		client_settle(c);
	} else {
		json_object_put(result);
		if (fd >= 0)
			close(fd);
	}
	pending_free(p);
}

/* Answer with the VM. */
void pending_vm(struct pending *p)
{
	pending_result(p, p->client ? machine_json(p->vm) : NULL, -1);
}

void pending_refuse(struct pending *p, const char *code, const char *message,
		    const char *remedy)
{
	struct request req = { .client = let_client_go(p), .id = p->id };
	struct failure f;

	if (req.client) {
		fail(&f, code, "%s", message);
		f.remedy = remedy;
		request_refuse(&req, &f);
		client_settle(req.client);
	}
	pending_free(p);
}

/* What was asked of the VM's process could not be sent. */
void pending_busy(struct pending *p)
{
	pending_refuse(p, "busy", "the VM's process takes no orders", NULL);
}

static void on_timeout(struct timer *timer)
{
	struct pending *p = container_of(timer, struct pending, timer);
	struct machine *vm = p->vm;

	if (p->waiting == FOR_STOPPED && p->force) {
		machine_end(vm);
		return;	/* it waits on: that ends */
	}
	if (p->late)
		p->late(p);
	else if (p->waiting == FOR_STOPPED)
		pending_refuse(p, "timeout", "the VM has not stopped in time",
			       "'force' stops it whatever the guest does");
	else if (p->waiting == FOR_UNPLUGGED)
		pending_refuse(p, "timeout", "the guest has not let go of it in time",
			       "ask again, or take it away with 'force': what the guest has not written is lost");
	else
		pending_refuse(p, "timeout", "it has not happened in time", NULL);
}

void pending_timeout(struct pending *p, double seconds)
{
	timer_set(&p->timer, (u64)(seconds * 1000), on_timeout);
}

/* For each that waits for something of a VM; what @fn frees may be the next one too. */
static struct pending *find(const struct machine *vm, enum waiting waiting)
{
	struct pending *p;

	for (p = pendings; p; p = p->next)
		if (p->vm == vm && p->waiting == waiting)
			return p;
	return NULL;
}

void pendings_running(struct machine *vm)
{
	struct pending *p;

	while ((p = find(vm, FOR_RUNNING)))
		pending_vm(p);
}

void pendings_stopped(struct machine *vm)
{
	struct pending *p;

	while ((p = find(vm, FOR_STOPPED)))
		pending_vm(p);
}

/* @fn: makes it wait for something else. */
void pendings_reached(struct machine *vm, enum waiting reason,
		      void (*fn)(struct pending *p))
{
	struct pending *p;

	while ((p = find(vm, reason)))
		fn(p);
}

/* A device has gone: who asked for that hears of it, by @fn. */
void pendings_unplugged(struct machine *vm, enum plug_kind kind, const char *name,
			void (*fn)(struct pending *p))
{
	struct pending *p, *next;

	for (p = pendings; p; p = next) {
		next = p->next;
		if (p->vm == vm && p->waiting == FOR_UNPLUGGED && p->kind == kind &&
		    !strcmp(p->name, name))
			fn(p);
	}
}

/* It could not be started: who started it is told why. */
void pendings_failed(struct machine *vm, const struct failure *f)
{
	struct pending *p;

	/* From the start each time: what an answer frees may be the next one too. */
	for (p = pendings; p;) {
		if (p->vm == vm && p->waiting == FOR_RUNNING && p->strict) {
			pending_refuse(p, f->code, f->why.text, f->remedy);
			p = pendings;
		} else {
			p = p->next;
		}
	}
}

void pendings_gone(struct machine *vm)
{
	struct pending *p;

	for (p = pendings; p;) {
		if (p->vm != vm) {
			p = p->next;
			continue;
		}
		p->vm = NULL;
		/* The parent's answer to a deletion is on its way. */
		if (p->waiting == FOR_STOPPED)
			pending_result(p, json_object_new_object(), -1);
		else if (p->waiting != FOR_PARENT)
			pending_refuse(p, "not-found", "the VM is gone", NULL);
		p = pendings;
	}
}

/* The answer of a VM's process. */
void pendings_reply(struct machine *vm, const struct vm_reply *reply)
{
	struct pending *p;

	for (p = pendings; p; p = p->next) {
		if (p->vm == vm && p->waiting == FOR_PROCESS &&
		    p->token == reply->id) {
			p->process_done(p, reply);
			return;
		}
	}
}

void pendings_hang_up(struct machine *vm)
{
	struct pending *p;

	while ((p = find(vm, FOR_PROCESS) ?: find(vm, FOR_BALLOON) ?: find(vm, FOR_MEMORY) ?:
		    find(vm, FOR_UNPLUGGED)))
		pending_refuse(p, "not-running", "the VM has ended", NULL);
}

/* Ask the parent; @p has the token of its answer. @msg is released, @fd closed. */
void parent_ask(struct pending *p, struct json_object *msg, int fd)
{
	js_add_int(msg, "token", p->token);
	channel_send(&control.parent, msg, fd);
}

/* Pass the parent's refusal on. Return: whether it was one; @p is freed then. */
bool parent_refused(struct pending *p, struct msg *msg)
{
	struct json_object *error = js_get(msg->json, "error");

	if (!error)
		return false;
	pending_refuse(p, js_text(error, "code"), js_text(error, "message") ?: "",
		       js_text(error, "remedy"));
	return true;
}

/* The parent's answer. */
void pendings_parent(struct msg *msg)
{
	u32 token = (u32)js_int(msg->json, "token", 0);
	struct pending *p;

	for (p = pendings; p; p = p->next) {
		if (p->waiting == FOR_PARENT && p->token == token) {
			p->parent_done(p, msg);
			return;
		}
	}
}
