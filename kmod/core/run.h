/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_RUN. */
#ifndef JOIST_CORE_RUN_H
#define JOIST_CORE_RUN_H

struct vcpu;

int vcpu_run(struct vcpu *vcpu);

#endif
