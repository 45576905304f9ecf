// SPDX-License-Identifier: GPL-2.0-only
/* Operations on the daemon and on definitions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "js.h"

void op_version(struct request *req)
{
	struct json_object *obj = js_new("vmd", VMD_VERSION);

	js_add_int(obj, "protocol", 1);
	js_add_int(obj, "pid", getpid());
	request_result(req, obj);
}

void op_list(struct request *req)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *array = json_object_new_array();
	struct machine *vm;

	for (vm = machines(); vm; vm = vm->next)
		if (req->admin || peer_owns(&req->client->peer, &vm->def.owner))
			json_object_array_add(array, machine_json(vm));
	js_add(obj, "vms", array);
	request_result(req, obj);
}

void op_show(struct request *req)
{
	const struct definition *def = &req->vm->def;
	struct json_object *obj = machine_json(req->vm);

	js_add(obj, "definition", definition_json(def, false));
	if (def->file) {
		js_add_text(obj, "file", def->file);
		js_add_int(obj, "line", def->line);
	}
	request_result(req, obj);
}

/* The VM was announced before this answer. */
static void created(struct pending *p, struct msg *msg)
{
	struct failure f;

	if (parent_refused(p, msg))
		return;
	p->vm = machine_find(p->name);
	if (!p->vm || !p->start) {
		pending_vm(p);
		return;
	}
	if (machine_start(p->vm, &f)) {
		pending_refuse(p, f.code, f.why.text, f.remedy);
		return;
	}
	p->waiting = FOR_RUNNING;
	p->strict = true;
}

void op_create(struct request *req)
{
	struct json_object *def = js_get(req->json, "definition");
	const char *name = js_text(def, "name");
	struct json_object *msg;
	struct pending *p;

	if (!def || !name || !name_valid(name)) {
		client_refuse(req->client, req->id,
			      def ? "bad-config" : "bad-request",
			      def ? "the definition has no name, or one that is none" :
				    "'definition' is missing");
		return;
	}
	p = pending_new(req, FOR_PARENT);
	if (!p)
		return;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->start = js_bool(req->json, "start", false);
	p->parent_done = created;
	msg = js_new("type", "create");
	js_add(msg, "definition", json_object_get(def));
	/* The parent asks the kernel who that is. */
	parent_ask(p, msg, dup(req->client->watch.fd));
}

static void done(struct pending *p, struct msg *msg)
{
	if (!parent_refused(p, msg))
		pending_result(p, json_object_new_object(), -1);
}

void op_delete(struct request *req)
{
	struct json_object *msg;
	struct pending *p;

	if (!machine_at_rest(req->vm)) {
		client_refuse(req->client, req->id, "running",
			      "the VM is not stopped");
		return;
	}
	p = pending_new(req, FOR_PARENT);
	if (!p)
		return;
	p->parent_done = done;
	msg = js_new("type", "delete");
	js_add_text(msg, "vm", req->vm->def.name);
	parent_ask(p, msg, -1);
}

static void configured(struct pending *p, struct msg *msg)
{
	struct json_object *obj, *changed = js_get(msg->json, "changed");

	if (parent_refused(p, msg))
		return;
	obj = json_object_new_object();
	js_add(obj, "faults", json_object_get(js_get(msg->json, "faults")));
	if (p->start)
		js_add(obj, "changed", json_object_get(changed));
	pending_result(p, obj, -1);
}

static void ask_config(struct request *req, bool reload)
{
	struct pending *p = pending_new(req, FOR_PARENT);

	if (!p)
		return;
	p->start = reload;
	p->parent_done = configured;
	parent_ask(p, js_new("type", reload ? "reload" : "check"), -1);
}

void op_check(struct request *req)
{
	ask_config(req, false);
}

void op_reload(struct request *req)
{
	ask_config(req, true);
}

void op_events(struct request *req)
{
	struct client *c = req->client;
	struct json_object *obj = json_object_new_object();

	c->events = true;
	snprintf(c->events_vm, sizeof(c->events_vm), "%s",
		 req->vm ? req->vm->def.name : "");
	js_add_int(obj, "seq", (s64)event_last());
	request_result(req, obj);
}

/* How long the UTF-8 sequence at @p is; 0: it is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	size_t len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 :
		     *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
	size_t i;

	if (!len || len > left)
		return 0;
	for (i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, what is beyond Unicode. */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* What a guest prints is any bytes; JSON is not. Return: a string, or NULL. */
static struct json_object *clean_text(const unsigned char *data, size_t len)
{
	char *text = malloc(len * 3 + 1);
	struct json_object *obj;
	size_t i = 0, n = 0;

	if (!text)
		return NULL;
	while (i < len) {
		size_t good = utf8_len(data + i, len - i);

		if (good) {
			memcpy(text + n, data + i, good);
			n += good;
			i += good;
		} else {
			memcpy(text + n, "\xef\xbf\xbd", 3);
			n += 3;
			i++;
		}
	}
	obj = json_object_new_string_len(text, (int)n);
	free(text);
	return obj;
}

static void log_opened(struct pending *p, struct msg *msg)
{
	struct json_object *obj;
	static unsigned char data[SCROLLBACK_MAX];
	size_t want = p->bytes;
	int fd = msg_take_fd(msg, 0);
	off_t size = 0;
	ssize_t n = 0;

	if (parent_refused(p, msg)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd >= 0) {
		size = max(lseek(fd, 0, SEEK_END), (off_t)0);
		want = min(want, (size_t)size);
		n = pread(fd, data, want, size - (off_t)want);
		close(fd);
	}
	obj = json_object_new_object();
	js_add(obj, "text", clean_text(data, n > 0 ? (size_t)n : 0));
	js_add_int(obj, "size", size);
	pending_result(p, obj, -1);
}

void op_log(struct request *req)
{
	struct pending *p = pending_new(req, FOR_PARENT);
	struct json_object *msg;

	if (!p)
		return;
	p->bytes = (u32)min(js_int(req->json, "bytes", SCROLLBACK_MAX),
			    (s64)SCROLLBACK_MAX);
	p->parent_done = log_opened;
	msg = js_new("type", "log");
	js_add_text(msg, "vm", req->vm->def.name);
	parent_ask(p, msg, -1);
}
