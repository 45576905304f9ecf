/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of PCI devices as text. */
#ifndef LIBJOIST_PCI_ADDR_H
#define LIBJOIST_PCI_ADDR_H

#define PCI_ADDR_SIZE	16	/* "0000:01:00.0"; domains may have more digits */

int pci_addr_parse(const char *text, char *addr);

#endif
