// SPDX-License-Identifier: GPL-2.0-only
/* What a guest asks of memory to be plugged in: all of it is checked, or nothing done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/virtio_mem.h>

#include "vmm/virtio/mem_blocks.h"

#define ADDR	0x140000000ULL
#define NR	8
#define AT(n)	(ADDR + (n) * MEM_BLOCK_SIZE)

static struct mem_blocks b;
static u32 gone_first, gone_nr;

static void unplug(void *ctx, u32 first, u32 nr)
{
	gone_first = first;
	gone_nr = nr;
}

static int setup(void **state)
{
	gone_nr = 0;
	b.unplug = unplug;
	return blocks_init(&b, ADDR, NR * MEM_BLOCK_SIZE);
}

static int teardown(void **state)
{
	blocks_destroy(&b);
	return 0;
}

static void test_plug(void **state)
{
	u16 how;

	/* Nobody has asked for it. */
	assert_int_equal(blocks_plug(&b, AT(0), 1), VIRTIO_MEM_RESP_NACK);
	b.wanted = 3;
	assert_int_equal(blocks_plug(&b, AT(2), 2), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(b.nr_plugged, 2);
	assert_int_equal(blocks_plug(&b, AT(5), 2), VIRTIO_MEM_RESP_NACK);
	assert_int_equal(blocks_plug(&b, AT(3), 2), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(blocks_plug(&b, AT(5), 1), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(blocks_state(&b, AT(2), 2, &how), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(how, VIRTIO_MEM_STATE_PLUGGED);
	assert_int_equal(blocks_state(&b, AT(0), 3, &how), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(how, VIRTIO_MEM_STATE_MIXED);
	assert_int_equal(blocks_state(&b, AT(6), 2, &how), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(how, VIRTIO_MEM_STATE_UNPLUGGED);
}

static void test_unplug(void **state)
{
	b.wanted = NR;
	assert_int_equal(blocks_plug(&b, AT(0), NR), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(blocks_unplug(&b, AT(6), 2), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(gone_first, 6);
	assert_int_equal(gone_nr, 2);
	gone_nr = 0;
	/* One of them is out already: all stays. */
	assert_int_equal(blocks_unplug(&b, AT(5), 2), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(gone_nr, 0);
	assert_int_equal(b.nr_plugged, 6);
	/* As many as there are, whatever is wanted. */
	b.wanted = 0;
	assert_int_equal(blocks_unplug_all(&b), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(gone_nr, NR);
	assert_int_equal(b.nr_plugged, 0);
}

static void test_elsewhere(void **state)
{
	static const struct {
		u64 addr;
		u16 nr;
	} bad[] = {
		{ AT(0), 0 }, { AT(0) - MEM_BLOCK_SIZE, 1 }, { AT(0) + 4096, 1 }, { AT(NR), 1 },
		{ AT(0), NR + 1 }, { AT(NR - 1), 2 }, { 0, 1 }, { ~0ULL, 1 },
		{ ~0ULL << 21, 0xffff }, { AT(1), 0xffff },
	};
	size_t i;
	u16 how;

	b.wanted = NR;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(blocks_plug(&b, bad[i].addr, bad[i].nr), VIRTIO_MEM_RESP_ERROR);
		assert_int_equal(blocks_unplug(&b, bad[i].addr, bad[i].nr), VIRTIO_MEM_RESP_ERROR);
		assert_int_equal(blocks_state(&b, bad[i].addr, bad[i].nr, &how),
				 VIRTIO_MEM_RESP_ERROR);
	}
	assert_int_equal(b.nr_plugged, 0);
	assert_int_equal(gone_nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plug, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unplug, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
