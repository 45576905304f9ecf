// SPDX-License-Identifier: GPL-2.0-only
/* The 8259A pair: initialization, priorities, EOI modes, polling, ELCR. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/irqchip.h"
#include "irqchip/pic.h"

static struct vm *vm;
static struct pic pic;

/* As a PC's firmware or Linux does it. */
static void init_pair(u8 icw4_master, u8 icw4_slave)
{
	pic_write(&pic, 0x20, 0x11);
	pic_write(&pic, 0x21, 0x30);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, icw4_master);
	pic_write(&pic, 0xa0, 0x11);
	pic_write(&pic, 0xa1, 0x38);
	pic_write(&pic, 0xa1, 0x02);
	pic_write(&pic, 0xa1, icw4_slave);
}

static int setup(void **state)
{
	vm = fake_vm_create(0);
	pic_init(&pic, vm);
	init_pair(1, 1);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

static int raise(unsigned int pin)
{
	return pic_set_line(&pic, pin, IRQ_SOURCE_USERSPACE, true);
}

static int lower(unsigned int pin)
{
	return pic_set_line(&pic, pin, IRQ_SOURCE_USERSPACE, false);
}

static void pulse(unsigned int pin)
{
	raise(pin);
	lower(pin);
}

static u8 read_isr(u16 port)
{
	pic_write(&pic, port, 0x0b);
	return pic_read(&pic, port);
}

static u8 read_irr(u16 port)
{
	pic_write(&pic, port, 0x0a);
	return pic_read(&pic, port);
}

static void edge_round_trip(void **state)
{
	assert_false(pic_output(&pic));
	assert_int_equal(raise(3), 1);
	assert_true(pic_output(&pic));
	assert_int_equal(vm->pic_outputs, 1);
	assert_int_equal(read_irr(0x20), 0x08);
	assert_int_equal(pic_ack(&pic), 0x33);
	assert_false(pic_output(&pic));
	assert_int_equal(read_irr(0x20), 0);
	assert_int_equal(read_isr(0x20), 0x08);
	/* The line stays up: no second interrupt. */
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(read_isr(0x20), 0);
	assert_false(pic_output(&pic));
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_MASTER][3], 1);
	lower(3);
	raise(3);
	assert_true(pic_output(&pic));
}

static void edge_coalesces(void **state)
{
	assert_int_equal(raise(4), 1);
	lower(4);
	assert_int_equal(raise(4), 0);
	lower(4);
	assert_int_equal(pic_ack(&pic), 0x34);
	pic_write(&pic, 0x20, 0x64);
	assert_false(pic_output(&pic));
}

static void level_round_trip(void **state)
{
	pic_write(&pic, 0x4d1, 0x08);	/* IRQ 11 */
	raise(11);
	assert_int_equal(pic_ack(&pic), 0x3b);
	pic_write(&pic, 0xa0, 0x20);
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_SLAVE][3], 1);
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_MASTER][2], 1);
	/* Still asserted: again. */
	assert_true(pic_output(&pic));
	assert_int_equal(pic_ack(&pic), 0x3b);
	lower(11);
	pic_write(&pic, 0xa0, 0x20);
	pic_write(&pic, 0x20, 0x20);
	assert_false(pic_output(&pic));
}

static void level_sources_are_ored(void **state)
{
	pic_write(&pic, 0x4d1, 0x02);	/* IRQ 9 */
	pic_set_line(&pic, 9, IRQ_SOURCE_USERSPACE, true);
	pic_set_line(&pic, 9, IRQ_SOURCE_IRQFD_RESAMPLE, true);
	pic_set_line(&pic, 9, IRQ_SOURCE_USERSPACE, false);
	assert_true(pic_output(&pic));
	pic_set_line(&pic, 9, IRQ_SOURCE_IRQFD_RESAMPLE, false);
	assert_false(pic_output(&pic));
}

static void priorities(void **state)
{
	raise(5);
	raise(1);
	assert_int_equal(pic_ack(&pic), 0x31);
	assert_false(pic_output(&pic));		/* 5 waits for 1 */
	raise(0);
	assert_int_equal(pic_ack(&pic), 0x30);	/* 0 does not */
	pic_write(&pic, 0x20, 0x20);		/* ends 0 */
	assert_int_equal(read_isr(0x20), 0x02);
	assert_false(pic_output(&pic));
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(pic_ack(&pic), 0x35);
}

