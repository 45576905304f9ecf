// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of PCI devices as text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pci_addr.h"

/**
 * pci_addr_parse() - understand an address
 * @text: "0000:01:00.0", or without its domain
 * @addr: set to the whole of it, PCI_ADDR_SIZE
 *
 * Return: 0 or -EINVAL.
 */
int pci_addr_parse(const char *text, char *addr)
{
	unsigned int domain = 0, bus, slot, fn;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
		return -EINVAL;
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &fn, &end) != 4 || text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &fn, &end) != 3 || text[end])
			return -EINVAL;
	}
	if (slot > 0x1f || fn > 7 || domain > 0xfffffff)
		return -EINVAL;
	snprintf(addr, PCI_ADDR_SIZE, "%04x:%02x:%02x.%x", domain & 0xfffffff, bus & 0xff,
		 slot & 0x1f, fn & 7);
	return 0;
}
