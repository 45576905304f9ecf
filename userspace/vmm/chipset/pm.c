// SPDX-License-Identifier: GPL-2.0-only
/* ACPI's fixed hardware: the PM1a event and control registers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vm.h"
#include "chipset.h"
#include "pm.h"

#define PM1_STATUS		0
#define PM1_ENABLE		2
#define PM1_CONTROL		4
#define PM1_SIZE		6

#define PM1_POWER_BUTTON	BIT(8)
#define PM1_SCI_EN		BIT(0)
#define PM1_SLEEP_TYPE(v)	(((v) >> 10) & 7)
#define PM1_SLEEP_EN		BIT(13)

/**
 * struct pm - the registers
 * @lock: protects the rest
 * @status: events that happened
 * @enable: events that raise the SCI
 * @control: what the guest wrote last, the sleep command excepted
 */
struct pm {
	struct vm *vm;
	pthread_mutex_t lock;
	u16 status;
	u16 enable;
	u16 control;
};

static void update_sci(struct pm *pm)
{
	irq_set(&pm->vm->irq, GSI_SCI, pm->status & pm->enable);
}

static void pm_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct pm *pm = ctx;
	u16 regs[PM1_SIZE / 2];

	pthread_mutex_lock(&pm->lock);
	regs[PM1_STATUS / 2] = pm->status;
	regs[PM1_ENABLE / 2] = pm->enable;
	regs[PM1_CONTROL / 2] = pm->control | PM1_SCI_EN;
	pthread_mutex_unlock(&pm->lock);
	memcpy(data, (u8 *)regs + offset, len);
}

static void write_control(struct pm *pm, u16 value)
{
	pm->control = value & (u16)~PM1_SLEEP_EN;
	if ((value & PM1_SLEEP_EN) &&
	    PM1_SLEEP_TYPE(value) == PM_SLEEP_TYPE_S5)
		vm_stop(pm->vm, VMM_POWEROFF, "poweroff", NULL,
			"guest power-off");
}

static void write_reg(struct pm *pm, u64 offset, u16 value)
{
	switch (offset) {
	case PM1_STATUS:
		pm->status &= (u16)~value;	/* write one to clear */
		break;
	case PM1_ENABLE:
		pm->enable = value;
		break;
	case PM1_CONTROL:
		write_control(pm, value);
		return;
	}
	update_sci(pm);
}

static void pm_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct pm *pm = ctx;
	unsigned int i;
	u16 value;

	/* The registers are words, accessed as such: bytes are ignored. */
	if ((offset | len) & 1)
		return;
	pthread_mutex_lock(&pm->lock);
	for (i = 0; i < len; i += 2) {
		memcpy(&value, (const u8 *)data + i, sizeof(value));
		write_reg(pm, offset + i, value);
	}
	pthread_mutex_unlock(&pm->lock);
}

static const struct bus_ops pm_ops = {
	.read = pm_read,
	.write = pm_write,
};

/* Press it: the guest decides what that means. Any thread. */
void pm_power_button(struct pm *pm)
{
	pthread_mutex_lock(&pm->lock);
	pm->status |= PM1_POWER_BUTTON;
	update_sci(pm);
	pthread_mutex_unlock(&pm->lock);
}

int pm_create(struct vm *vm)
{
	struct pm *pm = calloc(1, sizeof(*pm));

	if (!pm)
		return -ENOMEM;
	pm->vm = vm;
	pthread_mutex_init(&pm->lock, NULL);
	vm->pm = pm;
	return bus_add(&vm->pio, PORT_PM1_EVENT, PM1_SIZE, &pm_ops, pm);
}

void pm_destroy(struct vm *vm)
{
	free(vm->pm);
	vm->pm = NULL;
}
