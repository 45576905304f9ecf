// SPDX-License-Identifier: GPL-2.0-only
/* virtio-net's frames, filter and commands, and a driver that means no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "virtq_fixture.h"
#include "vmm/virtio/iov.h"
#include "vmm/virtio/net_ctrl.h"
#include "vmm/virtio/net_frames.h"

#define ROUNDS		100000
#define HDR		((u32)NET_HDR_LEN)

static struct net_filter filter;
static struct net_pair *pair;
static int wire;	/* the other end of the pair's link */
static u8 frame[NET_FRAME_MAX], got[NET_FRAME_MAX];

static const u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

static int setup(void **state)
{
	int fd[2];
	size_t i;

	(void)state;
	pair = calloc(1, sizeof(*pair));
	net_filter_reset(&filter, mac, false);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd))
		return -1;
	wire = fd[1];
	pair->fd = fd[0];
	pair->rx = &q;
	pair->tx = &q;
	pair->filter = &filter;
	pair->mergeable = true;
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (u8)(i * 7);
	memset(frame, 0, HDR);
	frame[HDR - 2] = 77;
	memcpy(frame + HDR, mac, sizeof(mac));
	return virtq_setup();
}

static int teardown(void **state)
{
	(void)state;
	close(pair->fd);
	close(wire);
	free(pair);
	free(ram);
	return 0;
}

/* @nr buffers of @len bytes, a guest's of each kind. */
static void offer_buffers(u16 nr, u32 len)
{
	u16 i;

	for (i = 0; i < nr; i++) {
		set(&desc[i], DATA + (u64)i * len, len, VRING_DESC_F_WRITE, 0);
		offer(i);
	}
}

static void send_frame(size_t len)
{
	assert_int_equal(send(wire, frame, len, 0), len);
}

static void test_transmit(void **state)
{
	(void)state;
	assert_int_equal(net_transmit(pair), NET_EMPTY);
	memcpy(at(DATA), frame, 100);
	/* The header in two pieces: it is the driver's choice. */
	set(&desc[0], DATA, 5, VRING_DESC_F_NEXT, 1);
	set(&desc[1], DATA + 5, 95, 0, 0);
	offer(0);
	assert_int_equal(net_transmit(pair), NET_MORE);
	assert_int_equal(recv(wire, got, sizeof(got), 0), 100);
	assert_memory_equal(got, frame, 100);
	assert_int_equal(used->idx, 1);
	assert_int_equal(used->ring[0].len, 0);
	assert_int_equal(net_transmit(pair), NET_EMPTY);
}

static void test_transmit_bad(void **state)
{
	(void)state;
	/* No whole header. */
	set(&desc[0], DATA, HDR - 1, 0, 0);
	offer(0);
	assert_int_equal(net_transmit(pair), NET_BROKEN);
	/* Something to write to. */
	set(&desc[0], DATA, 100, VRING_DESC_F_NEXT, 1);
	set(&desc[1], DATA, 100, VRING_DESC_F_WRITE, 0);
	offer(0);
	assert_int_equal(net_transmit(pair), NET_BROKEN);
}

/* Too short and too long for a frame: lost, and returned to the driver. */
static void test_transmit_lost(void **state)
{
	(void)state;
	set(&desc[0], DATA, HDR, 0, 0);
	offer(0);
	assert_int_equal(net_transmit(pair), NET_MORE);
	set(&desc[0], DATA, 60000, VRING_DESC_F_NEXT, 1);
	set(&desc[1], DATA, 60000, 0, 0);
	offer(0);
	assert_int_equal(net_transmit(pair), NET_MORE);
	assert_int_equal(recv(wire, got, sizeof(got), 0), -1);
	assert_int_equal(used->idx, 2);
}

static void test_transmit_blocked(void **state)
{
	int sent = 0;

	(void)state;
	set(&desc[0], DATA, 1500, 0, 0);
	for (;;) {
		offer(0);
		if (net_transmit(pair) != NET_MORE)
			break;
		assert_true(++sent < 100000);
	}
	/* It is not lost, it waits. */
	assert_int_equal(net_transmit(pair), NET_BLOCKED);
	assert_int_equal(used->idx, (u16)sent);
	while (recv(wire, got, sizeof(got), 0) > 0)
		;
	assert_int_equal(net_transmit(pair), NET_MORE);
	assert_int_equal(used->idx, (u16)(sent + 1));
}

