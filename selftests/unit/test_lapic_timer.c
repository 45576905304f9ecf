// SPDX-License-Identifier: GPL-2.0-only
/* The APIC timer on a clock that the test turns. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fake_irq_host.h"
#include "irqchip/lapic.h"

#define VECTOR	0xec
#define MS	1000000ULL

static struct vm *vm;
static struct lapic *apic;

static void wr(u32 reg, u32 val)
{
	assert_true(lapic_mmio_write(apic, reg, 4, &val));
}

static u32 rd(u32 reg)
{
	u32 val;

	assert_true(lapic_mmio_read(apic, reg, 4, &val));
	return val;
}

static int setup(void **state)
{
	vm = fake_vm_create(1);
	apic = vm->vcpus[0].lapic;
	wr(LAPIC_REG_SVR, 0x1ff);
	wr(LAPIC_REG_TDCR, 0xb);	/* divide by 1: counts are ns */
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(vm);
	return 0;
}

/* Run the vCPU's part: true: the timer's interrupt came, once. */
static bool fires(void)
{
	int vector;

	fake_take_timer(&vm->vcpus[0]);
	vector = lapic_next_irq(apic);
	if (vector < 0)
		return false;
	assert_int_equal(vector, VECTOR);
	lapic_ack(apic, vector);
	lapic_eoi(apic);
	assert_int_equal(lapic_next_irq(apic), -1);
	return true;
}

static void oneshot(void **state)
{
	wr(LAPIC_REG_LVTT, VECTOR);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 0);
	wr(LAPIC_REG_TMICT, 10 * MS);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 10 * MS);
	fake_clock_advance(4 * MS);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 6 * MS);
	assert_false(fires());
	fake_clock_advance(6 * MS);
	assert_true(lapic_timer_pending(apic));
	assert_true(fires());
	assert_int_equal(rd(LAPIC_REG_TMCCT), 0);
	fake_clock_advance(100 * MS);
	assert_false(fires());
	assert_int_equal(fake_clock_fired(), 1);
	/* Stopped by 0; started over by another count. */
	wr(LAPIC_REG_TMICT, 10 * MS);
	wr(LAPIC_REG_TMICT, 0);
	fake_clock_advance(20 * MS);
	assert_false(fires());
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(9 * MS);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(9 * MS);
	assert_false(fires());
	fake_clock_advance(1 * MS);
	assert_true(fires());
	/* The shortest one is not lost. */
	wr(LAPIC_REG_TMICT, 1);
	fake_clock_advance(1);
	assert_true(fires());
}

static void divider(void **state)
{
	static const struct {
		u32 tdcr, divide;
	} t[] = {
		{ 0x0, 2 }, { 0x1, 4 }, { 0x2, 8 }, { 0x3, 16 },
		{ 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 },
	};
	unsigned int i;

	wr(LAPIC_REG_LVTT, VECTOR);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		wr(LAPIC_REG_TDCR, t[i].tdcr);
		wr(LAPIC_REG_TMICT, 100000);
		fake_clock_advance(99999ULL * t[i].divide);
		assert_int_equal(rd(LAPIC_REG_TMCCT), 1);
		assert_false(fires());
		fake_clock_advance(t[i].divide);
		assert_true(fires());
	}
	/* Changed under way: the count that is left goes on. */
	wr(LAPIC_REG_TDCR, 0xb);
	wr(LAPIC_REG_TMICT, 1000000);
	fake_clock_advance(400000);
	wr(LAPIC_REG_TDCR, 0x1);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 600000);
	fake_clock_advance(4 * 600000 - 4);
	assert_false(fires());
	fake_clock_advance(4);
	assert_true(fires());
}

