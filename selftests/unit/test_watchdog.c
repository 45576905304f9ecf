// SPDX-License-Identifier: GPL-2.0-only
/* The watchdog's timer, with a clock of the test's: as a driver drives it, and otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "vmm/chipset/esb_timer.h"
#include "vmm/watchdog.h"

#define MS		1000000ULL
#define TICK		(30ULL * 32768)	/* of its slow clock, in nanoseconds */
#define FUZZ_ROUNDS	300000

static struct esb_timer t;
static u64 now;

static int setup(void **state)
{
	esb_timer_init(&t);
	now = 1000 * MS;
	return 0;
}

static void put(u64 reg, u32 value)
{
	esb_timer_write(&t, ESB_RELOAD, 0x80, now);
	esb_timer_write(&t, ESB_RELOAD, 0x86, now);
	esb_timer_write(&t, reg, value, now);
}

static void begin(u16 config, u8 lock, u32 first, u32 second)
{
	esb_timer_config(&t, config, 0, now);
	put(ESB_PRELOAD1, first);
	put(ESB_PRELOAD2, second);
	esb_timer_config(&t, config, lock | ESB_LOCK_ENABLE, now);
}

/* Let it run. Return: whether the output was driven. */
static bool run(u64 ns)
{
	u64 end = now + ns;
	bool driven = false;

	while (esb_timer_next(&t) <= end) {
		assert_true(esb_timer_next(&t) > now);
		now = esb_timer_next(&t);
		driven |= esb_timer_expire(&t, now);
	}
	now = end;
	assert_false(esb_timer_expire(&t, now));
	return driven;
}

/* As Linux does it: both stages of half the time, and a reload now and then. */
static void test_two_stages(void **state)
{
	begin(3, 0, 512, 512);
	assert_int_equal(esb_timer_next(&t), now + 512 * TICK);
	assert_false(run(1000 * TICK));
	put(ESB_RELOAD, ESB_RELOAD_NOW);
	assert_false(run(1023 * TICK));
	assert_int_equal(esb_timer_read(&t, ESB_RELOAD), 0);
	assert_true(run(2 * TICK));
	assert_int_equal(esb_timer_read(&t, ESB_RELOAD), ESB_RELOAD_TIMED_OUT);
	/* Once. */
	assert_true(esb_timer_next(&t) == ESB_NEVER);
	put(ESB_RELOAD, ESB_RELOAD_TIMED_OUT);
	assert_int_equal(esb_timer_read(&t, ESB_RELOAD), 0);
	put(ESB_RELOAD, ESB_RELOAD_NOW);
	assert_true(run(1025 * TICK));
}

/* Each write needs the two before it; a wrong one begins anew. */
static void test_unlock(void **state)
{
	begin(3, 0, 100, 100);
	run(50 * TICK);
	esb_timer_write(&t, ESB_RELOAD, ESB_RELOAD_NOW, now);
	esb_timer_write(&t, ESB_PRELOAD1, 1, now);
	esb_timer_write(&t, ESB_RELOAD, 0x80, now);
	esb_timer_write(&t, ESB_RELOAD, ESB_RELOAD_NOW, now);
	esb_timer_write(&t, ESB_RELOAD, 0x86, now);
	esb_timer_write(&t, ESB_RELOAD, ESB_RELOAD_NOW, now);
	assert_int_equal(esb_timer_next(&t), now + 50 * TICK);
	assert_int_equal(esb_timer_read(&t, ESB_PRELOAD1), 100);
	put(ESB_RELOAD, ESB_RELOAD_NOW);
	assert_int_equal(esb_timer_next(&t), now + 100 * TICK);
	/* They hold for one write. */
	esb_timer_write(&t, ESB_PRELOAD2, 7, now);
	assert_int_equal(esb_timer_read(&t, ESB_PRELOAD2), 100);
	put(ESB_PRELOAD2, ~0U);
	assert_int_equal(esb_timer_read(&t, ESB_PRELOAD2), ESB_PRELOAD_MAX);
}

