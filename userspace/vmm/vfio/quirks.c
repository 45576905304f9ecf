// SPDX-License-Identifier: GPL-2.0-only
/* Devices whose configuration space does not say what is so. */
#include "filter.h"

/**
 * struct quirk - of devices of a maker's
 * @mask: of their ids, what @device is compared with
 * @fix: sets right what filter_init() found
 */
struct quirk {
	u16 vendor;
	u16 device;
	u16 mask;
	void (*fix)(struct filter *f, struct pci_dev *dev);
};

#define PCI_VENDOR_CHELSIO	0x1425
#define CHELSIO_T5_VF_PBA	0x1000

/* Virtual functions of the T5 have the physical one's offset in their capability. */
static void chelsio_t5_vf(struct filter *f, struct pci_dev *dev)
{
	if (!f->msix)
		return;
	f->pba_offset = CHELSIO_T5_VF_PBA;
	pci_set32(dev->config + f->msix + PCI_MSIX_PBA, f->pba_offset | (u32)f->pba_bar);
}

static const struct quirk quirks[] = {
	{ PCI_VENDOR_CHELSIO, 0x5800, 0xff00, chelsio_t5_vf },
};

/* After filter_init(), before the windows. */
void filter_quirks(struct filter *f, struct pci_dev *dev)
{
	const u16 vendor = pci_get16(dev->config + PCI_VENDOR_ID);
	const u16 device = pci_get16(dev->config + PCI_DEVICE_ID);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(quirks); i++)
		if (quirks[i].vendor == vendor && quirks[i].device == (device & quirks[i].mask))
			quirks[i].fix(f, dev);
}
