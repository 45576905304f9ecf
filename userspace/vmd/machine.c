// SPDX-License-Identifier: GPL-2.0-only
/* VMs and their states: what starts them, what follows when they end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

#define FORCE_MS	3000	/* from being told to end to being killed */
#define LASTING_MS	60000	/* a VM that ran so long has not failed to start */
#define AGAIN_MS	500	/* first delay of a restart; doubled each time */
#define AGAIN_MAX_MS	60000
#define TRIES_MAX	10
#define GIVE_UP_MS	60000

static struct machine *list;

struct machine *machines(void)
{
	return list;
}

struct machine *machine_find(const char *name)
{
	struct machine *vm;

	for (vm = list; vm; vm = vm->next)
		if (!strcmp(vm->def.name, name))
			return vm;
	return NULL;
}

/* By the digits of its id. */
struct machine *machine_find_id(const char *text)
{
	struct machine *vm;
	char digits[16];

	for (vm = list; vm; vm = vm->next) {
		snprintf(digits, sizeof(digits), "%u", vm->id);
		if (vm->id && !strcmp(digits, text))
			return vm;
	}
	return NULL;
}

/* Has it a process? */
bool machine_alive(const struct machine *vm)
{
	return vm->state != STOPPED && vm->state != FAILED;
}

/* It does not run, and will not by itself. */
bool machine_at_rest(const struct machine *vm)
{
	return !machine_alive(vm) && !vm->again.due;
}

/* Its process listens. */
bool machine_takes_orders(const struct machine *vm)
{
	return vm->state == RUNNING || vm->state == PAUSED || vm->state == STOPPING;
}

void machine_state(struct machine *vm, enum state state)
{
	if (vm->state == state)
		return;
	vm->state = state;
	vm->since = wall_time();
}

static void set_last(struct machine *vm, const char *reason, int code,
		     const char *message)
{
	free(vm->last.reason);
	free(vm->last.message);
	vm->last = (struct last) {
		.reason = strdup(reason ?: "error"),
		.message = strdup(message ?: ""),
		.code = code,
		.time = wall_time(),
	};
}

static void take_last(struct machine *vm, struct json_object *obj)
{
	if (obj)
		set_last(vm, js_text(obj, "reason"), (int)js_int(obj, "code", 1),
			 js_text(obj, "message"));
}

/* In the order of names: so they are listed. */
static struct machine *machine_new(const char *name)
{
	struct machine *vm = calloc(1, sizeof(*vm));
	struct machine **link = &list;

	if (!vm)
		return NULL;
	vm->conn.fd = -1;
	vm->since = wall_time();
	while (*link && strcmp((*link)->def.name, name) < 0)
		link = &(*link)->next;
	vm->next = *link;
	*link = vm;
	return vm;
}

static void take(struct json_object **into, struct json_object *told)
{
	if (!told)
		return;
	json_object_put(*into);
	*into = json_object_get(told);
}

/* What the parent says that it has, while it runs; which it need not say. */
static void take_lists(struct machine *vm, struct json_object *obj)
{
	take(&vm->nets, js_get(obj, "interfaces"));
	take(&vm->devices, js_get(obj, "devices"));
}

/* It does not run. */
static void drop_lists(struct machine *vm)
{
	json_object_put(vm->nets);
	vm->nets = NULL;
	json_object_put(vm->devices);
	vm->devices = NULL;
}

/* The parent: a VM is there, or has changed. */
void machine_update(struct json_object *obj)
{
	struct definition def;
	struct machine *vm;
	struct complaint c;
	bool created = false;

	if (definition_from_json(&def, js_get(obj, "definition"), true, &c)) {
		say("a definition is not understood: %s", c.text);
		definition_free(&def);
		return;
	}
	vm = machine_find(def.name);
	if (!vm) {
		vm = machine_new(def.name);
		created = control.started;
	}
	if (!vm) {
		definition_free(&def);
		return;
	}
	definition_free(&vm->def);
	vm->def = def;
	take_lists(vm, obj);
	vm->changed = js_bool(obj, "pending", false);
	vm->orphan = js_bool(obj, "orphan", false);
	if (!vm->last.reason)
		take_last(vm, js_get(obj, "last"));
	/* By itself once after the host's start, however often the daemon's is. */
	if (!control.started && def.autostart && !js_bool(obj, "known", false))
		vm->wants_start = true;
	if (created && def.created)
		event(vm, "created", NULL);
}

void machine_gone(const char *name)
{
	struct machine *vm = machine_find(name), **link;

	if (!vm)
		return;
	event(vm, "deleted", NULL);
	machine_hang_up(vm);
	pendings_gone(vm);
	timer_clear(&vm->again);
	timer_clear(&vm->force);
	timer_clear(&vm->give_up);
	for (link = &list; *link != vm; link = &(*link)->next)
		;
	*link = vm->next;
	definition_free(&vm->def);
	free(vm->last.reason);
	free(vm->last.message);
	drop_lists(vm);
	free(vm);
}

