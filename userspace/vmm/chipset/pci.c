// SPDX-License-Identifier: GPL-2.0-only
/* The PCI bus: configuration access, windows, interrupt lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vm.h"
#include "chipset.h"
#include "pci.h"

#define CONFIG_PORTS		8
#define CONFIG_DATA		4	/* offset of port 0xcfc */
#define CONFIG_ENABLE		BIT(31)
#define RESET_NOW		BIT(2)
#define FIRST_CAP		0x40

#define VENDOR_REDHAT		0x1b36
#define DEVICE_HOST_BRIDGE	0x0008
#define CLASS_HOST_BRIDGE	0x060000

/* Windows we place ourselves lie here; the guest may move them in the hole. */
#define BARS_START		PCI_HOLE_START

/**
 * struct pci - the bus
 * @lock: protects all below and what changes of the devices
 * @address: the register that port 0xcf8 selects
 * @next_bar: where the next window is placed
 * @irq: slots that assert each of the lines
 */
struct pci {
	struct vm *vm;
	pthread_mutex_t lock;
	u32 address;
	u8 reset;
	u64 next_bar;
	u32 irq_a, irq_b;
	struct pci_dev *slot[PCI_SLOTS];
	struct pci_dev bridge;
};

u32 pci_slot_gsi(int slot)
{
	return slot & 1 ? GSI_PCI_B : GSI_PCI_A;
}

/**
 * pci_set_irq() - drive a device's interrupt line
 * @dev: device, the bus's lock not held
 * @level: asserted or not; lines are shared, a line is the or of its devices
 */
void pci_set_irq(struct pci_dev *dev, bool level)
{
	struct pci *pci = dev->vm->pci;
	u32 gsi = pci_slot_gsi(dev->slot);
	u32 *line = gsi == GSI_PCI_A ? &pci->irq_a : &pci->irq_b;
	u32 old;

	pthread_mutex_lock(&pci->lock);
	old = *line;
	if (level)
		*line |= BIT(dev->slot);
	else
		*line &= ~BIT(dev->slot);
	if (!old != !*line)
		irq_set(&pci->vm->irq, gsi, *line != 0);
	pthread_mutex_unlock(&pci->lock);
}

static void unmap_bar(struct pci_dev *dev, int i)
{
	struct pci_bar *bar = &dev->bar[i];

	if (!bar->mapped)
		return;
	if (dev->map)
		dev->map(dev, i, 0);
	bus_remove(&dev->vm->mmio, bar->mapped, dev->ctx);
	bar->mapped = 0;
}

static void map_bar(struct pci_dev *dev, int i, u64 addr)
{
	struct pci_bar *bar = &dev->bar[i];

	/* Elsewhere it would hide memory: such a window stays closed. */
	if (addr < PCI_HOLE_START || addr + bar->size > PCI_HOLE_END)
		return;
	if (bus_add(&dev->vm->mmio, addr, bar->size, bar->ops, dev->ctx))
		return;
	bar->mapped = addr;
	if (dev->map)
		dev->map(dev, i, addr);
}

static size_t bar_reg(int bar)
{
	return PCI_BASE_ADDRESS_0 + (size_t)bar * sizeof(u32);
}

static void update_bars(struct pci_dev *dev)
{
	bool decode = pci_get16(dev->config + PCI_COMMAND) & PCI_COMMAND_MEMORY;
	int i;

	for (i = 0; i < PCI_BARS; i++) {
		const u8 *reg = dev->config + bar_reg(i);
		u64 addr = pci_get32(reg) & (u32)PCI_BASE_ADDRESS_MEM_MASK;

		if (!dev->bar[i].size)
			continue;
		if (!decode)
			addr = 0;
		if (addr == dev->bar[i].mapped)
			continue;
		unmap_bar(dev, i);
		if (addr)
			map_bar(dev, i, addr);
	}
}

static struct pci_dev *selected(struct pci *pci)
{
	u32 address = pci->address;

	/* Bus 0 and function 0 are all there is. */
	if (!(address & CONFIG_ENABLE) || (address & 0x00ff0700))
		return NULL;
	return pci->slot[(address >> 11) & (PCI_SLOTS - 1)];
}

static void config_read(struct pci *pci, u64 offset, void *data,
			unsigned int len)
{
	const struct pci_dev *dev = selected(pci);

	if (dev)
		memcpy(data, dev->config + (pci->address & 0xfc) + offset, len);
}

static void config_write(struct pci *pci, u64 offset, const u8 *data,
			 unsigned int len)
{
	struct pci_dev *dev = selected(pci);
	u64 reg = (pci->address & 0xfc) + offset;
	unsigned int i;

	if (!dev)
		return;
	for (i = 0; i < len; i++) {
		u8 mask = dev->writable[reg + i];

		dev->config[reg + i] = (u8)((dev->config[reg + i] & ~mask) |
					    (data[i] & mask));
	}
	update_bars(dev);
	if (dev->command)
		dev->command(dev);
}

