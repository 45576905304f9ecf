/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share of a device. */
#ifndef VMM_VFIO_DEVICE_H
#define VMM_VFIO_DEVICE_H

#include <linux/vfio.h>

#include "../chipset/message.h"
#include "../chipset/msix.h"
#include "../chipset/pci.h"
#include "areas.h"
#include "filter.h"
#include "hostdev.h"
#include "libjoist/pci_addr.h"

#define MSI_MAX	32

/**
 * struct region - a window of the device
 * @bar: which; PCI_ROM
 * @size: 0: there is none
 * @offset: in the device's file
 * @areas: what the guest gets as it is
 * @hva: where we have them
 * @slot: and the hypervisor's memory slots while the guest has them; -1: none
 */
struct region {
	struct hostdev *hd;
	int bar;
	u64 size;
	u64 offset;
	struct areas areas;
	void *hva[AREAS_MAX];
	int slot[AREAS_MAX];
};

/* How the device interrupts, as far as the host has been told. */
enum irq_mode { IRQ_NONE, IRQ_INTX, IRQ_MSI, IRQ_MSIX };

/**
 * struct irqs - its interrupts
 * @mode: the bus's lock protects it, and what else changes here
 * @intx_fd: the host raises the line by it
 * @unmask_fd: and is told by it that the guest has served it
 * @msi_max: messages of MSI that the hardware has
 * @msi_nr: that are used
 */
struct irqs {
	enum irq_mode mode;
	int intx_fd;
	int unmask_fd;
	int msi_max;
	int msi_nr;
	struct message msi[MSI_MAX];
	struct msix msix;
};

/**
 * struct hostdev - the device
 * @host: where the host has it
 * @group: of the container's
 * @fd: the device's file
 * @config_offset: of its configuration space there
 * @config_size: bytes of that
 * @can_reset: it can be reset alone
 * @region: its windows and the ROM
 * @event_fd: by enum hostdev_event; -1: the host does not tell
 * @news: bits of it: happened, and nobody has been told; the main thread's, as the next
 * @wanted: how often the host has asked for it
 */
struct hostdev {
	struct pci_dev pci;
	char host[PCI_ADDR_SIZE];
	struct vfio_group *group;
	int fd;
	u64 config_offset;
	u32 config_size;
	bool can_reset;
	struct filter filter;
	struct region region[PCI_REGIONS];
	struct irqs irqs;
	int event_fd[HOSTDEV_FDS];
	u32 news;
	int wanted;
};

/* host.c */
int host_address(const char *text, char *address);
int host_group(const char *address, char *path, size_t size);

/* region.c */
int regions_init(struct hostdev *hd, const u8 *config);
void regions_destroy(struct hostdev *hd);
void region_mapped(struct pci_dev *pci, int bar, u64 addr);

/* interrupts.c */
int irqs_init(struct hostdev *hd);
void irqs_destroy(struct hostdev *hd);
void irqs_update(struct hostdev *hd);

/* config.c */
int config_init(struct hostdev *hd, const u8 *hw);
int config_get(const struct hostdev *hd, u64 reg, void *data, size_t len);
int config_put(const struct hostdev *hd, u64 reg, const void *data, size_t len);
void config_run(struct hostdev *hd);
void hostdev_config_read(struct pci_dev *pci, u64 reg, u8 *data, unsigned int len);
void config_written(struct pci_dev *pci, u64 reg, const u8 *data, unsigned int len);

/* reset.c */
int hostdev_reset(struct hostdev *hd);
void hostdev_reset_first(struct hostdev *hd);

#endif
