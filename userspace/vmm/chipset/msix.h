/* SPDX-License-Identifier: GPL-2.0-only */
/* MSI-X: a table of messages, each an irqfd while the guest lets it. */
#ifndef VMM_MSIX_H
#define VMM_MSIX_H

#include <pthread.h>

#include "libjoist/types.h"

#define MSIX_VECTORS_MAX	64
#define MSIX_BAR_SIZE		4096
#define MSIX_NO_VECTOR		0xffff

struct pci_dev;

struct msix_vector {
	u64 addr;
	u32 data;
	u32 control;
	bool routed;	/* addr and data are what the GSI sends */
	bool attached;	/* fd is an irqfd of the GSI */
	int gsi;
	int fd;
};

/**
 * struct msix - a device's messages
 * @lock: protects all below
 * @cap: offset of the capability
 * @enabled: the device uses MSI-X
 * @masked: all vectors are masked
 */
struct msix {
	struct pci_dev *dev;
	u8 cap;
	pthread_mutex_t lock;
	bool enabled;
	bool masked;
	int nr;
	struct msix_vector vector[MSIX_VECTORS_MAX];
};

int msix_init(struct msix *msix, struct pci_dev *dev, int bar, int nr);
void msix_destroy(struct msix *msix);
void msix_command(struct msix *msix);
bool msix_enabled(struct msix *msix);
void msix_notify(struct msix *msix, u16 vector);
int msix_fd(struct msix *msix, u16 vector);
void msix_bar_read(struct msix *msix, u64 offset, void *data, unsigned int len);
void msix_bar_write(struct msix *msix, u64 offset, const void *data,
		    unsigned int len);

#endif