/* The parent: it has a process. */
void machine_connect(struct json_object *obj, int fd)
{
	struct machine *vm = machine_find(js_text(obj, "vm") ?: "");

	if (!vm || fd < 0 || machine_open(vm, fd)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	vm->pid = (int)js_int(obj, "pid", 0);
	take_lists(vm, obj);
	vm->greeted = false;
	vm->started = now_ms();
	vm->wants_start = false;
	timer_clear(&vm->again);
	machine_state(vm, STARTING);
	if (js_bool(obj, "found", false))
		event(vm, "found", NULL);
}

/* Its process says that the guest runs, or that it did when it was asked. */
void machine_hello(struct machine *vm, u32 state)
{
	bool new = vm->state == STARTING;

	vm->was = state == VM_PAUSED ? PAUSED : RUNNING;
	if (vm->state != STOPPING)
		machine_state(vm, vm->was);
	if (new)
		event(vm, "started", NULL);
	pendings_running(vm);
}

static void start_failed(struct machine *vm, const struct failure *f)
{
	machine_state(vm, FAILED);
	set_last(vm, "error", 1, f->why.text);
	event(vm, "failed", f->why.text);
	pendings_failed(vm, f);
	pendings_stopped(vm);
}

static void start_answered(struct pending *p, struct msg *msg)
{
	struct json_object *error = js_get(msg->json, "error");
	struct machine *vm = p->vm;
	struct failure f;
	char remedy[256];

	pending_free(p);
	if (!error || !vm)
		return;
	fail(&f, js_text(error, "code"), "%s", js_text(error, "message") ?: "");
	if (js_text(error, "remedy")) {
		snprintf(remedy, sizeof(remedy), "%s", js_text(error, "remedy"));
		f.remedy = remedy;
	}
	start_failed(vm, &f);
}

/* Return: 0, or less with @f filled in. */
int machine_start(struct machine *vm, struct failure *f)
{
	struct json_object *msg;
	struct pending *p;

	if (machine_alive(vm))
		return fail(f, "running", "the VM '%s' is not stopped",
			    vm->def.name);
	p = pending_internal(vm, FOR_PARENT);
	if (!p)
		return fail(f, "failed", "out of memory");
	timer_clear(&vm->again);
	vm->stop_asked = false;
	vm->reset_asked = false;
	machine_state(vm, STARTING);
	event(vm, "starting", NULL);
	p->parent_done = start_answered;
	msg = js_new("type", "start");
	js_add_text(msg, "vm", vm->def.name);
	parent_ask(p, msg, -1);
	return 0;
}

static void start_now(struct timer *timer)
{
	struct machine *vm = container_of(timer, struct machine, again);
	struct failure f;

	if (vm->last.reason)
		event(vm, "restarted", vm->last.message);
	machine_start(vm, &f);
}

void machine_start_later(struct machine *vm, u64 ms)
{
	timer_set(&vm->again, ms, start_now);
}

static void kill_now(struct timer *timer)
{
	struct machine *vm = container_of(timer, struct machine, force);
	struct json_object *msg = js_new("type", "kill");

	js_add_text(msg, "vm", vm->def.name);
	channel_send(&control.parent, msg, -1);
}

/* End it whatever the guest does. */
void machine_end(struct machine *vm)
{
	bool asked = !machine_ask(vm, VM_END, 0, 0, 0, -1);

	/* One that has not said hello is loading: it does not listen yet. */
	if (vm->state == STOPPING && vm->was == STARTING)
		asked = false;
	timer_set(&vm->force, asked ? FORCE_MS : 0, kill_now);
}

static void gave_up(struct timer *timer)
{
	struct machine *vm = container_of(timer, struct machine, give_up);

	if (vm->state != STOPPING || vm->force.due)
		return;
	vm->stop_asked = false;
	machine_state(vm, vm->was);
}

/* It was asked to stop. If it does not within a minute, it is as it was. */
void machine_stopping(struct machine *vm)
{
	if (vm->state != STOPPING) {
		vm->was = vm->state;
		machine_state(vm, STOPPING);
		event(vm, "stopping", NULL);
	}
	vm->stop_asked = true;
	timer_set(&vm->give_up, GIVE_UP_MS, gave_up);
}

static bool is_failure(const char *reason)
{
	static const char *const good[] = {
		"poweroff", "stopped", "reset", "debug-exit", "signal",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (!strcmp(reason, good[i]))
			return false;
	return true;
}

/* Will it be started again, and when? */
static bool plan_restart(struct machine *vm, u64 ran_ms)
{
	bool reset = !strcmp(vm->last.reason, "reset");
	u64 delay;

	if (vm->orphan || vm->stop_asked)
		return false;
	if (vm->reset_asked) {
		machine_start_later(vm, 0);
		return true;
	}
	if (!reset && vm->def.restart != RESTART_ALWAYS &&
	    !(vm->def.restart == RESTART_ON_FAILURE &&
	      is_failure(vm->last.reason)))
		return false;
	if (ran_ms >= LASTING_MS)
		vm->tries = 0;
	if (vm->tries == TRIES_MAX) {
		machine_state(vm, FAILED);
		event(vm, "failed", "it ended too often, and is not started again");
		return false;
	}
	delay = min((u64)AGAIN_MS << vm->tries, (u64)AGAIN_MAX_MS);
	/* A reboot is a reboot; only a guest that does nothing else is slowed down. */
	if (reset && vm->tries < 3)
		delay = 0;
	vm->tries++;
	machine_start_later(vm, delay);
	return true;
}

/* The parent: its process has ended. */
void machine_exited(struct json_object *obj)
{
	struct machine *vm = machine_find(js_text(obj, "vm") ?: "");
	struct failure f;
	bool loading;
	u64 ran;

	if (!vm)
		return;
	loading = vm->state == STARTING;
	ran = vm->started ? now_ms() - vm->started : 0;
	take_last(vm, js_get(obj, "last"));
	if (!vm->last.reason)
		set_last(vm, "killed", 1, "its process was killed");
	timer_clear(&vm->force);
	timer_clear(&vm->give_up);
	machine_hang_up(vm);
	drop_lists(vm);
	vm->pid = 0;
	vm->id = 0;
	vm->changed = false;
	fail(&f, "failed", "%s", vm->last.message);
	/* It ran, and ended before it could say so. */
	if (loading && strcmp(vm->last.reason, "killed") &&
	    strcmp(vm->last.reason, "error")) {
		machine_hello(vm, VM_RUNNING);
		loading = false;
	}
	if (loading && strcmp(vm->last.reason, "killed")) {
		machine_state(vm, FAILED);
		event(vm, "failed", vm->last.message);
		pendings_failed(vm, &f);
		pendings_stopped(vm);
		return;
	}
	if (loading)
		pendings_failed(vm, &f);
	machine_state(vm, STOPPED);
	event(vm, strcmp(vm->last.reason, "killed") ? "stopped" : "killed",
	      vm->last.message);
	if (vm->stop_asked)
		vm->tries = 0;
	if (!plan_restart(vm, ran))
		pendings_stopped(vm);
	vm->stop_asked = false;
}

static const char *const state_names[] = {
	[STOPPED] = "stopped", [STARTING] = "starting", [RUNNING] = "running",
	[PAUSED] = "paused", [STOPPING] = "stopping", [FAILED] = "failed",
};

/* The protocol's object. */
struct json_object *machine_json(const struct machine *vm)
{
	struct json_object *obj, *last = NULL;

	if (!vm)
		return json_object_new_object();
	obj = js_new("name", vm->def.name);
	js_add_text(obj, "uuid", vm->def.uuid);
	js_add_text(obj, "state", state_names[vm->state]);
	js_add(obj, "id", vm->id ? json_object_new_int64(vm->id) : NULL);
	js_add(obj, "pid", vm->pid ? json_object_new_int(vm->pid) : NULL);
	js_add(obj, "owner", owner_json(&vm->def.owner));
	js_add_int(obj, "vcpus", vm->def.vcpus);
	js_add_int(obj, "memory", (s64)vm->def.memory);
	if (vm->def.nr_nics || vm->nets)
		js_add(obj, "interfaces", vm->nets ? json_object_get(vm->nets) :
		       interfaces_json(&vm->def));
	if (vm->def.devices.nr || vm->def.platform.nr || vm->devices)
		js_add(obj, "devices", vm->devices ? json_object_get(vm->devices) :
		       definition_devices_json(&vm->def));
	js_add_bool(obj, "autostart", vm->def.autostart);
	js_add_text(obj, "restart", restart_name(vm->def.restart));
	js_add_text(obj, "origin", vm->def.created ? "created" : "config");
	js_add_bool(obj, "pending", vm->changed || vm->orphan);
	js_add_time(obj, "since", vm->since);
	if (vm->last.reason) {
		last = js_new("reason", vm->last.reason);
		js_add_int(last, "code", vm->last.code);
		js_add_text(last, "message", vm->last.message);
		js_add_time(last, "time", vm->last.time);
	}
	js_add(obj, "last", last);
	return obj;
}
