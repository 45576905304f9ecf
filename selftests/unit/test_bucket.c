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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
