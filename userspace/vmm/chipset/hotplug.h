/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that come and go while the guest runs: what it is told, and what it answers. */
#ifndef VMM_HOTPLUG_H
#define VMM_HOTPLUG_H

#include "chipset.h"
#include "libjoist/types.h"

/* Registers of 32 bits, one for each slot. */
#define HOTPLUG_UP		0	/* a device has come; written: seen */
#define HOTPLUG_DOWN		4	/* the guest shall let go; written: seen */
#define HOTPLUG_EJECT		8	/* written: it has */
#define HOTPLUG_SIZE		12

#define HOTPLUG_GPE		1	/* the event that says: look at them */
#define HOTPLUG_METHOD		"_E01"

/* All slots but those the board needs. */
#define HOTPLUG_FIRST		(SLOT_HOST_BRIDGE + 1)
#define HOTPLUG_LAST		(SLOT_LPC - 1)

struct hotplug;
struct vm;

int hotplug_create(struct vm *vm);
void hotplug_destroy(struct vm *vm);
void hotplug_come(struct vm *vm, int slot);
void hotplug_ask(struct vm *vm, int slot);

#endif
