// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's interrupts: the host's driver signals an eventfd, and the hypervisor has it as an
 * irqfd. Nobody of ours is on the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "libjoist/joist.h"
#include "libjoist/vfio.h"

static u16 msi_flags(const struct hostdev *hd)
{
	return pci_get16(hd->pci.config + hd->filter.msi + PCI_MSI_FLAGS);
}

static int index_of(enum irq_mode mode)
{
	return mode == IRQ_INTX ? VFIO_PCI_INTX_IRQ_INDEX :
	       mode == IRQ_MSI ? VFIO_PCI_MSI_IRQ_INDEX : VFIO_PCI_MSIX_IRQ_INDEX;
}

/* What the guest's configuration asks for. */
static enum irq_mode wanted(const struct hostdev *hd)
{
	const u8 *config = hd->pci.config;

	if (hd->filter.msix && pci_get16(config + hd->filter.msix + PCI_MSIX_FLAGS) &
	    PCI_MSIX_FLAGS_ENABLE)
		return IRQ_MSIX;
	if (hd->filter.msi && msi_flags(hd) & PCI_MSI_FLAGS_ENABLE)
		return IRQ_MSI;
	if (config[PCI_INTERRUPT_PIN] &&
	    !(pci_get16(config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE))
		return IRQ_INTX;
	return IRQ_NONE;
}

static int nr_messages(const struct hostdev *hd)
{
	int nr = 1 << ((msi_flags(hd) & PCI_MSI_FLAGS_QSIZE) >> 4);

	return min(nr, hd->irqs.msi_max);
}

/* Messages are switched on, of which the host may have fewer. Return: 0 or -errno. */
static int enable_messages(struct hostdev *hd, enum irq_mode mode, const int *fds, int nr)
{
	int ret = vfio_set_eventfds(hd->fd, (u32)index_of(mode), 0, (u32)nr, fds);

	if (ret <= 0)
		return ret;
	log_warn("%s: the host has %d interrupts for it, of %d: some will not come", hd->host, ret,
		 nr);
	return vfio_set_eventfds(hd->fd, (u32)index_of(mode), 0, (u32)ret, fds);
}

static u32 line_of(const struct hostdev *hd)
{
	return pci_slot_gsi(PCI_SLOT(hd->pci.devfn));
}

static int enable_intx(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;
	int vm_fd = hd->pci.vm->fd;
	int err;

	err = joist_irqfd_level(vm_fd, irqs->intx_fd, irqs->unmask_fd, line_of(hd), true);
	if (err)
		return err;
	err = vfio_set_eventfds(hd->fd, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &irqs->intx_fd);
	if (!err)
		err = vfio_set_unmask(hd->fd, VFIO_PCI_INTX_IRQ_INDEX, irqs->unmask_fd);
	if (err) {
		vfio_disable_irqs(hd->fd, VFIO_PCI_INTX_IRQ_INDEX);
		joist_irqfd_level(vm_fd, irqs->intx_fd, irqs->unmask_fd, line_of(hd), false);
	}
	return err;
}

static int enable_msi(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;
	int fds[MSI_MAX], i, err = 0;

	irqs->msi_nr = nr_messages(hd);
	for (i = 0; !err && i < irqs->msi_nr; i++) {
		err = message_open(&irqs->msi[i]);
		fds[i] = irqs->msi[i].fd;
	}
	return err ?: enable_messages(hd, IRQ_MSI, fds, irqs->msi_nr);
}

/* All vectors at once: more cannot be had later without a gap. Those not used cost nothing. */
static int enable_msix(struct hostdev *hd)
{
	struct msix *msix = &hd->irqs.msix;
	int *fds = calloc((size_t)msix->nr, sizeof(*fds));
	int i, err;

	if (!fds)
		return -ENOMEM;
	for (i = 0; i < msix->nr; i++)
		fds[i] = msix->vector[i].message.fd;
	err = enable_messages(hd, IRQ_MSIX, fds, msix->nr);
	free(fds);
	return err;
}

/* A vector is used for the first time. MSI-X is on. The table's lock is held. */
static void arm(struct msix *msix, int vector)
{
	struct hostdev *hd = container_of(msix, struct hostdev, irqs.msix);
	int err = vfio_set_eventfds(hd->fd, VFIO_PCI_MSIX_IRQ_INDEX, (u32)vector, 1,
				    &msix->vector[vector].message.fd);

	if (err)
		log_warn("%s: the host does not take its vector %d: %s", hd->host, vector,
			 strerror(-err));
}

/* Return: 0, or -errno with the reason logged: they are as they were. */
static int disable(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;
	struct vm *vm = hd->pci.vm;
	int i, err;

	if (irqs->mode == IRQ_NONE)
		return 0;
	/* Before the host's side: a vector that is unmasked now is not armed any more. */
	if (irqs->mode == IRQ_MSIX)
		msix_command(&irqs->msix);
	err = vfio_disable_irqs(hd->fd, (u32)index_of(irqs->mode));
	if (err) {
		log_warn("%s: the host does not stop its interrupts: %s", hd->host, strerror(-err));
		return err;
	}
	if (irqs->mode == IRQ_INTX)
		joist_irqfd_level(vm->fd, irqs->intx_fd, irqs->unmask_fd, line_of(hd), false);
	for (i = 0; irqs->mode == IRQ_MSI && i < irqs->msi_nr; i++)
		message_update(vm, &irqs->msi[i], false);
	irqs->mode = IRQ_NONE;
	return 0;
}

static void enable(struct hostdev *hd, enum irq_mode mode)
{
	int err = mode == IRQ_INTX ? enable_intx(hd) :
		  mode == IRQ_MSI ? enable_msi(hd) :
		  mode == IRQ_MSIX ? enable_msix(hd) : 0;

	if (err)
		log_warn("%s: the host does not let it interrupt: %s", hd->host, strerror(-err));
	else
		hd->irqs.mode = mode;
}

/* The messages are what the registers say now. */
static void update_msi(struct hostdev *hd)
{
	const u8 *cap = hd->pci.config + hd->filter.msi;
	const u16 flags = msi_flags(hd);
	const bool wide = flags & PCI_MSI_FLAGS_64BIT;
	u64 addr = pci_get32(cap + PCI_MSI_ADDRESS_LO);
	u16 data = pci_get16(cap + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32));
	struct irqs *irqs = &hd->irqs;
	u32 mask = 0;
	int i;