static void port_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct pci *pci = ctx;

	pthread_mutex_lock(&pci->lock);
	if (offset >= CONFIG_DATA)
		config_read(pci, offset - CONFIG_DATA, data, len);
	else if (!offset && len == 4)
		memcpy(data, &pci->address, len);
	else if (offset == PORT_RESET - PORT_PCI_CONFIG && len == 1)
		memcpy(data, &pci->reset, len);
	pthread_mutex_unlock(&pci->lock);
}

static void port_write(void *ctx, u64 offset, const void *data,
		       unsigned int len)
{
	struct pci *pci = ctx;
	bool reset = false;

	pthread_mutex_lock(&pci->lock);
	if (offset >= CONFIG_DATA) {
		config_write(pci, offset - CONFIG_DATA, data, len);
	} else if (!offset && len == 4) {
		memcpy(&pci->address, data, len);
	} else if (offset == PORT_RESET - PORT_PCI_CONFIG && len == 1) {
		memcpy(&pci->reset, data, len);
		reset = pci->reset & RESET_NOW;
	}
	pthread_mutex_unlock(&pci->lock);
	if (reset)
		vm_reset(pci->vm, "port 0xcf9");
}

static const struct bus_ops port_ops = {
	.read = port_read,
	.write = port_write,
};

/**
 * pci_dev_init() - a device's header; no windows, no capabilities yet
 * @dev: zeroed
 * @vm: VM
 * @id: its identity
 */
void pci_dev_init(struct pci_dev *dev, struct vm *vm, const struct pci_id *id)
{
	u8 *c = dev->config;

	dev->vm = vm;
	dev->next_cap = FIRST_CAP;
	pci_set16(c + PCI_VENDOR_ID, id->vendor);
	pci_set16(c + PCI_DEVICE_ID, id->device);
	pci_set32(c + PCI_CLASS_REVISION, id->class_revision);
	pci_set16(c + PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor);
	pci_set16(c + PCI_SUBSYSTEM_ID, id->subsystem);
	pci_set16(dev->writable + PCI_COMMAND,
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_INTX_DISABLE);
	dev->writable[PCI_INTERRUPT_LINE] = 0xff;
	dev->writable[PCI_CACHE_LINE_SIZE] = 0xff;
}

/* A 32-bit memory window, placed as firmware would. Before pci_dev_add(). */
void pci_dev_bar(struct pci_dev *dev, int bar, u64 size,
		 const struct bus_ops *ops)
{
	struct pci *pci = dev->vm->pci;
	u64 addr = align_up(pci->next_bar, size);

	pci->next_bar = addr + size;
	dev->bar[bar].size = size;
	dev->bar[bar].ops = ops;
	pci_set32(dev->config + bar_reg(bar), (u32)addr);
	pci_set32(dev->writable + bar_reg(bar), (u32)~(size - 1));
}

/**
 * pci_dev_cap() - add a capability
 * @dev: device, before pci_dev_add()
 * @id: PCI_CAP_ID_*
 * @len: bytes with its two of header
 *
 * Return: its offset in the configuration space.
 */
u8 pci_dev_cap(struct pci_dev *dev, u8 id, u8 len)
{
	u8 at = dev->next_cap;

	dev->config[at] = id;
	if (dev->last_cap)
		dev->config[dev->last_cap + 1] = at;
	else
		dev->config[PCI_CAPABILITY_LIST] = at;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	dev->last_cap = at;
	dev->next_cap = (u8)align_up(at + len, 4);
	return at;
}

/* Put it in the first free slot. Return: 0 or -ENOSPC. */
int pci_dev_add(struct pci_dev *dev)
{
	struct pci *pci = dev->vm->pci;
	int slot;

	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (!pci->slot[slot])
			break;
	if (slot == PCI_SLOTS)
		return -ENOSPC;
	dev->slot = slot;
	pci->slot[slot] = dev;
	if (dev->config[PCI_INTERRUPT_PIN])
		dev->config[PCI_INTERRUPT_LINE] = (u8)pci_slot_gsi(slot);
	return 0;
}

int pci_create(struct vm *vm)
{
	static const struct pci_id bridge = {
		.vendor = VENDOR_REDHAT,
		.device = DEVICE_HOST_BRIDGE,
		.class_revision = CLASS_HOST_BRIDGE << 8,
	};
	struct pci *pci = calloc(1, sizeof(*pci));

	if (!pci)
		return -ENOMEM;
	pci->vm = vm;
	pci->next_bar = BARS_START;
	pthread_mutex_init(&pci->lock, NULL);
	vm->pci = pci;
	pci_dev_init(&pci->bridge, vm, &bridge);
	pci_dev_add(&pci->bridge);
	return bus_add(&vm->pio, PORT_PCI_CONFIG, CONFIG_PORTS, &port_ops, pci);
}

void pci_destroy(struct vm *vm)
{
	free(vm->pci);
	vm->pci = NULL;
}
