// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's short cuts: writes that are done with interrupts off, and the
 * words of IRR and ISR that need not be looked at.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/ioapic.h"
#include "irqchip/irqchip.h"
#include "irqchip/lapic.h"

#define VCPUS	4
#define EOI	0x80b
#define ICR	0x830
#define SELF	0x83f

static struct vm *vm;

static struct lapic *lapic(unsigned int cpu)
{
	return vm->vcpus[cpu].lapic;
}

static bool hot(unsigned int cpu, u32 msr, u64 val)
{
	return lapic_msr_write_hot(lapic(cpu), msr, val);
}

static u64 to(u32 dest, u32 icr)
{
	return (u64)dest << 32 | icr;
}

static int take(unsigned int cpu)
{
	int vector = lapic_next_irq(lapic(cpu));

	if (vector >= 0)
		lapic_ack(lapic(cpu), vector);
	return vector;
}

static bool nothing_happened(void)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		const struct vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->notified || vcpu->nmis || vcpu->smis ||
		    vcpu->init_sipis || lapic_highest_irr(vcpu->lapic) >= 0)
			return false;
	}
	return !vm->eois;
}

static int setup(void **state)
{
	unsigned int i;

	vm = fake_vm_create(VCPUS);
	for (i = 0; i < VCPUS; i++) {
		lapic_set_base(lapic(i), 0xfee00000 | LAPIC_BASE_ENABLE |
			       LAPIC_BASE_X2APIC);
		lapic_msr_write(lapic(i), 0x80f, 0x1ff);
	}
	fake_vm_forget(vm);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static void to_one(void **state)
{
	assert_true(hot(0, ICR, to(2, 0x4041)));
	assert_int_equal(vm->vcpus[2].notified, 1);
	assert_int_equal(take(2), 0x41);
	assert_true(hot(1, ICR, to(0, 0x40042)));
	assert_int_equal(take(1), 0x42);
	assert_true(hot(3, SELF, 0x43));
	assert_int_equal(take(3), 0x43);
	/* The register reads as it was written. */
	assert_int_equal(lapic_reg(lapic(0), LAPIC_REG_ICR), 0x4041);
	assert_int_equal(lapic_reg(lapic(0), LAPIC_REG_ICR2), 2);
	/* Nobody is there. */
	assert_true(hot(0, ICR, to(77, 0x4041)));
}

static void not_to_many(void **state)
{
	static const u32 modes[] = { 1, 2, 3, 4, 5, 6, 7 };
	unsigned int i;

	assert_false(hot(0, ICR, to(~0u, 0x4041)));	/* broadcast */
	assert_false(hot(0, ICR, to(3, 0x4841)));	/* logical */
	assert_false(hot(0, ICR, to(0, 0x84041)));	/* all */
	assert_false(hot(0, ICR, to(0, 0xc4041)));	/* others */
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_false(hot(0, ICR, to(2, 0x4041 | modes[i] << 8)));
		assert_false(hot(0, ICR, to(0, 0x44041 | modes[i] << 8)));
	}
	assert_true(nothing_happened());
}

static void not_what_faults(void **state)
{
	assert_false(hot(0, ICR, to(2, 0x4041 | BIT(31))));
	assert_false(hot(0, SELF, 0x141));
	assert_false(hot(0, EOI, 1));
	lapic_set_base(lapic(1), 0xfee00000 | LAPIC_BASE_ENABLE);
	assert_false(hot(1, ICR, to(2, 0x4041)));
	assert_false(hot(1, EOI, 0));
	assert_false(hot(1, SELF, 0x41));
	assert_true(nothing_happened());
}

static void not_the_others(void **state)
{
	u32 msr;

	for (msr = 0x7ff; msr <= 0x900; msr++)
		if (msr != ICR && msr != EOI && msr != SELF)
			assert_false(hot(0, msr, 0));
	assert_true(nothing_happened());
}

static void ends_of_interrupts(void **state)
{
	struct lapic *apic = lapic(0);

	assert_true(hot(0, EOI, 0));		/* of none */
	lapic_set_irr(apic, 0x51, false);
	lapic_set_irr(apic, 0x61, false);
	lapic_set_irr(apic, 0x41, false);
	assert_int_equal(take(0), 0x61);
	fake_vm_forget(vm);
	assert_true(hot(0, EOI, 0));
	assert_int_equal(lapic_highest_isr(apic), -1);
	/* The next one is asked for. */
	assert_int_equal(vm->vcpus[0].notified, 1);
	assert_int_equal(take(0), 0x51);
	fake_vm_forget(vm);
	assert_true(hot(0, EOI, 0));
	assert_int_equal(take(0), 0x41);
	assert_true(hot(0, EOI, 0));
	assert_int_equal(take(0), -1);
}

