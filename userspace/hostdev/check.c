// SPDX-License-Identifier: GPL-2.0-only
/* May a device be given away? What keeps it from that, and what to do about it. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

#define UNSAFE_INTERRUPTS	"/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

/* Return: -1, always. @remedy: NULL: there is none, or the caller fills it in. */
int hostdev_why(struct hostdev_why *why, const char *code, const char *remedy, const char *fmt, ...)
{
	va_list args;

	why->code = code;
	snprintf(why->remedy, sizeof(why->remedy), "%s", remedy ?: "");
	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return -1;
}

/* The same for -errno, which is told with it; what the caller may not do, root may. Return: -1. */
int hostdev_errno(struct hostdev_why *why, int err, const char *remedy, const char *fmt, ...)
{
	char text[sizeof(why->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return hostdev_why(why, err == -EACCES ? "not-yours" : "failed",
			   err == -EACCES ? "run it as root" : remedy, "%s: %s", text,
			   strerror(-err));
}

/* The firmware describes an IOMMU whether or not the kernel uses it. */
static const char *iommu_remedy(const char *root)
{
	if (sysfs_there(root, "/sys/firmware/acpi/tables/DMAR"))
		return "add intel_iommu=on to the host kernel's parameters, and start it again";
	if (sysfs_there(root, "/sys/firmware/acpi/tables/IVRS"))
		return "add amd_iommu=on to the host kernel's parameters, and start it again";
	return "switch on VT-d or AMD-Vi in the firmware; boot with intel_iommu=on or amd_iommu=on";
}

/*
 * What the kernel's VFIO asks before it lets a device be used is not in sysfs. But interrupt
 * chips behind remapping hardware have names with "IR-" before them. Where there are no names to
 * be read nothing is known, and the kernel decides alone.
 */
static bool no_remapping(const char *root)
{
	char path[PATH_MAX], name[64];
	bool named = false, found = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/irq", root);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		if (*entry->d_name == '.' ||
		    sysfs_read(name, sizeof(name), path, "/%s/chip_name", entry->d_name) || !*name)
			continue;
		named = true;
		found = strstr(name, "IR-");
	}
	if (dir)
		closedir(dir);
	return named && !found;
}

static int check_iommu(const struct hostdev *dev, struct hostdev_why *why)
{
	char unsafe[8];

	if (dev->group < 0)
		return hostdev_why(why, "no-iommu", iommu_remedy(dev->root),
				   "%s is in no IOMMU group: nothing would keep it from all of the host's memory",
				   dev->addr);
	if (!no_remapping(dev->root))
		return 0;
	sysfs_read(unsafe, sizeof(unsafe), dev->root, UNSAFE_INTERRUPTS);
	if (*unsafe == 'Y')
		return 0;
	return hostdev_why(why, "no-iommu",
			   "add intremap=on to the host kernel's parameters and switch it on in the firmware; or, for guests that are trusted, load vfio_iommu_type1 with allow_unsafe_interrupts=1",
			   "the host remaps no interrupts: a guest with %s could raise any of them",
			   dev->addr);
}

/* Those that the kernel lets be where they are while a guest has others of their group. */
static bool may_stay(const struct hostdev *dev)
{
	return !*dev->driver || hostdev_on_vfio(dev) || !strcmp(dev->driver, "pci-stub") ||
	       !strcmp(dev->driver, "pcieport") || dev->class >> 8 == 0x0604;
}

static bool named(const struct hostdev_id *along, int nr_along, const char *addr)
{
	int i;

	for (i = 0; i < nr_along; i++)
		if (!strcmp(along[i].addr, addr))
			return true;
	return false;
}

static int check_group(const struct hostdev *dev, const struct hostdev_id *along,
		       int nr_along, struct hostdev_why *why)
{
	struct hostdev_id member[HOSTDEV_MEMBERS_MAX];
	int nr = hostdev_members(dev->root, dev->group, member, HOSTDEV_MEMBERS_MAX), i;
	char list[300] = "", bind[300] = "";
	struct hostdev other;
	size_t len = 0, more = 0;

	for (i = 0; i < nr; i++) {
		const char *addr = member[i].addr;

		if (!strcmp(addr, dev->addr) || named(along, nr_along, addr) ||
		    hostdev_read(dev->root, addr, &other) || may_stay(&other) ||
		    len + 64 > sizeof(list))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s (%s)",
					len ? ", " : "", addr, other.driver);
		more += (size_t)snprintf(bind + more, sizeof(bind) - more, " %s", addr);
	}
	if (!len)
		return 0;
	hostdev_why(why, "in-use", NULL,
		    "IOMMU group %d of %s has others that the host uses: %s", dev->group,
		    dev->addr, list);
	snprintf(why->remedy, sizeof(why->remedy),
		 "give them away together: 'vmctl device bind %s%s'; or put the card into another slot",
		 dev->addr, bind);
	return -1;
}

/**
 * hostdev_check() - may a device be taken from the host?
 * @dev: device
 * @along: others that go with it
 * @nr_along: how many
 * @force: a network interface that the host needs is no reason
 * @why: why not
 *
 * Return: 0 or less.
 */
int hostdev_check(const struct hostdev *dev, const struct hostdev_id *along, int nr_along,
		  bool force, struct hostdev_why *why)
{
	if (hostdev_is_bridge(dev))
		return hostdev_why(why, "in-use", "give away the devices behind it",
				   "%s is a bridge: it cannot be given away", dev->addr);
	if (dev->nr_vfs) {
		hostdev_why(why, "in-use", NULL,
			    "%s has %u virtual functions, which would go with it", dev->addr,
			    dev->nr_vfs);
		snprintf(why->remedy, sizeof(why->remedy), "'vmctl device vf %s --count 0' first",
			 dev->addr);
		return -1;
	}
	if (check_iommu(dev, why) || check_group(dev, along, nr_along, why) ||
	    hostdev_block_use(dev, why))
		return -1;
	return force ? 0 : hostdev_net_use(dev, why);
}
