// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a device that VFIO has interrupts. The kernel's vfio-pci names what it asks for:
 * "vfio-intx(0000:01:00.0)", "vfio-msi[0](...)", "vfio-msix[2](...)".
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostdev.h"

#define PREFIX	"vfio-"

/* Is @name that of an interrupt of @addr's? Then its kind is in @kind. */
static bool is_of(const char *name, size_t len, const char *addr, char *kind, size_t size)
{
	const char *open = memchr(name, '(', len);
	size_t n = strlen(addr), word;

	if (strncmp(name, PREFIX, strlen(PREFIX)) || !open ||
	    (size_t)(name + len - open) != n + 2 ||
	    strncmp(open + 1, addr, n) || open[n + 1] != ')')
		return false;
	name += strlen(PREFIX);
	word = strcspn(name, "[(");
	if (word >= size)
		return false;
	snprintf(kind, size, "%.*s", (int)word, name);
	return true;
}

/* How often it came, on all CPUs. @line: behind the number; set to what is behind the counts. */
static u64 count_of(const char **line)
{
	const char *at = *line;
	u64 sum = 0;
	char *end;

	for (;;) {
		at += strspn(at, " ");
		if (!isdigit((unsigned char)*at))
			break;
		sum += strtoull(at, &end, 10);
		at = end;
	}
	*line = at;
	return sum;
}

/**
 * hostdev_interrupts_take() - look at a line of /proc/interrupts
 * @irqs: added to, if it is about the device's
 * @addr: device
 * @line: "  45:  12  0  IR-PCI-MSI 1048576-edge  vfio-msix[0](0000:01:00.0)"; names that share a
 *	line are divided by commas
 */
void hostdev_interrupts_take(struct hostdev_interrupts *irqs, const char *addr, const char *line)
{
	const char *at = strchr(line, ':');
	u64 count;

	if (!at)
		return;
	at++;
	count = count_of(&at);
	for (at += strspn(at, " "); *at; at += strspn(at, " ,\n")) {
		size_t len = strcspn(at, " ,\n");

		if (is_of(at, len, addr, irqs->kind, sizeof(irqs->kind))) {
			irqs->vectors++;
			irqs->count += count;
		}
		at += len;
	}
}

/**
 * hostdev_interrupts() - a device's, as they are now
 * @dev: device
 * @irqs: filled in
 *
 * Return: whether it has any.
 */
bool hostdev_interrupts(const struct hostdev *dev, struct hostdev_interrupts *irqs)
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *f;

	*irqs = (struct hostdev_interrupts) { 0 };
	snprintf(path, sizeof(path), "%s/proc/interrupts", dev->root);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		hostdev_interrupts_take(irqs, dev->addr, line);
	free(line);
	if (f)
		fclose(f);
	return irqs->vectors;
}
