/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that VMs get and lose: what their verbs share. */
#ifndef VMCTL_DEVICE_H
#define VMCTL_DEVICE_H

#include "opt.h"

struct json_object;

/**
 * struct device_args - the command line
 * @name: of the new device; NULL: made up
 * @force: remove: whatever the guest does
 * @timeout_ms: remove: for the guest, or NOT_GIVEN
 */
struct device_args {
	struct args args;
	const char *name;
	bool force;
	u64 timeout_ms;
};

#define NOT_GIVEN	UINT64_MAX

extern const struct opt device_options[];

int device_add(const struct device_args *args, const char *kind, const char *member,
	       struct json_object *device);
int device_remove(const struct device_args *args, const char *kind, const char *member);
int device_list(const struct device_args *args, const char *kind,
		void (*print)(struct json_object *result));

#endif
