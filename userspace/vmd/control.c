// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control process: no privileges, no files, one thread. All it has are sockets: the
 * parent's, the clients', the VMs'.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control.h"
#include "js.h"
#include "sandbox.h"

#define HELLO_POLL_MS	10
#define HELLO_POLLS	100

static struct timer doors;
static int tries_left = HELLO_POLLS;

struct control control = { .parent.watch.fd = -1, .admin_gid = NOBODY };

static void start_by_itself(void)
{
	struct machine *vm;
	u64 delay = 0;

	for (vm = machines(); vm; vm = vm->next) {
		if (!vm->wants_start)
			continue;
		vm->wants_start = false;
		if (machine_alive(vm))
			continue;
		machine_start_later(vm, delay);
		delay += control.stagger_ms;
	}
}

/* VMs that were found running have not said yet whether they are paused. */
static void open_doors(struct timer *timer)
{
	struct machine *vm;
	bool unknown = false;

	for (vm = machines(); vm; vm = vm->next)
		unknown |= vm->state == STARTING;
	if (unknown && tries_left--) {
		timer_set(timer, HELLO_POLL_MS, open_doors);
		return;
	}
	if (clients_init(control.listen_fd))
		say("clients cannot connect");
	channel_send(&control.parent, js_new("type", "ready"), -1);
	start_by_itself();
}

/* The first of them has the socket clients connect to. */
static void take_settings(struct msg *msg)
{
	struct json_object *obj = msg->json;
	int fd = msg_take_fd(msg, 0), err;

	control.admin_gid = (u32)js_int(obj, "admin-gid", NOBODY);
	control.stagger_ms = (u32)js_int(obj, "stagger", 0);
	if (fd < 0)
		return;
	options.verbose = js_bool(obj, "verbose", false);
	options.seccomp_log = js_bool(obj, "seccomp-log", false);
	err = sandbox_empty_root();
	err = err ?: sandbox_become((u32)js_int(obj, "uid", 0),
				    (u32)js_int(obj, "gid", 0));
	err = err ?: seccomp_control();
	control.listen_fd = fd;
	if (err) {
		say("the control process cannot be locked up: %s", strerror(-err));
		_exit(1);
	}
}

static void from_parent(struct channel *ch, struct msg *msg)
{
	const char *type = js_text(msg->json, "type") ?: "";

	(void)ch;
	if (!strcmp(type, "settings")) {
		take_settings(msg);
	} else if (!strcmp(type, "vm")) {
		machine_update(msg->json);
	} else if (!strcmp(type, "gone")) {
		machine_gone(js_text(msg->json, "vm") ?: "");
	} else if (!strcmp(type, "started")) {
		machine_connect(msg->json, msg_take_fd(msg, 0));
	} else if (!strcmp(type, "exited")) {
		machine_exited(msg->json);
	} else if (!strcmp(type, "reply")) {
		pendings_parent(msg);
	} else if (!strcmp(type, "changed")) {
		struct machine *vm = machine_find(js_text(msg->json, "vm") ?: "");

		if (vm && !strcmp(js_text(msg->json, "what") ?: "", "changed"))
			event(vm, "changed", NULL);
	} else if (!strcmp(type, "device")) {
		device_news(msg->json);
	} else if (!strcmp(type, "reloaded")) {
		event(NULL, "config-reloaded", NULL);
	} else if (!strcmp(type, "all")) {
		control.started = true;
		open_doors(&doors);
	}
}

/* Without the parent there is nothing to do here; VMs run on. */
static void parent_gone(struct channel *ch)
{
	(void)ch;
	loop_end();
}

/**
 * control_main() - be the control process
 *
 * Return: its exit code.
 */
int control_main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (loop_init() ||
	    channel_open(&control.parent, SETUP_FD, from_parent, parent_gone))
		return 1;
	loop_run();
	return 0;
}
