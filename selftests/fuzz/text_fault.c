// SPDX-License-Identifier: GPL-2.0-only
/* What vmd reads in the kernel's log of blocked DMA. A guest has its say there: addresses. */
#include <stdlib.h>
#include <string.h>

#include "hostdev/fault.h"
#include "wrap.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char addr[PCI_ADDR_SIZE], *line = malloc(size + 1);
	struct dma_fault fault;

	if (!line)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	/* What it makes of an address is one. */
	if (dma_fault_parse(line, &fault) &&
	    (pci_addr_parse(fault.addr, addr) || strcmp(fault.addr, addr)))
		__builtin_trap();
	free(line);
	return 0;
}
