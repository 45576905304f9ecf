/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host's kernel says of DMA that its IOMMU has blocked. */
#ifndef HOSTDEV_FAULT_H
#define HOSTDEV_FAULT_H

#include "hostdev.h"

enum dma_access { DMA_UNKNOWN, DMA_READ, DMA_WRITE };

/**
 * struct dma_fault - a line about one
 * @addr: whose DMA it was
 * @access: what it was to do
 * @iova: where
 */
struct dma_fault {
	char addr[PCI_ADDR_SIZE];
	enum dma_access access;
	u64 iova;
};

bool dma_fault_parse(const char *line, struct dma_fault *fault);

#endif