static void slave_ranks_as_irq2(void **state)
{
	raise(3);
	raise(8);
	assert_int_equal(pic_ack(&pic), 0x38);
	assert_int_equal(read_isr(0x20), 0x04);
	assert_int_equal(read_isr(0xa0), 0x01);
	/* A higher one of the slave waits: the master serves its pin 2. */
	pic_write(&pic, 0xa0, 0x20);
	raise(9);
	assert_false(pic_output(&pic));
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(pic_ack(&pic), 0x39);
}

static void fully_nested_slave(void **state)
{
	init_pair(0x11, 1);
	raise(12);
	assert_int_equal(pic_ack(&pic), 0x3c);
	raise(8);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_ack(&pic), 0x38);
	assert_int_equal(read_isr(0xa0), 0x11);
}

static void masking(void **state)
{
	pic_write(&pic, 0x21, 0xff);
	assert_int_equal(pic_read(&pic, 0x21), 0xff);
	assert_int_equal(raise(6), -1);
	assert_false(pic_output(&pic));
	assert_int_equal(read_irr(0x20), 0x40);
	pic_write(&pic, 0x21, 0xbf);
	assert_true(pic_output(&pic));
	assert_int_equal(vm->pic_outputs, 1);
	assert_int_equal(pic_ack(&pic), 0x36);
}

static void spurious(void **state)
{
	pic_write(&pic, 0x4d0, 0x20);
	raise(5);
	lower(5);		/* a level that goes before it is taken */
	assert_false(pic_output(&pic));
	assert_int_equal(pic_ack(&pic), 0x37);
	assert_int_equal(read_isr(0x20), 0);
	/* A slave's request, masked on the slave meanwhile. */
	raise(10);
	pic_write(&pic, 0xa1, 0xff);
	assert_int_equal(pic_ack(&pic), 0x37);
}

static void special_mask(void **state)
{
	raise(1);
	assert_int_equal(pic_ack(&pic), 0x31);
	raise(6);
	assert_false(pic_output(&pic));
	pic_write(&pic, 0x21, 0x02);
	assert_false(pic_output(&pic));
	pic_write(&pic, 0x20, 0x68);	/* special mask on: 1 blocks no more */
	assert_true(pic_output(&pic));
	assert_int_equal(pic_ack(&pic), 0x36);
	/* A non-specific EOI passes over the masked one. */
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(read_isr(0x20), 0x02);
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(read_isr(0x20), 0x02);
	pic_write(&pic, 0x20, 0x61);
	assert_int_equal(read_isr(0x20), 0);
	pic_write(&pic, 0x20, 0x48);
}

static void rotation(void **state)
{
	/* Rotate on EOI: the served one becomes the last. */
	pulse(3);
	assert_int_equal(pic_ack(&pic), 0x33);
	pic_write(&pic, 0x20, 0xa0);
	pulse(3);
	pulse(1);
	pulse(4);
	assert_int_equal(pic_ack(&pic), 0x34);
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(pic_ack(&pic), 0x31);
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(pic_ack(&pic), 0x33);
	pic_write(&pic, 0x20, 0x20);
	/* Set priority: 7 last is the order after initialization. */
	pic_write(&pic, 0x20, 0xc7);
	pulse(0);
	pulse(7);
	assert_int_equal(pic_ack(&pic), 0x30);
	/* Rotate on specific EOI. */
	pic_write(&pic, 0x20, 0xe0);
	assert_int_equal(read_isr(0x20), 0);
	pulse(0);
	pulse(1);
	assert_int_equal(pic_ack(&pic), 0x31);
}

static void automatic_eoi(void **state)
{
	init_pair(3, 3);
	pulse(1);
	pulse(6);
	assert_int_equal(pic_ack(&pic), 0x31);
	assert_int_equal(read_isr(0x20), 0);
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_MASTER][1], 1);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_ack(&pic), 0x36);
	/* Rotating. */
	pic_write(&pic, 0x20, 0x80);
	pulse(1);
	assert_int_equal(pic_ack(&pic), 0x31);
	pulse(1);
	pulse(3);
	assert_int_equal(pic_ack(&pic), 0x33);
	assert_int_equal(pic_ack(&pic), 0x31);
}

static void polling(void **state)
{
	pic_write(&pic, 0x20, 0x0c);
	assert_int_equal(pic_read(&pic, 0x20), 0);
	raise(4);
	pic_write(&pic, 0x20, 0x0c);
	assert_int_equal(pic_read(&pic, 0x20), 0x84);
	assert_int_equal(read_isr(0x20), 0x10);
	assert_false(pic_output(&pic));
}

