// SPDX-License-Identifier: GPL-2.0-only
/* Requests: their form, whose they are, and which operation they ask for. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "js.h"
#include "requests.h"

#define DEPTH_MAX	8
#define PREFIX_MIN	4	/* digits of a UUID */

static const struct op {
	const char *name;
	void (*fn)(struct request *req);
	const char *members;	/* its own: name:type, types below */
	bool needs_vm;
	bool admin;
} ops[] = {
	{ "version", op_version, "", false, false },
	{ "list", op_list, "", false, false },
	{ "show", op_show, "vm:v", true, false },
	{ "create", op_create, "definition:o start:b", false, false },
	{ "delete", op_delete, "vm:v", true, false },
	{ "start", op_start, "vm:v", true, false },
	{ "stop", op_stop, "vm:v force:b timeout:n", true, false },
	{ "pause", op_pause, "vm:v", true, false },
	{ "resume", op_resume, "vm:v", true, false },
	{ "reset", op_reset, "vm:v", true, false },
	{ "nmi", op_nmi, "vm:v", true, false },
	{ "balloon", op_balloon, "vm:v target:z wait:b reclaim:b timeout:n", true, false },
	{ "memory", op_memory, "vm:v target:z wait:b timeout:n", true, false },
	{ "disk-resize", op_disk_resize, "vm:v disk:v size:z", true, false },
	{ "disk-add", op_disk_add, "vm:v disk:o", true, false },
	{ "disk-remove", op_disk_remove, "vm:v disk:s force:b timeout:n", true, false },
	{ "disk-list", op_disk_list, "vm:v", true, false },
	{ "net-add", op_net_add, "vm:v interface:o", true, false },
	{ "net-remove", op_net_remove, "vm:v interface:s force:b timeout:n", true, false },
	{ "net-list", op_net_list, "vm:v", true, false },
	{ "device-add", op_device_add, "vm:v device:o", true, true },
	{ "device-remove", op_device_remove, "vm:v device:s force:b timeout:n", true, true },
	{ "device-list", op_device_list, "vm:v", false, false },
	{ "wait", op_wait, "vm:v for:s timeout:n", true, false },
	{ "console", op_console, "vm:v mode:s force:b scrollback:n", true, false },
	{ "log", op_log, "vm:v bytes:n", true, false },
	{ "events", op_events, "vm:v", false, false },
	{ "config-check", op_check, "", false, false },
	{ "reload", op_reload, "", false, true },
};

static bool type_fits(char type, struct json_object *value)
{
	switch (type) {
	case 'b':
		return json_object_is_type(value, json_type_boolean);
	case 's':
		return json_object_is_type(value, json_type_string);
	case 'o':
		return json_object_is_type(value, json_type_object);
	case 'z':
		return json_object_is_type(value, json_type_int) &&
		       json_object_get_int64(value) > 0;
	case 'n':
		return (json_object_is_type(value, json_type_int) ||
			json_object_is_type(value, json_type_double)) &&
		       json_object_get_double(value) >= 0 &&
		       json_object_get_double(value) <= 1e9;
	case 'v':
		return json_object_is_type(value, json_type_string) ||
		       json_object_is_type(value, json_type_int);
	}
	return false;
}

/* The type of a member in a list of them; 0: it is not in it. */
static char member_type(const char *members, const char *key)
{
	size_t len = strlen(key);
	const char *p;

	for (p = members; *p; p += *p == ' ') {
		size_t n = strcspn(p, ": ");

		if (n == len && !strncmp(p, key, len) && p[n] == ':')
			return p[n + 1];
		p += strcspn(p, " ");
	}
	return 0;
}

/**
 * members_check() - has a request the members it may have, of the right types?
 * @json: the request
 * @members: "name:type ..."; v, id and op go without saying
 * @f: what is wrong
 *
 * Return: 0 or less.
 */
int members_check(struct json_object *json, const char *members,
		  struct failure *f)
{
	json_object_object_foreach(json, key, value) {
		char type;

		if (!strcmp(key, "v") || !strcmp(key, "id") || !strcmp(key, "op"))
			continue;
		type = member_type(members, key);
		if (!type)
			return fail(f, "bad-request", "the operation has no member '%.40s'",
				    key);
		if (value && !type_fits(type, value))
			return fail(f, "bad-request",
				    "the member '%s' has a wrong type or value", key);
	}
	return 0;
}

void request_refuse(const struct request *req, const struct failure *f)
{
	struct json_object *error = js_new("code", f->code);
	struct json_object *line = json_object_new_object();

	js_add_text(error, "message", f->why.text);
	if (f->remedy)
		js_add_text(error, "remedy", f->remedy);
	js_add_int(line, "v", 1);
	js_add(line, "id", json_object_get(req->id));
	js_add_bool(line, "ok", false);
	js_add(line, "error", error);
	client_send(req->client, line, -1);
}

