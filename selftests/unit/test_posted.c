// SPDX-License-Identifier: GPL-2.0-only
/*
 * Posted-interrupt descriptors: what software, CPUs and IOMMUs do to them. The IOMMU's
 * side is written here by the VT-d specification's "Interrupt-Posting Hardware Operation".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <linux/atomic.h>

#include "irqchip/posted.h"

#define NV	0xf2
#define WAKE	0xf1
#define IRR	0x200

static _Alignas(64) struct posted_desc desc;
static u8 page[4096];

static int setup(void **state)
{
	memset(&desc, 0, sizeof(desc));
	memset(page, 0, sizeof(page));
	return 0;
}

static bool take(void)
{
	return posted_take(&desc, page + IRR);
}

static bool irr(u8 vector)
{
	u32 word;

	memcpy(&word, page + IRR + vector / 32 * 16, sizeof(word));
	return word & BIT(vector % 32);
}

/* Bytes, as the hardware's documents number the bits. */
static u8 byte(unsigned int n)
{
	return ((const u8 *)&desc)[n];
}

/* An IOMMU's post: the notification that it sends, 0: none. */
static u8 iommu_posts(u8 vector, u32 *dest)
{
	u64 old = desc.control;

	set_bit(vector, desc.pir);
	if (old & (POSTED_ON | POSTED_SN))
		return 0;
	desc.control |= POSTED_ON;
	*dest = old >> POSTED_NDST_SHIFT;
	return old >> POSTED_NV_SHIFT;
}

static void layout(void **state)
{
	assert_int_equal(posted_set(&desc, 0x13), POSTED_NOTIFY);
	assert_int_equal(byte(2), 1 << 3);	/* bit 0x13 of PIR */
	assert_int_equal(byte(32), 1);		/* bit 256: ON */
	posted_preempt(&desc);
	assert_int_equal(byte(32), 3);		/* bit 257: SN */
	posted_load(&desc, 0x12345678, 0xf2);
	assert_int_equal(byte(32), 1);
	assert_int_equal(byte(34), 0xf2);	/* bits 279:272: NV */
	assert_int_equal(byte(36), 0x78);	/* bits 319:288: NDST */
	assert_int_equal(byte(39), 0x12);
	posted_set(&desc, 255);
	assert_int_equal(byte(31), 0x80);
}

/* Physical APIC ids: all of NDST, or its bits 15:8. */
static void destinations(void **state)
{
	assert_int_equal(posted_ndst(0x12345, true), 0x12345);
	assert_int_equal(posted_ndst(5, true), 5);
	assert_int_equal(posted_ndst(5, false), 0x500);
	assert_int_equal(posted_ndst(0xfe, false), 0xfe00);
	assert_int_equal(posted_ndst(0x1fe, false), 0xfe00);
}

static void each_vector(void **state)
{
	int v, w;

	for (v = 0; v < 256; v++) {
		setup(NULL);
		assert_int_equal(posted_top(page + IRR), -1);
		assert_false(take());
		assert_int_equal(posted_set(&desc, v), POSTED_NOTIFY);
		assert_true(posted_pending(&desc));
		assert_false(irr(v));
		assert_true(take());
		for (w = 0; w < 256; w++)
			assert_int_equal(irr(w), w == v);
		assert_int_equal(posted_top(page + IRR), v);
		assert_false(posted_pending(&desc));
		assert_false(take());
	}
}

static void who_notifies(void **state)
{
	assert_int_equal(posted_set(&desc, 0x40), POSTED_NOTIFY);
	assert_int_equal(posted_set(&desc, 0x41), POSTED_SILENT);
	assert_int_equal(posted_set(&desc, 0x40), POSTED_AGAIN);
	assert_true(take());
	assert_true(irr(0x40) && irr(0x41));
	/* Taken: the next is told of again, though it is pending still. */
	assert_int_equal(posted_set(&desc, 0x40), POSTED_NOTIFY);
	assert_true(take());
}