static void initialization_clears(void **state)
{
	raise(1);
	assert_int_equal(pic_ack(&pic), 0x31);
	raise(0);
	pic_write(&pic, 0x21, 0xf0);
	pic_write(&pic, 0x20, 0x11);
	assert_int_equal(read_isr(0x20), 0);
	assert_int_equal(read_irr(0x20), 0);
	/* Whoever waits for the end of what was lost is told. */
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_MASTER][0], 1);
	assert_int_equal(vm->acks[KVM_IRQCHIP_PIC_MASTER][1], 1);
	pic_write(&pic, 0x21, 0x08);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, 0x01);
	assert_int_equal(pic_read(&pic, 0x21), 0);
	/* Without ICW4 two words are enough. */
	pic_write(&pic, 0x20, 0x10);
	pic_write(&pic, 0x21, 0x47);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, 0xfe);
	assert_int_equal(pic_read(&pic, 0x21), 0xfe);
	pulse(0);
	assert_int_equal(pic_ack(&pic), 0x40);
}

static void elcr(void **state)
{
	pic_write(&pic, 0x4d0, 0xff);
	pic_write(&pic, 0x4d1, 0xff);
	assert_int_equal(pic_read(&pic, 0x4d0), 0xf8);
	assert_int_equal(pic_read(&pic, 0x4d1), 0xde);
}

static void cascade_pin_is_the_slaves(void **state)
{
	assert_int_equal(raise(2), -1);
	assert_false(pic_output(&pic));
	assert_int_equal(raise(16), -1);
	assert_int_equal(raise(~0u), -1);
}

static void state_round_trip(void **state)
{
	struct kvm_pic_state master, slave, again;

	pic_write(&pic, 0x4d1, 0x08);
	raise(11);
	raise(4);
	assert_int_equal(pic_ack(&pic), 0x3b);
	pic_get_state(&pic, 0, &master);
	pic_get_state(&pic, 1, &slave);
	assert_int_equal(master.irr, 0x10);
	assert_int_equal(master.isr, 0x04);
	assert_int_equal(slave.isr, 0x08);
	assert_int_equal(slave.elcr, 0x08);

	pic_init(&pic, vm);
	pic_set_state(&pic, 0, &master);
	pic_set_state(&pic, 1, &slave);
	pic_get_state(&pic, 0, &again);
	assert_memory_equal(&again, &master, sizeof(again));
	pic_get_state(&pic, 1, &again);
	assert_memory_equal(&again, &slave, sizeof(again));
	lower(11);
	pic_write(&pic, 0xa0, 0x20);
	pic_write(&pic, 0x20, 0x20);
	assert_int_equal(pic_ack(&pic), 0x34);
}

static void hostile_state(void **state)
{
	struct kvm_pic_state s;
	int i, n;

	memset(&s, 0xff, sizeof(s));
	pic_set_state(&pic, 0, &s);
	pic_set_state(&pic, 1, &s);
	pic_get_state(&pic, 0, &s);
	assert_int_equal(s.elcr, 0xf8);
	assert_int_equal(s.priority_add, 7);
	assert_int_equal(s.init_state, 3);
	srand(1);
	for (i = 0; i < 20000; i++) {
		static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0,
					     0x4d1 };
		u16 port = ports[rand() % 6];

		switch (rand() % 5) {
		case 0:
			pic_write(&pic, port, rand());
			break;
		case 1:
			pic_read(&pic, port);
			break;
		case 2:
			pic_set_line(&pic, rand() % 16, rand() % 3, rand() & 1);
			break;
		case 3:
			if (pic_output(&pic))
				pic_ack(&pic);
			break;
		case 4:
			for (n = 0; n < sizeof(s); n++)
				((u8 *)&s)[n] = rand();
			if (!(rand() % 50))
				pic_set_state(&pic, rand() & 1, &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(edge_round_trip),
		TEST(edge_coalesces),
		TEST(level_round_trip),
		TEST(level_sources_are_ored),
		TEST(priorities),
		TEST(slave_ranks_as_irq2),
		TEST(fully_nested_slave),
		TEST(masking),
		TEST(spurious),
		TEST(special_mask),
		TEST(rotation),
		TEST(automatic_eoi),
		TEST(polling),
		TEST(initialization_clears),
		TEST(elcr),
		TEST(cascade_pin_is_the_slaves),
		TEST(state_round_trip),
		TEST(hostile_state),
	};

	return cmocka_run_group_tests_name("pic", tests, NULL, NULL);
}
