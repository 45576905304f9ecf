/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest was doing when it came to grief, for people to read. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

struct vcpu;
struct vm;

char *report_vcpu(struct vcpu *vcpu);
char *report_current(struct vm *vm);

#endif
