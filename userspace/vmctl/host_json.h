/* SPDX-License-Identifier: GPL-2.0-only */
/* What the netlink family says, as JSON: Documentation/vmctl-json.rst. */
#ifndef VMCTL_HOST_JSON_H
#define VMCTL_HOST_JSON_H

struct joist_nl_device;
struct joist_nl_event;
struct joist_nl_host;
struct joist_nl_slot;
struct joist_nl_vcpu;
struct joist_nl_vm;
struct json_object;

struct json_object *host_json_vm(const struct joist_nl_vm *vm);
struct json_object *host_json_vcpu(const struct joist_nl_vcpu *vcpu);
struct json_object *host_json_slot(const struct joist_nl_slot *slot);
struct json_object *host_json_device(const struct joist_nl_device *device);
struct json_object *host_json_host(const struct joist_nl_host *host);
struct json_object *host_json_event(const struct joist_nl_event *event);

#endif
