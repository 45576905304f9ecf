// SPDX-License-Identifier: GPL-2.0-only
/* The I/O APIC with real local APICs behind it. */
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

#define REDIR_MASKED	BIT(16)
#define REDIR_LEVEL	BIT(15)
#define REDIR_REMOTE	BIT(14)
#define REDIR_LOGICAL	BIT(11)

static struct vm *vm;
static struct ioapic ioapic;

static void lapic_w(unsigned int cpu, u32 reg, u32 val)
{
	assert_true(lapic_mmio_write(vm->vcpus[cpu].lapic, reg, 4, &val));
}

static int setup(void **state)
{
	unsigned int i;

	vm = fake_vm_create(4);
	for (i = 0; i < 4; i++)
		lapic_w(i, LAPIC_REG_SVR, 0x1ff);
	ioapic_init(&ioapic, vm);
	vm->ioapic = &ioapic;
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static u32 rd(u32 reg)
{
	ioapic_write(&ioapic, 0x00, reg);
	return ioapic_read(&ioapic, 0x10);
}

static void wr(u32 reg, u32 val)
{
	ioapic_write(&ioapic, 0x00, reg);
	ioapic_write(&ioapic, 0x10, val);
}

static void route(unsigned int pin, u32 low, u8 dest)
{
	wr(0x11 + 2 * pin, (u32)dest << 24);
	wr(0x10 + 2 * pin, low);
}

static int set(unsigned int pin, bool level)
{
	return ioapic_set_line(&ioapic, pin, IRQ_SOURCE_USERSPACE, level);
}

static int take(unsigned int cpu)
{
	int vector = lapic_next_irq(vm->vcpus[cpu].lapic);

	if (vector >= 0)
		lapic_ack(vm->vcpus[cpu].lapic, vector);
	return vector;
}

static void registers(void **state)
{
	unsigned int pin;

	assert_int_equal(rd(1), 0x00170020);
	wr(0, 0x0a000000);
	assert_int_equal(rd(0), 0x0a000000);
	wr(0, 0xffffffff);
	assert_int_equal(rd(0), 0x0f000000);
	for (pin = 0; pin < 24; pin++) {
		assert_int_equal(rd(0x10 + 2 * pin), REDIR_MASKED);
		assert_int_equal(rd(0x11 + 2 * pin), 0);
	}
	/* Read-only and reserved bits. */
	route(5, 0xfffeffff & ~REDIR_LEVEL, 0xab);
	assert_int_equal(rd(0x1a), 0x00002fff);
	assert_int_equal(rd(0x1b), 0xab000000);
	/* Beyond the last pin there is nothing. */
	assert_int_equal(rd(0x40), 0xffffffff);
	wr(0x40, 0);
	wr(0xff, 0);
	assert_int_equal(rd(0xff), 0xffffffff);
	assert_int_equal(ioapic_read(&ioapic, 0x20), 0);
	ioapic_write(&ioapic, 0x00, 0xffffff01);
	assert_int_equal(ioapic_read(&ioapic, 0x00), 1);
}

static void edge(void **state)
{
	route(4, 0x41, 1);
	assert_int_equal(set(4, true), 1);
	assert_int_equal(set(4, true), 0);	/* no new edge */
	assert_int_equal(take(1), 0x41);
	assert_int_equal(take(1), -1);
	assert_int_equal(take(0), -1);
	set(4, false);
	assert_int_equal(set(4, true), 1);
	set(4, false);
	assert_int_equal(set(4, true), 0);	/* pending there already */
	lapic_w(1, LAPIC_REG_EOI, 0);
	assert_int_equal(vm->acks[KVM_IRQCHIP_IOAPIC][4], 1);
	assert_int_equal(take(1), 0x41);
}

static void masked_edge_is_lost(void **state)
{
	route(4, REDIR_MASKED | 0x41, 1);
	assert_int_equal(set(4, true), -1);
	route(4, 0x41, 1);
	assert_int_equal(take(1), -1);
	set(4, false);
	set(4, true);
	assert_int_equal(take(1), 0x41);
}

static void level(void **state)
{
	route(10, REDIR_LEVEL | 0x51, 2);
	assert_int_equal(set(10, true), 1);
	assert_true(rd(0x10 + 20) & REDIR_REMOTE);
	assert_int_equal(set(10, true), 0);
	assert_int_equal(take(2), 0x51);
	/* EOI with the line still up: once more. */
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_true(vm->last_eoi_level);
	assert_int_equal(take(2), 0x51);
	set(10, false);
	assert_true(rd(0x10 + 20) & REDIR_REMOTE);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	assert_int_equal(take(2), -1);
	assert_int_equal(vm->acks[KVM_IRQCHIP_IOAPIC][10], 2);
}

static void lower_on_ack(struct vm *vm, unsigned int chip, unsigned int pin)
{
	ioapic_set_line(vm->ioapic, pin, IRQ_SOURCE_IRQFD_RESAMPLE, false);
}

static void resampled_level(void **state)
{
	vm->on_ack = lower_on_ack;
	route(10, REDIR_LEVEL | 0x51, 2);
	ioapic_set_line(&ioapic, 10, IRQ_SOURCE_IRQFD_RESAMPLE, true);
	assert_int_equal(take(2), 0x51);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), -1);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	/* Another source keeps it up. */
	ioapic_set_line(&ioapic, 10, IRQ_SOURCE_IRQFD_RESAMPLE, true);
	set(10, true);
	assert_int_equal(take(2), 0x51);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), 0x51);
	set(10, false);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), -1);
}

