// SPDX-License-Identifier: GPL-2.0-only
/* The PCI bus: configuration access, windows, interrupt lines. */
#include <cpuid.h>
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

/*
 * Windows we place ourselves lie here; the guest may move them in the hole. Large ones that can
 * lie above 4 GiB do.
 */
#define BARS_START		PCI_HOLE_START
#define PORTS_START		0xc000
#define PORTS_END		0x10000ULL
#define SMALL_MAX		(64ULL << 20)

#define ADDRESS_BITS		0x80000008	/* the CPUID leaf that tells them */
#define ADDRESS_BITS_MAX	46		/* four levels of page tables reach it */
#define WINDOW64_ALIGN		(1ULL << 30)

/**
 * struct pci - the bus
 * @lock: protects all below and what changes of the devices
 * @address: the register that port 0xcf8 selects
 * @next_bar: where the next window is placed; 0: the guest places what comes now
 * @next_high: likewise, above 4 GiB
 * @next_port: likewise, of ports
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
	u64 next_high;
	u64 next_port;
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

static bool is_io(const struct pci_bar *bar)
{
	return bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool is_64(const struct pci_bar *bar)
{
	return bar->flags & PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static struct bus *bus_of(const struct pci_dev *dev, const struct pci_bar *bar)
{
	return is_io(bar) ? &dev->vm->pio : &dev->vm->mmio;
}

static void *ctx_of(const struct pci_dev *dev, const struct pci_bar *bar)
{
	return bar->ctx ?: dev->ctx;
}

static void unmap_bar(struct pci_dev *dev, int i)
{
	struct pci_bar *bar = &dev->bar[i];

	if (!bar->mapped)
		return;
	if (dev->map)
		dev->map(dev, i, 0);
	bus_remove(bus_of(dev, bar), bar->mapped, ctx_of(dev, bar));
	bar->mapped = 0;
}

/**
 * pci_window64() - where windows may lie that do not have to lie below 4 GiB
 * @mem: the guest's memory
 *
 * Return: from above its memory, that to be plugged in as well, to what the CPU can address.
 */
struct pci_window64 pci_window64(const struct memory *mem)
{
	struct pci_window64 window = { 0 };
	u32 eax, ebx, ecx, edx, bits = 36;
	u64 end;

	if (__get_cpuid(ADDRESS_BITS, &eax, &ebx, &ecx, &edx))
		bits = eax & 0xff;
	end = 1ULL << min(bits, (u32)ADDRESS_BITS_MAX);
	window.base = align_up(memory_end(mem), WINDOW64_ALIGN);
	if (window.base < end)
		window.size = end - window.base;
	return window;
}

/* Elsewhere is memory, or what is not PCI's: such a window stays closed. */
static bool may_lie(const struct pci_dev *dev, const struct pci_bar *bar, u64 addr)
{
	struct pci_window64 high;

	if (is_io(bar))
		return addr + bar->size <= PORTS_END;
	if (addr >= memory_low_end(&dev->vm->mem) && addr < PCI_HOLE_END)
		return bar->size <= PCI_HOLE_END - addr;
	if (!is_64(bar))
		return false;
	high = pci_window64(&dev->vm->mem);
	return addr >= high.base && addr - high.base < high.size &&
	       bar->size <= high.size - (addr - high.base);
}

static void map_bar(struct pci_dev *dev, int i, u64 addr)
{
	struct pci_bar *bar = &dev->bar[i];

	if (!may_lie(dev, bar, addr) ||
	    bus_add(bus_of(dev, bar), addr, bar->size, bar->ops, ctx_of(dev, bar)))
		return;
	bar->mapped = addr;
	if (dev->map)
		dev->map(dev, i, addr);
}

static size_t bar_reg(int bar)
{
	return bar == PCI_ROM ? PCI_ROM_ADDRESS :
				PCI_BASE_ADDRESS_0 + (size_t)bar * sizeof(u32);
}

/* Where a window is to answer; 0: nowhere. */
static u64 bar_addr(const struct pci_dev *dev, int i)
{
	const struct pci_bar *bar = &dev->bar[i];
	const u8 *reg = dev->config + bar_reg(i);
	u16 command = pci_get16(dev->config + PCI_COMMAND);

	if (is_io(bar))
		return command & PCI_COMMAND_IO ?
			pci_get32(reg) & (u32)PCI_BASE_ADDRESS_IO_MASK : 0;
	if (!(command & PCI_COMMAND_MEMORY))
		return 0;
	if (i == PCI_ROM)
		return pci_get32(reg) & PCI_ROM_ADDRESS_ENABLE ?
			pci_get32(reg) & (u32)PCI_ROM_ADDRESS_MASK : 0;
	return (pci_get32(reg) & (u32)PCI_BASE_ADDRESS_MEM_MASK) |
	       (is_64(bar) ? (u64)pci_get32(reg + sizeof(u32)) << 32 : 0);
}

