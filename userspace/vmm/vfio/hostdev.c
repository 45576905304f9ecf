// SPDX-License-Identifier: GPL-2.0-only
/* A device of the host's, from its group to the guest's bus and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../log.h"
#include "../vm.h"
#include "device.h"
#include "libjoist/vfio.h"

/* Return: 0, or -errno with the reason logged. */
static int join_group(struct hostdev *hd, const struct vmm_hostdev *config,
		      const struct vmm_file *vfio)
{
	struct vmm_file group = config->group;
	char path[64];
	int err;

	if (group.fd < 0) {
		err = host_group(hd->host, path, sizeof(path));
		if (err) {
			vmm_file_close(vfio);
			return err;
		}
		group = vmm_path(path);
	}
	hd->group = container_get(&hd->pci.vm->container, vfio, &group);
	return hd->group ? 0 : -EINVAL;
}

static int open_device(struct hostdev *hd)
{
	struct vfio_region_info *info;
	struct vfio_device_info dev;
	int err;

	hd->fd = vfio_group_device(hd->group->fd, hd->host);
	if (hd->fd < 0) {
		err = hd->fd;
		log_err("cannot open the device %s of IOMMU group %d: %s%s", hd->host,
			hd->group->number, strerror(-err), err == -ENODEV ?
			"; bind it to vfio-pci (vmctl device bind)" :
			err == -EBUSY ? "; it is in use" : "");
		return err;
	}
	err = vfio_device_info(hd->fd, &dev);
	if (!err && !(dev.flags & VFIO_DEVICE_FLAGS_PCI))
		err = -ENOTTY;
	err = err ?: vfio_region_info(hd->fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);
	if (err) {
		log_err("%s is no PCI device for VFIO: %s", hd->host, strerror(-err));
		return err;
	}
	hd->can_reset = dev.flags & VFIO_DEVICE_FLAGS_RESET;
	hd->config_offset = info->offset;
	hd->config_size = info->size >= PCI_CONFIG_SIZE ? PCI_CONFIG_SIZE : PCI_CFG_SPACE_SIZE;
	free(info);
	return 0;
}

/* The host's own events. One that does not tell of them is no worse for it. */
static int open_events(struct hostdev *hd)
{
	static const u32 index[] = {
		[HOSTDEV_ERROR] = VFIO_PCI_ERR_IRQ_INDEX,
		[HOSTDEV_WANTED] = VFIO_PCI_REQ_IRQ_INDEX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		if (vfio_irq_count(hd->fd, index[i]) < 1)
			continue;
		hd->event_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (hd->event_fd[i] < 0)
			return -errno;
		if (!vfio_set_eventfds(hd->fd, index[i], 0, 1, &hd->event_fd[i]))
			continue;
		close(hd->event_fd[i]);
		hd->event_fd[i] = -1;
	}
	return 0;
}

/* As the guest sees it, off the bus still. Return: 0, or -errno with the reason logged. */
static int show(struct hostdev *hd)
{
	u8 config[PCI_CONFIG_SIZE] = { 0 };
	int err;

	hostdev_reset_first(hd);
	config_run(hd);
	err = config_get(hd, 0, config, hd->config_size);
	if (err) {
		log_err("cannot read the configuration of %s: %s", hd->host, strerror(-err));
		return err;
	}
	err = config_init(hd, config);
	if (err)
		return err;
	err = irqs_init(hd);
	err = err ?: open_events(hd);
	if (err) {
		log_err("cannot prepare the interrupts of %s: %s", hd->host, strerror(-err));
		return err;
	}
	return regions_init(hd, config);
}

static void init(struct hostdev *hd, struct vm *vm)
{
	const struct pci_id none = { 0 };
	int i;

	hd->fd = -1;
	hd->irqs.intx_fd = -1;
	hd->irqs.unmask_fd = -1;
	for (i = 0; i < HOSTDEV_FDS; i++)
		hd->event_fd[i] = -1;
	for (i = 0; i < MSI_MAX; i++)
		message_init(&hd->irqs.msi[i]);
	pci_dev_init(&hd->pci, vm, &none);
	hd->pci.removable = true;
	hd->pci.map = region_mapped;
	hd->pci.read = hostdev_config_read;
	hd->pci.written = config_written;
}

/**
 * hostdev_create() - give the guest a device of the host's
 * @vm: VM
 * @config: which; its descriptor is the VM's in all cases
 * @vfio: the container, likewise; NULL: opened by itself where there is none yet
 * @out: the device; set even on failure: hostdev_destroy() is due then too
 *
 * Main thread.
 *
 * Return: 0, or -errno with the reason logged.
 */
int hostdev_create(struct vm *vm, const struct vmm_hostdev *config, const struct vmm_file *vfio,
		   struct hostdev **out)
{
	struct hostdev *hd = calloc(1, sizeof(*hd));
	int err = hd ? 0 : -ENOMEM;

	*out = hd;
	if (hd) {
		init(hd, vm);
		err = host_address(config->host, hd->host);
	}
	if (err) {
		vmm_file_close(vfio);
		vmm_file_close(&config->group);
		return err;
	}
	err = join_group(hd, config, vfio);
	err = err ?: open_device(hd);
	err = err ?: show(hd);
	if (err)
		return err;
	err = pci_dev_add(&hd->pci);
	if (err)
		log_err("there is no place on the PCI bus for %s", hd->host);
	return err;
}

struct pci_dev *hostdev_pci(struct hostdev *hd)
{
	return &hd->pci;
}

/* It is off the bus, and no vCPU is inside of it; or it never was there. */
void hostdev_destroy(struct hostdev *hd)
{
	int i;

	if (!hd)
		return;
	if (hd->fd >= 0) {
		irqs_destroy(hd);
		hostdev_reset(hd);
		regions_destroy(hd);
	}
	for (i = 0; i < HOSTDEV_FDS; i++)
		if (hd->event_fd[i] >= 0)
			close(hd->event_fd[i]);
	if (hd->fd >= 0)
		close(hd->fd);
	if (hd->group)
		container_put(&hd->pci.vm->container, hd->group);
	free(hd);
}