static void ends_that_others_hear_of(void **state)
{
	struct ioapic ioapic;

	lapic_set_irr(lapic(0), 0x51, true);
	assert_int_equal(take(0), 0x51);
	assert_false(hot(0, EOI, 0));
	assert_int_equal(lapic_highest_isr(lapic(0)), 0x51);
	lapic_msr_write(lapic(0), EOI, 0);

	/* An edge that comes by a pin. */
	ioapic_init(&ioapic, vm);
	vm->ioapic = &ioapic;
	ioapic_write(&ioapic, 0, 0x10);
	ioapic_write(&ioapic, 0x10, 0x52);
	lapic_set_irr(lapic(0), 0x52, false);
	assert_int_equal(take(0), 0x52);
	assert_false(hot(0, EOI, 0));
	assert_int_equal(lapic_highest_isr(lapic(0)), 0x52);
	/* Another one, by none. */
	lapic_set_irr(lapic(0), 0x62, false);
	assert_int_equal(take(0), 0x62);
	assert_true(hot(0, EOI, 0));
	assert_int_equal(lapic_highest_isr(lapic(0)), 0x52);
	vm->ioapic = NULL;
}

static void deadlines(void **state)
{
	struct lapic *apic = lapic(0);
	u64 when = irq_host_guest_tsc(&vm->vcpus[0]) + 20000000;

	assert_false(lapic_tsc_deadline_hot(apic, when));	/* another mode */
	lapic_msr_write(apic, 0x832, 0x50041);
	assert_false(lapic_tsc_deadline_hot(apic, when));	/* masked */
	lapic_msr_write(apic, 0x832, 0x40041);
	assert_false(lapic_tsc_deadline_hot(apic, 0));
	assert_true(lapic_tsc_deadline_hot(apic, when));
	assert_int_equal(lapic_get_tsc_deadline(apic), when);
	assert_true(lapic_tsc_deadline_hot(apic, 1));		/* it has passed */
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	assert_int_equal(take(0), 0x41);
	/* An expiry that waits to be taken. */
	assert_true(lapic_tsc_deadline_hot(apic, when));
	apic->timer.pending = 1;
	assert_false(lapic_tsc_deadline_hot(apic, when + 1));
}

static int highest(const struct lapic *apic, u32 reg)
{
	int i;

	for (i = 255; i >= 0; i--)
		if (lapic_reg(apic, reg + i / 32 * 16) & BIT(i % 32))
			return i;
	return -1;
}

/* What is remembered of IRR and ISR, against a look at all of them. */
static void words(void **state)
{
	struct lapic *apic = lapic(0);
	struct kvm_lapic_state saved;
	unsigned int i, n;

	srand(1);
	for (i = 0; i < 100000; i++) {
		switch (rand() % 8) {
		case 0:
		case 1:
			lapic_set_irr(apic, 16 + rand() % 240, false);
			break;
		case 2:
		case 3:
			take(0);
			break;
		case 4:
		case 5:
			lapic_eoi(apic);
			break;
		case 6:
			if (rand() % 50)
				break;
			lapic_get_state(apic, &saved);
			for (n = 0; n < 8 * 16; n += 16) {
				*(u32 *)(saved.regs + LAPIC_REG_IRR + n) = rand() & rand();
				*(u32 *)(saved.regs + LAPIC_REG_ISR + n) =
					rand() % 3 ? 0 : rand();
			}
			assert_int_equal(lapic_set_state(apic, &saved), 0);
			break;
		case 7:
			if (!(rand() % 100)) {
				lapic_reset(apic, false);
				lapic_mmio_write(apic, LAPIC_REG_SVR, 4,
						 &(u32){ 0x1ff });
			}
			break;
		}
		assert_int_equal(lapic_highest_irr(apic), highest(apic, LAPIC_REG_IRR));
		assert_int_equal(lapic_highest_isr(apic), highest(apic, LAPIC_REG_ISR));
		for (n = 0; n < 8; n++)
			assert_int_equal(!(apic->isr_words & BIT(n)),
					 !lapic_reg(apic, LAPIC_REG_ISR + n * 16));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(to_one),
		TEST(not_to_many),
		TEST(not_what_faults),
		TEST(not_the_others),
		TEST(ends_of_interrupts),
		TEST(ends_that_others_hear_of),
		TEST(deadlines),
		TEST(words),
	};

	return cmocka_run_group_tests_name("lapic_hot", tests, NULL, NULL);
}
