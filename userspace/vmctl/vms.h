/* SPDX-License-Identifier: GPL-2.0-only */
/* vmd's VMs and the module's, as one list. */
#ifndef VMCTL_VMS_H
#define VMCTL_VMS_H

#include "target.h"

int vms_show(struct target *target, const char *typed, struct json_object **vm);
int vms_load(struct target *target, struct json_object **vms);
void vms_devices(struct target *target, struct json_object *vms);
struct json_object *vms_holders(void);
const char *vms_owner(struct json_object *vm, char *text);

#endif
