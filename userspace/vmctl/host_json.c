// SPDX-License-Identifier: GPL-2.0-only
/* What the netlink family says, as JSON. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host_json.h"
#include "libjoist/netlink.h"
#include "match.h"
#include "out.h"

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, out_string(text));
}

static void add_number(struct json_object *to, const char *name, u64 value)
{
	json_object_object_add(to, name, json_object_new_uint64(value));
}

static void add_flag(struct json_object *to, const char *name, bool value)
{
	json_object_object_add(to, name, json_object_new_boolean(value));
}

/* 0 means that there is none: null. */
static void add_limit(struct json_object *to, const char *name, u64 value)
{
	json_object_object_add(to, name,
			       value ? json_object_new_uint64(value) : NULL);
}

/* One word for a state, vmd's where vmd has it. */
static const char *state_of(const struct joist_nl_vm *vm)
{
	return vm->state == JOIST_VM_STATE_STARTED ? "running" :
	       joist_nl_vm_state(vm->state);
}

static struct json_object *fault_of(const struct joist_nl_fault *fault)
{
	struct json_object *out;

	if (!fault->known)
		return NULL;
	out = json_object_new_object();
	add_text(out, "kind", joist_nl_fault_kind(fault->kind));
	add_number(out, "vcpu", fault->vcpu);
	add_number(out, "age-ms", fault->age_ms);
	if (fault->report)
		add_text(out, "report", fault->report);
	return out;
}

/* What names a VM, and whose it is. */
static void add_identity(struct json_object *out, const struct joist_nl_vm *vm)
{
	struct json_object *owner = json_object_new_object();
	char uuid[UUID_TEXT];

	match_uuid_text(vm->uuid, uuid);
	add_text(out, "name", vm->name);
	add_text(out, "uuid", uuid);
	add_number(out, "id", vm->id);
	add_limit(out, "pid", vm->owner_pid);
	add_number(owner, "uid", vm->owner_uid);
	json_object_object_add(out, "owner", owner);
}

struct json_object *host_json_vm(const struct joist_nl_vm *vm)
{
	struct json_object *out = json_object_new_object();
	struct json_object *of_host = json_object_new_object();

	add_identity(out, vm);
	add_text(out, "state", state_of(vm));
	add_number(out, "vcpus", vm->vcpus);
	add_number(out, "memory", vm->memory);
	add_flag(out, "managed", false);
	add_text(of_host, "state", state_of(vm));
	add_number(of_host, "age-ms", vm->age_ms);
	add_number(of_host, "memory", vm->memory);
	add_flag(of_host, "nested-paging", vm->nested_paging);
	add_limit(of_host, "limit-vcpus", vm->limit_vcpus);
	add_limit(of_host, "limit-memory", vm->limit_memory);
	add_number(of_host, "trace-exits", vm->trace_exits);
	add_number(of_host, "dirty-pages", vm->dirty_pages);
	json_object_object_add(of_host, "last-fault", fault_of(&vm->fault));
	json_object_object_add(out, "host", of_host);
	return out;
}

struct json_object *host_json_vcpu(const struct joist_nl_vcpu *vcpu)
{
	struct json_object *out = json_object_new_object();
	struct json_object *counters = json_object_new_object();
	u32 i;

	add_number(out, "vm-id", vcpu->vm_id);
	add_number(out, "index", vcpu->index);
	add_number(out, "apic-id", vcpu->apic_id);
	add_text(out, "state", joist_nl_vcpu_state(vcpu->state));
	json_object_object_add(out, "cpu", vcpu->cpu < 0 ? NULL :
			       json_object_new_int64(vcpu->cpu));
	add_limit(out, "tid", vcpu->tid);
	add_number(out, "guest-ns", vcpu->guest_ns);
	add_number(out, "exits", vcpu->exits);
	for (i = 0; i < vcpu->nr_counters; i++)
		add_number(counters, vcpu->counters[i].name,
			   vcpu->counters[i].value);
	json_object_object_add(out, "counters", counters);
	return out;
}

