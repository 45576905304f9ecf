/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of devices that are not posted: they go to the CPU that their vCPU is on. */
#ifndef JOIST_PASSTHROUGH_AFFINITY_H
#define JOIST_PASSTHROUGH_AFFINITY_H

#include <linux/compiler.h>

#include "../core/vcpu.h"

struct vm;

void affinity_vm_init(struct vm *vm);
void affinity_vm_end(struct vm *vm);
bool affinity_wanted(void);
void affinity_follow(struct vm *vm, unsigned int irq, struct vcpu *vcpu);
void affinity_look_later(struct vm *vm);

/* It has come to another CPU. Context: its thread, preemption off. */
static inline void affinity_vcpu_moved(struct vcpu *vcpu)
{
	if (unlikely(READ_ONCE(vcpu->irqs_follow)))
		affinity_look_later(vcpu->vm);
}

#endif
