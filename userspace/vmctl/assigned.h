/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of the host that VMs have. */
#ifndef VMCTL_ASSIGNED_H
#define VMCTL_ASSIGNED_H

struct json_object;

void assigned_add(const char *root, struct json_object *vm, struct json_object *groups);

#endif
