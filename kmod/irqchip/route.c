// SPDX-License-Identifier: GPL-2.0-only
/* GSI routing tables, and what an MSI's address and data say. */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "ioapic.h"
#include "lapic.h"
#include "pic.h"
#include "route.h"

/* MSI address and data, by the SDM's chapter on the local APIC. */
#define MSI_ADDR_LOGICAL	BIT(2)
#define MSI_ADDR_REDIRECT	BIT(3)
#define MSI_ADDR_DEST_SHIFT	12
#define MSI_DATA_MODE_SHIFT	8
#define MSI_DATA_LEVEL		BIT(15)

#define HV_SINT_COUNT		16	/* of a virtual processor of Hyper-V's */

/* KVM_CAP_X2APIC_API: with full ids the upper address holds bits 31..8. */
bool msi_addr_valid(u32 addr_hi, u32 x2apic_api)
{
	return !(x2apic_api & KVM_X2APIC_API_USE_32BIT_IDS) ||
	       !(addr_hi & 0xff);
}

/**
 * msi_decode() - the message that an MSI write is
 * @msg: the message
 * @addr_lo: address written to
 * @addr_hi: its upper half
 * @data: what is written
 * @x2apic_api: KVM_X2APIC_API_* of the VM
 *
 * A level-triggered one is taken as asserted, as KVM does: nobody sends the
 * other, and IOAPICs in userspace do not set the bit.
 */
void msi_decode(struct lapic_msg *msg, u32 addr_lo, u32 addr_hi, u32 data,
		u32 x2apic_api)
{
	*msg = (struct lapic_msg) {
		.dest = addr_lo >> MSI_ADDR_DEST_SHIFT & 0xff,
		.vector = data & 0xff,
		.mode = data >> MSI_DATA_MODE_SHIFT & 7,
		.logical = addr_lo & MSI_ADDR_LOGICAL,
		.redirect = addr_lo & MSI_ADDR_REDIRECT,
		.level = data & MSI_DATA_LEVEL,
		.assert = true,
	};
	if (x2apic_api & KVM_X2APIC_API_USE_32BIT_IDS)
		msg->dest |= addr_hi & 0xffffff00;
}

static struct irq_routing *table_alloc(u32 nr_gsis, unsigned int nr)
{
	struct irq_routing *table;
	size_t size;

	/* Both are at most ROUTES_MAX: no overflow. */
	size = struct_size(table, routes, nr);
	table = kvzalloc(size + (nr_gsis + 1) * sizeof(u32),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->nr_gsis = nr_gsis;
	table->first = (u32 *)((char *)table + size);
	return table;
}

void irq_routing_free(struct irq_routing *table)
{
	kvfree(table);
}

static bool entry_valid(const struct kvm_irq_routing_entry *e, bool has_chips,
			u32 x2apic_api)
{
	if (e->gsi >= ROUTES_MAX || e->flags)
		return false;
	switch (e->type) {
	case KVM_IRQ_ROUTING_MSI:
		return msi_addr_valid(e->u.msi.address_hi, x2apic_api);
	case KVM_IRQ_ROUTING_HV_SINT:
		return e->u.hv_sint.sint < HV_SINT_COUNT;
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (!has_chips)
			return false;
		switch (e->u.irqchip.irqchip) {
		case KVM_IRQCHIP_PIC_MASTER:
		case KVM_IRQCHIP_PIC_SLAVE:
			return e->u.irqchip.pin < PIC_PINS / 2;
		case KVM_IRQCHIP_IOAPIC:
			return e->u.irqchip.pin < IOAPIC_PINS;
		}
	}
	return false;
}

static void route_set(struct irq_route *route,
		      const struct kvm_irq_routing_entry *e)
{
	route->type = e->type;
	if (e->type == KVM_IRQ_ROUTING_MSI) {
		route->addr_lo = e->u.msi.address_lo;
		route->addr_hi = e->u.msi.address_hi;
		route->data = e->u.msi.data;
	} else if (e->type == KVM_IRQ_ROUTING_HV_SINT) {
		route->vp_index = e->u.hv_sint.vcpu;
		route->sint = e->u.hv_sint.sint;
	} else {
		route->chip = e->u.irqchip.irqchip;
		route->pin = e->u.irqchip.pin;
	}
}

/* A GSI is one MSI, one SINT, or at most one pin of each chip. */
static bool routes_unique(const struct irq_routing *table)
{
	u32 gsi, i;

	for (gsi = 0; gsi < table->nr_gsis; gsi++) {
		u32 nr = table->first[gsi + 1] - table->first[gsi];
		const struct irq_route *r = table->routes + table->first[gsi];
		u32 chips = 0;

		for (i = 0; i < nr; i++) {
			if (r[i].type != KVM_IRQ_ROUTING_IRQCHIP) {
				if (nr > 1)
					return false;
				continue;
			}
			if (chips & BIT(r[i].chip))
				return false;
			chips |= BIT(r[i].chip);
		}
	}
	return true;
}

/* Counting sort by GSI: entries of a GSI keep their order. */
static struct irq_routing *
table_build(const struct kvm_irq_routing_entry *entries, unsigned int nr)
{
	struct irq_routing *table;
	u32 nr_gsis = 0, gsi;
	unsigned int i;

	for (i = 0; i < nr; i++)
		nr_gsis = max(nr_gsis, entries[i].gsi + 1);
	table = table_alloc(nr_gsis, nr);
	if (!table)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < nr; i++)
		table->first[entries[i].gsi + 1]++;
	for (gsi = 0; gsi < nr_gsis; gsi++)
		table->first[gsi + 1] += table->first[gsi];
	/* first[g] moves to the end of g while it is filled... */
	for (i = 0; i < nr; i++)
		route_set(&table->routes[table->first[entries[i].gsi]++],
			  &entries[i]);
	/* ...which is the start of g + 1: shift back by one. */
	for (gsi = nr_gsis; gsi > 0; gsi--)
		table->first[gsi] = table->first[gsi - 1];
	table->first[0] = 0;
	return table;
}

