// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt lines and message-signalled interrupts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "irq.h"
#include "libjoist/joist.h"
#include "log.h"

#define NR_PIC_PINS	16
#define NR_IOAPIC_PINS	24
#define TIMER_PIN	2	/* the I/O APIC's pin of ISA interrupt 0 */

static void add_pin(struct irq *irq, u32 gsi, u32 chip, u32 pin)
{
	irq->table->entries[irq->table->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

static void add_pins(struct irq *irq)
{
	u32 i;

	for (i = 0; i < NR_PIC_PINS; i++)
		if (i != TIMER_PIN)	/* the cascade is no input */
			add_pin(irq, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER :
					KVM_IRQCHIP_PIC_SLAVE, i & 7);
	for (i = 0; i < NR_IOAPIC_PINS; i++)
		if (i != TIMER_PIN)
			add_pin(irq, i, KVM_IRQCHIP_IOAPIC, i ? i : TIMER_PIN);
	irq->nr_fixed = (int)irq->table->nr;
}

/**
 * irq_init() - create the interrupt controllers and the timer
 * @irq: filled in
 * @vm_fd: the VM; before its first vCPU
 *
 * Return: 0, or -errno with the reason logged.
 */
int irq_init(struct irq *irq, int vm_fd)
{
	int err;

	memset(irq, 0, sizeof(*irq));
	irq->vm_fd = vm_fd;
	pthread_mutex_init(&irq->lock, NULL);
	irq->table = calloc(1, sizeof(*irq->table) +
			       (GSI_MSI_NR + NR_PIC_PINS + NR_IOAPIC_PINS) *
			       sizeof(irq->table->entries[0]));
	if (!irq->table) {
		log_err("out of memory for the interrupt routes");
		return -ENOMEM;
	}
	err = joist_create_irqchip(vm_fd);
	if (err) {
		log_err("cannot create the interrupt controllers: %s",
			strerror(-err));
		goto out;
	}
	err = joist_create_pit(vm_fd, KVM_PIT_SPEAKER_DUMMY);
	if (err) {
		log_err("cannot create the interval timer: %s", strerror(-err));
		goto out;
	}
	add_pins(irq);
	err = joist_set_routing(vm_fd, irq->table);
	if (err) {
		log_err("cannot set the interrupt routes: %s", strerror(-err));
		goto out;
	}
	return 0;
out:
	irq_destroy(irq);
	return err;
}

void irq_destroy(struct irq *irq)
{
	free(irq->table);
	irq->table = NULL;
}

void irq_set(struct irq *irq, u32 gsi, bool level)
{
	joist_irq_line(irq->vm_fd, gsi, level);
}

/* Return: a GSI of its own for one message-signalled vector, or -ENOSPC. */
int irq_msi_alloc(struct irq *irq)
{
	int gsi = -ENOSPC, i;

	pthread_mutex_lock(&irq->lock);
	for (i = 0; gsi < 0 && i < GSI_MSI_NR; i++) {
		if (irq->msi_used[i])
			continue;
		irq->msi_used[i] = true;
		gsi = GSI_MSI_FIRST + i;
	}
	pthread_mutex_unlock(&irq->lock);
	return gsi;
}

/*
 * The way back; no irqfd sends it any more. The hypervisor learns of the route's end with the
 * next change of the table: nothing comes by it.
 */
void irq_msi_free(struct irq *irq, u32 gsi)
{
	struct kvm_irq_routing *table = irq->table;
	u32 i;

	pthread_mutex_lock(&irq->lock);
	for (i = (u32)irq->nr_fixed; i < table->nr; i++) {
		if (table->entries[i].gsi == gsi) {
			table->entries[i] = table->entries[--table->nr];
			break;
		}
	}
	irq->msi_used[gsi - GSI_MSI_FIRST] = false;
	pthread_mutex_unlock(&irq->lock);
}

/**
 * irq_msi_route() - what message a GSI sends
 * @irq: routes
 * @gsi: from irq_msi_alloc()
 * @addr: message address the guest wrote
 * @data: message data the guest wrote
 *
 * Return: 0 or -errno: the hypervisor refused the message.
 */
int irq_msi_route(struct irq *irq, u32 gsi, u64 addr, u32 data)
{
	struct kvm_irq_routing *table = irq->table;
	struct kvm_irq_routing_entry saved, *entry = NULL;
	bool added = false;
	int err;
	u32 i;

	pthread_mutex_lock(&irq->lock);
	for (i = (u32)irq->nr_fixed; i < table->nr; i++)
		if (table->entries[i].gsi == gsi)
			entry = &table->entries[i];
	if (!entry) {
		entry = &table->entries[table->nr++];
		added = true;
	}
	saved = *entry;
	*entry = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {
			.address_lo = (u32)addr,
			.address_hi = (u32)(addr >> 32),
			.data = data,
		},
	};
	err = joist_set_routing(irq->vm_fd, table);
	if (err) {
		/* A bad message of the guest must not spoil the next update. */
		*entry = saved;
		if (added)
			table->nr--;
	}
	pthread_mutex_unlock(&irq->lock);
	return err;
}
