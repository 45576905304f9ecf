/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits that a CPU can do without, or make where others do not. */
#ifndef JOIST_X86_EXITS_H
#define JOIST_X86_EXITS_H

#include <linux/kvm.h>

/**
 * struct exit_caps - what VMs may choose on this machine
 * @optional: KVM_X86_DISABLE_EXITS_*: what may do without
 *
 * Written at load only; the vendor's part by its setup.
 */
struct exit_caps {
	u32 optional;
};

extern struct exit_caps exit_caps;

void exit_caps_setup(void);

#endif
