// SPDX-License-Identifier: GPL-2.0-only
/* Packed virtqueues against drivers of all kinds, the hostile ones foremost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/memory.h"
#include "vmm/virtio/queue.h"

#define MEM_SIZE	(64 * PAGE_SIZE)
#define MEM_BASE	0x100000ULL
#define RING		(MEM_BASE + 0x0000)
#define DRIVER		(MEM_BASE + 0x2000)
#define DEVICE		(MEM_BASE + 0x2004)
#define TABLE		(MEM_BASE + 0x4000)
#define DATA		(MEM_BASE + 0x8000)
#define SIZE		5	/* no power of two */
#define AVAIL		BIT(7)
#define USED		BIT(15)
#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT
#define FUZZ_ROUNDS	200000

static u8 *ram;
static struct memory mem;
static struct virtq q;
static struct vring_packed_desc *ring, *table;
static struct vring_packed_desc_event *driver, *device;
static struct chain chain;
/* The driver's own: where it goes on, and in which round. */
static u16 next;
static bool wrap;

static void *at(u64 gpa)
{
	return ram + (gpa - MEM_BASE);
}

static int enable(u16 size)
{
	queue_reset(&q);
	q.size = size;
	q.is_packed = true;
	q.desc_gpa = RING;
	q.avail_gpa = DRIVER;
	q.used_gpa = DEVICE;
	next = 0;
	wrap = true;
	return queue_enable(&q);
}

static int setup(void **state)
{
	/* Of its exact size, so that the sanitizer sees a byte too many. */
	ram = calloc(1, MEM_SIZE);
	mem = (struct memory) {
		.nr_regions = 1,
		.region[0] = { .gpa = MEM_BASE, .size = MEM_SIZE, .hva = ram },
	};
	ring = at(RING);
	table = at(TABLE);
	driver = at(DRIVER);
	device = at(DEVICE);
	q.mem = &mem;
	return enable(SIZE);
}

static int teardown(void **state)
{
	free(ram);
	return 0;
}

/* One more descriptor; of a chain the first one comes last, as drivers do it: here all are
 * made before anybody looks.
 */
static void add(u64 addr, u32 len, u16 flags, u16 id)
{
	ring[next] = (struct vring_packed_desc) {
		addr, len, id, (u16)(flags | (wrap ? AVAIL : USED)),
	};
	if (++next == SIZE) {
		next = 0;
		wrap = !wrap;
	}
}

static bool is_used(u16 i, bool round)
{
	u16 both = ring[i].flags & (AVAIL | USED);

	return both == (round ? (AVAIL | USED) : 0);
}

static void test_chains(void **state)
{
	u16 first;

	assert_int_equal(queue_pop(&q, &chain), 0);
	add(DATA, 16, NEXT, 0);
	add(DATA + 16, 512, NEXT | WRITE, 0);
	add(DATA + 1024, 1, WRITE, 77);
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_int_equal(chain.nr_out, 1);
	assert_int_equal(chain.nr_in, 2);
	assert_ptr_equal(chain.iov[0].iov_base, at(DATA));
	assert_int_equal(chain.iov[1].iov_len, 512);
	queue_push(&q, chain.head, 513);
	assert_true(is_used(0, true));
	assert_int_equal(ring[0].id, 77);
	assert_int_equal(ring[0].len, 513);
	assert_true(ring[0].flags & WRITE);
	add(DATA, 4, 0, 66);
	assert_int_equal(queue_pop(&q, &chain), 1);
	first = chain.head;
	/* Over the end of the ring. */
	add(DATA, 5, NEXT, 0);
	add(DATA, 6, 0, 88);
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_int_equal(chain.nr_out, 2);
	assert_int_equal(chain.iov[1].iov_len, 6);
	assert_int_equal(queue_pop(&q, &chain), 0);
	/* The later one is done first: it goes where the first one began. */
	queue_push(&q, chain.head, 0);
	assert_true(is_used(3, true));
	assert_int_equal(ring[3].id, 88);
	assert_false(ring[3].flags & WRITE);
	/* That was two descriptors: the next one is in the next round, with other flags. */
	queue_push(&q, first, 0);
	assert_true(is_used(0, false));
	assert_int_equal(ring[0].id, 66);
	add(DATA, 4, 0, 5);
	assert_int_equal(queue_pop(&q, &chain), 1);
	queue_push(&q, chain.head, 0);
	assert_true(is_used(1, false));
	assert_int_equal(queue_pop(&q, &chain), 0);
}

