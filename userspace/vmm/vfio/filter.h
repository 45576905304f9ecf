/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest sees of a device's configuration space, and what it reaches of it. */
#ifndef VMM_VFIO_FILTER_H
#define VMM_VFIO_FILTER_H

#include "../chipset/pci.h"

/**
 * struct filter - of one device
 * @live: bits that are read from the hardware each time; else pci_dev.config has them
 * @pass: bits that the guest writes to the hardware, besides to pci_dev.config
 * @msi: offset of the capability that is shown; 0: there is none; likewise the others
 * @msix_nr: vectors of MSI-X
 * @table_bar: where its table is, @table_offset there
 * @pba_bar: and its pending bits
 */
struct filter {
	u8 live[PCI_CONFIG_SIZE];
	u8 pass[PCI_CONFIG_SIZE];
	u8 msi;
	u8 msix;
	u8 exp;
	int msix_nr;
	int table_bar;
	u32 table_offset;
	int pba_bar;
	u32 pba_offset;
};

/**
 * struct filter_source - the hardware's side
 * @config: its configuration space
 * @size: bytes of it: 256 or PCI_CONFIG_SIZE
 * @has_intx: the host takes its interrupt line
 * @has_reset: it can be reset alone
 */
struct filter_source {
	const u8 *config;
	u32 size;
	bool has_intx;
	bool has_reset;
};

int filter_init(struct filter *f, struct pci_dev *dev, const struct filter_source *from);
void filter_quirks(struct filter *f, struct pci_dev *dev);
bool filter_read_hits(const struct filter *f, u64 reg, unsigned int len);
bool filter_next_run(const struct filter *f, u64 reg, unsigned int len, unsigned int *first,
		     unsigned int *nr);

#endif
