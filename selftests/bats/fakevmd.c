// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speaks vmd's protocol (Documentation/control-socket.rst) and runs nothing: for the
 * tests of vmctl that need no hypervisor. Has two VMs, web (running, id 3) and db
 * (stopped); what is asked of a VM named err-CODE is refused with CODE, garbage gets a
 * line that is no JSON, cut a closed connection, silent no answer. Each request goes to
 * a file, one a line.
 * usage: fakevmd SOCKET REQUESTS
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS_MAX	32
#define LINE_BYTES	65536

/* A connection, or (echo) what is behind a console. */
struct peer {
	int fd;
	int echo;
	int events;
	size_t len;
	char text[LINE_BYTES];
};

static struct peer *peer[PEERS_MAX];
static struct json_object *vms;
static FILE *requests;
static int seq;

static void add_peer(int fd, int echo)
{
	int i;

	for (i = 0; i < PEERS_MAX && peer[i]; i++)
		;
	if (i == PEERS_MAX) {
		close(fd);
		return;
	}
	peer[i] = calloc(1, sizeof(*peer[i]));
	peer[i]->fd = fd;
	peer[i]->echo = echo;
}

static const char *text_of(struct json_object *from, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(from, name, &value);
	return value ? json_object_get_string(value) : "";
}

static void set(struct json_object *to, const char *name, const char *value)
{
	json_object_object_add(to, name, json_object_new_string(value));
}

static struct json_object *add_vm(const char *name, const char *uuid, const char *state,
				  int id)
{
	struct json_object *vm = json_object_new_object();
	struct json_object *owner = json_object_new_object();

	set(vm, "name", name);
	set(vm, "uuid", uuid);
	set(vm, "state", state);
	json_object_object_add(vm, "id", id ? json_object_new_int(id) : NULL);
	json_object_object_add(vm, "pid", NULL);
	set(owner, "user", "alice");
	json_object_object_add(vm, "owner", owner);
	json_object_object_add(vm, "vcpus", json_object_new_int(1));
	json_object_object_add(vm, "memory", json_object_new_int(16 << 20));
	json_object_object_add(vm, "last", NULL);
	json_object_array_add(vms, vm);
	return vm;
}

static struct json_object *find(const char *name, size_t *index)
{
	size_t i;

	for (i = 0; i < json_object_array_length(vms); i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);

		*index = i;
		if (!strcmp(text_of(vm, "name"), name) ||
		    !strcmp(text_of(vm, "id"), name) ||
		    (strlen(name) >= 4 &&
		     !strncmp(text_of(vm, "uuid"), name, strlen(name))))
			return vm;
	}
	return NULL;
}

