/* SPDX-License-Identifier: GPL-2.0-only */
/* struct irqchip: the chips of one VM, and how they sit on its buses. */
#ifndef JOIST_IRQCHIP_CHIPS_H
#define JOIST_IRQCHIP_CHIPS_H

#include <linux/refcount.h>

#include "../core/iobus.h"
#include "../core/vm.h"
#include "ioapic.h"
#include "pic.h"
#include "pit.h"

/* The bus's view of the chips: one device for each of their ranges. */
enum irqchip_dev {
	DEV_PIC_MASTER,
	DEV_PIC_SLAVE,
	DEV_PIC_ELCR,
	DEV_IOAPIC,
	DEV_PIT,
	DEV_SPEAKER,
	NR_IRQCHIP_DEVS,
};

/**
 * struct irqchip - the interrupt controllers of a VM
 * @pic: the pair
 * @ioapic: the one
 * @pit: the timer; valid once @has_pit (set once, read with smp_load_acquire)
 * @refs: one of the VM, one of each device on a bus: a bus may outlive the
 *        VM's use of the chips
 * @devs: what is on the buses; chip_of() finds the chips from these
 */
struct irqchip {
	struct pic pic;
	struct ioapic ioapic;
	struct pit pit;
	bool has_pit;
	refcount_t refs;
	struct irqchip_bus_dev {
		struct iodev dev;
		struct irqchip *chip;
	} devs[NR_IRQCHIP_DEVS];
};

/* irqchip.c */
void irqchip_put(struct irqchip *chip);

/* bus.c; vm->slots_lock held */
int irqchip_bus_add(struct vm *vm, struct irqchip *chip, enum irqchip_dev first,
		    enum irqchip_dev last);

/* The chips of a VM, NULL: there are none (yet). */
static inline struct irqchip *vm_chips(struct vm *vm)
{
	/* Pairs with the release in irqchip_create(): they are initialized. */
	return smp_load_acquire(&vm->irqchip);
}

/* The PIT of a VM, NULL: there is none. */
static inline struct pit *irqchip_pit(struct irqchip *chip)
{
	/* Pairs with the release in irqchip_create_pit(). */
	return chip && smp_load_acquire(&chip->has_pit) ? &chip->pit : NULL;
}

#endif
