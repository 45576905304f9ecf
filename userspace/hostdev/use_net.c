// SPDX-License-Identifier: GPL-2.0-only
/* Does the host need a network interface of a device's? */
#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

/* Is a default route there? In /proc/net/route its destination and mask are 0. */
static bool has_default_route(const char *root, const char *name)
{
	char path[PATH_MAX], line[512], iface[64], dest[40], bits[16];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/net/route", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%63s %39s %*s %*s %*s %*s %*s %15s", iface, dest,
			       bits) == 3 &&
			!strcmp(iface, name) && !strcmp(dest, "00000000") &&
			!strcmp(bits, "00000000");
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "%s/proc/net/ipv6_route", root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%39s %15s %*s %*s %*s %*s %*s %*s %*s %63s", dest, bits,
			       iface) == 3 &&
			!strcmp(iface, name) && strspn(dest, "0") == strlen(dest) &&
			!strcmp(bits, "00");
	if (f)
		fclose(f);
	return found;
}

static int check(const struct hostdev *dev, const char *dir, const char *name,
		 struct hostdev_why *why)
{
	char master[64];
	u64 flags;

	if (sysfs_number(&flags, dir, "/flags") || !(flags & IFF_UP))
		return 0;
	if (!sysfs_link(master, sizeof(master), dir, "/master"))
		return hostdev_why(why, "in-use",
				   "take it out of there first, or give it away all the same with --force",
				   "%s is the host's interface %s, a port of %s", dev->addr, name,
				   master);
	if (has_default_route(dev->root, name))
		return hostdev_why(why, "in-use",
				   "give the host another way out first, or give it away all the same with --force",
				   "%s is the host's interface %s, with its default route",
				   dev->addr, name);
	return 0;
}

/**
 * hostdev_net_use() - does the host need an interface of a device's?
 * @dev: device
 * @why: what for
 *
 * Return: 0, or -1: it does.
 */
int hostdev_net_use(const struct hostdev *dev, struct hostdev_why *why)
{
	char real[PATH_MAX], path[PATH_MAX], net[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (sysfs_real(real, dev->root, SYSFS_DEVICES "/%s", dev->addr))
		return 0;
	snprintf(path, sizeof(path), "%s/sys/class/net", dev->root);
	dir = opendir(path);
	while (dir && !err && (entry = readdir(dir))) {
		if (*entry->d_name != '.' && !sysfs_real(net, path, "/%s", entry->d_name) &&
		    sysfs_below(net, real))
			err = check(dev, net, entry->d_name, why);
	}
	if (dir)
		closedir(dir);
	return err;
}