static void revector_on_ack(struct vm *vm, unsigned int chip, unsigned int pin)
{
	wr(0x10 + 2 * pin, REDIR_LEVEL | REDIR_MASKED | 0x52);
}

/* Another vCPU moves the pin to another vector while its EOI is under way. */
static void revectored_during_eoi(void **state)
{
	route(10, REDIR_LEVEL | 0x51, 2);
	set(10, true);
	assert_int_equal(take(2), 0x51);
	vm->on_ack = revector_on_ack;
	lapic_w(2, LAPIC_REG_EOI, 0);
	/* The EOI has come all the same: the pin is not stuck. */
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	assert_int_equal(take(2), -1);
	wr(0x10 + 20, REDIR_LEVEL | 0x52);
	assert_int_equal(take(2), 0x52);
}

static void masked_level_waits(void **state)
{
	route(10, REDIR_LEVEL | REDIR_MASKED | 0x51, 2);
	assert_int_equal(set(10, true), -1);
	assert_int_equal(take(2), -1);
	route(10, REDIR_LEVEL | 0x51, 2);
	assert_int_equal(take(2), 0x51);
	/* Masked in service, as Linux does to move it: still asserted later. */
	wr(0x10 + 20, REDIR_LEVEL | REDIR_MASKED | 0x51);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	assert_int_equal(take(2), -1);
	wr(0x10 + 20, REDIR_LEVEL | 0x51);
	assert_int_equal(take(2), 0x51);
}

static void edge_clears_remote_irr(void **state)
{
	route(10, REDIR_LEVEL | 0x51, 2);
	set(10, true);
	set(10, false);
	assert_true(rd(0x10 + 20) & REDIR_REMOTE);
	wr(0x10 + 20, REDIR_MASKED | 0x51);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
}

static void directed_eoi(void **state)
{
	lapic_w(2, LAPIC_REG_SVR, 0x1ff | LAPIC_SVR_NO_BROADCAST);
	route(10, REDIR_LEVEL | 0x51, 2);
	set(10, true);
	assert_int_equal(take(2), 0x51);
	set(10, false);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(vm->eois, 0);
	assert_true(rd(0x10 + 20) & REDIR_REMOTE);
	ioapic_write(&ioapic, 0x40, 0x51);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	/* Edges are broadcast all the same. */
	route(11, 0x61, 2);
	set(11, true);
	assert_int_equal(take(2), 0x61);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(vm->eois, 1);
}

static void shared_vector(void **state)
{
	route(10, REDIR_LEVEL | 0x51, 2);
	route(11, REDIR_LEVEL | 0x51, 2);
	set(10, true);
	set(11, true);
	assert_int_equal(take(2), 0x51);
	set(10, false);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), 0x51);	/* pin 11's */
	set(11, false);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), -1);
	assert_int_equal(vm->acks[KVM_IRQCHIP_IOAPIC][10], 2);
	assert_int_equal(vm->acks[KVM_IRQCHIP_IOAPIC][11], 2);
}

