/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_RUN. */
#ifndef JOIST_CORE_RUN_H
#define JOIST_CORE_RUN_H

#include "vcpu.h"
#include "vm.h"
#include "../x86/vendor_ops.h"

/*
 * The read section of vm->srcu during KVM_RUN: entered when something is about to be
 * looked up, left where the thread may stay long. Its own thread only. Whether it is
 * entered is known at run time alone: sparse is told that nothing changes.
 */
static inline void vcpu_srcu_hold(struct vcpu *vcpu)
{
	if (vcpu->srcu_idx >= 0)
		return;
	vcpu->srcu_idx = srcu_read_lock(&vcpu->vm->srcu);
	__release(&vcpu->vm->srcu);
}

static inline void vcpu_srcu_drop(struct vcpu *vcpu)
{
	if (vcpu->srcu_idx < 0)
		return;
	__acquire(&vcpu->vm->srcu);
	srcu_read_unlock(&vcpu->vm->srcu, vcpu->srcu_idx);
	vcpu->srcu_idx = -1;
}

/* straight.c */
bool straight_possible(const struct vcpu *vcpu);
enum hot run_straight(struct vcpu *vcpu);

int vcpu_run_long(struct vcpu *vcpu, enum hot hot);

/**
 * vcpu_run() - KVM_RUN
 * @vcpu: vcpu->mutex held, not loaded
 *
 * Runs the guest until userspace is needed, by the KVM API documentation.
 *
 * Return: 0 with run->exit_reason set; -EINTR: a signal or immediate_exit;
 * -EINVAL: the run page asks for what is not there; -EIO: the VM was killed;
 * -EFAULT: guest memory has no backing; -ERESTARTNOINTR: to the system call
 * return only.
 */
static inline int vcpu_run(struct vcpu *vcpu)
{
	enum hot hot = vcpu->straight ? run_straight(vcpu) : HOT_AGAIN;

	return likely(hot == HOT_USERSPACE) ? 0 : vcpu_run_long(vcpu, hot);
}

bool vcpu_stays_asleep(struct vcpu *vcpu);

/* halt_poll.c */
bool halt_poll(struct vcpu *vcpu, u64 start);
void halt_poll_learn(struct vcpu *vcpu, u64 waited);

#endif