static void test_modes(void **state)
{
	/* Switched off, the output not driven, the fast clock. */
	begin(3, 0, 100, 100);
	esb_timer_config(&t, 3, 0, now);
	assert_false(run(1000 * TICK));
	begin(3 | ESB_CONFIG_NO_OUTPUT, 0, 100, 100);
	assert_false(run(1000 * TICK));
	assert_int_equal(esb_timer_read(&t, ESB_RELOAD), ESB_RELOAD_TIMED_OUT);
	esb_timer_config(&t, 3, 0, now);
	begin(3 | ESB_CONFIG_FAST, 0, 0x80000, 0x80000);
	assert_int_equal(esb_timer_next(&t), now + 0x80000 * TICK / 1024);
	/* The first stage would raise an interrupt, and says so. */
	esb_timer_config(&t, 0, 0, now);
	begin(0, 0, 100, 100);
	assert_false(run(150 * TICK));
	assert_int_equal(esb_timer_read(&t, ESB_STATUS), ESB_STATUS_ACTIVE);
	esb_timer_write(&t, ESB_STATUS, ESB_STATUS_ACTIVE, now);
	assert_int_equal(esb_timer_read(&t, ESB_STATUS), 0);
	/* Again and again, by the second stage alone. */
	esb_timer_config(&t, 3, 0, now);
	begin(3, ESB_LOCK_FREE, 1, 200);
	assert_false(run(199 * TICK));
	assert_true(run(2 * TICK));
	assert_true(run(200 * TICK));
}

/* A VM that is paused has all the time of the world. */
static void test_held(void **state)
{
	begin(3, 0, 100, 100);
	run(150 * TICK);
	esb_timer_hold(&t, true, now);
	esb_timer_hold(&t, true, now);
	assert_false(run(100000 * TICK));
	esb_timer_hold(&t, false, now);
	esb_timer_hold(&t, false, now);
	assert_false(run(49 * TICK));
	assert_true(run(2 * TICK));
	/* What is begun and ended meanwhile. */
	esb_timer_hold(&t, true, now);
	put(ESB_RELOAD, ESB_RELOAD_NOW);
	assert_false(run(1000 * TICK));
	esb_timer_hold(&t, false, now);
	assert_int_equal(esb_timer_next(&t), now + 100 * TICK);
	esb_timer_hold(&t, true, now);
	esb_timer_config(&t, 3, 0, now);
	esb_timer_hold(&t, false, now);
	assert_true(esb_timer_next(&t) == ESB_NEVER);
}

/* However short a guest wants it, the host wakes once a millisecond. */
static void test_short(void **state)
{
	int n = 0;

	begin(3 | ESB_CONFIG_FAST, ESB_LOCK_FREE, 0, 0);
	for (; n < 100; n++) {
		assert_true(esb_timer_next(&t) >= now + MS);
		now = esb_timer_next(&t);
		assert_true(esb_timer_expire(&t, now));
	}
}

static void test_garbage(void **state)
{
	int i;

	srand(3);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		u32 value = (u32)rand() & (rand() & 1 ? 0x3ff : ~0U);

		now += (u64)rand() % (2 * MS);
		switch (rand() % 6) {
		case 0:
			esb_timer_write(&t, (u64)rand() % ESB_SIZE, value, now);
			break;
		case 1:
			put((u64)rand() % ESB_SIZE, value);
			break;
		case 2:
			esb_timer_config(&t, (u16)value, (u8)rand(), now);
			break;
		case 3:
			esb_timer_hold(&t, rand() & 1, now);
			break;
		case 4:
			esb_timer_read(&t, (u64)rand() % ESB_SIZE);
			break;
		default:
			esb_timer_expire(&t, now);
		}
		assert_true(t.preload[0] <= ESB_PRELOAD_MAX && t.preload[1] <= ESB_PRELOAD_MAX);
		assert_true(!t.running || t.held || t.end - now <= ESB_PRELOAD_MAX * TICK ||
			    t.end <= now);
	}
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", "yes", "Reset", "reset ", "paus" };
	u32 action, i;

	for (i = WATCHDOG_NO; i <= WATCHDOG_PAUSE; i++) {
		assert_true(watchdog_parse(watchdog_name(i), &action));
		assert_int_equal(action, i);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(watchdog_parse(bad[i], &action));
}

#define TEST(name)	cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_stages), TEST(test_unlock), TEST(test_modes), TEST(test_held),
		TEST(test_short), TEST(test_garbage), TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
