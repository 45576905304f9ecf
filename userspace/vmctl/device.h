/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that VMs get and lose: what their verbs share. */
#ifndef VMCTL_DEVICE_H
#define VMCTL_DEVICE_H

#include "opt.h"

#define DEVICE_NO_TIME	UINT64_MAX

struct command;
struct json_object;

/**
 * struct device_args - the command line
 * @name: of the new device; NULL: made up
 * @force: remove: whatever the guest does
 * @timeout_ms: remove: for the guest, or DEVICE_NO_TIME
 */
struct device_args {
	struct args args;
	const char *name;
	bool force;
	u64 timeout_ms;
};

/**
 * struct device_kind - a verb that is about devices of one kind
 * @name: the verb: "disk", "net"
 * @member: as the protocol calls one: "disk", "interface"
 * @add: the command line has been taken apart; returns the exit code
 * @print: what is told of a list, for people
 * @resize: as @add; NULL: there is no such thing
 */
struct device_kind {
	const char *name;
	const char *member;
	int (*add)(const struct device_args *args, const struct device_kind *kind);
	void (*print)(struct json_object *result);
	int (*resize)(struct device_args *args);
};

extern const struct opt device_options[];

int device_run(const struct command *cmd, int argc, char **argv,
	       const struct device_kind *kind);
int device_add(const struct device_args *args, const struct device_kind *kind,
	       struct json_object *device);
int device_remove(const struct device_args *args, const struct device_kind *kind);

#endif
