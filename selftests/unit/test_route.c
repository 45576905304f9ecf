// SPDX-License-Identifier: GPL-2.0-only
/* GSI routing tables and the decoding of MSIs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include "irqchip/lapic.h"
#include "irqchip/route.h"

static struct kvm_irq_routing_entry pin(u32 gsi, u32 chip, u32 n)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { chip, n },
	};
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 lo, u32 hi, u32 data)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = lo, .address_hi = hi, .data = data },
	};
}

static void default_table(void **state)
{
	struct irq_routing *t = irq_routing_default();
	unsigned int gsi, nr;

	assert_false(IS_ERR(t));
	for (gsi = 0; gsi < 24; gsi++) {
		irq_routing_lookup(t, gsi, &nr);
		assert_int_equal(nr, gsi == 0 ? 3 : gsi < 16 ? 2 : 1);
		assert_true(irq_routing_has(t, gsi, KVM_IRQCHIP_IOAPIC, gsi));
		assert_int_equal(irq_routing_has(t, gsi, KVM_IRQCHIP_PIC_MASTER,
						 gsi), gsi < 8);
		assert_int_equal(irq_routing_has(t, gsi, KVM_IRQCHIP_PIC_SLAVE,
						 gsi - 8),
				 gsi >= 8 && gsi < 16);
	}
	assert_true(irq_routing_has(t, 0, KVM_IRQCHIP_IOAPIC, 2));
	irq_routing_lookup(t, 24, &nr);
	assert_int_equal(nr, 0);
	irq_routing_lookup(t, ~0u, &nr);
	assert_int_equal(nr, 0);
	irq_routing_free(t);
}

static void built_table(void **state)
{
	struct kvm_irq_routing_entry e[] = {
		msi(100, 0xfee01000, 0, 0x41),
		pin(5, KVM_IRQCHIP_IOAPIC, 23),
		pin(0, KVM_IRQCHIP_PIC_MASTER, 0),
		pin(5, KVM_IRQCHIP_PIC_SLAVE, 7),
		pin(0, KVM_IRQCHIP_IOAPIC, 2),
		msi(4095, 0xfee02000, 0, 0x42),
	};
	struct irq_routing *t = irq_routing_build(e, ARRAY_SIZE(e), true, 0);
	const struct irq_route *r;
	unsigned int nr;

	assert_false(IS_ERR(t));
	r = irq_routing_lookup(t, 0, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(r[0].chip, KVM_IRQCHIP_PIC_MASTER);
	assert_int_equal(r[1].pin, 2);
	r = irq_routing_lookup(t, 5, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(r[0].pin, 23);
	assert_int_equal(r[1].pin, 7);
	irq_routing_lookup(t, 6, &nr);
	assert_int_equal(nr, 0);
	r = irq_routing_lookup(t, 100, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(r->data, 0x41);
	r = irq_routing_lookup(t, 4095, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(r->addr_lo, 0xfee02000);
	irq_routing_lookup(t, 4096, &nr);
	assert_int_equal(nr, 0);
	irq_routing_free(t);
}

/* Sources of Hyper-V's: one to a GSI, sixteen to a vCPU, of which any may be meant. */
static void hv_sints(void **state)
{
	struct kvm_irq_routing_entry e[] = {
		{ .gsi = 3, .type = KVM_IRQ_ROUTING_HV_SINT,
		  .u.hv_sint = { .vcpu = 0xffffffff, .sint = 15 } },
		pin(4, KVM_IRQCHIP_IOAPIC, 4),
	};
	struct irq_routing *t = irq_routing_build(e, 2, true, 0);
	const struct irq_route *r;
	unsigned int nr;

	assert_false(IS_ERR(t));
	r = irq_routing_lookup(t, 3, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(r->type, KVM_IRQ_ROUTING_HV_SINT);
	assert_int_equal(r->vp_index, 0xffffffff);
	assert_int_equal(r->sint, 15);
	assert_false(irq_routing_has(t, 3, KVM_IRQCHIP_PIC_MASTER, 15));
	irq_routing_free(t);
	e[1].gsi = 3;
	assert_true(IS_ERR(irq_routing_build(e, 2, true, 0)));
	e[0].u.hv_sint.sint = 16;
	assert_true(IS_ERR(irq_routing_build(e, 1, true, 0)));
}

static void empty_table(void **state)
{
	struct irq_routing *t = irq_routing_build(NULL, 0, true, 0);
	unsigned int nr;

	assert_false(IS_ERR(t));
	irq_routing_lookup(t, 0, &nr);
	assert_int_equal(nr, 0);
	irq_routing_lookup(NULL, 0, &nr);
	assert_int_equal(nr, 0);
	irq_routing_free(t);
}

static void assert_refused(const struct kvm_irq_routing_entry *e,
			   unsigned int nr, bool chips, u32 api)
{
	struct irq_routing *t = irq_routing_build(e, nr, chips, api);

	assert_true(IS_ERR(t));
	assert_int_equal(PTR_ERR(t), -EINVAL);
}

static void refused_entries(void **state)
{
	struct kvm_irq_routing_entry e[2];

	e[0] = pin(4096, KVM_IRQCHIP_IOAPIC, 0);
	assert_refused(e, 1, true, 0);
	e[0] = pin(~0u, KVM_IRQCHIP_IOAPIC, 0);
	assert_refused(e, 1, true, 0);
	e[0] = pin(1, KVM_IRQCHIP_IOAPIC, 24);
	assert_refused(e, 1, true, 0);
	e[0] = pin(1, KVM_IRQCHIP_PIC_MASTER, 8);
	assert_refused(e, 1, true, 0);
	e[0] = pin(1, 3, 0);
	assert_refused(e, 1, true, 0);
	e[0] = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	assert_refused(e, 1, false, 0);
	e[0].flags = 1;
	assert_refused(e, 1, true, 0);
	e[0] = msi(1, 0xfee00000, 0, 0);
	e[0].type = 77;
	assert_refused(e, 1, true, 0);
	e[0] = msi(1, 0xfee00000, 1, 0);
	assert_refused(e, 1, true, KVM_X2APIC_API_USE_32BIT_IDS);
	/* One chip twice; an MSI beside anything. */
	e[0] = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	e[1] = pin(1, KVM_IRQCHIP_IOAPIC, 2);
	assert_refused(e, 2, true, 0);
	e[1] = msi(1, 0xfee00000, 0, 0x30);
	assert_refused(e, 2, true, 0);
	assert_refused(e, ROUTES_MAX + 1, true, 0);
}

static void random_tables(void **state)
{
	static struct kvm_irq_routing_entry e[ROUTES_MAX];
	int round, i, n;

	srand(1);
	for (round = 0; round < 200; round++) {
		int nr = rand() % 64;
		struct irq_routing *t;

		for (i = 0; i < nr; i++) {
			e[i] = rand() & 1 ? msi(rand() % 128, rand(), 0, rand()) :
			       pin(rand() % 128, rand() % 3, rand() % 8);
			if (!(rand() % 200))
				for (n = 0; n < sizeof(e[i]); n++)
					((u8 *)&e[i])[n] = rand();
		}
		t = irq_routing_build(e, nr, true, 0);
		if (IS_ERR(t))
			continue;
		for (i = 0; i < nr; i++)
			if (e[i].type == KVM_IRQ_ROUTING_IRQCHIP)
				assert_true(irq_routing_has(t, e[i].gsi,
							    e[i].u.irqchip.irqchip,
							    e[i].u.irqchip.pin));
		irq_routing_free(t);
	}
}

static void msi_fields(void **state)
{
	struct lapic_msg m;

	msi_decode(&m, 0xfee3f00c, 0x12345600, 0xc141, 0);
	assert_int_equal(m.dest, 0x3f);
	assert_true(m.logical);
	assert_true(m.redirect);
	assert_int_equal(m.vector, 0x41);
	assert_int_equal(m.mode, LAPIC_DM_LOWEST);
	assert_true(m.level);
	assert_true(m.assert);
	assert_false(m.x2apic);
	msi_decode(&m, 0xfee3f000, 0x12345600, 0x41,
		   KVM_X2APIC_API_USE_32BIT_IDS);
	assert_int_equal(m.dest, 0x1234563f);
	assert_false(m.logical);
	assert_false(m.level);
	/* Level-triggered without the bit that asserts it. */
	msi_decode(&m, 0xfee00000, 0, 0x8041, 0);
	assert_true(m.level);
	assert_true(m.assert);
}

/* Level-triggered MSIs of the first GSIs are those whose end is waited for. */
static void reserved_gsis(void **state)
{
	struct kvm_irq_routing_entry e[] = {
		msi(0, 0xfee00000, 0, 0x41),
		msi(3, 0xfee00000, 0, 0x8042),
		msi(23, 0xfee00000, 0, 0x80ff),
		msi(24, 0xfee00000, 0, 0x8043),
		/* The local APICs have it: no chips are needed. */
		{ .gsi = 1, .type = KVM_IRQ_ROUTING_HV_SINT,
		  .u.hv_sint = { .vcpu = 0x8044, .sint = 2 } },
	};
	struct irq_routing *t = irq_routing_build(e, 5, false, 0);
	unsigned int v;

	assert_false(IS_ERR(t));
	for (v = 0; v < 256; v++)
		assert_false(irq_routing_expects_eoi(t, v));
	irq_routing_reserve(t, 24);
	for (v = 0; v < 256; v++)
		assert_int_equal(irq_routing_expects_eoi(t, v),
				 v == 0x42 || v == 0xff);
	/* More than the table has. */
	irq_routing_reserve(t, ROUTES_MAX);
	assert_true(irq_routing_expects_eoi(t, 0x43));
	assert_false(irq_routing_expects_eoi(t, 0x41));
	irq_routing_free(t);
	assert_false(irq_routing_expects_eoi(NULL, 0x42));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_table),
		cmocka_unit_test(built_table),
		cmocka_unit_test(hv_sints),
		cmocka_unit_test(empty_table),
		cmocka_unit_test(refused_entries),
		cmocka_unit_test(random_tables),
		cmocka_unit_test(msi_fields),
		cmocka_unit_test(reserved_gsis),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
