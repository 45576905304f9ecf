// SPDX-License-Identifier: GPL-2.0-only
/* The token bucket of rate limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/virtio/bucket.h"

#define MS	(BUCKET_SECOND / 1000)

static void test_fill(void **state)
{
	struct bucket b = { .rate = 1000, .size = 100, .filled = 5 * BUCKET_SECOND };

	assert_int_equal(bucket_fill(&b, b.filled), 0);
	assert_int_equal(bucket_fill(&b, 5 * BUCKET_SECOND + 10 * MS), 10);
	/* Less than a token is not forgotten. */
	assert_int_equal(bucket_fill(&b, 5 * BUCKET_SECOND + 10 * MS + MS / 2), 10);
	assert_int_equal(bucket_fill(&b, 5 * BUCKET_SECOND + 11 * MS), 11);
	/* No more than it holds, however long nobody asks. */
	assert_int_equal(bucket_fill(&b, 5 * BUCKET_SECOND + 500 * MS), 100);
	b.level = 0;
	assert_int_equal(bucket_fill(&b, ~0ULL), 100);
}

/* What was taken too early is paid back before there is anything again. */
static void test_debt(void **state)
{
	struct bucket b = { .rate = 1000, .size = 100, .level = 40 };

	bucket_take(&b, 30);
	assert_int_equal(b.level, 10);
	bucket_take(&b, 2010);
	assert_int_equal(bucket_fill(&b, 1000 * MS), 0);
	assert_int_equal(bucket_wait(&b, 1), 1002);
	assert_int_equal(bucket_fill(&b, 2000 * MS), 0);
	assert_int_equal(bucket_fill(&b, 2001 * MS), 1);
	/* Rates as large as there may be. */
	b = (struct bucket) { .rate = 1ULL << 50, .size = 1ULL << 50 };
	assert_int_equal(bucket_fill(&b, MS), (1ULL << 50) / 1000);
	assert_int_equal(bucket_fill(&b, ~0ULL), 1ULL << 50);
}

static void test_wait(void **state)
{
	struct bucket b = { .rate = 1000, .size = 100, .level = 40 };

	assert_int_equal(bucket_wait(&b, 40), 0);
	assert_int_equal(bucket_wait(&b, 90), 51);
	b.level = 0;
	bucket_fill(&b, 51 * MS);
	assert_true(b.level >= 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_debt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
