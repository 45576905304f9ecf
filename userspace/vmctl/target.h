/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a VM is to be asked for: vmd first, then the module's netlink family. */
#ifndef VMCTL_TARGET_H
#define VMCTL_TARGET_H

#include "client.h"
#include "host.h"

/* Not vmd's: what it says otherwise is 0 or an exit code. */
#define TARGET_ELSEWHERE	(-1)

/**
 * struct target - both ways
 * @client: vmd's socket; its fd is -1 if vmd is not there
 * @client_err: why not, -errno
 * @host: netlink
 * @host_err: why not, -errno
 */
struct target {
	struct client client;
	int client_err;
	struct host host;
	int host_err;
};

void target_try(struct target *target);
int target_open(struct target *target);
void target_close(struct target *target);
int target_ask(struct target *target, const char *vm, struct json_object *request,
	       int timeout_ms, struct json_object **result);
int target_find(struct target *target, const char *text, struct json_object **vm);
int target_id(struct target *target, const char *text, u32 *id,
	      struct json_object **vm);
struct json_object *target_same(struct json_object *vm, struct json_object *host_vms);
int target_not_managed(struct json_object *vm, const char *what);
const char *target_name(struct json_object *vm, char *text);

#endif
