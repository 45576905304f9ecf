// SPDX-License-Identifier: GPL-2.0-only
/* The module's netlink family, in the JSON that vmctl prints. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "host_json.h"
#include "libjoist/netlink.h"
#include "out.h"

/* Return: 0; -ENOENT: no module, or one without the family; another -errno. */
int host_open(struct host *host)
{
	host->nl = NULL;
	return joist_nl_open(&host->nl);
}

void host_close(struct host *host)
{
	if (host->nl)
		joist_nl_close(host->nl);
	host->nl = NULL;
}

static int take_vm(const struct joist_nl_vm *vm, void *list)
{
	json_object_array_add(list, host_json_vm(vm));
	return 0;
}

static int take_vcpu(const struct joist_nl_vcpu *vcpu, void *list)
{
	json_object_array_add(list, host_json_vcpu(vcpu));
	return 0;
}

static int take_slot(const struct joist_nl_slot *slot, void *list)
{
	json_object_array_add(list, host_json_slot(slot));
	return 0;
}

static int take_device(const struct joist_nl_device *device, void *list)
{
	json_object_array_add(list, host_json_device(device));
	return 0;
}

static int take_host(const struct joist_nl_host *info, void *arg)
{
	struct json_object **out = arg;

	*out = host_json_host(info);
	return 0;
}

/* A list that could not be read whole is none. */
static int listed(int err, struct json_object *list, struct json_object **out)
{
	if (err)
		json_object_put(list);
	else
		*out = list;
	return err;
}

/* All that the caller may see, by id. */
int host_vms(struct host *host, struct json_object **vms)
{
	struct json_object *list = json_object_new_array();

	return listed(joist_nl_vms(host->nl, 0, take_vm, list), list, vms);
}

int host_vm(struct host *host, u32 id, struct json_object **vm)
{
	struct json_object *list = json_object_new_array();
	int err = joist_nl_vms(host->nl, id, take_vm, list);

	if (!err && !json_object_array_length(list))
		err = -ENOENT;
	if (!err)
		*vm = json_object_get(json_object_array_get_idx(list, 0));
	json_object_put(list);
	return err;
}

int host_vcpus(struct host *host, u32 vm, struct json_object **vcpus)
{
	struct json_object *list = json_object_new_array();

	return listed(joist_nl_vcpus(host->nl, vm, take_vcpu, list), list, vcpus);
}

int host_slots(struct host *host, u32 vm, struct json_object **slots)
{
	struct json_object *list = json_object_new_array();

	return listed(joist_nl_slots(host->nl, vm, take_slot, list), list, slots);
}

int host_devices(struct host *host, u32 vm, struct json_object **devices)
{
	struct json_object *list = json_object_new_array();

	return listed(joist_nl_devices(host->nl, vm, take_device, list), list,
		      devices);
}

int host_info(struct host *host, struct json_object **info)
{
	int err;

	*info = NULL;
	err = joist_nl_host(host->nl, take_host, info);
	return err || *info ? err : -EPROTO;
}

/* Return: 0 or -errno. */
int host_do(struct host *host, enum host_op op, u32 vm)
{
	switch (op) {
	case HOST_PAUSE:
		return joist_nl_pause(host->nl, vm);
	case HOST_RESUME:
		return joist_nl_resume(host->nl, vm);
	case HOST_STOP:
		return joist_nl_stop(host->nl, vm, false);
	case HOST_KILL:
		return joist_nl_stop(host->nl, vm, true);
	case HOST_NMI:
		return joist_nl_nmi(host->nl, vm);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * host_fail() - tell what the module refused
 * @host: socket
 * @err: -errno of the last request on it
 * @what: a VM, or what was tried
 *
 * Return: the exit code.
 */
int host_fail(struct host *host, int err, const char *what)
{
	const char *text = joist_nl_error(host->nl);

	switch (err) {
	case -EPERM:
	case -EACCES:
		return fail("not-yours", "its owner and root may", "%s: %s", what,
			    text);
	case -ENOENT:
		return fail("not-found", "'vmctl list' shows those there are",
			    "%s: %s", what, text);
	case -ETIMEDOUT:
		return fail("timeout", NULL, "%s: it took too long", what);
	case -EBUSY:
		return fail("busy", "try again", "%s: %s", what, text);
	default:
		return fail("failed", NULL, "%s: %s", what, text);
	}
}

/* Tell why there is no netlink. Return: the exit code. */
int host_fail_open(int err)
{
	if (err == -ENOENT)
		return fail("no-host", "load it: modprobe joist, or insmod joist.ko",
			    "the module joist is not loaded");
	return fail("failed", NULL, "no netlink: %s", strerror(-err));
}

/**
 * host_subscribe() - make this socket one for events
 * @host: socket
 * @groups: JOIST_NL_LIFECYCLE and so on
 * @stats_ms: how often statistics come; 0: not
 *
 * Return: 0 or -errno.
 */
int host_subscribe(struct host *host, u32 groups, u32 stats_ms)
{
	int err = joist_nl_subscribe(host->nl, groups);

	return err || !stats_ms ? err : joist_nl_stats_period(host->nl, stats_ms);
}

static int take_event(const struct joist_nl_event *event, void *arg)
{
	struct json_object **out = arg;

	*out = host_json_event(event);
	return 0;
}

/* The next event, if one is there. Return: 1, 0: none, -ENOBUFS: some were lost. */
int host_event(struct host *host, struct json_object **event)
{
	*event = NULL;
	return joist_nl_event(host->nl, 0, take_event, event);
}
