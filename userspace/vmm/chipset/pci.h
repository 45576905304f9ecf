/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI bus 0: its devices, and their configuration by ports and by memory. */
#ifndef VMM_PCI_H
#define VMM_PCI_H

#include <linux/pci.h>
#include <linux/pci_regs.h>

#include "libjoist/types.h"
#include "../bus.h"

#define PCI_SLOTS	32
#define PCI_FUNCTIONS	256	/* of one bus: 32 slots of 8 */
#define PCI_CONFIG_SIZE	4096
#define PCI_BARS	6
#define PCI_ROM		PCI_BARS	/* the expansion ROM is one more window */
#define PCI_REGIONS	(PCI_BARS + 1)
#define PCI_WINDOW_SIZE	4U

#define PCI_VENDOR_INTEL	0x8086
/* By these firmware knows that it is in a virtual machine. */
#define PCI_VENDOR_REDHAT	0x1af4
#define PCI_SUBSYSTEM_QEMU	0x1100

struct memory;
struct pci;
struct pci_dev;
struct vm;

/**
 * struct pci_bar - a window of a device: in memory, or of ports
 * @size: bytes, a power of two; 0: there is none
 * @flags: what its register says besides: PCI_BASE_ADDRESS_SPACE_IO, _MEM_TYPE_64 (then the
 *         next register is its upper half), _MEM_PREFETCH
 * @ops: its registers
 * @ctx: for them; NULL: @pci_dev.ctx
 * @mapped: where it answers now; 0: nowhere
 */
struct pci_bar {
	u64 size;
	u32 flags;
	const struct bus_ops *ops;
	void *ctx;
	u64 mapped;
};

/**
 * struct pci_dev - a device on the bus: one function of a slot
 * @devfn: where: PCI_DEVFN(slot, function)
 * @config: configuration space as the guest reads it
 * @writable: bits of @config that the guest may change
 * @removable: the guest may eject it; constant once it is added
 * @map: a window moved: @addr is 0 when it disappears; may be NULL
 * @command: the guest wrote to @config; may be NULL
 * @read: the guest reads: changes what it gets, of @config, where that is elsewhere; may be NULL
 * @written: it wrote @data, and @config and the windows are as they are to be; may be NULL
 * @window: PCI_WINDOW_SIZE bytes of @config that stand for other registers; 0: there are none
 * @window_read: the guest reads there: what it gets
 * @window_written: it has written there
 *
 * The bus's lock protects all that changes; it is held in @map, @command, @read and @written,
 * and not in the last two.
 */
struct pci_dev {
	struct vm *vm;
	u8 devfn;
	u8 config[PCI_CONFIG_SIZE];
	u8 writable[PCI_CONFIG_SIZE];
	bool removable;
	struct pci_bar bar[PCI_REGIONS];
	u8 next_cap;
	u8 last_cap;
	void *ctx;
	void (*map)(struct pci_dev *dev, int bar, u64 addr);
	void (*command)(struct pci_dev *dev);
	void (*read)(struct pci_dev *dev, u64 reg, u8 *data, unsigned int len);
	void (*written)(struct pci_dev *dev, u64 reg, const u8 *data, unsigned int len);
	u8 window;
	void (*window_read)(struct pci_dev *dev, u8 *data);
	void (*window_written)(struct pci_dev *dev);
};

/* Memory that windows may lie in, above all that is the guest's; of size 0: none. */
struct pci_window64 {
	u64 base;
	u64 size;
};

/* What identifies a device. */
struct pci_id {
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem;
	u32 class_revision;	/* class << 8 | revision */
};

int pci_create(struct vm *vm);
void pci_destroy(struct vm *vm);
void pci_dev_init(struct pci_dev *dev, struct vm *vm, const struct pci_id *id);
void pci_dev_window(struct pci_dev *dev, int bar, u64 size, u32 flags, const struct bus_ops *ops,
		    void *ctx);
u8 pci_dev_cap(struct pci_dev *dev, u8 id, u8 len);
int pci_dev_add(struct pci_dev *dev);
int pci_dev_add_at(struct pci_dev *dev, u8 devfn);
void pci_dev_remove(struct pci_dev *dev);
bool pci_dev_present(struct pci_dev *dev);
bool pci_eject(struct pci *pci, int slot);
void pci_boot_done(struct pci *pci);
void pci_set_irq(struct pci_dev *dev, bool level);
void pci_dev_config(struct pci_dev *dev, u8 reg, void *data, unsigned int len);
void pci_dev_forget(struct pci_dev *dev);
struct pci_window64 pci_window64(const struct memory *mem);
u32 pci_slot_gsi(int slot);
void pci_config_read(struct pci *pci, u16 bdf, u64 reg, void *data,
		     unsigned int len);
void pci_config_write(struct pci *pci, u16 bdf, u64 reg, const void *data,
		      unsigned int len);

/* A 32-bit memory window. Before pci_dev_add(). */
static inline void pci_dev_bar(struct pci_dev *dev, int bar, u64 size, const struct bus_ops *ops)
{
	pci_dev_window(dev, bar, size, 0, ops, NULL);
}

static inline void pci_set16(u8 *p, u16 value)
{
	p[0] = (u8)value;
	p[1] = (u8)(value >> 8);
}

static inline void pci_set32(u8 *p, u32 value)
{
	pci_set16(p, (u16)value);
	pci_set16(p + 2, (u16)(value >> 16));
}

/* The bits of @mask of @to become @from's. */
static inline void pci_merge(u8 *to, const u8 *from, const u8 *mask, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = (u8)((to[i] & ~mask[i]) | (from[i] & mask[i]));
}

static inline u16 pci_get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 pci_get32(const u8 *p)
{
	return pci_get16(p) | (u32)pci_get16(p + 2) << 16;
}

#endif
