/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics of VMs and vCPUs, as a file. */
#ifndef JOIST_CORE_STATS_H
#define JOIST_CORE_STATS_H

#include "vcpu.h"

#define STATS_NAME_BYTES	32
#define NR_VCPU_STATS		(sizeof(struct vcpu_stat) / sizeof(u64))

void stats_vcpu_name(u32 i, char *name);
u64 stats_vcpu_value(const struct vcpu *vcpu, u32 i);
int stats_fd(struct vm *vm, struct vcpu *vcpu);

#endif
