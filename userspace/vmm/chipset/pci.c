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

/* Windows we place ourselves lie here; the guest may move them in the hole. */
#define BARS_START		PCI_HOLE_START

/**
 * struct pci - the bus
 * @lock: protects all below and what changes of the devices
 * @address: the register that port 0xcf8 selects
 * @next_bar: where the next window is placed; 0: the guest places what comes now
 * @irq_a: slots that assert the line
 * @irq_b: likewise
 * @fn: the devices by devfn; they may come and go while the guest runs
 */
struct pci {
	struct vm *vm;
	pthread_mutex_t lock;
	u32 address;
	u8 reset;
	u64 next_bar;
	u32 irq_a, irq_b;
	struct pci_dev *fn[PCI_FUNCTIONS];
};

/* Pin A of a slot: as firmware tells it to a guest without ACPI, on this chipset. */
u32 pci_slot_gsi(int slot)
{
	return slot & 2 ? GSI_PCI_B : GSI_PCI_A;
}

/* The lock is held. */
static void set_irq(struct pci *pci, int slot, bool level)
{
	u32 gsi = pci_slot_gsi(slot);
	u32 *line = gsi == GSI_PCI_A ? &pci->irq_a : &pci->irq_b;
	u32 old = *line;

	if (level)
		*line |= BIT(slot);
	else
		*line &= ~BIT(slot);
	if (!old != !*line)
		irq_set(&pci->vm->irq, gsi, *line != 0);
}

/**
 * pci_set_irq() - drive a device's interrupt line
 * @dev: device, the bus's lock not held
 * @level: asserted or not; lines are shared, a line is the or of its devices
 */
void pci_set_irq(struct pci_dev *dev, bool level)
{
	struct pci *pci = dev->vm->pci;

	pthread_mutex_lock(&pci->lock);
	if (pci->fn[dev->devfn] == dev)
		set_irq(pci, PCI_SLOT(dev->devfn), level);
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

	/* Elsewhere is memory, or what is not PCI's: such a window stays closed. */
	if (addr < memory_low_end(&dev->vm->mem) ||
	    addr + bar->size > PCI_HOLE_END)
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

/* Return: NULL where no device is. The lock is held. */
static struct pci_dev *find(struct pci *pci, u16 bdf)
{
	return bdf < PCI_FUNCTIONS ? pci->fn[bdf] : NULL;
}

/* Does an access touch what stands for other registers? */
static bool in_window(const struct pci_dev *dev, u64 reg, unsigned int len)
{
	return dev->window && reg < dev->window + PCI_WINDOW_SIZE && reg + len > dev->window;
}

static void read_window(struct pci_dev *dev, u64 reg, u8 *data, unsigned int len)
{
	u8 window[PCI_WINDOW_SIZE] = { 0 };
	unsigned int i;

	dev->window_read(dev, window);
	for (i = 0; i < len; i++)
		if (reg + i >= dev->window && reg + i < dev->window + PCI_WINDOW_SIZE)
			data[i] = window[reg + i - dev->window];
}

/* What the guest has written there: for the device itself, the bus's lock not held. */
void pci_dev_config(struct pci_dev *dev, u8 reg, void *data, unsigned int len)
{
	struct pci *pci = dev->vm->pci;

	pthread_mutex_lock(&pci->lock);
	memcpy(data, dev->config + reg, len);
	pthread_mutex_unlock(&pci->lock);
}

/**
 * pci_config_read() - a guest reads a device's configuration
 * @pci: bus 0
 * @bdf: bus << 8 | devfn, of any origin
 * @reg: likewise; what lies beyond the space reads as ones
 * @data: all ones; stays so where there is no device
 * @len: 1 to 8 bytes
 */
void pci_config_read(struct pci *pci, u16 bdf, u64 reg, void *data,
		     unsigned int len)
{
	struct pci_dev *dev;
	bool window;

	if (reg > PCI_CONFIG_SIZE - len)
		return;
	pthread_mutex_lock(&pci->lock);
	dev = find(pci, bdf);
	window = dev && in_window(dev, reg, len);
	if (dev)
		memcpy(data, dev->config + reg, len);
	pthread_mutex_unlock(&pci->lock);
	/* As with its registers elsewhere: it stays until this vCPU has left. */
	if (window)
		read_window(dev, reg, data, len);
}

static void write_config(struct pci_dev *dev, u64 reg, const u8 *data,
			 unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++) {
		u8 mask = dev->writable[reg + i];

		dev->config[reg + i] = (u8)((dev->config[reg + i] & ~mask) |
					    (data[i] & mask));
	}
	update_bars(dev);
	if (dev->command)
		dev->command(dev);
}

/* As pci_config_read(); a write where there is no device is dropped. */
void pci_config_write(struct pci *pci, u16 bdf, u64 reg, const void *data,
		      unsigned int len)
{
	struct pci_dev *dev;
	bool window;

	if (reg > PCI_CONFIG_SIZE - len)
		return;
	pthread_mutex_lock(&pci->lock);
	dev = find(pci, bdf);
	window = dev && in_window(dev, reg, len);
	if (dev)
		write_config(dev, reg, data, len);
	pthread_mutex_unlock(&pci->lock);
	if (window)
		dev->window_written(dev);
}

