// SPDX-License-Identifier: GPL-2.0-only
/* The chips' ports and memory on the VM's buses. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "chips.h"
#include "../core/vm.h"

static struct irqchip *chip_of(struct iodev *dev)
{
	return container_of(dev, struct irqchip_bus_dev, dev)->chip;
}

/* These chips have byte registers; a wider access sees nothing of them. */
static int pic_dev_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			int len, void *val)
{
	memset(val, 0, len);
	if (len == 1)
		*(u8 *)val = pic_read(&chip_of(dev)->pic, addr);
	return 0;
}

static int pic_dev_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			 int len, const void *val)
{
	if (len == 1)
		pic_write(&chip_of(dev)->pic, addr, *(const u8 *)val);
	return 0;
}

static int pit_dev_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			int len, void *val)
{
	memset(val, 0, len);
	if (len == 1)
		*(u8 *)val = pit_read(&chip_of(dev)->pit, addr);
	return 0;
}

static int pit_dev_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			 int len, const void *val)
{
	if (len == 1)
		pit_write(&chip_of(dev)->pit, addr, *(const u8 *)val);
	return 0;
}

static int speaker_dev_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			    int len, void *val)
{
	memset(val, 0, len);
	if (len == 1)
		*(u8 *)val = pit_speaker_read(&chip_of(dev)->pit);
	return 0;
}

static int speaker_dev_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			     int len, const void *val)
{
	if (len == 1)
		pit_speaker_write(&chip_of(dev)->pit, *(const u8 *)val);
	return 0;
}

/* 32-bit registers; a narrower access has their low bytes. */
static int ioapic_dev_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			   int len, void *val)
{
	u32 data = ioapic_read(&chip_of(dev)->ioapic, addr - IOAPIC_BASE);

	memset(val, 0, len);
	memcpy(val, &data, min_t(int, len, sizeof(data)));
	return 0;
}

static int ioapic_dev_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			    int len, const void *val)
{
	u32 data = 0;

	memcpy(&data, val, min_t(int, len, sizeof(data)));
	ioapic_write(&chip_of(dev)->ioapic, addr - IOAPIC_BASE, data);
	return 0;
}

/* Taken off its bus, or the bus is gone. */
static void dev_destroy(struct iodev *dev)
{
	irqchip_put(chip_of(dev));
}

static const struct iodev_ops pic_dev_ops = {
	.read = pic_dev_read,
	.write = pic_dev_write,
	.destroy = dev_destroy,
};

static const struct iodev_ops ioapic_dev_ops = {
	.read = ioapic_dev_read,
	.write = ioapic_dev_write,
	.destroy = dev_destroy,
};

static const struct iodev_ops pit_dev_ops = {
	.read = pit_dev_read,
	.write = pit_dev_write,
	.destroy = dev_destroy,
};

static const struct iodev_ops speaker_dev_ops = {
	.read = speaker_dev_read,
	.write = speaker_dev_write,
	.destroy = dev_destroy,
};

static const struct {
	enum iobus_kind bus;
	u32 addr;
	u32 len;
	const struct iodev_ops *ops;
} ranges[NR_IRQCHIP_DEVS] = {
	[DEV_PIC_MASTER] = { IOBUS_PIO, PIC_MASTER_PORT, 2, &pic_dev_ops },
	[DEV_PIC_SLAVE] = { IOBUS_PIO, PIC_SLAVE_PORT, 2, &pic_dev_ops },
	[DEV_PIC_ELCR] = { IOBUS_PIO, PIC_ELCR_PORT, 2, &pic_dev_ops },
	[DEV_IOAPIC] = { IOBUS_MMIO, IOAPIC_BASE, IOAPIC_SIZE, &ioapic_dev_ops },
	[DEV_PIT] = { IOBUS_PIO, PIT_PORT, 4, &pit_dev_ops },
	[DEV_SPEAKER] = { IOBUS_PIO, PIT_SPEAKER_PORT, 1, &speaker_dev_ops },
};

/**
 * irqchip_bus_add() - put chips on the buses
 * @vm: vm->slots_lock held
 * @chip: theirs
 * @first: first of the devices
 * @last: and last
 *
 * Each holds a reference to @chip while it is there.
 *
 * Return: 0, or -errno with none of them left on a bus.
 */
int irqchip_bus_add(struct vm *vm, struct irqchip *chip, enum irqchip_dev first,
		    enum irqchip_dev last)
{
	int i, err;

	lockdep_assert_held(&vm->slots_lock);
	for (i = first; i <= last; i++) {
		chip->devs[i].chip = chip;
		chip->devs[i].dev.ops = ranges[i].ops;
		err = iobus_register(vm, ranges[i].bus, ranges[i].addr,
				     ranges[i].len, &chip->devs[i].dev);
		if (err)
			goto out_unregister;
		refcount_inc(&chip->refs);
	}
	return 0;

out_unregister:
	/* One that cannot be taken off keeps the chips until the bus goes. */
	while (--i >= (int)first)
		if (!iobus_unregister(vm, ranges[i].bus, &chip->devs[i].dev))
			irqchip_put(chip);
	return err;
}
