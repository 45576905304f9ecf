/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JOIST_CORE_CAPS_H
#define JOIST_CORE_CAPS_H

struct vm;

int caps_check(struct vm *vm, unsigned long cap);

#endif