static void destinations(void **state)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		lapic_w(i, LAPIC_REG_LDR, BIT(i) << 24);
	route(3, REDIR_LOGICAL | 0x42, 0x0a);
	assert_int_equal(set(3, true), 2);
	assert_int_equal(take(0), -1);
	assert_int_equal(take(1), 0x42);
	assert_int_equal(take(2), -1);
	assert_int_equal(take(3), 0x42);
	set(3, false);
	route(3, 0x43, 0xff);
	assert_int_equal(set(3, true), 4);
	route(5, 0x44, 9);			/* nobody */
	assert_int_equal(set(5, true), -1);
	/* NMI; lowest priority. */
	route(6, 0x400, 1);
	assert_int_equal(set(6, true), 1);
	assert_int_equal(vm->vcpus[1].nmis, 1);
	lapic_w(0, LAPIC_REG_TPR, 0x50);
	lapic_w(1, LAPIC_REG_TPR, 0x50);
	lapic_w(3, LAPIC_REG_TPR, 0x50);
	route(7, REDIR_LOGICAL | 0x100 | 0x71, 0x0f);
	assert_int_equal(set(7, true), 1);
	assert_int_equal(take(2), 0x71);
}

static void level_nobody_takes(void **state)
{
	lapic_w(2, LAPIC_REG_SVR, 0xff);
	route(10, REDIR_LEVEL | 0x51, 2);
	assert_int_equal(set(10, true), -1);
	assert_false(rd(0x10 + 20) & REDIR_REMOTE);
	lapic_w(2, LAPIC_REG_SVR, 0x1ff);
	assert_int_equal(set(10, true), 1);
}

static void state_round_trip(void **state)
{
	struct kvm_ioapic_state saved, again;

	wr(0, 0x03000000);
	route(4, 0x41, 1);
	route(10, REDIR_LEVEL | 0x51, 2);
	set(10, true);
	ioapic_get_state(&ioapic, &saved);
	assert_int_equal(saved.irr, BIT(10));
	assert_int_equal(saved.id, 3);
	assert_int_equal(saved.base_address, 0xfec00000);
	assert_true(saved.redirtbl[10].fields.remote_irr);
	assert_int_equal(saved.redirtbl[10].fields.dest_id, 2);

	ioapic_init(&ioapic, vm);
	ioapic_set_state(&ioapic, &saved);
	ioapic_get_state(&ioapic, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	/* The pending level is served after the EOI, until it is lowered. */
	assert_int_equal(take(2), 0x51);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), 0x51);
	set(10, false);
	lapic_w(2, LAPIC_REG_EOI, 0);
	assert_int_equal(take(2), -1);
}

static void hostile_state(void **state)
{
	struct kvm_ioapic_state s;
	int i, n;

	memset(&s, 0xff, sizeof(s));
	ioapic_set_state(&ioapic, &s);
	ioapic_get_state(&ioapic, &s);
	assert_int_equal(s.base_address, 0xfec00000);
	assert_int_equal(set(24, true), -1);
	assert_int_equal(set(~0u, true), -1);
	srand(1);
	for (i = 0; i < 20000; i++) {
		switch (rand() % 6) {
		case 0:
			ioapic_write(&ioapic, rand() % 0x100, rand());
			break;
		case 1:
			wr(rand(), rand());
			break;
		case 2:
			rd(rand());
			break;
		case 3:
			ioapic_set_line(&ioapic, rand() % 24, rand() % 3,
					rand() & 1);
			break;
		case 4:
			take(rand() % 4);
			lapic_w(rand() % 4, LAPIC_REG_EOI, 0);
			break;
		case 5:
			for (n = 0; n < sizeof(s); n++)
				((u8 *)&s)[n] = rand();
			if (!(rand() % 20))
				ioapic_set_state(&ioapic, &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(registers),
		TEST(edge),
		TEST(masked_edge_is_lost),
		TEST(level),
		TEST(resampled_level),
		TEST(revectored_during_eoi),
		TEST(masked_level_waits),
		TEST(edge_clears_remote_irr),
		TEST(directed_eoi),
		TEST(shared_vector),
		TEST(destinations),
		TEST(level_nobody_takes),
		TEST(state_round_trip),
		TEST(hostile_state),
	};

	return cmocka_run_group_tests_name("ioapic", tests, NULL, NULL);
}
