/* SPDX-License-Identifier: GPL-2.0-only */
/* VMX or SVM on the physical CPUs: on at load, off at unload. */
#ifndef JOIST_CORE_HARDWARE_H
#define JOIST_CORE_HARDWARE_H

#include <linux/percpu.h>

DECLARE_PER_CPU(bool, hardware_on);

int hardware_setup(void);
void hardware_teardown(void);

#endif
