/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports of a guest that cannot go on: for the log and for the VMM. */
#ifndef JOIST_CORE_REPORT_H
#define JOIST_CORE_REPORT_H

#include <linux/types.h>

struct vcpu;

/* The guest cannot be entered or its exit not understood: say all that is
 * known, stop the VM.
 */
void report_broken_guest(struct vcpu *vcpu, const char *why);
void report_compose(struct vcpu *vcpu, const char *why, char *buf, size_t size);

#endif
