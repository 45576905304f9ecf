// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports and memory of the host's that a guest is to have without a PCI device: whose are they? The
 * kernel tells it in /proc/ioports and /proc/iomem; what lies within another stands below it, two
 * blanks further in. It does not tell which are in use, but who uses one gives it a name. So what
 * has a name is refused, but for those that firmware gives, and no driver does.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostdev.h"

#define MEMORY_FILE	"/dev/mem"

/* One that is on the list. @depth: blanks before it. */
struct entry {
	size_t depth;
	struct range at;
	char name[80];
};

static const struct space {
	const char *file, *what;
} spaces[] = {
	[HOSTDEV_MEMORY] = { "/proc/iomem", "memory" },
	[HOSTDEV_PORTS] = { "/proc/ioports", "I/O ports" },
};

static bool parse(const char *line, struct entry *e)
{
	unsigned long long first, last;

	e->depth = strspn(line, " ");
	if (sscanf(line + e->depth, "%llx-%llx : %79[^\n]", &first, &last, e->name) != 3)
		return false;
	e->at = (struct range) { first, last };
	return true;
}

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* A device of ACPI's, as MSFT0101:00: it is there whether or not a driver has it. */
static bool is_acpi_device(const char *name)
{
	size_t id = strcspn(name, ":"), i;

	if (id < 7 || id > 8 || strlen(name) < id + 3)
		return false;
	for (i = 0; i < id; i++)
		if (!isupper((unsigned char)name[i]) && !isdigit((unsigned char)name[i]))
			return false;
	return strspn(name + id + 1, "0123456789abcdef") == strlen(name + id + 1);
}

/* Nobody's: what firmware says of the board, and what leads to all that is not memory. */
static bool is_nobodys(const struct entry *e)
{
	return !strcasecmp(e->name, "Reserved") || begins(e->name, "pnp ") ||
	       (!e->depth && begins(e->name, "PCI Bus ")) || is_acpi_device(e->name);
}

static int refuse(enum hostdev_space space, const struct range *range, const struct entry *e,
		  struct hostdev_why *why)
{
	char remedy[160], addr[PCI_ADDR_SIZE];

	if (begins(e->name, "System RAM"))
		return hostdev_why(why, "in-use", "give the addresses of the device alone",
				   "the memory %#llx-%#llx is the host's own: System RAM is at %#llx-%#llx",
				   (unsigned long long)range->first,
				   (unsigned long long)range->last,
				   (unsigned long long)e->at.first,
				   (unsigned long long)e->at.last);
	if (!pci_addr_parse(e->name, addr))
		snprintf(remedy, sizeof(remedy),
			 "give the guest the PCI device: see 'vmctl device show %s'", addr);
	else if (begins(e->name, "PCI "))
		snprintf(remedy, sizeof(remedy), "PCI devices are given away by 'vmctl device'");
	else
		snprintf(remedy, sizeof(remedy),
			 "unbind the host's driver that has it, or keep it from being loaded; %s has who has what",
			 spaces[space].file);
	return hostdev_why(why, "in-use", remedy,
			   "the %s %#llx-%#llx are the host's \"%s\", %#llx-%#llx",
			   spaces[space].what, (unsigned long long)range->first,
			   (unsigned long long)range->last, e->name,
			   (unsigned long long)e->at.first, (unsigned long long)e->at.last);
}

/* Return: 0 or -1 with why. */
static int check(FILE *f, enum hostdev_space space, const struct range *range,
		 struct hostdev_why *why)
{
	size_t size = 0, device = SIZE_MAX;	/* depth of the device that the lines are within */
	char *line = NULL;
	bool told = false;
	struct entry e;
	int err = 0;

	while (!err && getline(&line, &size, f) > 0) {
		if (!parse(line, &e))
			continue;
		if (e.at.last)
			told = true;
		if (e.depth <= device)
			device = SIZE_MAX;
		/* Below a device stands the driver that has it. */
		if (ranges_meet(&e.at, range) && (device != SIZE_MAX || !is_nobodys(&e)))
			err = refuse(space, range, &e, why);
		if (device == SIZE_MAX && is_acpi_device(e.name))
			device = e.depth;
	}
	free(line);
	if (!err && !told)
		err = hostdev_why(why, "not-yours", "be root",
				  "%s does not tell who has what", spaces[space].file);
	return err;
}

/**
 * hostdev_range_check() - may a guest have a range of ports or of memory?
 * @root: of the files that tell
 * @space: of which it is
 * @range: range
 * @why: why not
 *
 * What a driver takes later is not seen: where the kernel has CONFIG_IO_STRICT_DEVMEM, a mapping
 * of memory goes then.
 *
 * Return: 0 or -1.
 */
int hostdev_range_check(const char *root, enum hostdev_space space, const struct range *range,
			struct hostdev_why *why)
{
	char path[128];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s%s", root, spaces[space].file);
	f = fopen(path, "re");
	if (!f)
		return hostdev_why(why, "failed", "mount proc at /proc", "cannot read %s: %s", path,
				   strerror(errno));
	err = check(f, space, range, why);
	fclose(f);
	return err;
}

/**
 * hostdev_memory_open() - the host's physical memory, for what has been checked to be mapped
 * @why: why not
 *
 * O_SYNC: mappings of it are uncached. Whoever has the descriptor has the host.
 *
 * Return: a descriptor, or -1.
 */
int hostdev_memory_open(struct hostdev_why *why)
{
	int fd = open(MEMORY_FILE, O_RDWR | O_SYNC | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return hostdev_why(why, "not-yours",
				   "be root, with CAP_SYS_RAWIO; a kernel that is locked down, as with Secure Boot, refuses root as well",
				   "cannot open " MEMORY_FILE ": %s", strerror(errno));
	return hostdev_why(why, "failed", errno == ENOENT || errno == ENXIO ?
			   "use a kernel with CONFIG_DEVMEM" : NULL,
			   "cannot open " MEMORY_FILE ": %s", strerror(errno));
}
