/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that VMs get and lose while they run. */
#ifndef VMD_PARENT_DEVICE_H
#define VMD_PARENT_DEVICE_H

#include "parent.h"

struct fd_list;
struct json_object;
struct peer;

int device_may(const struct peer *peer, struct failure *f);
int device_check(const struct owned *vm, struct failure *f);
int device_add_disk(struct owned *vm, struct json_object *obj, int client,
		    struct json_object *answer, struct fd_list *fds, struct failure *f);
int device_add_network(struct owned *vm, struct json_object *obj, int client,
		       struct json_object *answer, struct fd_list *fds, struct failure *f);
int device_add_host(struct owned *vm, struct json_object *obj, int client,
		    struct json_object *answer, struct fd_list *fds, struct failure *f);
int device_gone(struct owned *vm, s64 kind, const char *name, struct failure *f);

#endif
