/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's netlink family, in the JSON that vmctl prints. */
#ifndef VMCTL_HOST_H
#define VMCTL_HOST_H

#include "libjoist/types.h"

struct joist_nl;
struct json_object;

enum host_op { HOST_NONE, HOST_PAUSE, HOST_RESUME, HOST_STOP, HOST_KILL, HOST_NMI };

/**
 * struct host - a socket of the family
 * @nl: NULL: not open
 */
struct host {
	struct joist_nl *nl;
};

int host_open(struct host *host);
void host_close(struct host *host);
int host_info(struct host *host, struct json_object **info);
int host_vms(struct host *host, struct json_object **vms);
int host_vm(struct host *host, u32 id, struct json_object **vm);
int host_vcpus(struct host *host, u32 vm, struct json_object **vcpus);
int host_slots(struct host *host, u32 vm, struct json_object **slots);
int host_devices(struct host *host, u32 vm, struct json_object **devices);
int host_do(struct host *host, enum host_op op, u32 vm);
int host_fail(struct host *host, int err, const char *what);
int host_fail_open(int err);

int host_subscribe(struct host *host, u32 groups, u32 stats_ms);
int host_event(struct host *host, struct json_object **event);

#endif
