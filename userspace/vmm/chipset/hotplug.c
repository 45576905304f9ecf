// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot-plug of PCI slots by ACPI (ACPI 6.4, chapter 6.3): a general-purpose event has the guest
 * look at these registers with a method of the DSDT, which is written in dsdt_hotplug.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../console.h"
#include "../vm.h"
#include "chipset.h"
#include "hotplug.h"
#include "pci.h"
#include "pm.h"

/**
 * struct hotplug - the registers
 * @lock: protects the rest; no other is taken inside
 * @up: slots with a device that the guest has not been told of
 * @down: slots whose device it has not been asked for
 */
struct hotplug {
	struct vm *vm;
	pthread_mutex_t lock;
	u32 up;
	u32 down;
};

static void hotplug_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct hotplug *hp = ctx;
	u8 regs[HOTPLUG_SIZE] = { 0 };

	pthread_mutex_lock(&hp->lock);
	memcpy(regs + HOTPLUG_UP, &hp->up, sizeof(hp->up));
	memcpy(regs + HOTPLUG_DOWN, &hp->down, sizeof(hp->down));
	pthread_mutex_unlock(&hp->lock);
	memcpy(data, regs + offset, len);
}

static void seen(struct hotplug *hp, u32 *reg, u32 slots)
{
	pthread_mutex_lock(&hp->lock);
	*reg &= ~slots;
	pthread_mutex_unlock(&hp->lock);
}

/* Off the bus at once; what else is to be done is the main thread's. */
static void eject(struct hotplug *hp, u32 slots)
{
	bool any = false;
	int slot;

	for (slot = HOTPLUG_FIRST; slot <= HOTPLUG_LAST; slot++) {
		if (!(slots & BIT(slot)) || !pci_eject(hp->vm->pci, slot))
			continue;
		seen(hp, &hp->up, BIT(slot));
		seen(hp, &hp->down, BIT(slot));
		any = true;
	}
	if (any)
		console_wake(hp->vm->console);
}

/* Whole registers only. */
static void hotplug_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct hotplug *hp = ctx;
	u32 slots;

	if (len != sizeof(slots))
		return;
	memcpy(&slots, data, sizeof(slots));
	switch (offset) {
	case HOTPLUG_UP:
		seen(hp, &hp->up, slots);
		break;
	case HOTPLUG_DOWN:
		seen(hp, &hp->down, slots);
		break;
	case HOTPLUG_EJECT:
		eject(hp, slots);
		break;
	}
}

static const struct bus_ops hotplug_ops = {
	.read = hotplug_read,
	.write = hotplug_write,
};

static void tell(struct hotplug *hp, u32 *reg, int slot)
{
	pthread_mutex_lock(&hp->lock);
	*reg |= BIT(slot);
	pthread_mutex_unlock(&hp->lock);
	pm_gpe(hp->vm->pm, HOTPLUG_GPE);
}

/* Tell the guest that there is a device. */
void hotplug_come(struct vm *vm, int slot)
{
	tell(vm->hotplug, &vm->hotplug->up, slot);
}

/* Ask the guest to let go of one. It may not, or ejects the slot when it has. */
void hotplug_ask(struct vm *vm, int slot)
{
	tell(vm->hotplug, &vm->hotplug->down, slot);
}

int hotplug_create(struct vm *vm)
{
	struct hotplug *hp = calloc(1, sizeof(*hp));

	if (!hp)
		return -ENOMEM;
	hp->vm = vm;
	pthread_mutex_init(&hp->lock, NULL);
	vm->hotplug = hp;
	return bus_add(&vm->pio, PORT_HOTPLUG, HOTPLUG_SIZE, &hotplug_ops, hp);
}

void hotplug_destroy(struct vm *vm)
{
	free(vm->hotplug);
	vm->hotplug = NULL;
}