static void test_gone(void **state)
{
	(void)state;
	close(wire);
	offer_buffers(1, 2000);
	assert_int_equal(net_receive(pair), NET_GONE);
	/* The buffer is still the driver's to be used. */
	assert_int_equal(q.last_avail, 0);
	set(&desc[0], DATA, 100, 0, 0);
	assert_int_equal(net_transmit(pair), NET_GONE);
	assert_int_equal(used->idx, 1);
	wire = dup(0);
}

static void test_receive(void **state)
{
	const struct virtio_net_hdr_v1 *hdr = at(DATA);

	(void)state;
	assert_int_equal(net_receive(pair), NET_EMPTY);
	offer_buffers(2, 2000);
	assert_int_equal(net_receive(pair), NET_BLOCKED);
	assert_int_equal(q.last_avail, 0);
	send_frame(1000);
	send_frame(2000);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(used->idx, 2);
	assert_int_equal(used->ring[0].len, 1000);
	assert_int_equal(used->ring[1].len, 2000);
	assert_memory_equal((u8 *)at(DATA) + HDR, frame + HDR, 1000 - HDR);
	assert_memory_equal((u8 *)at(DATA + 2000) + HDR, frame + HDR, 2000 - HDR);
	/* Whatever the link says of it. */
	assert_int_equal(hdr->num_buffers, 1);
}

/* A frame that fills more than a buffer: all of them at once, or none yet. */
static void test_receive_merged(void **state)
{
	const struct virtio_net_hdr_v1 *hdr = at(DATA);

	(void)state;
	offer_buffers(2, 1000);
	send_frame(2500);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(net_receive(pair), NET_EMPTY);
	assert_int_equal(used->idx, 0);
	assert_int_equal(pair->held, 2500);
	set(&desc[2], DATA + 2000, 1000, VRING_DESC_F_WRITE, 0);
	offer(2);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(used->idx, 3);
	assert_int_equal(used->ring[0].len, 1000);
	assert_int_equal(used->ring[2].len, 500);
	assert_int_equal(hdr->num_buffers, 3);
	assert_memory_equal((u8 *)at(DATA) + HDR, frame + HDR, 2500 - HDR);
	assert_int_equal(pair->held, 0);
}

/* The driver is asked to tell of the buffer that is missing, not of those that are there. */
static void test_receive_arms(void **state)
{
	(void)state;
	q.event_idx = true;
	offer_buffers(2, 1000);
	send_frame(2500);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(net_receive(pair), NET_EMPTY);
	assert_int_equal(*(u16 *)&used->ring[SIZE], 2);
	assert_int_equal(q.last_avail, 0);
}

static void test_receive_too_long(void **state)
{
	(void)state;
	/* More than the whole queue can hold: lost. */
	offer_buffers(SIZE, 100);
	send_frame(1000);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(pair->held, 0);
	assert_int_equal(used->idx, 0);
	/* More than a buffer, of a driver that does not merge them: lost, too. */
	pair->mergeable = false;
	send_frame(1000);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(pair->held, 0);
	send_frame(100);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(used->idx, 1);
}

static void test_receive_bad(void **state)
{
	(void)state;
	/* Too small for a header. */
	set(&desc[0], DATA, HDR - 1, VRING_DESC_F_WRITE, 0);
	offer(0);
	assert_int_equal(net_receive(pair), NET_BROKEN);
	/* Something to read. */
	set(&desc[0], DATA, 2000, 0, 0);
	offer(0);
	assert_int_equal(net_receive(pair), NET_BROKEN);
}

static void test_filtered(void **state)
{
	(void)state;
	filter.promisc = false;
	offer_buffers(1, 2000);
	frame[HDR + 5] = 9;
	send_frame(100);
	frame[HDR + 5] = mac[5];
	send_frame(101);
	/* A runt. */
	send_frame(HDR + ETH_HLEN - 1);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(used->idx, 0);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(used->idx, 1);
	assert_int_equal(used->ring[0].len, 101);
	offer(0);
	assert_int_equal(net_receive(pair), NET_MORE);
	assert_int_equal(net_receive(pair), NET_BLOCKED);
	assert_int_equal(used->idx, 1);
}

static int offload_calls;
static u64 offloads_set;

static int take_offloads(void *ctx, u64 offloads)
{
	(void)ctx;
	offload_calls++;
	offloads_set = offloads;
	return 0;
}

static u16 pairs_set;

static int take_pairs(void *ctx, u16 pairs)
{
	(void)ctx;
	pairs_set = pairs;
	return pairs == 3 ? -5 : 0;
}

