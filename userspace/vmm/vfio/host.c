// SPDX-License-Identifier: GPL-2.0-only
/* What the host tells of a device, where nobody has opened it for us. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../log.h"
#include "device.h"
#include "libjoist/sysfs.h"

#define DRIVER	"vfio-pci"

/**
 * host_address() - a PCI address, with its domain
 * @text: "0000:01:00.0", or without the domain
 * @address: filled in, PCI_ADDR_SIZE
 *
 * Return: 0, or -EINVAL with the reason logged.
 */
int host_address(const char *text, char *address)
{
	int err = pci_addr_parse(text, address);

	if (err)
		log_err("'%s' is no PCI address: give it as lspci -D does, 0000:01:00.0", text);
	return err;
}

/* The last part of where a link of the device's leads. Return: 0 or -errno. */
static int link_name(const char *address, const char *link, char *name, size_t size)
{
	return sysfs_link(name, size, "", SYSFS_DEVICES "/%s/%s", address, link);
}

static int check_driver(const char *address)
{
	char driver[64];

	if (link_name(address, "driver", driver, sizeof(driver)))
		snprintf(driver, sizeof(driver), "no driver");
	if (!strcmp(driver, DRIVER))
		return 0;
	log_err("%s has %s, not vfio-pci: vmctl device bind %s, or driverctl set-override %s vfio-pci",
		address, driver, address, address);
	return -EBUSY;
}

/**
 * host_group() - the file of a device's IOMMU group
 * @address: where the host has it
 * @path: filled in
 * @size: its bytes
 *
 * Return: 0, or -errno with the reason logged.
 */
int host_group(const char *address, char *path, size_t size)
{
	char group[32];
	int err;

	if (!sysfs_there("", SYSFS_DEVICES "/%s", address)) {
		log_err("the host has no PCI device %s (lspci -D lists them)", address);
		return -ENODEV;
	}
	err = link_name(address, "iommu_group", group, sizeof(group));
	if (err) {
		log_err("%s has no IOMMU that confines it: switch it on (kernel parameter intel_iommu=on; on AMD it is on unless the firmware has it off)",
			address);
		return -ENODEV;
	}
	err = check_driver(address);
	if (!err)
		snprintf(path, size, "/dev/vfio/%s", group);
	return err;
}
