// SPDX-License-Identifier: GPL-2.0-only
/* Where a host interrupt is to go that is for a vCPU: what is decided of what is seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "passthrough/steer.h"

/* Nobody has touched it, and the vCPU has been on CPU 3 for long. */
static const struct steer_view fresh = {
	.to = 3, .from = -1, .as_left = true, .to_online = true, .settled = true,
};

/* It was sent to CPU 2 before. */
static const struct steer_view sent = {
	.to = 3, .from = 2, .as_left = true, .from_online = true, .to_online = true,
	.settled = true,
};

/* What is decided of @base, but for what is assigned to v. */
#define WITH(base, ...)	({						\
	struct steer_view v = (base);					\
	__VA_ARGS__;							\
	steer_decide(&v);						\
})

static void follows(void **state)
{
	assert_int_equal(steer_decide(&fresh), STEER_MOVE);
	assert_int_equal(steer_decide(&sent), STEER_MOVE);
}

static void waits_until_it_stays(void **state)
{
	assert_int_equal(WITH(fresh, v.settled = false), STEER_LATER);
	assert_int_equal(WITH(sent, v.settled = false), STEER_LATER);
}

static void nothing_to_do(void **state)
{
	assert_int_equal(WITH(fresh, v.to = -1, v.to_online = false), STEER_KEEP);
	assert_int_equal(WITH(fresh, v.to_online = false), STEER_KEEP);
	assert_int_equal(WITH(fresh, v.there = true), STEER_KEEP);
	assert_int_equal(WITH(sent, v.to = 2, v.there = true), STEER_KEEP);
	/* Nor is it waited for: whoever moves says so. */
	assert_int_equal(WITH(sent, v.to = 2, v.there = true, v.settled = false), STEER_KEEP);
}

static void somebody_else(void **state)
{
	assert_int_equal(WITH(fresh, v.as_left = false), STEER_LEAVE);
	assert_int_equal(WITH(sent, v.as_left = false), STEER_LEAVE);
	assert_int_equal(WITH(sent, v.as_left = false, v.settled = false), STEER_LEAVE);
	/* Even where it is as we would have it. */
	assert_int_equal(WITH(sent, v.as_left = false, v.there = true), STEER_LEAVE);
}

/* The CPU that it was sent to has gone, and the kernel has sent it anywhere. */
static void cpu_goes(void **state)
{
	assert_int_equal(WITH(sent, v.as_left = false, v.from_online = false), STEER_MOVE);
	/* To where the vCPU is, by chance: it is sent there, so that we know. */
	assert_int_equal(WITH(sent, v.as_left = false, v.from_online = false, v.there = true),
			 STEER_MOVE);
	/* The vCPU sleeps there. */
	assert_int_equal(WITH(sent, v.to = 2, v.as_left = false, v.from_online = false,
			      v.to_online = false), STEER_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows),
		cmocka_unit_test(waits_until_it_stays),
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(somebody_else),
		cmocka_unit_test(cpu_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
