// SPDX-License-Identifier: GPL-2.0-only
/* PCI devices, as sysfs tells of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

#define BASE_BRIDGE	0x06

static u32 number_of(const struct hostdev *dev, const char *file)
{
	u64 value;

	return sysfs_number(&value, dev->root, SYSFS_DEVICES "/%s/%s", dev->addr, file) ? 0 :
	       (u32)value;
}

/* "first last flags" of each, in hexadecimal. */
static void read_bars(struct hostdev *dev)
{
	char path[PATH_MAX];
	u64 first, last;
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "%s" SYSFS_DEVICES "/%s/resource", dev->root, dev->addr);
	f = fopen(path, "re");
	for (i = 0; f && i < HOSTDEV_BARS; i++) {
		if (fscanf(f, "%lx %lx %*x", &first, &last) != 2)
			break;
		if (last > first)
			dev->bar[i] = last - first + 1;
	}
	if (f)
		fclose(f);
}

/* Its IOMMU group. Return: -1: it is in none, or is not there. */
int hostdev_group(const char *root, const char *addr)
{
	char text[16];

	return sysfs_link(text, sizeof(text), root, SYSFS_DEVICES "/%s/iommu_group", addr) ? -1 :
	       atoi(text);
}

/* Who drives it, HOSTDEV_DRIVER_SIZE; empty: nobody. */
void hostdev_driver(const char *root, const char *addr, char *driver)
{
	sysfs_link(driver, HOSTDEV_DRIVER_SIZE, root, SYSFS_DEVICES "/%s/driver", addr);
}

/**
 * hostdev_read() - look at a device
 * @root: of all files
 * @addr: from pci_addr_parse()
 * @dev: filled in
 *
 * Return: 0, or -ENODEV: there is none.
 */
int hostdev_read(const char *root, const char *addr, struct hostdev *dev)
{
	*dev = (struct hostdev) { .root = root, .group = hostdev_group(root, addr) };
	snprintf(dev->addr, sizeof(dev->addr), "%s", addr);
	if (!sysfs_there(root, SYSFS_DEVICES "/%s/vendor", addr))
		return -ENODEV;
	dev->vendor = (u16)number_of(dev, "vendor");
	dev->device = (u16)number_of(dev, "device");
	dev->class = number_of(dev, "class");
	dev->total_vfs = number_of(dev, "sriov_totalvfs");
	dev->nr_vfs = number_of(dev, "sriov_numvfs");
	hostdev_driver(root, addr, dev->driver);
	sysfs_link(dev->physfn, sizeof(dev->physfn), root, SYSFS_DEVICES "/%s/physfn", addr);
	sysfs_read(dev->reset, sizeof(dev->reset), root, SYSFS_DEVICES "/%s/reset_method", addr);
	/* Kernels before 5.15 do not say how. */
	if (!*dev->reset && sysfs_there(root, SYSFS_DEVICES "/%s/reset", addr))
		snprintf(dev->reset, sizeof(dev->reset), "yes");
	read_bars(dev);
	return 0;
}

static int by_addr(const void *a, const void *b)
{
	return strcmp(((const struct hostdev *)a)->addr, ((const struct hostdev *)b)->addr);
}

/* All of them. @list: freed by the caller. Return: how many, or -errno. */
int hostdev_list(const char *root, struct hostdev **list)
{
	char path[PATH_MAX], addr[PCI_ADDR_SIZE];
	struct hostdev *more;
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	*list = NULL;
	snprintf(path, sizeof(path), "%s" SYSFS_DEVICES, root);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (pci_addr_parse(entry->d_name, addr))
			continue;
		more = realloc(*list, ((size_t)nr + 1) * sizeof(*more));
		if (!more) {
			closedir(dir);
			return -ENOMEM;
		}
		*list = more;
		nr += !hostdev_read(root, addr, &more[nr]);
	}
	closedir(dir);
	if (nr)
		qsort(*list, (size_t)nr, sizeof(**list), by_addr);
	return nr;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names in a directory that are addresses, sorted. Return: how many of @list are filled in. */
int hostdev_addrs(const char *path, struct hostdev_id *list, int most)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int nr = 0;

	while (dir && nr < most && (entry = readdir(dir)))
		nr += !pci_addr_parse(entry->d_name, list[nr].addr);
	if (dir)
		closedir(dir);
	qsort(list, (size_t)nr, sizeof(*list), by_text);
	return nr;
}

/* Who is in an IOMMU group. Return: as hostdev_addrs(). */
int hostdev_members(const char *root, int group, struct hostdev_id *list, int most)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/kernel/iommu_groups/%d/devices", root, group);
	return hostdev_addrs(path, list, most);
}

/* The address of a virtual function. Return: 0 or -errno: there is none. */
int hostdev_vf(const struct hostdev *pf, u32 index, char *addr)
{
	return sysfs_link(addr, PCI_ADDR_SIZE, pf->root, SYSFS_DEVICES "/%s/virtfn%u",
			  pf->addr, index);
}

/* Which of @pf's virtual functions it is. Return: 0 or -ENODEV: none. */
int hostdev_vf_index(const struct hostdev *pf, const struct hostdev *vf, u32 *index)
{
	char addr[PCI_ADDR_SIZE];

	for (*index = 0; !hostdev_vf(pf, *index, addr); (*index)++)
		if (!strcmp(addr, vf->addr))
			return 0;
	return -ENODEV;
}

bool hostdev_is_bridge(const struct hostdev *dev)
{
	return dev->class >> 16 == BASE_BRIDGE;
}

bool hostdev_on_vfio(const struct hostdev *dev)
{
	return !strcmp(dev->driver, HOSTDEV_VFIO);
}

/* Bytes of address space that who maps them all needs. */
u64 hostdev_bars(const struct hostdev *dev)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < HOSTDEV_BARS; i++)
		sum += dev->bar[i];
	return sum;
}

/* The first of what a driver has made of it: of "net", of "nvme". Return: 0 or -ENODEV. */
int hostdev_child(const struct hostdev *dev, const char *kind, char *name, size_t size)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int err = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" SYSFS_DEVICES "/%s/%s", dev->root, dev->addr, kind);
	dir = opendir(path);
	while (dir && err && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || strlen(entry->d_name) >= size)
			continue;
		strcpy(name, entry->d_name);
		err = 0;
	}
	if (dir)
		closedir(dir);
	return err;
}
