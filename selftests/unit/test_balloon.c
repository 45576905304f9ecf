// SPDX-License-Identifier: GPL-2.0-only
/* What a guest says of its memory: in pieces of any size, half of it, too much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>

#include "vmm/virtio/balloon_stats.h"

#define ENTRY	10

static u8 list[200 * ENTRY];

static void put(int at, u16 tag, u64 value)
{
	memcpy(list + at * ENTRY, &tag, sizeof(tag));
	memcpy(list + at * ENTRY + sizeof(tag), &value, sizeof(value));
}

static void test_whole(void **state)
{
	struct iovec iov = { list, 3 * ENTRY };
	struct balloon_stats s;

	put(0, 4, 123456789012345ULL);
	put(1, 0, ~0ULL);
	put(2, 15, 7);
	memset(&s, 0xff, sizeof(s));
	balloon_stats_take(&s, &iov, 1);
	assert_int_equal(s.known, BIT(4) | BIT(0) | BIT(15));
	assert_true(s.value[4] == 123456789012345ULL && s.value[0] == ~0ULL && s.value[15] == 7);
	assert_true(!s.value[1]);
}

/* An entry may lie in as many pieces as it has bytes; some of none. */
static void test_pieces(void **state)
{
	struct iovec iov[2 * ENTRY + 1];
	struct balloon_stats s;
	int i;

	put(0, 6, 99);
	put(1, 4, 98);
	for (i = 0; i < 2 * ENTRY; i++)
		iov[i] = (struct iovec) { list + i, 1 };
	iov[i] = (struct iovec) { NULL, 0 };
	balloon_stats_take(&s, iov, 2 * ENTRY + 1);
	assert_int_equal(s.known, BIT(6) | BIT(4));
	assert_true(s.value[6] == 99 && s.value[4] == 98);
}

static void test_wrong(void **state)
{
	struct balloon_stats s;
	struct iovec iov = { list, 3 * ENTRY - 1 };

	/* Unknown ones, twice the same, half a one. */
	put(0, 16, 1);
	put(1, 5, 2);
	put(2, 5, 3);
	balloon_stats_take(&s, &iov, 1);
	assert_int_equal(s.known, BIT(5));
	assert_true(s.value[5] == 2);
	iov.iov_len++;
	balloon_stats_take(&s, &iov, 1);
	assert_true(s.value[5] == 3);
	put(0, 0xffff, 1);
	iov.iov_len = ENTRY;
	balloon_stats_take(&s, &iov, 1);
	assert_int_equal(s.known, 0);
	balloon_stats_take(&s, NULL, 0);
	assert_int_equal(s.known, 0);
}

/* However long it is, it is looked at so far and no further. */
static void test_long(void **state)
{
	struct iovec iov = { list, sizeof(list) };
	struct balloon_stats s;
	int i;

	for (i = 0; i < 200; i++)
		put(i, 4, i);
	put(64, 5, 1);
	balloon_stats_take(&s, &iov, 1);
	assert_int_equal(s.known, BIT(4));
	assert_true(s.value[4] == 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
