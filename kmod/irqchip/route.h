/* SPDX-License-Identifier: GPL-2.0-only */
/* GSI routing: what a GSI is wired to. */
#ifndef JOIST_IRQCHIP_ROUTE_H
#define JOIST_IRQCHIP_ROUTE_H

#include <linux/kvm.h>

#include "../core/types.h"

struct lapic_msg;

#define ROUTES_MAX	4096	/* entries of a table; GSIs are below this too */

/**
 * struct irq_route - one target of a GSI
 * @type: KVM_IRQ_ROUTING_IRQCHIP, _MSI or _HV_SINT
 * @chip: KVM_IRQCHIP_*
 * @pin: of that chip: 0..7 or 0..23
 * @addr_lo: MSI address
 * @addr_hi: its upper half
 * @data: MSI data
 * @vp_index: Hyper-V's index of a vCPU
 * @sint: its interrupt source: 0..15
 */
struct irq_route {
	u32 type;
	union {
		struct {
			u32 chip;
			u32 pin;
		};
		struct {
			u32 addr_lo;
			u32 addr_hi;
			u32 data;
		};
		struct {
			u32 vp_index;
			u32 sint;
		};
	};
};

/**
 * struct irq_routing - a table; immutable once published
 * @nr_gsis: GSIs from 0 on that @first covers
 * @eoi_vectors: level-triggered, of the GSIs of userspace's IOAPICs
 * @first: per GSI the index of its first route; one more at the end
 * @routes: ordered by GSI
 */
struct irq_routing {
	u32 nr_gsis;
	unsigned long eoi_vectors[4];
	u32 *first;
	struct irq_route routes[];
};

struct irq_routing *
irq_routing_build(const struct kvm_irq_routing_entry *entries, unsigned int nr,
		  bool has_chips, u32 x2apic_api);
struct irq_routing *irq_routing_default(void);
void irq_routing_reserve(struct irq_routing *table, u32 nr_gsis);
bool irq_routing_expects_eoi(const struct irq_routing *table, u8 vector);
void irq_routing_free(struct irq_routing *table);
const struct irq_route *irq_routing_lookup(const struct irq_routing *table,
					   u32 gsi, unsigned int *nr);
bool irq_routing_has(const struct irq_routing *table, u32 gsi, u32 chip,
		     u32 pin);
void msi_decode(struct lapic_msg *msg, u32 addr_lo, u32 addr_hi, u32 data,
		u32 x2apic_api);
bool msi_addr_valid(u32 addr_hi, u32 x2apic_api);

#endif