static void test_batch(void **state)
{
	u16 heads[3];
	int i;

	for (i = 0; i < 3; i++) {
		add(DATA, 8, WRITE, (u16)(10 + i));
		assert_int_equal(queue_pop(&q, &chain), 1);
		heads[i] = chain.head;
	}
	for (i = 0; i < 3; i++) {
		queue_fill(&q, (u16)i, heads[2 - i], 8);
		/* Nothing is seen before all is. */
		assert_false(is_used(0, true));
		assert_int_equal(ring[0].id, 10);
	}
	queue_commit(&q, 3);
	assert_int_equal(queue_untold(&q), 3);
	for (i = 0; i < 3; i++) {
		assert_true(is_used((u16)i, true));
		assert_int_equal(ring[i].id, 12 - i);
	}
	queue_commit(&q, 0);
	assert_int_equal(queue_untold(&q), 3);
}

static void test_unpop(void **state)
{
	int round, i;

	/* Chains of two and one, until their beginnings have been everywhere. */
	for (round = 0; round < 3 * SIZE; round++) {
		add(DATA, 8, NEXT, 0);
		add(DATA, 9, 0, 1);
		add(DATA, 10, 0, 2);
		assert_int_equal(queue_pop(&q, &chain), 1);
		assert_int_equal(queue_pop(&q, &chain), 1);
		assert_int_equal(chain.iov[0].iov_len, 10);
		queue_unpop(&q, 2);
		for (i = 0; i < 2; i++) {
			assert_int_equal(queue_pop(&q, &chain), 1);
			assert_int_equal(chain.iov[0].iov_len, i ? 10 : 8);
			queue_push(&q, chain.head, 0);
		}
		assert_int_equal(queue_pop(&q, &chain), 0);
	}
}

static void test_indirect(void **state)
{
	table[0] = (struct vring_packed_desc) { DATA, 4, 0, 0 };
	/* Flags of a table mean nothing but for WRITE. */
	table[1] = (struct vring_packed_desc) { DATA, 8, 0, WRITE | AVAIL | USED };
	add(TABLE, 2 * sizeof(*table), INDIRECT, 3);
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_int_equal(chain.nr_out, 1);
	assert_int_equal(chain.nr_in, 1);
	queue_push(&q, chain.head, 8);
	assert_int_equal(ring[0].id, 3);
}

static void refused(u64 addr, u32 len, u16 flags)
{
	enable(SIZE);
	add(addr, len, flags, 0);
	assert_int_equal(queue_pop(&q, &chain), -22);
}

static void test_bad(void **state)
{
	int i;

	refused(MEM_BASE + MEM_SIZE - 4, 5, 0);
	refused(0, 1, 0);
	refused(~0ULL, 2, 0);
	/* Its successor is not of a chain's: but it follows it all the same. */
	ring[1] = (struct vring_packed_desc) { 0 };
	refused(DATA, 1, NEXT);
	/* Tables: empty, odd-sized, too long, outside, unaligned, in a chain, in a table. */
	table[0] = (struct vring_packed_desc) { DATA, 1, 0, 0 };
	refused(TABLE, 0, INDIRECT);
	refused(TABLE, 17, INDIRECT);
	refused(TABLE, (CHAIN_MAX + 1) * sizeof(*table), INDIRECT);
	refused(MEM_BASE + MEM_SIZE, 16, INDIRECT);
	refused(TABLE + 1, 16, INDIRECT);
	refused(TABLE, 16, INDIRECT | NEXT);
	table[0].flags = INDIRECT;
	refused(TABLE, 16, INDIRECT);
	/* What is written before what is read. */
	enable(SIZE);
	add(DATA, 1, NEXT | WRITE, 0);
	add(DATA, 1, 0, 0);
	assert_int_equal(queue_pop(&q, &chain), -22);
	/* A chain that is a loop. */
	enable(SIZE);
	for (i = 0; i < SIZE; i++)
		add(DATA, 1, NEXT, 0);
	assert_int_equal(queue_pop(&q, &chain), -22);
}

static void test_bad_areas(void **state)
{
	assert_int_equal(enable(0), -22);
	assert_int_equal(enable(QUEUE_SIZE_MAX + 1), -22);
	assert_int_equal(enable(QUEUE_SIZE_MAX), 0);
	assert_int_equal(enable(1), 0);
	q.desc_gpa = RING + 8;
	assert_int_equal(queue_enable(&q), -22);
	q.desc_gpa = MEM_BASE + MEM_SIZE;
	assert_int_equal(queue_enable(&q), -22);
	q.desc_gpa = RING;
	q.avail_gpa = DRIVER + 2;
	assert_int_equal(queue_enable(&q), -22);
	q.avail_gpa = DRIVER;
	q.used_gpa = 0;
	assert_int_equal(queue_enable(&q), -22);
}

