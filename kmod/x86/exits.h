/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits that a CPU can do without, or make where others do not. */
#ifndef JOIST_X86_EXITS_H
#define JOIST_X86_EXITS_H

#include <linux/kvm.h>

/**
 * struct exit_caps - what VMs may choose on this machine
 * @optional: KVM_X86_DISABLE_EXITS_*: what guests can do without
 * @bus_lock: guests exit when they have locked the bus
 * @notify: and when they let no event in for some time
 *
 * Written at load only; the vendor's part by its setup.
 */
struct exit_caps {
	u32 optional;
	bool bus_lock;
	bool notify;
};

#define BUS_LOCK_MODES							\
	(KVM_BUS_LOCK_DETECTION_OFF | KVM_BUS_LOCK_DETECTION_EXIT)

extern struct exit_caps exit_caps;

void exit_caps_setup(void);

#endif
