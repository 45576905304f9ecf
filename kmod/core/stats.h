/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics of VMs and vCPUs, as a file. */
#ifndef JOIST_CORE_STATS_H
#define JOIST_CORE_STATS_H

struct vcpu;
struct vm;

int stats_fd(struct vm *vm, struct vcpu *vcpu);

#endif