static void periodic(void **state)
{
	unsigned int i;

	wr(LAPIC_REG_LVTT, 0x20000 | VECTOR);
	wr(LAPIC_REG_TMICT, 5 * MS);
	for (i = 0; i < 10; i++) {
		fake_clock_advance(5 * MS - 1);
		assert_false(fires());
		assert_int_equal(rd(LAPIC_REG_TMCCT), 1);
		fake_clock_advance(1);
		assert_true(fires());
		assert_int_equal(rd(LAPIC_REG_TMCCT), 5 * MS);
	}
	/* A vCPU that is not there costs one expiry; the phase is kept. */
	fake_clock_advance(5 * MS * 1000 + 2 * MS);
	assert_int_equal(fake_clock_fired(), 11);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 3 * MS);
	assert_true(fires());
	fake_clock_advance(3 * MS);
	assert_true(fires());
	/* To one-shot: the period that runs is the last. */
	wr(LAPIC_REG_LVTT, VECTOR);
	fake_clock_advance(5 * MS);
	assert_true(fires());
	fake_clock_advance(50 * MS);
	assert_false(fires());
}

static void periods_have_a_floor(void **state)
{
	u64 end;

	wr(LAPIC_REG_LVTT, 0x20000 | VECTOR);
	wr(LAPIC_REG_TMICT, 1);
	assert_int_equal(vm->short_periods, 1);
	for (end = ktime_get_ns() + 100 * MS; ktime_get_ns() < end;) {
		fake_clock_advance(1000);
		fires();
	}
	assert_in_range(fake_clock_fired(), 400,
			100000 / lapic_min_period_us + 1);
}

static void masked(void **state)
{
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(4 * MS);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 6 * MS);
	wr(LAPIC_REG_LVTT, VECTOR);
	fake_clock_advance(6 * MS);
	assert_true(fires());
	/* Run out while masked: no interrupt, then or later. */
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(20 * MS);
	wr(LAPIC_REG_LVTT, VECTOR);
	fake_clock_advance(20 * MS);
	assert_false(fires());
	/* A masked period keeps its phase and costs the host nothing. */
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | 0x20000 | VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(1003 * MS);
	assert_int_equal(fake_clock_fired(), 1);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 7 * MS);
	wr(LAPIC_REG_LVTT, 0x20000 | VECTOR);
	assert_false(fires());
	fake_clock_advance(7 * MS);
	assert_true(fires());
}

static void late_expiry_is_not_lost(void **state)
{
	/* The count has run out, the host's timer did not come yet, and the
	 * guest writes the LVT.
	 */
	wr(LAPIC_REG_LVTT, VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	apic->timer.target -= 10 * MS;
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | VECTOR);
	assert_true(fires());
	/* Expired, not yet taken, then masked. */
	wr(LAPIC_REG_LVTT, VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(10 * MS);
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | VECTOR);
	assert_true(fires());
	assert_false(fires());
}

static u64 guest_tsc(void)
{
	return irq_host_guest_tsc(&vm->vcpus[0]);
}

