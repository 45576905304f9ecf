// SPDX-License-Identifier: GPL-2.0-only
/* The device's configuration space: what passes the filter, and what the VMM does itself. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "device.h"
#include "libjoist/vfio.h"

/* Return: 0 or -errno. */
int config_get(const struct hostdev *hd, u64 reg, void *data, size_t len)
{
	ssize_t n = pread(hd->fd, data, len, (off_t)(hd->config_offset + reg));

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

int config_put(const struct hostdev *hd, u64 reg, const void *data, size_t len)
{
	ssize_t n = pwrite(hd->fd, data, len, (off_t)(hd->config_offset + reg));

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

/* It decodes, and is no master yet: as after each reset. */
void config_run(struct hostdev *hd)
{
	const u16 command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	int err = config_put(hd, PCI_COMMAND, &command, sizeof(command));

	if (err)
		log_warn("%s: its command register cannot be written: %s", hd->host,
			 strerror(-err));
}

/* The guest reads. The bus's lock is held. */
void hostdev_config_read(struct pci_dev *pci, u64 reg, u8 *data, unsigned int len)
{
	struct hostdev *hd = container_of(pci, struct hostdev, pci);
	u8 hw[sizeof(u64)];

	if (filter_read_hits(&hd->filter, reg, len) && !config_get(hd, reg, hw, len))
		pci_merge(data, hw, hd->filter.live + reg, len);
}

static void pass(struct hostdev *hd, u64 reg, const u8 *data, unsigned int len)
{
	unsigned int first = 0, nr;
	u8 hw[sizeof(u64)];

	for (; filter_next_run(&hd->filter, reg, len, &first, &nr); first += nr) {
		if (config_get(hd, reg + first, hw, nr))
			continue;
		/* Bits that it is not to get stay. */
		pci_merge(hw, data + first, hd->filter.pass + reg + first, nr);
		config_put(hd, reg + first, hw, nr);
	}
}

/* The byte of a register in what was written; 0: that is not among it. */
static u8 byte_at(u64 wanted, u64 reg, const u8 *data, unsigned int len)
{
	return wanted >= reg && wanted - reg < len ? data[wanted - reg] : 0;
}

static bool asks_reset(const struct hostdev *hd, u64 reg, const u8 *data, unsigned int len)
{
	const u8 exp = hd->filter.exp;

	return exp && hd->can_reset &&
	       byte_at(exp + PCI_EXP_DEVCTL + 1, reg, data, len) &
	       (PCI_EXP_DEVCTL_BCR_FLR >> 8);
}

/* A function-level reset: the guest finds it as it found it first. */
static void reset_function(struct hostdev *hd)
{
	struct pci_dev *pci = &hd->pci;
	int err;

	pci_dev_forget(pci);
	if (hd->filter.msi)
		pci->config[hd->filter.msi + PCI_MSI_FLAGS] &=
			(u8)~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	if (hd->filter.msix)
		pci->config[hd->filter.msix + PCI_MSIX_FLAGS + 1] &=
			(u8)~((PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8);
	pci_set16(pci->config + PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	irqs_update(hd);
	pci_set16(pci->config + PCI_COMMAND, 0);
	if (hd->filter.msix)
		msix_forget(&hd->irqs.msix);
	err = vfio_reset(hd->fd);
	if (err)
		log_warn("%s cannot be reset for the guest: %s", hd->host, strerror(-err));
	config_run(hd);
}

/* It wrote, and what is ours of it is done. Likewise. */
void config_written(struct pci_dev *pci, u64 reg, const u8 *data, unsigned int len)
{
	struct hostdev *hd = container_of(pci, struct hostdev, pci);

	if (asks_reset(hd, reg, data, len)) {
		reset_function(hd);
		return;
	}
	pass(hd, reg, data, len);
	irqs_update(hd);
}

/**
 * config_init() - show the device's configuration space
 * @hd: device whose interrupts are not known yet, before its windows
 * @hw: the hardware's configuration space, @hd->config_size
 *
 * Return: 0, or -errno with the reason logged.
 */
int config_init(struct hostdev *hd, const u8 *hw)
{
	const struct filter_source from = {
		.config = hw,
		.size = hd->config_size,
		.has_intx = vfio_irq_count(hd->fd, VFIO_PCI_INTX_IRQ_INDEX) > 0,
		.has_reset = hd->can_reset,
	};
	int err = filter_init(&hd->filter, &hd->pci, &from);

	if (err)
		log_err("%s is a bridge: only devices can be a guest's", hd->host);
	else
		filter_quirks(&hd->filter, &hd->pci);
	return err;
}
