/* SPDX-License-Identifier: GPL-2.0-only */
/* What counters say of the time between two looks at them. Pure. */
#ifndef VMCTL_RATES_H
#define VMCTL_RATES_H

struct json_object;

void rates_add(struct json_object *vcpus, struct json_object *before,
	       double seconds);
void rates_sum(struct json_object *vm);
void rates_vms(struct json_object *vms, struct json_object *before,
	       double seconds);

#endif
