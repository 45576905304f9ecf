/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_RUN. */
#ifndef JOIST_CORE_RUN_H
#define JOIST_CORE_RUN_H

#include <linux/types.h>

struct vcpu;

int vcpu_run(struct vcpu *vcpu);
bool vcpu_stays_asleep(struct vcpu *vcpu);

/* halt_poll.c */
bool halt_poll(struct vcpu *vcpu, u64 start);
void halt_poll_learn(struct vcpu *vcpu, u64 waited);

#endif
