/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of devices that go to a vCPU without a detour by their eventfd. */
#ifndef JOIST_PASSTHROUGH_BYPASS_H
#define JOIST_PASSTHROUGH_BYPASS_H

#include <linux/types.h>

struct bypass;
struct eventfd_ctx;
struct vm;

void bypass_teardown(void);
void bypass_vm_init(struct vm *vm);
struct bypass *bypass_create(struct vm *vm, u32 gsi, struct eventfd_ctx *eventfd);
void bypass_destroy(struct bypass *bypass);
void bypass_update(struct vm *vm);
void bypass_update_later(struct vm *vm);
void bypass_vm_end(struct vm *vm);

#endif
