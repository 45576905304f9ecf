// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI's hardware, laid out as the ICH9 has it: the PM1a event and control registers,
 * the timer, and the general-purpose events.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../vm.h"
#include "chipset.h"
#include "pm.h"

#define PM1_STATUS		0
#define PM1_ENABLE		2
#define PM1_CONTROL		PM_CONTROL

#define PM1_POWER_BUTTON	BIT(8)
#define PM1_SCI_EN		BIT(0)
#define PM1_SLEEP_TYPE(v)	(((v) >> 10) & 7)
#define PM1_SLEEP_EN		BIT(13)

#define TIMER_HZ		3579545ULL
#define TIMER_MASK		0xffffff

#define GPE_BYTES		(PM_GPE0_LEN / 2)
#define GPE_ENABLE		(PM_GPE0 + GPE_BYTES)

/*
 * There is no system management mode. Its enable register says that firmware has set
 * it up already, so that none waits for an interrupt that does not come.
 */
#define SMI_ENABLE		0x30
#define SMI_ENABLE_APM		BIT(5)

/**
 * struct pm - the registers
 * @lock: protects the rest
 * @base: port of the first; 0: none answers
 * @status: events that happened
 * @enable: events that raise the SCI
 * @control: what the guest wrote last, the sleep command excepted
 * @gpe_status: general-purpose events that happened
 * @gpe_enable: those that raise the SCI
 */
struct pm {
	struct vm *vm;
	pthread_mutex_t lock;
	u16 base;
	u16 status;
	u16 enable;
	u16 control;
	u8 gpe_status[GPE_BYTES];
	u8 gpe_enable[GPE_BYTES];
};

static void update_sci(struct pm *pm)
{
	bool level = pm->status & pm->enable;
	int i;

	for (i = 0; i < GPE_BYTES; i++)
		level |= (pm->gpe_status[i] & pm->gpe_enable[i]) != 0;
	irq_set(&pm->vm->irq, GSI_SCI, level);
}

static u32 timer(void)
{
	u64 now = now_ns();

	return (u32)(now / NS_PER_SECOND * TIMER_HZ +
		     now % NS_PER_SECOND * TIMER_HZ / NS_PER_SECOND) & TIMER_MASK;
}

static void pm_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct pm *pm = ctx;
	u8 regs[PM_SIZE] = { 0 };
	const u32 smi = SMI_ENABLE_APM, ticks = timer();
	u16 control;

	pthread_mutex_lock(&pm->lock);
	control = pm->control | PM1_SCI_EN;
	memcpy(regs + PM1_STATUS, &pm->status, sizeof(pm->status));
	memcpy(regs + PM1_ENABLE, &pm->enable, sizeof(pm->enable));
	memcpy(regs + PM1_CONTROL, &control, sizeof(control));
	memcpy(regs + PM_GPE0, pm->gpe_status, GPE_BYTES);
	memcpy(regs + GPE_ENABLE, pm->gpe_enable, GPE_BYTES);
	pthread_mutex_unlock(&pm->lock);
	memcpy(regs + PM_TIMER, &ticks, sizeof(ticks));
	memcpy(regs + SMI_ENABLE, &smi, sizeof(smi));
	memcpy(data, regs + offset, len);
}

static void write_control(struct pm *pm, u16 value)
{
	pm->control = value & (u16)~PM1_SLEEP_EN;
	if ((value & PM1_SLEEP_EN) &&
	    PM1_SLEEP_TYPE(value) == PM_SLEEP_TYPE_S5)
		vm_stop(pm->vm, VMM_POWEROFF, "poweroff", NULL,
			"guest power-off");
}

static void write_word(struct pm *pm, u64 offset, u16 value)
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
		break;
	}
}

static bool write_gpe(struct pm *pm, u64 offset, u8 value)
{
	if (offset < PM_GPE0 || offset >= PM_GPE0 + PM_GPE0_LEN)
		return false;
	if (offset < GPE_ENABLE)
		pm->gpe_status[offset - PM_GPE0] &= (u8)~value;
	else
		pm->gpe_enable[offset - GPE_ENABLE] = value;
	return true;
}

static void pm_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct pm *pm = ctx;
	const u8 *byte = data;
	unsigned int i;

	pthread_mutex_lock(&pm->lock);
	for (i = 0; i < len; i++) {
		/* PM1's are words, accessed as such: bytes are ignored. */
		if (!write_gpe(pm, offset + i, byte[i]) &&
		    !((offset + i) & 1) && i + 1 < len)
			write_word(pm, offset + i,
				   (u16)(byte[i] | byte[i + 1] << 8));
	}
	update_sci(pm);
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

/* A general-purpose event happens: the guest runs its \_GPE method. Any thread. */
void pm_gpe(struct pm *pm, unsigned int event)
{
	pthread_mutex_lock(&pm->lock);
	pm->gpe_status[event / 8] |= (u8)(1U << event % 8);
	update_sci(pm);
	pthread_mutex_unlock(&pm->lock);
}

/* The other one, which is a device of the DSDT's. Any thread. */
void pm_sleep_button(struct pm *pm)
{
	pm_gpe(pm, PM_GPE_SLEEP);
}

/**
 * pm_move() - where the registers are
 * @pm: power management
 * @base: port of the first, as the guest asks; 0: nowhere. Over ports of another
 *        device they stay closed.
 */
void pm_move(struct pm *pm, u16 base)
{
	pthread_mutex_lock(&pm->lock);
	if (base != pm->base) {
		if (pm->base)
			bus_remove(&pm->vm->pio, pm->base, pm);
		pm->base = base;
		if (base && bus_add(&pm->vm->pio, base, PM_SIZE, &pm_ops, pm))
			pm->base = 0;
	}
	pthread_mutex_unlock(&pm->lock);
}

/* Return: the port of the first register; 0: none answers. */
u16 pm_base(struct pm *pm)
{
	u16 base;

	pthread_mutex_lock(&pm->lock);
	base = pm->base;
	pthread_mutex_unlock(&pm->lock);
	return base;
}

int pm_create(struct vm *vm)
{
	struct pm *pm = calloc(1, sizeof(*pm));

	if (!pm)
		return -ENOMEM;
	pm->vm = vm;
	pthread_mutex_init(&pm->lock, NULL);
	vm->pm = pm;
	return 0;
}

void pm_destroy(struct vm *vm)
{
	free(vm->pm);
	vm->pm = NULL;
}
