/* SPDX-License-Identifier: GPL-2.0-only */
/* irqfd: an eventfd raises an interrupt. ioeventfd: a guest write signals an eventfd. */
#ifndef JOIST_CORE_EVENTFD_H
#define JOIST_CORE_EVENTFD_H

#include <linux/kvm.h>

struct vm;

int eventfd_setup(void);	/* module load: the shutdown workqueue */
void eventfd_teardown(void);
void eventfd_vm_init(struct vm *vm);
int irqfd_ioctl(struct vm *vm, const struct kvm_irqfd *args);
int ioeventfd_ioctl(struct vm *vm, const struct kvm_ioeventfd *args);
void irqfd_release(struct vm *vm);	/* last VM fd closed: detach them all */
void irqfd_ack(struct vm *vm, unsigned int chip, unsigned int pin);

#endif
