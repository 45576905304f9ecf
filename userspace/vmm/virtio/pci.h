/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio over PCI, the modern interface only. */
#ifndef VMM_VIRTIO_PCI_H
#define VMM_VIRTIO_PCI_H

#include "../chipset/msix.h"
#include "../chipset/pci.h"
#include "device.h"

/**
 * struct virtio_pci - the transport of one device
 * @isr: what the guest reads as the interrupt's cause; atomic
 * @config_vector: MSI-X vector of configuration changes
 * @device_select: half of the features that is read
 * @driver_select: half of the features that is written
 * @queue_select: queue whose registers are seen
 *
 * The device's lock protects the last four.
 */
struct virtio_pci {
	struct pci_dev pci;
	struct msix msix;
	struct virtio_dev *dev;
	u8 isr;
	u16 config_vector;
	u32 device_select;
	u32 driver_select;
	u16 queue_select;
};

int virtio_pci_init(struct virtio_pci *vp, struct virtio_dev *dev, u32 class);
void virtio_pci_destroy(struct virtio_pci *vp);

#endif