static void send_line(int fd, struct json_object *line, int passed)
{
	const char *text = json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN);
	char *whole = NULL;
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	int len = asprintf(&whole, "%s\n", text);
	struct iovec iov = { whole, (size_t)len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (passed >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	sendmsg(fd, &msg, MSG_NOSIGNAL);
	free(whole);
	json_object_put(line);
}

static struct json_object *answer_to(struct json_object *request, int ok)
{
	struct json_object *answer = json_object_new_object(), *id = NULL;

	json_object_object_get_ex(request, "id", &id);
	json_object_object_add(answer, "v", json_object_new_int(1));
	json_object_object_add(answer, "id", json_object_get(id));
	json_object_object_add(answer, "ok", json_object_new_boolean(ok));
	return answer;
}

static void refuse(struct peer *p, struct json_object *request, const char *code)
{
	struct json_object *answer = answer_to(request, 0);
	struct json_object *error = json_object_new_object();

	set(error, "code", code);
	set(error, "message", "the message");
	set(error, "remedy", "the remedy");
	if (!strcmp(code, "bad-config")) {
		set(error, "file", "/etc/joist/joist.conf");
		json_object_object_add(error, "line", json_object_new_int(7));
	}
	json_object_object_add(answer, "error", error);
	send_line(p->fd, answer, -1);
}

static void reply(struct peer *p, struct json_object *request,
		  struct json_object *result)
{
	struct json_object *answer = answer_to(request, 1);

	json_object_object_add(answer, "result", json_object_get(result));
	send_line(p->fd, answer, -1);
}

static void reply_text(struct peer *p, struct json_object *request, const char *json)
{
	struct json_object *result = json_tokener_parse(json);

	reply(p, request, result);
	json_object_put(result);
}

static void tell_event(struct json_object *vm, const char *what)
{
	int i;

	seq++;
	for (i = 0; i < PEERS_MAX; i++) {
		struct json_object *line, *event;

		if (!peer[i] || !peer[i]->events)
			continue;
		line = json_object_new_object();
		event = json_object_new_object();
		json_object_object_add(event, "seq", json_object_new_int(seq));
		json_object_object_add(event, "time",
				       json_object_new_double(1764147786.5));
		set(event, "vm", text_of(vm, "name"));
		set(event, "uuid", text_of(vm, "uuid"));
		set(event, "what", what);
		json_object_object_add(event, "why", NULL);
		json_object_object_add(line, "v", json_object_new_int(1));
		json_object_object_add(line, "event", event);
		send_line(peer[i]->fd, line, -1);
	}
}

static void console(struct peer *p, struct json_object *request)
{
	struct json_object *answer = answer_to(request, 1);
	char text[128];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		exit(1);
	snprintf(text, sizeof(text), "mode %s force %s scrollback %s ready\r\n",
		 text_of(request, "mode"), text_of(request, "force"),
		 text_of(request, "scrollback"));
	if (write(pair[0], text, strlen(text)) < 0)
		exit(1);
	json_object_object_add(answer, "result", json_object_new_object());
	send_line(p->fd, answer, pair[1]);
	close(pair[1]);
	add_peer(pair[0], 1);
}

static void create(struct peer *p, struct json_object *request)
{
	struct json_object *definition = NULL, *vm;
	size_t index;

	json_object_object_get_ex(request, "definition", &definition);
	if (find(text_of(definition, "name"), &index)) {
		refuse(p, request, "exists");
		return;
	}
	vm = add_vm(text_of(definition, "name"),
		    "cccccccc-0000-4000-8000-000000000003",
		    *text_of(request, "start") == 't' ? "running" : "stopped", 0);
	reply(p, request, vm);
	tell_event(vm, "created");
}

/* What changes a VM's state: operation, state before (NULL: any), state after, event. */
static const struct change {
	const char *op, *before, *after, *event;
} changes[] = {
	{ "start", "stopped", "running", "started" },
	{ "stop", NULL, "stopped", "stopped" },
	{ "pause", NULL, "paused", "paused" },
	{ "resume", NULL, "running", "resumed" },
	{ "reset", NULL, "running", "restarted" },
	{ "nmi", NULL, NULL, NULL },
	{ "wait", NULL, NULL, NULL },
	{ "show", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL },
};

/* As if the guest had done at once what it is asked to. */
static void balloon(struct peer *p, struct json_object *request, struct json_object *vm)
{
	static const char json[] =
		"{\"driver\":true,\"resident\":5242880,\"guest\":{\"age-ms\":3,\"free\":4096}}";
	struct json_object *target = NULL, *balloon = json_tokener_parse(json), *reclaim;

	json_object_object_get_ex(request, "target", &target);
	if (!target)
		json_object_object_get_ex(vm, "memory", &target);
	json_object_object_add(balloon, "target", json_object_get(target));
	json_object_object_add(balloon, "actual", json_object_get(target));
	json_object_object_add(balloon, "inhibited", NULL);
	if (json_object_object_get_ex(request, "reclaim", &reclaim))
		json_object_object_add(balloon, "hinted", json_object_new_int(104857600));
	json_object_object_add(vm, "balloon", balloon);
	reply(p, request, vm);
	json_object_object_del(vm, "balloon");
}

/* It is called as it is to be, or "hostdev0". */
static void device(struct peer *p, struct json_object *request, struct json_object *vm)
{
	struct json_object *dev = NULL, *name = NULL;

	json_object_object_get_ex(request, "device", &dev);
	if (json_object_is_type(dev, json_type_string))
		name = json_object_get(dev);
	else if (json_object_object_get_ex(dev, "name", &name))
		json_object_get(name);
	else
		name = json_object_new_string("hostdev0");
	json_object_object_add(vm, "device", name);
	reply(p, request, vm);
	json_object_object_del(vm, "device");
}

static void serve_vm(struct peer *p, struct json_object *request, const char *op)
{
	size_t index, i;
	struct json_object *vm = find(text_of(request, "vm"), &index);

	if (!vm) {
		refuse(p, request, "not-found");
		return;
	}
	if (!strcmp(op, "console")) {
		console(p, request);
		return;
	}
	if (!strcmp(op, "balloon")) {
		balloon(p, request, vm);
		return;
	}
	if (!strcmp(op, "device-add") || !strcmp(op, "device-remove")) {
		device(p, request, vm);
		return;
	}
	if (!strcmp(op, "log")) {
		reply_text(p, request, "{\"text\":\"the log\\nof \\\"it\\\"\\n\",\"size\":15}");
		return;
	}
	if (!strcmp(op, "delete")) {
		if (strcmp(text_of(vm, "state"), "stopped")) {
			refuse(p, request, "running");
			return;
		}
		tell_event(vm, "deleted");
		json_object_array_del_idx(vms, index, 1);
		reply_text(p, request, "{}");
		return;
	}
	for (i = 0; changes[i].op; i++) {
		const struct change *c = &changes[i];

		if (strcmp(op, c->op))
			continue;
		if (c->before && strcmp(c->before, text_of(vm, "state"))) {
			refuse(p, request, "running");
			return;
		}
		if (c->after && !strcmp(text_of(vm, "state"), "stopped") && !c->before) {
			refuse(p, request, "not-running");
			return;
		}
		if (c->after)
			set(vm, "state", c->after);
		reply(p, request, vm);
		if (c->event)
			tell_event(vm, c->event);
		return;
	}
	refuse(p, request, "unknown-op");
}

/* Return: whether the connection goes on. */
static int serve(struct peer *p, struct json_object *request)
{
	const char *op = text_of(request, "op"), *vm = text_of(request, "vm");
	struct json_object *list;

	if (!strncmp(vm, "err-", 4)) {
		refuse(p, request, vm + 4);
	} else if (!strcmp(vm, "garbage")) {
		if (write(p->fd, "garbage\n", 8) < 0)
			return 0;
	} else if (!strcmp(vm, "cut")) {
		return 0;
	} else if (!strcmp(vm, "silent")) {
		;
	} else if (!strcmp(op, "version")) {
		reply_text(p, request, "{\"vmd\":\"0.0.9\",\"protocol\":1,\"pid\":1}");
	} else if (!strcmp(op, "list")) {
		list = json_object_new_object();
		json_object_object_add(list, "vms", json_object_get(vms));
		reply(p, request, list);
		json_object_put(list);
	} else if (!strcmp(op, "create")) {
		create(p, request);
	} else if (!strcmp(op, "events")) {
		reply_text(p, request, "{\"seq\":0}");
		p->events = 1;
		tell_event(json_object_array_get_idx(vms, 0), "found");
	} else if (!strcmp(op, "config-check")) {
		reply_text(p, request,
			   "{\"faults\":[{\"file\":\"/etc/joist/joist.conf\",\"line\":3,\"message\":\"no such option 'x'\"}]}");
	} else if (!strcmp(op, "reload")) {
		reply_text(p, request,
			   "{\"changed\":[{\"vm\":\"web\",\"what\":\"changed\"}],\"faults\":[]}");
	} else {
		serve_vm(p, request, op);
	}
	return 1;
}

static int serve_lines(struct peer *p)
{
	char *end;

	while ((end = memchr(p->text, '\n', p->len))) {
		struct json_object *request;
		size_t used = (size_t)(end + 1 - p->text);
		int go_on;

		*end = '\0';
		fprintf(requests, "%s\n", p->text);
		fflush(requests);
		request = json_tokener_parse(p->text);
		go_on = serve(p, request);
		json_object_put(request);
		if (!go_on)
			return 0;
		p->len -= used;
		memmove(p->text, p->text + used, p->len);
	}
	return 1;
}

/* A guest that says everything in brackets, and ends at a Q. */
static int serve_console(struct peer *p)
{
	char byte, text[3];

	if (read(p->fd, &byte, 1) <= 0 || byte == 'Q')
		return 0;
	text[0] = '[';
	text[1] = byte;
	text[2] = ']';
	return write(p->fd, text, sizeof(text)) > 0;
}

static int serve_peer(struct peer *p)
{
	ssize_t n;

	if (p->echo)
		return serve_console(p);
	n = read(p->fd, p->text + p->len, sizeof(p->text) - p->len);
	if (n <= 0)
		return 0;
	p->len += (size_t)n;
	return serve_lines(p);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, i;

	if (argc != 3 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	requests = fopen(argv[2], "w");
	vms = json_object_new_array();
	add_vm("db", "dddddddd-0000-4000-8000-000000000001", "stopped", 0);
	add_vm("web", "eeeeeeee-0000-4000-8000-000000000002", "running", 3);
	strcpy(addr.sun_path, argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (!requests || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8))
		return 1;
	for (;;) {
		struct pollfd fds[PEERS_MAX + 1] = { { fd, POLLIN, 0 } };

		for (i = 0; i < PEERS_MAX; i++)
			fds[i + 1] = (struct pollfd) { peer[i] ? peer[i]->fd : -1, POLLIN, 0 };
		if (poll(fds, PEERS_MAX + 1, -1) < 0)
			return 1;
		for (i = 0; i < PEERS_MAX; i++) {
			if (!fds[i + 1].revents || serve_peer(peer[i]))
				continue;
			close(peer[i]->fd);
			free(peer[i]);
			peer[i] = NULL;
		}
		if (fds[0].revents)
			add_peer(accept(fd, NULL, NULL), 0);
	}
}