/* Which register port 0xcfc and on show. Return: whether any. */
static bool selected(struct pci *pci, u16 *bdf, u64 *reg)
{
	u32 address;

	pthread_mutex_lock(&pci->lock);
	address = pci->address;
	pthread_mutex_unlock(&pci->lock);
	*bdf = (u16)(address >> 8);
	*reg = address & 0xfc;
	return address & CONFIG_ENABLE;
}

static void port_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct pci *pci = ctx;
	u16 bdf;
	u64 reg;

	if (offset >= CONFIG_DATA) {
		if (selected(pci, &bdf, &reg))
			pci_config_read(pci, bdf, reg + offset - CONFIG_DATA,
					data, len);
		return;
	}
	pthread_mutex_lock(&pci->lock);
	if (!offset && len == 4)
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
	u16 bdf;
	u64 reg;

	if (offset >= CONFIG_DATA) {
		if (selected(pci, &bdf, &reg))
			pci_config_write(pci, bdf, reg + offset - CONFIG_DATA,
					 data, len);
		return;
	}
	pthread_mutex_lock(&pci->lock);
	if (!offset && len == 4) {
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

/* The guest has it from here on: it knows where windows are, and where others may go. */
void pci_boot_done(struct pci *pci)
{
	pci->next_bar = 0;
}

/* A 32-bit memory window, placed as firmware would. Before pci_dev_add(). */
void pci_dev_bar(struct pci_dev *dev, int bar, u64 size,
		 const struct bus_ops *ops)
{
	struct pci *pci = dev->vm->pci;
	u64 addr = align_up(pci->next_bar, size);

	dev->bar[bar].size = size;
	dev->bar[bar].ops = ops;
	/* There is room for all that a configuration can have; beyond, the guest places. */
	if (addr && addr + size <= PCI_HOLE_END) {
		pci->next_bar = addr + size;
		pci_set32(dev->config + bar_reg(bar), (u32)addr);
	}
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

/* The lock is held. */
static void plug(struct pci *pci, struct pci_dev *dev, u8 devfn)
{
	dev->devfn = devfn;
	pci->fn[devfn] = dev;
	if (dev->config[PCI_INTERRUPT_PIN])
		dev->config[PCI_INTERRUPT_LINE] =
			(u8)pci_slot_gsi(PCI_SLOT(devfn));
}

/* Put it in the first free slot, as function 0. Return: 0 or -ENOSPC. */
int pci_dev_add(struct pci_dev *dev)
{
	struct pci *pci = dev->vm->pci;
	int err = -ENOSPC;
	u8 slot;

	pthread_mutex_lock(&pci->lock);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		if (pci->fn[PCI_DEVFN(slot, 0)])
			continue;
		plug(pci, dev, PCI_DEVFN(slot, 0));
		err = 0;
		break;
	}
	pthread_mutex_unlock(&pci->lock);
	return err;
}

/* Put it where the board has it. Return: 0 or -EEXIST. */
int pci_dev_add_at(struct pci_dev *dev, u8 devfn)
{
	struct pci *pci = dev->vm->pci;
	int err = -EEXIST;

	pthread_mutex_lock(&pci->lock);
	if (!pci->fn[devfn]) {
		plug(pci, dev, devfn);
		err = 0;
	}
	pthread_mutex_unlock(&pci->lock);
	return err;
}

/* The lock is held. */
static void unplug(struct pci *pci, struct pci_dev *dev)
{
	int i;

	for (i = 0; i < PCI_BARS; i++)
		unmap_bar(dev, i);
	set_irq(pci, PCI_SLOT(dev->devfn), false);
	pci->fn[dev->devfn] = NULL;
}

/**
 * pci_dev_remove() - take a device off the bus: nothing of it answers any more
 * @dev: device that was added; it may be gone already. An access to it may be under way
 *       still: it lives on until vcpus_grace()
 */
void pci_dev_remove(struct pci_dev *dev)
{
	struct pci *pci = dev->vm->pci;

	pthread_mutex_lock(&pci->lock);
	if (pci->fn[dev->devfn] == dev)
		unplug(pci, dev);
	pthread_mutex_unlock(&pci->lock);
}

bool pci_dev_present(struct pci_dev *dev)
{
	struct pci *pci = dev->vm->pci;
	bool present;

	pthread_mutex_lock(&pci->lock);
	present = pci->fn[dev->devfn] == dev;
	pthread_mutex_unlock(&pci->lock);
	return present;
}

/* The guest lets go of a slot. Return: whether there was something it may let go of. */
bool pci_eject(struct pci *pci, int slot)
{
	struct pci_dev *dev;
	bool ejected = false;

	pthread_mutex_lock(&pci->lock);
	dev = pci->fn[PCI_DEVFN(slot, 0)];
	if (dev && dev->removable) {
		unplug(pci, dev);
		ejected = true;
	}
	pthread_mutex_unlock(&pci->lock);
	return ejected;
}

int pci_create(struct vm *vm)
{
	struct pci *pci = calloc(1, sizeof(*pci));

	if (!pci)
		return -ENOMEM;
	pci->vm = vm;
	pci->next_bar = BARS_START;
	pthread_mutex_init(&pci->lock, NULL);
	vm->pci = pci;
	return bus_add(&vm->pio, PORT_PCI_CONFIG, CONFIG_PORTS, &port_ops, pci);
}

void pci_destroy(struct vm *vm)
{
	free(vm->pci);
	vm->pci = NULL;
}
