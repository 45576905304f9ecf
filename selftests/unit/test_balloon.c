// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest says of its memory: in pieces of any size, half of it, too much of it; and what it
 * hints: in its run, and out of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>

#include "vmm/virtio/balloon_hint.h"
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

#define STOP	0
#define DONE	1
#define MOST	(64 * PAGE_SIZE)

static struct balloon_hint hint;
static u64 given;		/* since hints() was called */
static u8 memory[16];

static u64 give_up(void *ctx, void *hva, u64 len)
{
	assert_ptr_equal(hva, memory);
	given += len;
	return len / 2;		/* the other half the host did not have */
}

/* @id: below 0: none; @pages: of memory behind it */
static int hints(s64 id, int pages)
{
	u32 word = (u32)id;
	struct iovec iov[3] = { { &word, 1 }, { (u8 *)&word + 1, 3 } };
	int out = id < 0 ? 0 : 2;

	given = 0;
	iov[out] = (struct iovec) { memory, (size_t)pages * PAGE_SIZE };
	return balloon_hint_take(&hint, iov, out, pages > 0, MOST, give_up, NULL);
}

static void test_run(void **state)
{
	u32 id, last;

	memset(&hint, 0, sizeof(hint));
	/* Nobody has asked. */
	assert_int_equal(hints(-1, 1), 0);
	assert_int_equal(hints(2, 1), 0);
	assert_int_equal(hints(STOP, 1), 0);
	assert_int_equal(given, 0);
	id = balloon_hint_begin(&hint);
	assert_true(id > DONE && hint.running);
	/* What comes before its number is of another run. */
	assert_int_equal(hints(-1, 1), 0);
	assert_int_equal(hints(STOP, 1), 0);
	assert_int_equal(hints(id + 1, 1), 0);
	assert_int_equal(given, 0);
	assert_int_equal(hints(id, 0), 0);
	assert_int_equal(hints(-1, 3), 0);
	assert_int_equal(given, 3 * PAGE_SIZE);
	assert_int_equal(hints(id, 1), 0);
	assert_int_equal(given, PAGE_SIZE);
	assert_true(hint.bytes == 2 * PAGE_SIZE);
	/* Another number, and it is not of this run any longer: until this one's again. */
	assert_int_equal(hints(DONE, 1), 0);
	assert_int_equal(hints(-1, 1), 0);
	assert_int_equal(given, 0);
	assert_int_equal(hints(id, 1), 0);
	assert_int_equal(given, PAGE_SIZE);
	/* The end, and what comes with it and behind it */
	assert_int_equal(hints(STOP, 1), 1);
	assert_int_equal(given, 0);
	balloon_hint_end(&hint);
	assert_int_equal(hints(id, 1), 0);
	assert_int_equal(hints(STOP, 0), 0);
	assert_int_equal(given, 0);
	/* Numbers are used once, and the words of the specification are none. */
	assert_int_equal(balloon_hint_begin(&hint), id + 1);
	assert_true(!hint.bytes && !hint.taking);
	hint.id = ~0U - 1;
	last = balloon_hint_begin(&hint);
	assert_true(last == ~0U);
	assert_int_equal(balloon_hint_begin(&hint), DONE + 1);
}

static void test_wrong_hints(void **state)
{
	struct iovec iov[2] = { { memory, 4 }, { memory, PAGE_SIZE } };
	u32 id;

	memset(&hint, 0, sizeof(hint));
	id = balloon_hint_begin(&hint);
	memory[0] = 0xff;	/* no number of any run */
	assert_int_equal(hints(id, 64), 0);
	assert_int_equal(given, MOST);
	assert_int_equal(hints(-1, 65), -EINVAL);
	assert_int_equal(given, 0);
	/* A number of another length */
	for (iov[0].iov_len = 0; iov[0].iov_len < 10; iov[0].iov_len++)
		assert_int_equal(balloon_hint_take(&hint, iov, 1, 0, MOST, give_up, NULL),
				 iov[0].iov_len == 4 ? 0 : -EINVAL);
	/* Nothing at all is nothing. */
	assert_int_equal(balloon_hint_take(&hint, iov, 0, 0, MOST, give_up, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_wrong_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