/* What is pending stays so; the words between the registers are nobody's. */
static void others_are_left(void **state)
{
	u32 before = 0x80000001, after, i;

	memcpy(page + IRR + 0x20, &before, sizeof(before));
	memset(page + IRR + 0x24, 0xa5, 12);
	posted_set(&desc, 0x42);
	posted_set(&desc, 0xe0);
	take();
	memcpy(&after, page + IRR + 0x20, sizeof(after));
	assert_int_equal(after, 0x80000005);
	for (i = 0; i < 12; i++)
		assert_int_equal(page[IRR + 0x24 + i], 0xa5);
	assert_int_equal(posted_top(page + IRR), 0xe0);
	for (i = 0; i < 64 - 40; i++)
		assert_int_equal(byte(40 + i), 0);
}

/* On a CPU: notified there; without one: not at all; and nothing is lost between. */
static void running_and_preempted(void **state)
{
	u32 dest = 0;

	posted_load(&desc, posted_ndst(3, true), NV);
	assert_false(posted_pending(&desc));
	assert_int_equal(iommu_posts(0x50, &dest), NV);
	assert_int_equal(dest, 3);
	assert_int_equal(iommu_posts(0x51, &dest), 0);	/* ON already */
	assert_true(take());

	posted_preempt(&desc);
	assert_int_equal(iommu_posts(0x52, &dest), 0);
	assert_false(posted_pending(&desc));
	posted_load(&desc, posted_ndst(7, false), NV);
	assert_true(posted_pending(&desc));
	assert_true(take());
	assert_true(irr(0x52));
	assert_int_equal(iommu_posts(0x53, &dest), NV);
	assert_int_equal(dest, 0x700);

	/* Software's own posts are told of by whoever makes them, SN or not. */
	take();
	posted_preempt(&desc);
	assert_int_equal(posted_set(&desc, 0x54), POSTED_NOTIFY);
	posted_load(&desc, 0, NV);
	assert_true(take());
}

static void halted(void **state)
{
	u32 dest = 0;

	posted_load(&desc, posted_ndst(1, true), NV);
	assert_true(posted_halt(&desc, posted_ndst(2, true), WAKE));
	assert_int_equal(iommu_posts(0x60, &dest), WAKE);
	assert_int_equal(dest, 2);
	assert_true(posted_pending(&desc));
	posted_load(&desc, posted_ndst(1, true), NV);
	assert_true(take());
	assert_int_equal(iommu_posts(0x61, &dest), NV);

	/* It came before: whoever goes to sleep is not told of it again. */
	assert_false(posted_halt(&desc, posted_ndst(2, true), WAKE));
	take();
	assert_true(posted_halt(&desc, posted_ndst(2, true), WAKE));

	/* Preempted on its way to sleep, when nobody is told: likewise. */
	posted_preempt(&desc);
	iommu_posts(0x62, &dest);
	assert_false(posted_halt(&desc, posted_ndst(2, true), WAKE));
	posted_load(&desc, 0, NV);
	assert_true(take());
	assert_true(irr(0x62));
}

#define POSTS	200000

static unsigned long seen[256], notified, home;

static void *poster(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int i;

	for (i = 0; i < POSTS; i++) {
		u8 vector = 16 + rand_r(&seed) % 240;

		if (posted_set(&desc, vector) == POSTED_NOTIFY)
			__atomic_fetch_add(&notified, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&seen[vector], 1, __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_add(&home, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * Each time ON goes up one poster is to notify; when all have come home, whatever was
 * left is behind ON.
 */
static void at_once(void **state)
{
	unsigned long taken = 0;
	pthread_t threads[3];
	uintptr_t i;
	int v;

	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, poster,
						(void *)(i + 1)), 0);
	while (__atomic_load_n(&home, __ATOMIC_SEQ_CST) < 3) {
		if (posted_pending(&desc)) {
			take();
			taken++;
		}
	}
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	if (posted_pending(&desc)) {
		take();
		taken++;
	}
	for (v = 0; v < POSTED_WORDS; v++)
		assert_int_equal(desc.pir[v], 0);
	assert_int_equal(taken, notified);
	for (v = 0; v < 256; v++)
		assert_int_equal(irr(v), seen[v] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
		TEST(layout),
		TEST(destinations),
		TEST(each_vector),
		TEST(who_notifies),
		TEST(others_are_left),
		TEST(running_and_preempted),
		TEST(halted),
		TEST(at_once),
	};

	return cmocka_run_group_tests_name("posted", tests, NULL, NULL);
}