static void deadline(void **state)
{
	u64 when;

	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	when = guest_tsc() + 20 * MS;		/* 10 ms at 2 GHz */
	lapic_set_tsc_deadline(apic, when);
	assert_int_equal(lapic_get_tsc_deadline(apic), when);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 0);
	fake_clock_advance(9 * MS);
	assert_false(fires());
	fake_clock_advance(1 * MS);
	assert_true(fires());
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	fake_clock_advance(100 * MS);
	assert_false(fires());
	/* In the past: at once. */
	lapic_set_tsc_deadline(apic, 1);
	assert_true(fires());
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	/* Disarmed, moved. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	lapic_set_tsc_deadline(apic, 0);
	fake_clock_advance(20 * MS);
	assert_false(fires());
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	lapic_set_tsc_deadline(apic, guest_tsc() + 40 * MS);
	fake_clock_advance(10 * MS);
	assert_false(fires());
	fake_clock_advance(10 * MS);
	assert_true(fires());
	/* An expiry not yet taken is not lost to the next deadline. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 2 * MS);
	fake_clock_advance(1 * MS);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	assert_true(fires());
	fake_clock_advance(10 * MS);
	assert_true(fires());
}

/* The CPU looks after it while the guest runs, the host while it does not. */
static void deadline_in_the_cpu(void **state)
{
	struct vcpu *vcpu = &vm->vcpus[0];
	u64 when = guest_tsc() + 20 * MS;		/* 10 ms */

	vm->cpu_timer = true;
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	lapic_set_tsc_deadline(apic, when);
	assert_int_equal(vcpu->cpu_deadline, when);
	assert_int_equal(lapic_get_tsc_deadline(apic), when);
	fake_clock_advance(9 * MS);
	lapic_timer_poll(apic);				/* an exit for something else */
	assert_int_equal(vcpu->cpu_deadline, when);
	assert_false(fires());
	fake_clock_advance(1 * MS);
	assert_int_equal(fake_clock_fired(), 0);
	lapic_timer_poll(apic);
	assert_true(fires());
	assert_int_equal(vcpu->cpu_deadline, 0);
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	lapic_timer_poll(apic);
	assert_false(fires());

	/* It halts. */
	when = guest_tsc() + 20 * MS;
	lapic_set_tsc_deadline(apic, when);
	lapic_timer_to_host(apic);
	assert_int_equal(vcpu->cpu_deadline, 0);
	fake_clock_advance(10 * MS);
	assert_int_equal(fake_clock_fired(), 1);
	assert_true(fires());
	/* It halted, and was woken by something else: armed anew, once. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	lapic_timer_to_host(apic);
	when = guest_tsc() + 40 * MS;
	lapic_set_tsc_deadline(apic, when);
	assert_int_equal(vcpu->cpu_deadline, when);
	fake_clock_advance(20 * MS);
	assert_int_equal(fake_clock_fired(), 1);
	lapic_timer_poll(apic);
	assert_true(fires());
	/* It halts too late. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	fake_clock_advance(11 * MS);
	lapic_timer_to_host(apic);
	assert_true(fires());

	/* Disarmed, masked, another mode, far away, reset. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	lapic_set_tsc_deadline(apic, 0);
	assert_int_equal(vcpu->cpu_deadline, 0);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	wr(LAPIC_REG_LVTT, 0x40000 | LAPIC_LVT_MASKED | VECTOR);
	assert_int_equal(vcpu->cpu_deadline, 0);
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_int_not_equal(vcpu->cpu_deadline, 0);
	wr(LAPIC_REG_LVTT, VECTOR);
	assert_int_equal(vcpu->cpu_deadline, 0);
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20000 * MS);
	assert_int_equal(vcpu->cpu_deadline, 0);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	assert_int_not_equal(vcpu->cpu_deadline, 0);
	lapic_reset(apic, true);
	assert_int_equal(vcpu->cpu_deadline, 0);
	fake_clock_advance(20000 * MS);
	assert_false(fires());
}

static void deadline_of_another_clock(void **state)
{
	/* The guest's TSC falls behind after the deadline was set. */
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	vm->tsc_offset -= 10 * MS;
	fake_clock_advance(10 * MS);
	assert_false(fires());
	fake_clock_advance(5 * MS);
	assert_true(fires());
	/* Ahead, and the timer is told so. */
	lapic_set_tsc_deadline(apic, guest_tsc() + 200 * MS);
	vm->tsc_offset += 198 * MS;
	lapic_timer_update(apic);
	fake_clock_advance(1 * MS);
	assert_true(fires());
	/* Far away, farther, at any rate. */
	lapic_set_tsc_deadline(apic, ~0ULL);
	lapic_set_tsc_deadline(apic, 1ULL << 62);
	vm->tsc_khz = 1;
	lapic_set_tsc_deadline(apic, ~0ULL);
	vm->tsc_khz = ~0ULL >> 16;
	lapic_set_tsc_deadline(apic, ~0ULL);
	assert_false(fires());
}

static void deadline_masked(void **state)
{
	wr(LAPIC_REG_LVTT, LAPIC_LVT_MASKED | 0x40000 | VECTOR);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	fake_clock_advance(5 * MS);
	assert_true(lapic_get_tsc_deadline(apic));
	fake_clock_advance(5 * MS);
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_false(fires());
}

