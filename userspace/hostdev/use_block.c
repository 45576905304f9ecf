// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the host use a disk that hangs on a device? Its disks are those whose place in sysfs is
 * below the device's, and NVMe's, which are below their subsystem with links to all controllers.
 * Used is what is mounted, swapped to, or part of another block device.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

#define DEPTH_MAX	8	/* of what is built upon what */
#define LINE_SIZE	4096

struct use {
	const struct hostdev *dev;
	struct hostdev_why *why;
};

/* A path of mountinfo's and swaps': blanks are "\040". */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int c;

		if (*text == '\\' && sscanf(text + 1, "%3o", &c) == 1 && strlen(text) >= 4) {
			*to++ = (char)c;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Is @source, of a mount or of swap, the block device @name? */
static bool is_source(const struct use *use, const char *source, const char *name)
{
	char real[PATH_MAX];
	const char *last;

	if (*source != '/')
		return false;
	if (sysfs_real(real, use->dev->root, "%s", source))
		snprintf(real, sizeof(real), "%s", source);
	last = strrchr(real, '/');
	return last && !strcmp(last + 1, name);
}

/* @devno: "8:1"; btrfs has numbers of its own there: then the source tells. */
static bool mounted(const struct use *use, const char *name, const char *devno, char *where,
		    size_t size)
{
	char path[PATH_MAX], line[LINE_SIZE], number[32], dir[1024], source[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", use->dev->root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *rest = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %31s %*s %1023s", number, dir) != 2)
			continue;
		if (!rest || sscanf(rest, " - %*s %1023s", source) != 1)
			*source = '\0';
		unescape(source);
		found = !strcmp(number, devno) || is_source(use, source, name);
	}
	if (f)
		fclose(f);
	if (!found)
		return false;
	unescape(dir);
	snprintf(where, size, "%.255s", dir);
	return true;
}

static bool swapped_to(const struct use *use, const char *name)
{
	char path[PATH_MAX], line[LINE_SIZE], source[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/swaps", use->dev->root);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%1023s", source) != 1)
			continue;
		unescape(source);
		found = is_source(use, source, name);
	}
	if (f)
		fclose(f);
	return found;
}

static int used(const struct use *use, const char *what, const char *remedy, const char *name,
		const char *where)
{
	return hostdev_why(use->why, "in-use", remedy, "%s has the host's disk %s, which %s%s%s",
			   use->dev->addr, name, what, *where ? " " : "", where);
}

static int look(const struct use *use, const char *dir, int depth);

/* What is in @dir's directory @sub: parts of it, or what is built upon it. */
static int look_at_all(const struct use *use, const char *dir, const char *sub, int depth,
		       char *first, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	while (d && !err && (entry = readdir(d))) {
		if (*entry->d_name == '.' || sysfs_real(real, path, "/%s", entry->d_name) ||
		    (!*sub && !sysfs_there(real, "/partition")))
			continue;
		if (first && !*first)
			snprintf(first, size, "%.63s", entry->d_name);
		err = look(use, real, depth + 1);
	}
	if (d)
		closedir(d);
	return err;
}

/* @dir: where a block device is. Return: 0, or -1 with the reason. */
static int look(const struct use *use, const char *dir, int depth)
{
	const char *name = strrchr(dir, '/') + 1;
	char devno[32], where[256] = "", holder[64] = "";
	int err;

	if (depth > DEPTH_MAX)
		return 0;
	if (!sysfs_read(devno, sizeof(devno), dir, "/dev") &&
	    mounted(use, name, devno, where, sizeof(where)))
		return used(use, "is mounted at", strcmp(where, "/") ? "unmount it first" :
			    "the host runs from it", name, where);
	if (swapped_to(use, name))
		return used(use, "is swapped to", "switch that off first: swapoff", name, "");
	err = look_at_all(use, dir, "holders", depth, holder, sizeof(holder));
	if (!err && *holder)
		return used(use, "is part of", "take that apart first (LVM, md, dm)", name, holder);
	return err ?: look_at_all(use, dir, "", depth, NULL, 0);
}

/* A namespace of NVMe, below its subsystem: does a path to it lead over @real? */
static bool leads_over(const char *disk, const char *real)
{
	char subsystem[PATH_MAX], to[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (!strstr(disk, "/nvme-subsystem/"))
		return false;
	snprintf(subsystem, sizeof(subsystem), "%.*s", (int)(strrchr(disk, '/') - disk), disk);
	dir = opendir(subsystem);
	while (dir && !found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "nvme", 4) ||
		    sysfs_real(to, subsystem, "/%s", entry->d_name))
			continue;
		found = sysfs_below(to, real);
	}
	if (dir)
		closedir(dir);
	return found;
}

/**
 * hostdev_block_use() - does the host use a disk of a device's?
 * @dev: device
 * @why: which, and how
 *
 * Return: 0, or -1: it does.
 */
int hostdev_block_use(const struct hostdev *dev, struct hostdev_why *why)
{
	struct use use = { dev, why };
	char real[PATH_MAX], path[PATH_MAX], disk[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (sysfs_real(real, dev->root, SYSFS_DEVICES "/%s", dev->addr))
		return 0;
	snprintf(path, sizeof(path), "%s/sys/block", dev->root);
	dir = opendir(path);
	while (dir && !err && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || sysfs_real(disk, path, "/%s", entry->d_name))
			continue;
		if (sysfs_below(disk, real) || leads_over(disk, real))
			err = look(&use, disk, 0);
	}
	if (dir)
		closedir(dir);
	return err;
}