void client_refuse(struct client *c, struct json_object *id, const char *code,
		   const char *message)
{
	struct request req = { .client = c, .id = id };
	struct failure f;

	fail(&f, code, "%s", message);
	request_refuse(&req, &f);
}

/* @result: released. */
void request_result(const struct request *req, struct json_object *result)
{
	struct json_object *line = json_object_new_object();

	js_add_int(line, "v", 1);
	js_add(line, "id", json_object_get(req->id));
	js_add_bool(line, "ok", true);
	js_add(line, "result", result);
	client_send(req->client, line, -1);
}

void request_not_running(const struct request *req)
{
	client_refuse(req->client, req->id, "not-running", "the VM does not run");
}

/* What it says of how long it may take. */
double request_seconds(const struct request *req, double otherwise)
{
	struct json_object *value = js_get(req->json, "timeout");

	return value ? json_object_get_double(value) : otherwise;
}

static bool may_see(const struct request *req, const struct machine *vm)
{
	return req->admin || peer_owns(&req->client->peer, &vm->def.owner);
}

/* Is @text the beginning of a UUID, with or without its dashes? */
bool uuid_prefix(const char *uuid, const char *text)
{
	size_t digits = 0;

	for (; *text; text++, uuid++) {
		if (*text != '-' && *uuid == '-')
			uuid++;
		if (tolower((unsigned char)*text) != *uuid || !*uuid)
			return false;
		digits += *text != '-';
	}
	return digits >= PREFIX_MIN;
}

/* The VM a request names, if the client may see it. */
static int find_vm(struct request *req, struct json_object *which,
		   struct failure *f)
{
	const char *text = json_object_get_string(which);
	struct machine *vm = machine_find(text) ?: machine_find_id(text);

	if (!vm || !may_see(req, vm)) {
		req->vm = NULL;
		for (vm = machines(); vm; vm = vm->next) {
			if (!may_see(req, vm) || !uuid_prefix(vm->def.uuid, text))
				continue;
			if (req->vm)
				return fail(f, "ambiguous",
					    "'%.40s' begins several UUIDs", text);
			req->vm = vm;
		}
	} else {
		req->vm = vm;
	}
	if (req->vm)
		return 0;
	fail(f, "not-found", "no VM '%.80s'", text);
	f->remedy = "'list' tells which there are";
	return -1;
}

static const struct op *find_op(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

static int check(struct request *req, const struct op **op, struct failure *f)
{
	struct json_object *json = req->json, *id = js_get(json, "id"), *vm;
	const char *name = js_text(json, "op");

	if (id && !json_object_is_type(id, json_type_int) &&
	    !json_object_is_type(id, json_type_double) &&
	    !json_object_is_type(id, json_type_string))
		return fail(f, "bad-request", "'id' is neither a number nor a string");
	req->id = id;
	if (!js_get(json, "v"))
		return fail(f, "bad-request", "'v' is missing");
	if (js_int(json, "v", 0) != 1)
		return fail(f, "bad-version", "the version of the protocol is 1");
	if (!name)
		return fail(f, "bad-request", "'op' is missing");
	*op = find_op(name);
	if (!*op)
		return fail(f, "unknown-op", "no operation '%.40s'", name);
	if (members_check(json, (*op)->members, f))
		return -1;
	if (peer_get(req->client->watch.fd, &req->client->peer))
		return fail(f, "failed", "it is not known who asks");
	req->admin = peer_is_admin(&req->client->peer, control.admin_gid);
	if ((*op)->admin && !req->admin)
		return fail(f, "not-yours", "only admins may %s", name);
	vm = js_get(json, "vm");
	if (!vm && (*op)->needs_vm)
		return fail(f, "bad-request", "'vm' is missing");
	return vm ? find_vm(req, vm, f) : 0;
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *json = NULL;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tok, text, (int)len);
	/* More than an object, or less. */
	if (json_tokener_get_error(tok) != json_tokener_success ||
	    json_tokener_get_parse_end(tok) != len ||
	    !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		json = NULL;
	}
	json_tokener_free(tok);
	return json;
}

/* A line has come. */
void client_line(struct client *c, const char *text, size_t len)
{
	struct request req = { .client = c };
	const struct op *op = NULL;
	struct failure f;

	if (len && text[len - 1] == '\r')
		len--;
	if (!len)
		return;
	req.json = parse(text, len);
	if (!req.json) {
		client_refuse(c, NULL, "bad-request", "no JSON object");
		return;
	}
	if (check(&req, &op, &f))
		request_refuse(&req, &f);
	else
		op->fn(&req);
	json_object_put(req.json);
}
