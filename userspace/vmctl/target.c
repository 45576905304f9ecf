// SPDX-License-Identifier: GPL-2.0-only
/* Where a VM is to be asked for. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "match.h"
#include "out.h"
#include "target.h"

/* Open what there is of both ways, if only that one can say more. target_close() is due. */
void target_try(struct target *target)
{
	target->client_err = client_connect(&target->client);
	target->host_err = host_open(&target->host);
}

/**
 * target_open() - open what there is of both ways
 * @target: filled in, in all cases; target_close() is due
 *
 * Return: 0, or the exit code: there is neither.
 */
int target_open(struct target *target)
{
	target_try(target);
	if (!target->client_err || !target->host_err)
		return 0;
	return client_fail(target->client_err);
}

void target_close(struct target *target)
{
	client_close(&target->client);
	host_close(&target->host);
}

/**
 * target_ask() - ask vmd about a VM
 * @target: both ways
 * @vm: as typed
 * @request: taken over; the VM is added
 * @timeout_ms: for the answer, or CLIENT_FOREVER
 * @result: set to the answer's result, which the caller puts
 *
 * Return: 0; the exit code of an error that was told; or TARGET_ELSEWHERE: vmd does
 * not have it, or is not there.
 */
int target_ask(struct target *target, const char *vm, struct json_object *request,
	       int timeout_ms, struct json_object **result)
{
	struct json_object *answer, *error;
	int code = 0, err;

	if (target->client_err) {
		json_object_put(request);
		return TARGET_ELSEWHERE;
	}
	json_object_object_add(request, "vm", json_object_new_string(vm));
	err = client_try(&target->client, request, timeout_ms, &answer);
	progress_end();
	if (err)
		return client_fail(err);
	error = out_member(answer, "error");
	if (out_flag(answer, "ok"))
		*result = json_object_get(out_member(answer, "result"));
	else if (error && exit_code(out_text(error, "code")) == EXIT_NOT_FOUND &&
		 !target->host_err)
		code = TARGET_ELSEWHERE;
	else
		code = fail_answer(error, vm);
	json_object_put(answer);
	return code;
}

static struct match_key *keys_of(struct json_object *vms, size_t nr)
{
	struct match_key *keys = calloc(nr + 1, sizeof(*keys));
	size_t i;

	if (!keys)
		abort();
	for (i = 0; i < nr; i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		const char *uuid = out_text(vm, "uuid");

		keys[i].name = out_text(vm, "name");
		keys[i].id = (u32)out_number(vm, "id");
		if (uuid && strlen(uuid) < UUID_TEXT)
			strcpy(keys[i].uuid, uuid);
	}
	return keys;
}

/* "which one: 3 (web, 6ba7b810), 4 (web, 11e0b810)" */
static int fail_ambiguous(const struct match_key *keys, size_t nr,
			  const char *text, enum match_kind kind)
{
	char list[512] = "";
	size_t len = 0, i;

	for (i = 0; i < nr && len < sizeof(list) - 128; i++) {
		if (!match_is(&keys[i], text, kind))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len,
					"%s%u (%s, %.8s)", len ? ", " : "",
					keys[i].id,
					keys[i].name && *keys[i].name ?
					keys[i].name : "no name",
					keys[i].uuid);
	}
	return fail("ambiguous", "give an id, or more of the UUID",
		    "'%s' means more than one VM: %s", text, list);
}

static int fail_not_found(const struct target *target, const char *text)
{
	char remedy[256] = "'vmctl list' shows those there are";

	if (target->client_err)
		snprintf(remedy, sizeof(remedy),
			 "vmd is not there at %s: only VMs that run were looked for",
			 client_path());
	return fail("not-found", remedy, "no VM '%s'", text);
}

/**
 * target_find() - find a VM among those of the host, whoever made it
 * @target: both ways
 * @text: as typed
 * @vm: set to the VM, which the caller puts
 *
 * Return: 0, or the exit code of an error that was told.
 */
