// SPDX-License-Identifier: GPL-2.0-only
/* The 8254: counting modes, access by bytes, latches, interrupts, port 0x61. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/lapic.h"
#include "irqchip/pit.h"

static struct vm *vm;
static struct pit pit;

static int setup(void **state)
{
	vm = fake_vm_create(0);
	pit_init(&pit, vm);
	return 0;
}

static int teardown(void **state)
{
	pit_stop(&pit);
	fake_vm_destroy(vm);
	return 0;
}

/* @n ticks of the PIT's clock in ns, rounded up. */
static u64 ticks(u64 n)
{
	return (n * NSEC_PER_SEC + PIT_HZ - 1) / PIT_HZ;
}

static void load(unsigned int ch, unsigned int mode, u16 count)
{
	pit_write(&pit, 0x43, ch << 6 | 0x30 | mode << 1);
	pit_write(&pit, 0x40 + ch, count);
	pit_write(&pit, 0x40 + ch, count >> 8);
}

static u16 read_word(unsigned int ch)
{
	u8 low = pit_read(&pit, 0x40 + ch);

	return low | pit_read(&pit, 0x40 + ch) << 8;
}

static u8 read_status(unsigned int ch)
{
	pit_write(&pit, 0x43, 0xe0 | 2 << ch);
	return pit_read(&pit, 0x40 + ch);
}

static bool output(unsigned int ch)
{
	return read_status(ch) & 0x80;
}

static void terminal_count(void **state)
{
	load(0, 0, 1000);
	assert_int_equal(read_word(0), 1000);
	assert_false(output(0));
	fake_clock_advance(ticks(400));
	assert_int_equal(read_word(0), 600);
	assert_int_equal(vm->pulses, 0);
	fake_clock_advance(ticks(600));
	assert_true(output(0));
	assert_int_equal(vm->pulses, 1);
	/* It counts on around, the interrupt does not come again. */
	fake_clock_advance(ticks(10));
	assert_in_range(read_word(0), 0xfff0, 0xfff6);
	fake_clock_advance(ticks(200000));
	assert_true(output(0));
	assert_int_equal(vm->pulses, 1);
}

static void terminal_count_first_byte_stops(void **state)
{
	load(0, 0, 1000);
	pit_write(&pit, 0x40, 0x00);
	fake_clock_advance(ticks(5000));
	assert_int_equal(vm->pulses, 0);
	assert_true(read_status(0) & 0x40);
	pit_write(&pit, 0x40, 0x01);
	fake_clock_advance(ticks(256));
	assert_int_equal(vm->pulses, 1);
}

static void rate_generator(void **state)
{
	unsigned int i;

	load(0, 2, 1193);
	assert_true(output(0));
	fake_clock_advance(ticks(1192));
	assert_false(output(0));		/* low for one clock */
	assert_int_equal(read_word(0), 1);
	for (i = 1; i <= 100; i++) {
		fake_clock_advance(ticks(1193));
		assert_int_equal(vm->pulses, i);
		pit_acked(&pit);
	}
	assert_in_range(fake_clock_fired(), 100, 100);
}

static void square_wave(void **state)
{
	load(0, 3, 2000);
	assert_true(output(0));
	fake_clock_advance(ticks(500));
	assert_int_equal(read_word(0), 1000);
	assert_true(output(0));
	fake_clock_advance(ticks(600));
	assert_false(output(0));
	fake_clock_advance(ticks(900));
	assert_true(output(0));
	assert_int_equal(vm->pulses, 1);
}

static void strobe(void **state)
{
	load(0, 4, 500);
	assert_true(output(0));
	fake_clock_advance(ticks(499));
	assert_true(output(0));
	assert_int_equal(vm->pulses, 0);
	fake_clock_advance(ticks(1));
	assert_false(output(0));
	assert_int_equal(vm->pulses, 1);
	fake_clock_advance(ticks(1));
	assert_true(output(0));
	fake_clock_advance(ticks(70000));
	assert_int_equal(vm->pulses, 1);
}

static void gate_started_modes(void **state)
{
	load(0, 1, 100);	/* channel 0's gate never rises */
	load(2, 1, 1000);
	assert_true(output(2));
	fake_clock_advance(ticks(5000));
	assert_int_equal(vm->pulses, 0);
	pit_speaker_write(&pit, 1);
	assert_false(output(2));
	fake_clock_advance(ticks(999));
	assert_false(output(2));
	fake_clock_advance(ticks(1));
	assert_true(output(2));
	/* Lowering the gate changes nothing, raising it starts anew. */
	pit_speaker_write(&pit, 0);
	assert_true(output(2));
	pit_speaker_write(&pit, 1);
	assert_false(output(2));
}

