/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits that are answered with interrupts off, by both vendors' run.c. */
#ifndef JOIST_X86_HOT_H
#define JOIST_X86_HOT_H

#include <linux/entry-kvm.h>

#include "vendor_ops.h"

bool hot_exit(struct vcpu *vcpu, enum exit_kind kind);

/* Is there anything to be done outside before the guest may go on? Interrupts off. */
static inline bool hot_must_leave(struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || xfer_to_guest_mode_work_pending();
}

/* An exit was answered, in the kernel or not: what now? */
static inline enum hot hot_answered(struct vcpu *vcpu, enum exit_kind kind,
				    enum hot hot)
{
	vcpu->stat.exits[kind]++;
	return hot == HOT_AGAIN && hot_must_leave(vcpu) ? HOT_DONE : hot;
}

#endif