/**
 * irq_routing_build() - check a table from userspace and build it
 * @entries: copied from userspace
 * @nr: how many
 * @has_chips: PIC and IOAPIC exist to be routed to
 * @x2apic_api: KVM_X2APIC_API_* in force
 *
 * Return: the table, or ERR_PTR(): -EINVAL, -ENOMEM.
 */
struct irq_routing *
irq_routing_build(const struct kvm_irq_routing_entry *entries, unsigned int nr,
		  bool has_chips, u32 x2apic_api)
{
	struct irq_routing *table;
	unsigned int i;

	if (nr > ROUTES_MAX)
		return ERR_PTR(-EINVAL);
	for (i = 0; i < nr; i++)
		if (!entry_valid(&entries[i], has_chips, x2apic_api))
			return ERR_PTR(-EINVAL);
	table = table_build(entries, nr);
	if (!IS_ERR(table) && !routes_unique(table)) {
		irq_routing_free(table);
		return ERR_PTR(-EINVAL);
	}
	return table;
}

/**
 * irq_routing_reserve() - the first GSIs are pins of IOAPICs in userspace
 * @table: new, not published
 * @nr_gsis: how many
 */
void irq_routing_reserve(struct irq_routing *table, u32 nr_gsis)
{
	u32 i, end = table->first[min(nr_gsis, table->nr_gsis)];

	for (i = 0; i < end; i++) {
		const struct irq_route *r = &table->routes[i];

		if (r->type == KVM_IRQ_ROUTING_MSI && r->data & MSI_DATA_LEVEL)
			__set_bit(r->data & 0xff, table->eoi_vectors);
	}
}

/** irq_routing_expects_eoi() - does one of them wait for the end of @vector? */
bool irq_routing_expects_eoi(const struct irq_routing *table, u8 vector)
{
	return table && table->eoi_vectors[vector / BITS_PER_LONG] &
			BIT(vector % BITS_PER_LONG);
}

/**
 * irq_routing_default() - what KVM_CREATE_IRQCHIP wires up
 *
 * GSI n to pin n of the IOAPIC, and of the PIC below 16. GSI 0, the PIT, goes
 * to IOAPIC pin 2 as well: there guests look for it that were told of the
 * PC's usual interrupt source override, at pin 0 those that were not.
 *
 * Return: the table or ERR_PTR(-ENOMEM).
 */
struct irq_routing *irq_routing_default(void)
{
	const unsigned int nr = PIC_PINS + IOAPIC_PINS + 1;
	struct kvm_irq_routing_entry *entries, *e;
	struct irq_routing *table;
	u32 gsi;

	entries = kcalloc(nr, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return ERR_PTR(-ENOMEM);
	e = entries;
	for (gsi = 0; gsi < IOAPIC_PINS; gsi++, e++) {
		e->gsi = gsi;
		e->type = KVM_IRQ_ROUTING_IRQCHIP;
		e->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		e->u.irqchip.pin = gsi;
	}
	for (gsi = 0; gsi < PIC_PINS; gsi++, e++) {
		e->gsi = gsi;
		e->type = KVM_IRQ_ROUTING_IRQCHIP;
		e->u.irqchip.irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER :
						 KVM_IRQCHIP_PIC_SLAVE;
		e->u.irqchip.pin = gsi & 7;
	}
	e->type = KVM_IRQ_ROUTING_IRQCHIP;
	e->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
	e->u.irqchip.pin = 2;
	table = table_build(entries, nr);
	kfree(entries);
	return table;
}

/**
 * irq_routing_lookup() - the routes of a GSI
 * @table: may be NULL: nothing is routed
 * @gsi: any number
 * @nr: how many there are
 *
 * Return: the first of them.
 */
const struct irq_route *irq_routing_lookup(const struct irq_routing *table,
					   u32 gsi, unsigned int *nr)
{
	*nr = 0;
	if (!table || gsi >= table->nr_gsis)
		return NULL;
	gsi = array_index_nospec(gsi, table->nr_gsis);
	*nr = table->first[gsi + 1] - table->first[gsi];
	return &table->routes[table->first[gsi]];
}

/** irq_routing_has() - is @gsi wired to @pin of @chip? */
bool irq_routing_has(const struct irq_routing *table, u32 gsi, u32 chip,
		     u32 pin)
{
	const struct irq_route *r;
	unsigned int nr, i;

	r = irq_routing_lookup(table, gsi, &nr);
	for (i = 0; i < nr; i++)
		if (r[i].type == KVM_IRQ_ROUTING_IRQCHIP &&
		    r[i].chip == chip && r[i].pin == pin)
			return true;
	return false;
}
