// SPDX-License-Identifier: GPL-2.0-only
/* What the host tells of a device, where nobody has opened it for us. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "device.h"

#define DEVICES		"/sys/bus/pci/devices"
#define DRIVER		"vfio-pci"

/**
 * host_address() - a PCI address, with its domain
 * @text: "0000:01:00.0", or without the domain
 * @address: filled in, HOST_ADDRESS_SIZE
 *
 * Return: 0, or -EINVAL with the reason logged.
 */
int host_address(const char *text, char *address)
{
	unsigned int domain = 0, bus, slot, function;
	int n = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &n) != 4) {
		domain = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &n) != 3)
			n = 0;
	}
	if (!n || text[n] || domain > 0xffff || bus > 0xff || slot > 0x1f || function > 7) {
		log_err("'%s' is no PCI address: give it as lspci -D does, 0000:01:00.0", text);
		return -EINVAL;
	}
	snprintf(address, HOST_ADDRESS_SIZE, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff,
		 slot & 0x1f, function & 7);
	return 0;
}

/* The last part of where a link of the device's leads. Return: 0 or -errno. */
static int link_name(const char *address, const char *link, char *name, size_t size)
{
	char path[PATH_MAX], to[PATH_MAX];
	const char *base;
	ssize_t len;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", address, link);
	len = readlink(path, to, sizeof(to) - 1);
	if (len < 0)
		return -errno;
	to[len] = '\0';
	base = strrchr(to, '/');
	base = base ? base + 1 : to;
	if (strlen(base) >= size)
		return -ENAMETOOLONG;
	strcpy(name, base);
	return 0;
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
	char group[32], dir[64];
	int err;

	snprintf(dir, sizeof(dir), DEVICES "/%s", address);
	if (access(dir, F_OK)) {
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