int target_find(struct target *target, const char *text, struct json_object **vm)
{
	enum match_kind kind = MATCH_NAME;
	struct json_object *vms = NULL;
	struct match_key *keys;
	int found, code = 0;
	size_t nr;

	if (target->host_err)
		return fail_not_found(target, text);
	code = host_vms(&target->host, &vms);
	if (code)
		return host_fail(&target->host, code, "cannot list VMs");
	nr = json_object_array_length(vms);
	keys = keys_of(vms, nr);
	found = match_find(keys, nr, text, &kind);
	if (found == MATCH_MANY)
		code = fail_ambiguous(keys, nr, text, kind);
	else if (found == MATCH_NONE)
		code = fail_not_found(target, text);
	else
		*vm = json_object_get(json_object_array_get_idx(vms, (size_t)found));
	free(keys);
	json_object_put(vms);
	return code;
}

/**
 * target_same() - find a VM of vmd's among the host's
 * @vm: vmd's
 * @host_vms: the module's, or NULL
 *
 * By its id, or, where vmd does not know that, by its process: one has one VM.
 *
 * Return: a borrowed VM of @host_vms, or NULL.
 */
struct json_object *target_same(struct json_object *vm, struct json_object *host_vms)
{
	const char *by = out_number(vm, "id") ? "id" : "pid";
	s64 value = out_number(vm, by);
	size_t i, nr = host_vms ? json_object_array_length(host_vms) : 0;

	for (i = 0; value && i < nr; i++) {
		struct json_object *other = json_object_array_get_idx(host_vms, i);

		if (out_number(other, by) == value)
			return other;
	}
	return NULL;
}

/* The id of a VM that the module shows us; 0: it does not run, or not for us. */
static u32 id_of(struct target *target, struct json_object *vm)
{
	struct json_object *others = NULL;
	s64 id = out_number(vm, "id");

	if (out_number(vm, "pid") && !target->host_err) {
		host_vms(&target->host, &others);
		id = out_number(target_same(vm, others), "id");
		json_object_put(others);
	}
	return (u32)id;
}

/**
 * target_id() - the netlink id of a VM, vmd's or not
 * @target: both ways
 * @text: as typed
 * @id: set to it
 * @vm: set to the VM, which the caller puts
 *
 * Return: 0, or the exit code of an error that was told.
 */
int target_id(struct target *target, const char *text, u32 *id,
	      struct json_object **vm)
{
	bool hidden;
	int code;

	code = target_ask(target, text, client_request("show"),
			  CLIENT_TIMEOUT_MS, vm);
	if (code == TARGET_ELSEWHERE)
		code = target_find(target, text, vm);
	if (code)
		return code;
	*id = id_of(target, *vm);
	if (*id)
		return 0;
	/* Those who may use it by their group are not its owner for the module. */
	hidden = out_number(*vm, "pid") && !target->host_err;
	json_object_put(*vm);
	*vm = NULL;
	if (hidden)
		return fail("not-yours", "root may",
			    "%s runs, but the module does not show it to you", text);
	return fail("not-running", "start it: vmctl start", "%s does not run", text);
}

/* A VM for people: its name, or its id. @text has room for TEXT_MAX bytes. */
const char *target_name(struct json_object *vm, char *text)
{
	const char *name = out_text(vm, "name");

	if (name && *name)
		return name;
	snprintf(text, TEXT_MAX, "%lld", (long long)out_number(vm, "id"));
	return text;
}

/* Only its own program could do that. Return: the exit code. */
int target_not_managed(struct json_object *vm, const char *what)
{
	char text[TEXT_MAX];

	return fail("not-managed", "use the program that runs it",
		    "VM %s is not vmd's, but of process %lld: vmctl cannot %s it",
		    target_name(vm, text), (long long)out_number(vm, "pid"),
		    what);
}
