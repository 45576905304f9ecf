// SPDX-License-Identifier: GPL-2.0-only
/* vmctl's virtqueues against drivers of all kinds, the hostile ones foremost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "virtq_fixture.h"

#define TABLE		(MEM_BASE + 0x4000)
#define FUZZ_ROUNDS	200000

static struct chain chain;
static struct vring_desc *table;

static int setup(void **state)
{
	(void)state;
	if (virtq_setup())
		return -1;
	table = at(TABLE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

/* One offered chain starting at descriptor 0 is refused. */
static void refused(void)
{
	offer(0);
	assert_int_equal(queue_pop(&q, &chain), -22);
}

static void test_chain(void **state)
{
	(void)state;
	assert_int_equal(queue_pop(&q, &chain), 0);
	set(&desc[3], DATA, 16, VRING_DESC_F_NEXT, 5);
	set(&desc[5], DATA + 16, 512, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	set(&desc[1], DATA + 1024, 1, VRING_DESC_F_WRITE, 0);
	offer(3);
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_int_equal(chain.head, 3);
	assert_int_equal(chain.nr_out, 1);
	assert_int_equal(chain.nr_in, 2);
	assert_ptr_equal(chain.iov[0].iov_base, at(DATA));
	assert_int_equal(chain.iov[1].iov_len, 512);
	assert_int_equal(queue_pop(&q, &chain), 0);
	queue_push(&q, chain.head, 513);
	assert_int_equal(used->idx, 1);
	assert_int_equal(used->ring[0].id, 3);
	assert_int_equal(used->ring[0].len, 513);
}

static void test_indirect(void **state)
{
	(void)state;
	set(&desc[0], TABLE, 2 * sizeof(*table), VRING_DESC_F_INDIRECT, 0);
	set(&table[0], DATA, 4, VRING_DESC_F_NEXT, 1);
	set(&table[1], DATA, 8, VRING_DESC_F_WRITE, 0);
	offer(0);
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_int_equal(chain.nr_out, 1);
	assert_int_equal(chain.nr_in, 1);
}

static void test_bad_chains(void **state)
{
	(void)state;
	/* A loop. */
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT, 1);
	set(&desc[1], DATA, 1, VRING_DESC_F_NEXT, 0);
	refused();
	/* Beyond the table. */
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT, SIZE);
	refused();
	offer(SIZE);
	assert_int_equal(queue_pop(&q, &chain), -22);
	/* What is written before what is read. */
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	set(&desc[1], DATA, 1, 0, 0);
	refused();
	/* Outside of memory, in part or wrapping around. */
	set(&desc[0], MEM_BASE + MEM_SIZE - 4, 5, 0, 0);
	refused();
	set(&desc[0], 0, 1, 0, 0);
	refused();
	set(&desc[0], ~0ULL, 2, 0, 0);
	refused();
}