static void test_interrupts(void **state)
{
	int i;

	assert_false(queue_wants_interrupt(&q));
	add(DATA, 1, 0, 0);
	assert_int_equal(queue_pop(&q, &chain), 1);
	queue_push(&q, chain.head, 0);
	assert_true(queue_wants_interrupt(&q));
	assert_false(queue_wants_interrupt(&q));
	driver->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	add(DATA, 1, 0, 0);
	assert_int_equal(queue_pop(&q, &chain), 1);
	queue_push(&q, chain.head, 0);
	assert_false(queue_wants_interrupt(&q));
	/* With event indexes: when descriptor 1 of the next round is returned, not before. */
	q.event_idx = true;
	driver->flags = VRING_PACKED_EVENT_FLAG_DESC;
	driver->off_wrap = 1;
	for (i = 2; i < SIZE + 2; i++) {
		add(DATA, 1, 0, 0);
		assert_int_equal(queue_pop(&q, &chain), 1);
		queue_push(&q, chain.head, 0);
		assert_int_equal(queue_wants_interrupt(&q), i == SIZE + 1);
	}
}

static void test_arm(void **state)
{
	assert_false(queue_arm(&q));
	assert_int_equal(device->flags, VRING_PACKED_EVENT_FLAG_ENABLE);
	q.event_idx = true;
	add(DATA, 1, 0, 0);
	assert_true(queue_arm(&q));
	assert_int_equal(queue_pop(&q, &chain), 1);
	assert_false(queue_arm(&q));
	assert_int_equal(device->flags, VRING_PACKED_EVENT_FLAG_DESC);
	assert_int_equal(device->off_wrap, 1 | 1U << 15);
}

/* A driver that makes descriptors faster than there can be any. */
static void test_too_many(void **state)
{
	u16 i;

	enable(1);
	for (i = 0; i < 2 * QUEUE_SIZE_MAX; i++) {
		ring[0] = (struct vring_packed_desc) { DATA, 1, 0, i & 1 ? USED : AVAIL };
		assert_int_equal(queue_pop(&q, &chain), 1);
		queue_fill(&q, i, chain.head, 1);
	}
	queue_commit(&q, i);
	queue_unpop(&q, i);
}

static void random_desc(struct vring_packed_desc *d)
{
	static const u64 places[] = {
		DATA, TABLE, MEM_BASE, MEM_BASE + MEM_SIZE - 8, 0, ~0ULL,
	};

	*d = (struct vring_packed_desc) {
		places[(unsigned int)rand() % ARRAY_SIZE(places)],
		(u32)rand() % 4 ? (u32)rand() % 64 : (u32)rand(), (u16)rand(), (u16)rand() & 3,
	};
	d->flags |= rand() & 1 ? AVAIL : USED;
	if (!(rand() % 8))
		d->flags |= INDIRECT;
}

static void test_random(void **state)
{
	int round, i, good = 0;

	srand(1);
	for (round = 0; round < FUZZ_ROUNDS; round++) {
		for (i = 0; i < SIZE; i++) {
			random_desc(&ring[i]);
			random_desc(&table[i]);
		}
		driver->flags = (u16)rand() % 4;
		driver->off_wrap = (u16)rand();
		q.event_idx = rand() & 1;
		if (queue_pop(&q, &chain) != 1)
			continue;
		good++;
		if (!(rand() % 4)) {
			queue_unpop(&q, 1);
			continue;
		}
		for (i = 0; i < chain.nr_out + chain.nr_in; i++) {
			u8 *p = chain.iov[i].iov_base;

			assert_true(p >= ram && p + chain.iov[i].iov_len <= ram + MEM_SIZE);
		}
		queue_push(&q, chain.head, (u32)rand());
		queue_wants_interrupt(&q);
		queue_arm(&q);
	}
	/* The generator is no use if nothing gets through. */
	assert_true(good > FUZZ_ROUNDS / 100);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_chains),
		TEST(test_batch),
		TEST(test_unpop),
		TEST(test_indirect),
		TEST(test_bad),
		TEST(test_bad_areas),
		TEST(test_interrupts),
		TEST(test_arm),
		TEST(test_too_many),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
