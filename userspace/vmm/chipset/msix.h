/* SPDX-License-Identifier: GPL-2.0-only */
/* MSI-X: a table of messages. */
#ifndef VMM_MSIX_H
#define VMM_MSIX_H

#include <linux/pci_regs.h>
#include <pthread.h>

#include "libjoist/types.h"
#include "message.h"

#define MSIX_VECTORS_MAX	(PCI_MSIX_FLAGS_QSIZE + 1)
#define MSIX_BAR_VECTORS	64	/* of an emulated device, whose window is MSIX_BAR_SIZE */
#define MSIX_BAR_SIZE		4096
#define MSIX_NO_VECTOR		0xffff

struct pci_dev;

struct msix_vector {
	struct message message;
	u32 control;
};

/**
 * struct msix - a device's messages
 * @arm: the vector is used for the first time and has an eventfd now, which is to be signalled
 *       by who raises it; the lock is held; NULL: they find it by msix_fd()
 * @lock: protects all below
 * @cap: offset of the capability
 * @enabled: the device uses MSI-X
 * @masked: all vectors are masked
 */
struct msix {
	struct pci_dev *dev;
	void (*arm)(struct msix *msix, int vector);
	u8 cap;
	pthread_mutex_t lock;
	bool enabled;
	bool masked;
	int nr;
	struct msix_vector *vector;
};

int msix_init(struct msix *msix, struct pci_dev *dev, int bar, int nr);
int msix_init_at(struct msix *msix, struct pci_dev *dev, u8 cap, int nr);
void msix_destroy(struct msix *msix);
void msix_forget(struct msix *msix);
void msix_command(struct msix *msix);
bool msix_enabled(struct msix *msix);
void msix_notify(struct msix *msix, u16 vector);
int msix_fd(struct msix *msix, u16 vector);
void msix_table_read(struct msix *msix, u64 offset, void *data, unsigned int len);
void msix_table_write(struct msix *msix, u64 offset, const void *data, unsigned int len);
void msix_pba_read(struct msix *msix, u64 offset, void *data, unsigned int len);
void msix_bar_read(struct msix *msix, u64 offset, void *data, unsigned int len);
void msix_bar_write(struct msix *msix, u64 offset, const void *data,
		    unsigned int len);

static inline u32 msix_table_size(const struct msix *msix)
{
	return (u32)msix->nr * PCI_MSIX_ENTRY_SIZE;
}

/* Of the pending bits: whole quadwords. */
static inline u32 msix_pba_size(const struct msix *msix)
{
	return (u32)align_up((u64)msix->nr, 64) / 8;
}

#endif