/* Addresses are strings: not every reader of JSON has 64-bit numbers. */
static void add_address(struct json_object *to, const char *name, u64 value)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	add_text(to, name, text);
}

struct json_object *host_json_slot(const struct joist_nl_slot *slot)
{
	struct json_object *out = json_object_new_object();

	add_number(out, "slot", slot->id & 0xffff);
	add_number(out, "address-space", slot->id >> 16);
	add_address(out, "gpa", slot->gpa);
	add_number(out, "size", slot->size);
	add_address(out, "hva", slot->hva);
	add_flag(out, "read-only", slot->read_only);
	add_flag(out, "log-dirty", slot->log_dirty);
	return out;
}

struct json_object *host_json_device(const struct joist_nl_device *device)
{
	struct json_object *out = json_object_new_object();
	struct json_object *pci = json_object_new_array();
	u32 i;

	add_number(out, "vm-id", device->vm_id);
	add_text(out, "kind", device->kind);
	if (device->nr_ports) {
		add_number(out, "first-port", device->first_port);
		add_number(out, "nr-ports", device->nr_ports);
	}
	if (device->iommu_group >= 0)
		add_number(out, "iommu-group", (u64)device->iommu_group);
	if (device->nr_pci) {
		for (i = 0; i < device->nr_pci; i++)
			json_object_array_add(pci, out_string(device->pci[i]));
		json_object_object_add(out, "pci", json_object_get(pci));
	}
	json_object_put(pci);
	if (device->no_snoop)
		add_flag(out, "no-snoop", true);
	return out;
}

struct json_object *host_json_host(const struct joist_nl_host *host)
{
	struct json_object *out = json_object_new_object();
	struct json_object *features = json_object_new_array();
	u32 i;

	add_text(out, "vendor", host->vendor);
	add_text(out, "version", host->version);
	add_number(out, "vms", host->vms);
	add_number(out, "max-vcpus", host->max_vcpus);
	for (i = 0; i < host->nr_features; i++)
		json_object_array_add(features,
				      json_object_new_string(host->features[i]));
	json_object_object_add(out, "features", features);
	add_number(out, "seq", host->seq);
	return out;
}

/* One word for what happened, vmd's where vmd has it. */
static const char *what_of(const struct joist_nl_event *event)
{
	switch (event->cmd) {
	case JOIST_CMD_VM_CREATED:
		return "created";
	case JOIST_CMD_VM_CHANGED:
		return "changed";
	case JOIST_CMD_VM_HALTED:
		return "halted";
	case JOIST_CMD_VM_DESTROYED:
		return "destroyed";
	case JOIST_CMD_VM_FAULT:
		return "fault";
	case JOIST_CMD_VCPU_STATS:
		return "stats";
	default:
		return joist_nl_event_name(event->cmd);
	}
}

struct json_object *host_json_event(const struct joist_nl_event *event)
{
	struct json_object *out = json_object_new_object();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	add_text(out, "source", "netlink");
	json_object_object_add(out, "time",
			       out_decimal((double)now.tv_sec +
					   (double)now.tv_nsec / 1e9));
	add_text(out, "what", what_of(event));
	if (event->cmd == JOIST_CMD_VCPU_STATS) {
		json_object_object_add(out, "vcpu", host_json_vcpu(&event->vcpu));
		return out;
	}
	add_number(out, "seq", event->vm.seq);
	if (event->cmd == JOIST_CMD_DEVICE_ADDED || event->cmd == JOIST_CMD_DEVICE_REMOVED) {
		add_number(out, "id", event->vm.id);
		json_object_object_add(out, "device", host_json_device(&event->device));
		return out;
	}
	add_identity(out, &event->vm);
	if (event->cmd == JOIST_CMD_VM_DESTROYED)
		add_text(out, "why", joist_nl_cause(event->cause));
	else if (event->cmd == JOIST_CMD_VM_FAULT)
		json_object_object_add(out, "fault", fault_of(&event->vm.fault));
	else
		add_text(out, "state", state_of(&event->vm));
	return out;
}