static struct net_ctrl ctrl = {
	.features = ~0ULL,
	.max_pairs = 4,
	.set_pairs = take_pairs,
	.filter = &filter,
	.set_offloads = take_offloads,
};

/* Return: the device's answer to @len bytes of class, command, data; -1: it was none. */
static int command(u8 class, u8 cmd, const void *data, u32 len)
{
	struct chain chain;
	u8 hdr[2] = { class, cmd }, ack = 0x55, copy[1024];

	memcpy(copy, data, len);
	chain.nr_out = 2;
	chain.nr_in = 1;
	chain.iov[0] = (struct iovec) { hdr, sizeof(hdr) };
	chain.iov[1] = (struct iovec) { copy, len };
	chain.iov[2] = (struct iovec) { &ack, 1 };
	if (net_ctrl_serve(&ctrl, &chain) != 1)
		return -1;
	return ack;
}

#define OK	VIRTIO_NET_OK
#define ERR	VIRTIO_NET_ERR

static bool passes(u8 first, u8 last)
{
	u8 head[NET_FILTER_LEN] = { first, 0, 0, 0, 0, last };

	return net_filter_pass(&filter, head);
}

static void test_rx_modes(void **state)
{
	u8 on = 1, off = 0;

	(void)state;
	assert_true(passes(2, 9));
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &off, 1), OK);
	assert_false(passes(2, 9));
	assert_true(passes(2, 1));
	assert_false(passes(3, 0));
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, &on, 1), OK);
	assert_true(passes(3, 0));
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI, &on, 1), OK);
	assert_false(passes(3, 0));
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, &on, 1), OK);
	assert_true(passes(2, 9));
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, &on, 1), OK);
	assert_false(passes(2, 1));
	/* None of them, too short, not negotiated. */
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, 6, &on, 1), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, 0, &on, 0), ERR);
	ctrl.features = BIT_ULL(VIRTIO_NET_F_CTRL_RX);
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, &off, 1), ERR);
	ctrl.features = 0;
	assert_int_equal(command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &on, 1), ERR);
	ctrl.features = ~0ULL;
	assert_false(passes(2, 1));
}

static void test_mac_table(void **state)
{
	u8 table[8 + 2 * ETH_ALEN] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 9,
				       1, 0, 0, 0, 3, 0, 0, 0, 0, 7 };
	u8 many[4 + 65 * ETH_ALEN + 4] = { 65 };

	(void)state;
	filter.promisc = false;
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
				 table, sizeof(table)), OK);
	assert_true(passes(2, 9));
	assert_true(passes(3, 7));
	assert_false(passes(3, 8));
	assert_false(passes(2, 8));
	/* Cut off, or longer than it is: what was there stays. */
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
				 table, sizeof(table) - 1), ERR);
	table[3] = 0xff;
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
				 table, sizeof(table)), ERR);
	assert_true(passes(2, 9));
	/* More than there is room for: none is lost. */
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
				 many, sizeof(many)), OK);
	assert_true(passes(2, 200));
	assert_false(passes(3, 7));
}

static void test_mac_addr(void **state)
{
	const u8 other[] = { 2, 0, 0, 0, 0, 5 }, group[] = { 3, 0, 0, 0, 0, 5 };

	(void)state;
	filter.promisc = false;
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6), OK);
	assert_true(passes(2, 5));
	assert_false(passes(2, 1));
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, group, 6), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 5), ERR);
	assert_true(passes(2, 5));
}

static void test_vlans(void **state)
{
	u8 head[NET_FILTER_LEN] = { 2, 0, 0, 0, 0, 1, [12] = 0x81, 0x00, 0x6f, 0xff };
	u16 id = 4095, bad = 4096;

	(void)state;
	filter.promisc = false;
	assert_true(net_filter_pass(&filter, head));
	filter.vlans = true;
	assert_false(net_filter_pass(&filter, head));
	assert_int_equal(command(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &id, 2), OK);
	assert_true(net_filter_pass(&filter, head));
	head[15] = 0xfe;
	assert_false(net_filter_pass(&filter, head));
	head[15] = 0xff;
	assert_int_equal(command(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, &id, 2), OK);
	assert_false(net_filter_pass(&filter, head));
	assert_int_equal(command(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &bad, 2), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_VLAN, 2, &id, 2), ERR);
}