static void gate_stops_the_count(void **state)
{
	/* As Linux calibrates its TSC: channel 2, mode 0. */
	pit_speaker_write(&pit, 1);
	load(2, 0, 1000);
	fake_clock_advance(ticks(300));
	pit_speaker_write(&pit, 0);
	fake_clock_advance(ticks(50000));
	assert_in_range(read_word(2), 699, 700);
	assert_false(pit_speaker_read(&pit) & 0x20);
	pit_speaker_write(&pit, 1);
	fake_clock_advance(ticks(690));
	assert_false(pit_speaker_read(&pit) & 0x20);
	fake_clock_advance(ticks(12));
	assert_true(pit_speaker_read(&pit) & 0x20);
}

static void speaker_port(void **state)
{
	u8 seen = 0;
	int i;

	pit_speaker_write(&pit, 0xff);
	assert_int_equal(pit_speaker_read(&pit) & 0x0f, 3);
	pit_speaker_write(&pit, 2);
	assert_int_equal(pit_speaker_read(&pit) & 0x0f, 2);
	for (i = 0; i < 8; i++) {
		seen |= pit_speaker_read(&pit) & 0x10 ? 1 : 2;
		fake_clock_advance(16384);
	}
	assert_int_equal(seen, 3);
}

static void byte_access(void **state)
{
	pit_write(&pit, 0x43, 0x14);	/* channel 0, low byte, mode 2 */
	pit_write(&pit, 0x40, 200);
	assert_int_equal(pit_read(&pit, 0x40), 200);
	assert_int_equal(pit_read(&pit, 0x40), 200);
	pit_write(&pit, 0x43, 0x24);	/* high byte */
	pit_write(&pit, 0x40, 2);
	assert_int_equal(pit_read(&pit, 0x40), 2);
	fake_clock_advance(ticks(300));
	assert_int_equal(pit_read(&pit, 0x40), 0);
}

static void latching(void **state)
{
	load(0, 2, 10000);
	fake_clock_advance(ticks(1000));
	pit_write(&pit, 0x43, 0x00);
	fake_clock_advance(ticks(1000));
	pit_write(&pit, 0x43, 0x00);	/* the first latch holds */
	assert_int_equal(read_word(0), 9000);
	assert_int_equal(read_word(0), 8000);
	/* Read-back of both: status first, then the count. */
	pit_write(&pit, 0x43, 0xc2);
	fake_clock_advance(ticks(500));
	assert_int_equal(pit_read(&pit, 0x40), 0x80 | 0x34);
	assert_int_equal(read_word(0), 8000);
	assert_int_equal(read_word(0), 7500);
}

static void readback_of_many(void **state)
{
	load(0, 2, 1000);
	load(2, 3, 2000);
	pit_write(&pit, 0x43, 0xe0 | 0x0e);	/* status of all three */
	assert_int_equal(pit_read(&pit, 0x40) & 0x7f, 0x34);
	assert_int_equal(pit_read(&pit, 0x41) & 0x7f, 0x40 | 0x36);
	assert_int_equal(pit_read(&pit, 0x42) & 0x7f, 0x36);
	assert_int_equal(pit_read(&pit, 0x43), 0);
}

static void modes_six_and_seven(void **state)
{
	load(0, 6, 1000);
	assert_int_equal(read_status(0) & 0x0e, 2 << 1);
	load(0, 7, 1000);
	assert_int_equal(read_status(0) & 0x0e, 3 << 1);
}

static void bcd(void **state)
{
	pit_write(&pit, 0x43, 0x35);
	pit_write(&pit, 0x40, 0x00);
	pit_write(&pit, 0x40, 0x50);
	assert_int_equal(read_word(0), 0x5000);
	fake_clock_advance(ticks(1));
	assert_int_equal(read_word(0), 0x4999);
	pit_write(&pit, 0x40, 0);
	pit_write(&pit, 0x40, 0);	/* 10000 */
	fake_clock_advance(ticks(1));
	assert_int_equal(read_word(0), 0x9999);
	/* Digits beyond 9 are what they are, never out of bounds. */
	pit_write(&pit, 0x40, 0xff);
	pit_write(&pit, 0x40, 0xff);
	read_word(0);
}

static void zero_is_the_largest(void **state)
{
	load(0, 2, 0);
	fake_clock_advance(ticks(1));
	assert_int_equal(read_word(0), 0xffff);
	fake_clock_advance(ticks(65535));
	assert_int_equal(vm->pulses, 1);
}

static void reinjection(void **state)
{
	load(0, 2, 1193);
	fake_clock_advance(ticks(1193 * 5));
	assert_int_equal(vm->pulses, 1);	/* not acknowledged yet */
	pit_acked(&pit);
	pit_acked(&pit);
	assert_int_equal(vm->pulses, 3);
	pit_acked(&pit);
	pit_acked(&pit);
	assert_int_equal(vm->pulses, 5);
	pit_acked(&pit);
	assert_int_equal(vm->pulses, 5);
	pit_acked(&pit);			/* nothing is owed */
	assert_int_equal(vm->pulses, 5);
	fake_clock_advance(ticks(1193));
	assert_int_equal(vm->pulses, 6);
}