static void mode_changes_disarm(void **state)
{
	wr(LAPIC_REG_LVTT, VECTOR);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	wr(LAPIC_REG_TMICT, 10 * MS);
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_int_equal(rd(LAPIC_REG_TMICT), 0);
	wr(LAPIC_REG_TMICT, 10 * MS);		/* not in this mode */
	assert_int_equal(rd(LAPIC_REG_TMICT), 0);
	lapic_set_tsc_deadline(apic, guest_tsc() + 20 * MS);
	wr(LAPIC_REG_LVTT, VECTOR);
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_int_equal(lapic_get_tsc_deadline(apic), 0);
	wr(LAPIC_REG_LVTT, 0x60000 | VECTOR);	/* reserved mode: nothing */
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(100 * MS);
	assert_false(fires());
	/* Without the feature the bit is not there. */
	vm->no_deadline = true;
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	assert_int_equal(rd(LAPIC_REG_LVTT), VECTOR);
}

static void disabling_stops(void **state)
{
	wr(LAPIC_REG_LVTT, VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	wr(LAPIC_REG_SVR, 0xff);
	fake_clock_advance(20 * MS);
	wr(LAPIC_REG_SVR, 0x1ff);
	wr(LAPIC_REG_LVTT, VECTOR);
	assert_false(fires());
	wr(LAPIC_REG_TMICT, 10 * MS);
	lapic_reset(apic, true);
	fake_clock_advance(20 * MS);
	assert_false(fires());
	assert_int_equal(fake_clock_fired(), 0);
	/* Illegal vector: an error, no interrupt. */
	wr(LAPIC_REG_SVR, 0x1ff);
	wr(LAPIC_REG_LVTT, 5);
	wr(LAPIC_REG_TMICT, 10);
	fake_clock_advance(1 * MS);
	assert_false(fires());
	wr(LAPIC_REG_ESR, 0);
	assert_int_equal(rd(LAPIC_REG_ESR), LAPIC_ESR_RECV_ILLEGAL);
}

static void saved_and_restored(void **state)
{
	struct kvm_lapic_state s;

	wr(LAPIC_REG_LVTT, 0x20000 | VECTOR);
	wr(LAPIC_REG_TMICT, 10 * MS);
	fake_clock_advance(3 * MS);
	lapic_get_state(apic, &s);
	lapic_reset(apic, false);
	fake_clock_advance(1000 * MS);
	assert_int_equal(lapic_set_state(apic, &s), 0);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 7 * MS);
	fake_clock_advance(7 * MS);
	assert_true(fires());
	fake_clock_advance(10 * MS);
	assert_true(fires());

	/* Expired, not yet taken: saved as pending. */
	wr(LAPIC_REG_LVTT, VECTOR);
	wr(LAPIC_REG_TMICT, 1 * MS);
	fake_clock_advance(1 * MS);
	lapic_get_state(apic, &s);
	lapic_reset(apic, false);
	vm->vcpus[0].timers = 0;
	assert_int_equal(lapic_set_state(apic, &s), 0);
	assert_int_equal(rd(LAPIC_REG_TMCCT), 0);
	assert_true(fires());
	fake_clock_advance(100 * MS);
	assert_false(fires());

	/* The deadline is an MSR of its own, restored after this. */
	wr(LAPIC_REG_LVTT, 0x40000 | VECTOR);
	lapic_get_state(apic, &s);
	lapic_reset(apic, false);
	assert_int_equal(lapic_set_state(apic, &s), 0);
	lapic_set_tsc_deadline(apic, guest_tsc() + 2 * MS);
	fake_clock_advance(1 * MS);
	assert_true(fires());
}

static void migrated(void **state)
{
	wr(LAPIC_REG_LVTT, VECTOR);
	lapic_timer_update(apic);
	wr(LAPIC_REG_TMICT, 10 * MS);
	lapic_timer_update(apic);
	fake_clock_advance(10 * MS);
	assert_true(fires());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(oneshot),
		TEST(divider),
		TEST(periodic),
		TEST(periods_have_a_floor),
		TEST(masked),
		TEST(late_expiry_is_not_lost),
		TEST(deadline),
		TEST(deadline_in_the_cpu),
		TEST(deadline_of_another_clock),
		TEST(deadline_masked),
		TEST(mode_changes_disarm),
		TEST(disabling_stops),
		TEST(saved_and_restored),
		TEST(migrated),
	};

	return cmocka_run_group_tests_name("lapic timer", tests, NULL, NULL);
}