static void test_bad_indirect(void **state)
{
	(void)state;
	set(&table[0], DATA, 1, 0, 0);
	/* Empty, odd-sized, too long, outside of memory, unaligned. */
	set(&desc[0], TABLE, 0, VRING_DESC_F_INDIRECT, 0);
	refused();
	set(&desc[0], TABLE, 17, VRING_DESC_F_INDIRECT, 0);
	refused();
	set(&desc[0], TABLE, (CHAIN_MAX + 1) * sizeof(*table),
	    VRING_DESC_F_INDIRECT, 0);
	refused();
	set(&desc[0], MEM_BASE + MEM_SIZE, 16, VRING_DESC_F_INDIRECT, 0);
	refused();
	set(&desc[0], TABLE + 1, 16, VRING_DESC_F_INDIRECT, 0);
	refused();
	/* With a next one, after another one, inside of a table. */
	set(&desc[0], TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	refused();
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT, 1);
	set(&desc[1], TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	refused();
	set(&desc[0], TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	set(&table[0], TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	refused();
}

static void test_bad_index(void **state)
{
	(void)state;
	avail->idx = SIZE + 1;
	assert_int_equal(queue_pop(&q, &chain), -22);
	avail->idx = (u16)-1;
	assert_int_equal(queue_pop(&q, &chain), -22);
}

static void test_bad_rings(void **state)
{
	static const struct {
		u16 size;
		u64 desc, avail, used;
	} bad[] = {
		{ 0, DESC, AVAIL, USED },
		{ 3, DESC, AVAIL, USED },
		{ 512, DESC, AVAIL, USED },
		{ SIZE, DESC + 8, AVAIL, USED },
		{ SIZE, DESC, AVAIL + 1, USED },
		{ SIZE, DESC, AVAIL, USED + 2 },
		{ SIZE, 0, AVAIL, USED },
		{ SIZE, DESC, ~1ULL, USED },
		{ SIZE, DESC, AVAIL, MEM_BASE + MEM_SIZE - 4 },
		{ SIZE, MEM_BASE + MEM_SIZE - 16, AVAIL, USED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		queue_reset(&q);
		q.size = bad[i].size;
		q.desc_gpa = bad[i].desc;
		q.avail_gpa = bad[i].avail;
		q.used_gpa = bad[i].used;
		assert_int_equal(queue_enable(&q), -22);
		assert_false(q.ready);
	}
}

static void test_interrupts(void **state)
{
	(void)state;
	assert_false(queue_wants_interrupt(&q));
	queue_push(&q, 0, 0);
	assert_true(queue_wants_interrupt(&q));
	assert_false(queue_wants_interrupt(&q));
	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	queue_push(&q, 0, 0);
	assert_false(queue_wants_interrupt(&q));

	/* With event indexes: at the third from now, and not before. */
	q.event_idx = true;
	avail->ring[SIZE] = (u16)(used->idx + 2);
	queue_push(&q, 0, 0);
	assert_false(queue_wants_interrupt(&q));
	queue_push(&q, 0, 0);
	assert_false(queue_wants_interrupt(&q));
	queue_push(&q, 0, 0);
	assert_true(queue_wants_interrupt(&q));
}

static void test_arm(void **state)
{
	(void)state;
	q.event_idx = true;
	set(&desc[0], DATA, 1, 0, 0);
	offer(0);
	assert_true(queue_arm(&q));
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_false(queue_arm(&q));
	assert_int_equal(*(u16 *)&used->ring[SIZE], 1);
}

static void check_pieces(void)
{
	int i, nr = chain.nr_out + chain.nr_in;

	assert_in_range(nr, 1, CHAIN_MAX);
	for (i = 0; i < nr; i++) {
		u8 *p = chain.iov[i].iov_base;

		assert_true(p >= ram && p + chain.iov[i].iov_len <= ram + MEM_SIZE);
	}
}

static void random_desc(struct vring_desc *d)
{
	static const u64 places[] = {
		DATA, TABLE, MEM_BASE, MEM_BASE + MEM_SIZE - 8, 0, ~0ULL,
	};

	set(d, places[(unsigned int)rand() % ARRAY_SIZE(places)],
	    (u32)rand() % 4 ? (u32)rand() % 64 : (u32)rand(),
	    (u16)rand() & 7, (u16)rand() % (SIZE + 1));
	if (rand() % 4)
		d->flags &= (u16)~VRING_DESC_F_INDIRECT;
}

static void test_random(void **state)
{
	int round, i, good = 0;

	(void)state;
	srand(1);
	for (round = 0; round < FUZZ_ROUNDS; round++) {
		for (i = 0; i < SIZE; i++) {
			random_desc(&desc[i]);
			random_desc(&table[i]);
		}
		q.last_avail = avail->idx;
		offer((u16)rand() % (SIZE + 1));
		if (queue_pop(&q, &chain) != 1)
			continue;
		check_pieces();
		good++;
	}
	/* The generator is no use if nothing gets through. */
	assert_true(good > FUZZ_ROUNDS / 100);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_chain),
		TEST(test_indirect),
		TEST(test_bad_chains),
		TEST(test_bad_indirect),
		TEST(test_bad_index),
		TEST(test_bad_rings),
		TEST(test_interrupts),
		TEST(test_arm),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