static void no_reinjection(void **state)
{
	pit_set_reinject(&pit, false);
	load(0, 2, 1193);
	fake_clock_advance(ticks(1193 * 5));
	assert_int_equal(vm->pulses, 5);
	pit_acked(&pit);
	assert_int_equal(vm->pulses, 5);
}

static void masked_ticks_are_not_owed(void **state)
{
	vm->pulse_result = -1;
	load(0, 2, 1193);
	fake_clock_advance(ticks(1193 * 5));
	vm->pulse_result = 1;
	vm->pulses = 0;
	fake_clock_advance(ticks(1193));
	assert_int_equal(vm->pulses, 1);
	pit_acked(&pit);
	assert_int_equal(vm->pulses, 1);
}

static void short_periods_are_stretched(void **state)
{
	pit_set_reinject(&pit, false);
	load(0, 2, 1);
	fake_clock_advance(NSEC_PER_SEC / 10);
	assert_in_range(fake_clock_fired(), 1,
			100000 / lapic_min_period_us + 1);
	load(0, 2, 2);
	fake_clock_jump(NSEC_PER_SEC);	/* a late timer does not spin */
	assert_in_range(fake_clock_fired(), 1,
			100000 / lapic_min_period_us + 2);
}

static void programming_stops_the_ticks(void **state)
{
	load(0, 2, 1193);
	pit_write(&pit, 0x43, 0x34);
	fake_clock_advance(NSEC_PER_SEC);
	assert_int_equal(vm->pulses, 0);
	assert_int_equal(fake_clock_fired(), 0);
}

static void state_round_trip(void **state)
{
	struct kvm_pit_state2 saved, again;

	pit_speaker_write(&pit, 3);
	load(0, 2, 1193);
	load(2, 0, 5000);
	pit_write(&pit, 0x42, 0x34);
	fake_clock_advance(ticks(100));
	pit_get_state(&pit, &saved);
	assert_int_equal(saved.channels[0].count, 1193);
	assert_int_equal(saved.channels[0].mode, 2);
	assert_int_equal(saved.channels[2].write_state, 4);
	assert_int_equal(saved.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);

	pit_stop(&pit);
	pit_init(&pit, vm);
	assert_int_equal(pit_set_state(&pit, &saved), 0);
	pit_get_state(&pit, &again);
	/* Channel 0 counts from the restoration on. */
	assert_true(again.channels[0].count_load_time >
		    saved.channels[0].count_load_time);
	again.channels[0].count_load_time = saved.channels[0].count_load_time;
	assert_memory_equal(&again, &saved, sizeof(saved));
	fake_clock_advance(ticks(1193));
	assert_int_equal(vm->pulses, 1);
}

static void hpet_legacy_is_silent(void **state)
{
	struct kvm_pit_state2 s;

	load(0, 2, 1193);
	pit_get_state(&pit, &s);
	s.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
	assert_int_equal(pit_set_state(&pit, &s), 0);
	fake_clock_advance(ticks(1193 * 3));
	assert_int_equal(vm->pulses, 0);
	s.flags = 0x80;
	assert_int_equal(pit_set_state(&pit, &s), -EINVAL);
}

static void hostile_state(void **state)
{
	struct kvm_pit_state2 s;
	int i, n;

	srand(1);
	for (i = 0; i < 20000; i++) {
		switch (rand() % 5) {
		case 0:
			pit_write(&pit, rand(), rand());
			break;
		case 1:
			pit_read(&pit, rand());
			break;
		case 2:
			pit_speaker_write(&pit, rand());
			pit_speaker_read(&pit);
			break;
		case 3:
			fake_clock_advance(rand() % 2000000);
			pit_acked(&pit);
			break;
		case 4:
			for (n = 0; n < sizeof(s); n++)
				((u8 *)&s)[n] = rand() % 4 ? rand() : 0;
			s.flags &= 3;
			pit_set_state(&pit, &s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(terminal_count),
		TEST(terminal_count_first_byte_stops),
		TEST(rate_generator),
		TEST(square_wave),
		TEST(strobe),
		TEST(gate_started_modes),
		TEST(gate_stops_the_count),
		TEST(speaker_port),
		TEST(byte_access),
		TEST(latching),
		TEST(readback_of_many),
		TEST(modes_six_and_seven),
		TEST(bcd),
		TEST(zero_is_the_largest),
		TEST(reinjection),
		TEST(no_reinjection),
		TEST(masked_ticks_are_not_owed),
		TEST(short_periods_are_stretched),
		TEST(programming_stops_the_ticks),
		TEST(state_round_trip),
		TEST(hpet_legacy_is_silent),
		TEST(hostile_state),
	};

	return cmocka_run_group_tests_name("pit", tests, NULL, NULL);
}
