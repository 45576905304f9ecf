// SPDX-License-Identifier: GPL-2.0-only
/* vmd's VMs and the module's, as one list. */
#include <errno.h>
#include <json-c/json.h>
#include <pwd.h>
#include <string.h>

#include "assigned.h"
#include "error.h"
#include "out.h"
#include "vms.h"

/* Add to a VM of vmd's what the module knows of it; @host_vm is NULL: nothing. */
static void merge(struct json_object *vm, struct json_object *host_vm)
{
	const char *state = out_text(host_vm, "state");

	json_object_object_add(vm, "managed", json_object_new_boolean(true));
	if (host_vm)
		json_object_object_add(vm, "id",
				       json_object_get(out_member(host_vm, "id")));
	json_object_object_add(vm, "host",
			       json_object_get(out_member(host_vm, "host")));
	/* Somebody may have paused it past vmd. */
	if (state && !strcmp(state, "paused"))
		json_object_object_add(vm, "state", json_object_new_string(state));
}

static void merge_all(struct json_object *vms, struct json_object *host_vms)
{
	size_t i, nr = json_object_array_length(vms);

	for (i = 0; i < nr; i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		struct json_object *of_host = target_same(vm, host_vms);

		merge(vm, of_host);
		if (of_host)
			json_object_object_add(of_host, "managed",
					       json_object_new_boolean(true));
	}
	for (i = 0; i < json_object_array_length(host_vms); i++) {
		struct json_object *vm = json_object_array_get_idx(host_vms, i);

		if (!out_flag(vm, "managed"))
			json_object_array_add(vms, json_object_get(vm));
	}
}

/**
 * vms_devices() - which devices of the host VMs have
 * @target: both ways, opened
 * @vms: from vms_load()
 */
void vms_devices(struct target *target, struct json_object *vms)
{
	struct json_object *groups = NULL;
	size_t i;

	if (!target->host_err)
		host_devices(&target->host, 0, &groups);
	for (i = 0; i < json_object_array_length(vms); i++)
		assigned_add("", json_object_array_get_idx(vms, i), groups);
	json_object_put(groups);
}

/**
 * vms_show() - one VM, with what both know of it
 * @target: both ways, opened
 * @typed: which
 * @vm: set to it; the caller puts it
 *
 * Return: 0, or the exit code of an error that was told.
 */
int vms_show(struct target *target, const char *typed, struct json_object **vm)
{
	struct json_object *others = NULL;
	int code;

	code = target_ask(target, typed, client_request("show"),
			  CLIENT_TIMEOUT_MS, vm);
	if (code == TARGET_ELSEWHERE)
		return target_find(target, typed, vm);
	if (code)
		return code;
	if (out_number(*vm, "pid") && !target->host_err)
		host_vms(&target->host, &others);
	merge(*vm, target_same(*vm, others));
	json_object_put(others);
	return 0;
}

/**
 * vms_load() - all VMs the caller may see
 * @target: both ways, opened
 * @vms: set to an array the caller puts: vmd's by name, then the others by id
 *
 * Return: 0, or the exit code of an error that was told.
 */
int vms_load(struct target *target, struct json_object **vms)
{
	struct json_object *result = NULL, *others = NULL, *list;
	int code, err = 0;

	if (!target->client_err) {
		code = client_call(&target->client, client_request("list"),
				   CLIENT_TIMEOUT_MS, &result);
		if (code)
			return code;
	}
	list = out_member(result, "vms");
	if (result && !json_object_is_type(list, json_type_array)) {
		json_object_put(result);
		return client_fail(-EPROTO);
	}
	*vms = list ? json_object_get(list) : json_object_new_array();
	json_object_put(result);
	if (!target->host_err)
		err = host_vms(&target->host, &others);
	if (err) {
		json_object_put(*vms);
		*vms = NULL;
		return host_fail(&target->host, err, "cannot list VMs");
	}
	if (!others)
		others = json_object_new_array();
	merge_all(*vms, others);
	json_object_put(others);
	return 0;
}

static void add_holders(struct json_object *list, struct json_object *vm)
{
	static const char *const keys[] = { "name", "host", "io-ports", "mmio" };
	struct json_object *devices = out_member(vm, "devices");
	char text[TEXT_MAX];
	size_t i, k;

	/* What one that does not run is to have it has not. */
	if (!out_number(vm, "pid") && !out_number(vm, "id"))
		return;
	for (i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *dev = json_object_array_get_idx(devices, i);
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "vm", json_object_new_string(target_name(vm, text)));
		for (k = 0; k < ARRAY_SIZE(keys); k++)
			if (out_member(dev, keys[k]))
				json_object_object_add(one, keys[k],
						       json_object_get(out_member(dev, keys[k])));
		json_object_object_add(one, "managed",
				       json_object_new_boolean(out_flag(vm, "managed")));
		json_object_array_add(list, one);
	}
}

/* Who has the host's devices, as far as it is known. Return: an array that the caller puts. */
struct json_object *vms_holders(void)
{
	struct json_object *list = json_object_new_array(), *vms = NULL;
	struct target target;
	size_t i;

	target_try(&target);
	if (!vms_load(&target, &vms)) {
		vms_devices(&target, vms);
		for (i = 0; i < json_object_array_length(vms); i++)
			add_holders(list, json_object_array_get_idx(vms, i));
	}
	json_object_put(vms);
	target_close(&target);
	return list;
}

/* No name service: vmctl is linked statically. */
static bool user_name(uid_t uid, char *text)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *user;
	bool found = false;

	if (!file)
		return false;
	while (!found) {
		user = fgetpwent(file);
		if (!user)
			break;
		found = user->pw_uid == uid;
		if (found)
			snprintf(text, TEXT_MAX, "%s", user->pw_name);
	}
	fclose(file);
	return found;
}

static const char *member_text(struct json_object *from, const char *name)
{
	struct json_object *member = out_member(from, name);

	return member ? json_object_get_string(member) : NULL;
}

/* Who a VM belongs to: "alice", ":staff"; @text has room for TEXT_MAX bytes. */
const char *vms_owner(struct json_object *vm, char *text)
{
	struct json_object *owner = out_member(vm, "owner");
	const char *user = member_text(owner, "user");
	const char *group = member_text(owner, "group");

	*text = '\0';
	/* vmd, where it was not given a name, has the number for one. */
	if (out_member(owner, "uid") && user_name((uid_t)out_number(owner, "uid"), text))
		return text;
	if (user)
		snprintf(text, TEXT_MAX, "%s", user);
	else if (group)
		snprintf(text, TEXT_MAX, ":%s", group);
	else if (out_member(owner, "uid"))
		snprintf(text, TEXT_MAX, "%lld",
			 (long long)out_number(owner, "uid"));
	return text;
}