/* The windows are where the registers say. The lock is held. */
static void update_bars(struct pci_dev *dev)
{
	int i;

	for (i = 0; i < PCI_REGIONS; i++) {
		u64 addr;

		if (!dev->bar[i].size)
			continue;
		addr = bar_addr(dev, i);
		if (addr == dev->bar[i].mapped)
			continue;
		unmap_bar(dev, i);
		if (addr)
			map_bar(dev, i, addr);
	}
}

/* The device was reset: its windows are nowhere. For the device itself, the lock held. */
void pci_dev_forget(struct pci_dev *dev)
{
	int i;

	for (i = 0; i < PCI_REGIONS; i++) {
		const struct pci_bar *bar = &dev->bar[i];

		if (!bar->size)
			continue;
		pci_set32(dev->config + bar_reg(i), bar->flags);
		if (is_64(bar))
			pci_set32(dev->config + bar_reg(i) + sizeof(u32), 0);
	}
	update_bars(dev);
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
	if (dev && dev->read)
		dev->read(dev, reg, data, len);
	pthread_mutex_unlock(&pci->lock);
	/* As with its registers elsewhere: it stays until this vCPU has left. */
	if (window)
		read_window(dev, reg, data, len);
}

static void write_config(struct pci_dev *dev, u64 reg, const u8 *data,
			 unsigned int len)
{
	pci_merge(dev->config + reg, data, dev->writable + reg, len);
	update_bars(dev);
	if (dev->command)
		dev->command(dev);
	if (dev->written)
		dev->written(dev, reg, data, len);
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

/* The next place of a kind, and how far it goes. Return: whether there is room. */
static bool take_place(u64 *next, u64 end, u64 size, u64 *addr)
{
	u64 at = align_up(*next, size);

	if (!*next || at >= end || size > end - at)
		return false;
	*next = at + size;
	*addr = at;
	return true;
}

/*
 * There is room for all that a configuration can have but for the largest windows of devices of
 * the host's; those, and what comes later, the guest places.
 */
static u64 place(struct pci *pci, const struct pci_bar *bar)
{
	struct pci_window64 high;
	u64 addr = 0;

	if (!pci->next_bar)
		return 0;
	if (is_io(bar))
		take_place(&pci->next_port, PORTS_END, bar->size, &addr);
	else if (!is_64(bar) || bar->size <= SMALL_MAX)
		take_place(&pci->next_bar, PCI_HOLE_END, bar->size, &addr);
	if (!addr && is_64(bar)) {
		high = pci_window64(&pci->vm->mem);
		pci->next_high = max(pci->next_high, high.base);
		take_place(&pci->next_high, high.base + high.size, bar->size, &addr);
	}
	return addr;
}

/**
 * pci_dev_window() - a window of a device, placed as firmware would
 * @dev: device, before pci_dev_add()
 * @bar: its register; PCI_ROM: that of the expansion ROM, which the guest opens if it wants to
 * @size: bytes, a power of two
 * @flags: as in struct pci_bar
 * @ops: registers
 * @ctx: for them; NULL: @dev's
 */
void pci_dev_window(struct pci_dev *dev, int bar, u64 size, u32 flags, const struct bus_ops *ops,
		    void *ctx)
{
	const size_t reg = bar_reg(bar);
	u64 addr, mask = ~(size - 1);

	dev->bar[bar] = (struct pci_bar) {
		.size = size, .flags = flags, .ops = ops, .ctx = ctx,
	};
	addr = place(dev->vm->pci, &dev->bar[bar]);
	pci_set32(dev->config + reg, (u32)addr | flags);
	pci_set32(dev->writable + reg, (u32)mask);
	if (bar == PCI_ROM)
		dev->writable[reg] |= PCI_ROM_ADDRESS_ENABLE;
	if (is_64(&dev->bar[bar])) {
		pci_set32(dev->config + reg + sizeof(u32), (u32)(addr >> 32));
		pci_set32(dev->writable + reg + sizeof(u32), (u32)(mask >> 32));
	}
	if (is_io(&dev->bar[bar]))
		dev->writable[PCI_COMMAND] |= PCI_COMMAND_IO;
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

	for (i = 0; i < PCI_REGIONS; i++)
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
	pci->next_port = PORTS_START;
	pthread_mutex_init(&pci->lock, NULL);
	vm->pci = pci;
	return bus_add(&vm->pio, PORT_PCI_CONFIG, CONFIG_PORTS, &port_ops, pci);
}

void pci_destroy(struct vm *vm)
{
	free(vm->pci);
	vm->pci = NULL;
}
