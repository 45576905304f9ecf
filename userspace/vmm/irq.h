/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt controllers in the kernel, and the table that routes to them. */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include <pthread.h>

#include "libjoist/types.h"

#define GSI_COM1	4
#define GSI_RTC		8
#define GSI_SCI		9
#define GSI_PCI_A	10	/* the lines of the PCI slots: pci_slot_gsi() */
#define GSI_PCI_B	11
#define GSI_MSI_FIRST	24	/* below: pins of the I/O APIC */
#define GSI_MSI_NR	1024	/* 16 disks of 16 queues each, and more */

struct kvm_irq_routing;

struct irq {
	int vm_fd;
	pthread_mutex_t lock;	/* protects all below */
	bool msi_used[GSI_MSI_NR];
	int nr_fixed;		/* entries of the controllers' pins */
	struct kvm_irq_routing *table;
};

int irq_init(struct irq *irq, int vm_fd);
void irq_destroy(struct irq *irq);
void irq_set(struct irq *irq, u32 gsi, bool level);
int irq_msi_alloc(struct irq *irq);
void irq_msi_free(struct irq *irq, u32 gsi);
int irq_msi_route(struct irq *irq, u32 gsi, u64 addr, u32 data);

#endif
