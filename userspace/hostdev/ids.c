// SPDX-License-Identifier: GPL-2.0-only
/* Names of devices: those of the host's pci.ids, if it has them, and those of classes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostdev.h"
#include "libjoist/sysfs.h"

static const char *const files[] = { "/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids" };

static FILE *open_ids(const char *root)
{
	char path[PATH_MAX];
	FILE *f = NULL;
	size_t i;

	for (i = 0; !f && i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s%s", root, files[i]);
		f = fopen(path, "re");
	}
	return f;
}

/* "1b36  Name" behind @tabs. Return: the name, or NULL: it is another's. */
static const char *match(const char *line, int tabs, u16 id)
{
	char *end;
	int i;

	for (i = 0; i < tabs; i++)
		if (*line++ != '\t')
			return NULL;
	if (*line == '\t' || strtoul(line, &end, 16) != id || end != line + 4)
		return NULL;
	return end + strspn(end, " ");
}

static void take(char *name, size_t size, const char *from)
{
	snprintf(name, size, "%.*s", (int)strcspn(from, "\n"), from);
}

/**
 * hostdev_names() - what people call it
 * @dev: device
 * @vendor: filled in; empty: not known
 * @device: likewise
 * @size: of each
 */
void hostdev_names(const struct hostdev *dev, char *vendor, char *device, size_t size)
{
	FILE *f = open_ids(dev->root);
	char line[512];
	const char *name;

	*vendor = '\0';
	*device = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (!*vendor) {
			/* Classes are behind all vendors. */
			if (*line == 'C' && line[1] == ' ')
				break;
			name = match(line, 0, dev->vendor);
			if (name)
				take(vendor, size, name);
			continue;
		}
		if (*line != '\t' && *line != '#' && *line != '\n')
			break;
		name = match(line, 1, dev->device);
		if (!name)
			continue;
		take(device, size, name);
		break;
	}
	if (f)
		fclose(f);
}

static const struct {
	u32 class, mask;
	const char *name;
} classes[] = {
	{ 0x010802, 0xffffff, "NVMe controller" },
	{ 0x010600, 0xffff00, "SATA controller" },
	{ 0x010400, 0xffff00, "RAID controller" },
	{ 0x010000, 0xff0000, "storage controller" },
	{ 0x020000, 0xffff00, "Ethernet controller" },
	{ 0x020000, 0xff0000, "network controller" },
	{ 0x030000, 0xff0000, "display controller" },
	{ 0x040000, 0xff0000, "multimedia controller" },
	{ 0x050000, 0xff0000, "memory controller" },
	{ 0x060000, 0xffff00, "host bridge" },
	{ 0x060100, 0xffff00, "ISA bridge" },
	{ 0x060400, 0xffff00, "PCI bridge" },
	{ 0x060000, 0xff0000, "bridge" },
	{ 0x070000, 0xff0000, "communication controller" },
	{ 0x080000, 0xff0000, "system peripheral" },
	{ 0x0c0300, 0xffff00, "USB controller" },
	{ 0x0c0500, 0xffff00, "SMBus" },
	{ 0x0c0000, 0xff0000, "serial bus controller" },
	{ 0x100000, 0xff0000, "encryption controller" },
	{ 0x120000, 0xff0000, "accelerator" },
};

const char *hostdev_class_name(u32 class)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if ((class & classes[i].mask) == classes[i].class)
			return classes[i].name;
	return "device";
}