	if (wide)
		addr |= (u64)pci_get32(cap + PCI_MSI_ADDRESS_HI) << 32;
	if (flags & PCI_MSI_FLAGS_MASKBIT)
		mask = pci_get32(cap + (wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32));
	for (i = 0; i < irqs->msi_nr; i++) {
		struct message *m = &irqs->msi[i];

		message_set(m, addr, (u32)((data & ~(irqs->msi_nr - 1)) | i));
		message_update(hd->pci.vm, m, !(mask & BIT(i)));
	}
}

/* The guest may have changed what concerns them. The bus's lock is held. */
void irqs_update(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;
	enum irq_mode mode = wanted(hd);

	if (mode != irqs->mode || (mode == IRQ_MSI && irqs->msi_nr != nr_messages(hd))) {
		if (disable(hd))
			return;
		enable(hd, mode);
	}
	if (irqs->mode == IRQ_MSI)
		update_msi(hd);
	if (irqs->mode == IRQ_MSIX)
		msix_command(&irqs->msix);
}

/**
 * irqs_init() - the interrupts of a device
 * @hd: device with its configuration space, before pci_dev_add()
 *
 * None comes before the guest has written there.
 *
 * Return: 0 or -errno; irqs_destroy() is due in both cases.
 */
int irqs_init(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;

	irqs->intx_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	irqs->unmask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (irqs->intx_fd < 0 || irqs->unmask_fd < 0)
		return -errno;
	/* What the device says of itself is nothing to rely on. */
	if (hd->filter.msi)
		irqs->msi_max = min(1 << ((msi_flags(hd) & PCI_MSI_FLAGS_QMASK) >> 1),
				    vfio_irq_count(hd->fd, VFIO_PCI_MSI_IRQ_INDEX));
	irqs->msi_max = min(irqs->msi_max, MSI_MAX);
	irqs->msi_max = max(irqs->msi_max, 0);
	irqs->msix.arm = arm;
	if (!hd->filter.msix)
		return 0;
	if (vfio_irq_count(hd->fd, VFIO_PCI_MSIX_IRQ_INDEX) < hd->filter.msix_nr) {
		log_err("%s: it has fewer interrupts than its table of MSI-X has places: %d",
			hd->host, hd->filter.msix_nr);
		return -EINVAL;
	}
	return msix_init_at(&irqs->msix, &hd->pci, hd->filter.msix, hd->filter.msix_nr);
}

/* The device is off the bus, and no vCPU is inside of it. */
void irqs_destroy(struct hostdev *hd)
{
	struct irqs *irqs = &hd->irqs;
	int i;

	if (hd->filter.msix)
		pci_set16(hd->pci.config + hd->filter.msix + PCI_MSIX_FLAGS, 0);
	disable(hd);
	for (i = 0; i < MSI_MAX; i++)
		message_release(hd->pci.vm, &irqs->msi[i]);
	if (hd->filter.msix)
		msix_destroy(&irqs->msix);
	if (irqs->intx_fd >= 0)
		close(irqs->intx_fd);
	if (irqs->unmask_fd >= 0)
		close(irqs->unmask_fd);
}