static void test_offloads(void **state)
{
	u64 csum = BIT_ULL(VIRTIO_NET_F_GUEST_CSUM), other = BIT_ULL(VIRTIO_NET_F_MAC);

	(void)state;
	offload_calls = 0;
	assert_int_equal(command(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, &csum, 8), OK);
	assert_int_equal(offload_calls, 1);
	assert_int_equal(offloads_set, csum);
	assert_int_equal(command(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, &other, 8), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 1, &csum, 8), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, &csum, 7), ERR);
	assert_int_equal(offload_calls, 1);
}

static void test_pairs(void **state)
{
	u16 pairs;

	(void)state;
	pairs_set = 0;
	for (pairs = 0; pairs <= 5; pairs++) {
		bool good = pairs == 1 || pairs == 2 || pairs == 4;

		assert_int_equal(command(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
					 &pairs, 2), good ? OK : ERR);
	}
	assert_int_equal(pairs_set, 4);
	pairs = 2;
	assert_int_equal(command(VIRTIO_NET_CTRL_MQ, 1, &pairs, 2), ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_MQ, 0, &pairs, 1), ERR);
	ctrl.features = ~BIT_ULL(VIRTIO_NET_F_MQ);
	assert_int_equal(command(VIRTIO_NET_CTRL_MQ, 0, &pairs, 2), ERR);
	ctrl.features = ~0ULL;
	assert_int_equal(pairs_set, 4);
}

static void test_no_command(void **state)
{
	struct chain chain = { .nr_out = 1, .nr_in = 0 };
	u8 hdr[2] = { 0 };

	(void)state;
	chain.iov[0] = (struct iovec) { hdr, 2 };
	assert_int_equal(net_ctrl_serve(&ctrl, &chain), -22);
	chain.nr_in = 1;
	chain.iov[0].iov_len = 1;
	chain.iov[1] = (struct iovec) { hdr, 1 };
	assert_int_equal(net_ctrl_serve(&ctrl, &chain), -22);
	assert_int_equal(command(77, 0, hdr, 2), ERR);
}

static void test_random_commands(void **state)
{
	u8 data[1024];
	int round, ok = 0;
	size_t i;

	(void)state;
	srand(1);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 64; i++)
			data[i] = rand() % 3 ? 0 : (u8)rand();
		ok += command((u8)rand() % 6, (u8)rand() % 8, data, (u32)rand() % 64) == OK;
	}
	assert_true(ok > ROUNDS / 100);
}

static void random_desc(u16 i)
{
	static const u64 places[] = {
		DATA, DATA + 0x1000, MEM_BASE + MEM_SIZE - 2048, 0, ~0ULL,
	};

	set(&desc[i], places[(unsigned int)rand() % (rand() % 8 ? 3 : ARRAY_SIZE(places))],
	    rand() % 16 ? (u32)rand() % 2048 : (u32)rand(),
	    (u16)(rand() & (rand() % 4 ? VRING_DESC_F_WRITE : 7)),
	    (u16)rand() % (SIZE + 1));
}

/* Whatever the driver offers: frames arrive whole, or it is told that it is broken. */
static void test_random_queues(void **state)
{
	int round, steps[NET_GONE + 1] = { 0 };
	u16 i;

	(void)state;
	srand(2);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SIZE; i++)
			random_desc(i);
		pair->mergeable = rand() % 4;
		pair->held = rand() % 4 ? pair->held : 0;
		q.last_avail = avail->idx;
		q.used_idx = used->idx;
		for (i = (u16)rand() % SIZE; i; i--)
			offer((u16)rand() % (SIZE + 1));
		if (rand() % 2)
			send(wire, frame, (size_t)(HDR + rand() % 6000), 0);
		steps[net_receive(pair)]++;
		steps[net_receive(pair)]++;
		steps[net_transmit(pair)]++;
		while (recv(wire, got, sizeof(got), 0) > 0)
			;
	}
	assert_int_equal(steps[NET_GONE], 0);
	assert_true(steps[NET_MORE] > ROUNDS / 10);
	assert_true(steps[NET_BROKEN] > ROUNDS / 10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_transmit),
		TEST(test_transmit_bad),
		TEST(test_transmit_lost),
		TEST(test_transmit_blocked),
		TEST(test_gone),
		TEST(test_receive),
		TEST(test_receive_merged),
		TEST(test_receive_arms),
		TEST(test_receive_too_long),
		TEST(test_receive_bad),
		TEST(test_filtered),
		TEST(test_rx_modes),
		TEST(test_mac_table),
		TEST(test_mac_addr),
		TEST(test_vlans),
		TEST(test_offloads),
		TEST(test_pairs),
		TEST(test_no_command),
		TEST(test_random_commands),
		TEST(test_random_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
