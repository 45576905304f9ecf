// SPDX-License-Identifier: GPL-2.0-only
/* The wrapper of the kernel's vhost, against a kernel that notes what it is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/backend/vhost.h"
#include "vmm/memory.h"

int ioctl(int fd, unsigned long request, ...);

#define CALLS_MAX	64
#define FAKE_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT_ULL(VHOST_F_LOG_ALL) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			 BIT_ULL(VHOST_NET_F_VIRTIO_NET_HDR))

struct fake_ring {
	struct vhost_vring_addr addr;
	unsigned int num, base;
	int kick, call, err;
};

static struct {
	int nr_calls, fail_at;
	unsigned long last;
	bool owned, running;
	u64 features;
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[4];
	} mem;
	struct fake_ring ring[VHOST_RINGS_MAX];
} fake;

static u8 ram[3][PAGE_SIZE];

static void set_ring(unsigned long request, void *arg)
{
	struct vhost_vring_addr *addr = arg;
	struct vhost_vring_state *state = arg;
	struct vhost_vring_file *file = arg;
	struct fake_ring *ring;

	/* Each begins with the ring's index. */
	assert_in_range(state->index, 0, VHOST_RINGS_MAX - 1);
	ring = &fake.ring[state->index];
	switch (request) {
	case VHOST_SET_VRING_NUM:
		assert_false(fake.running);
		ring->num = state->num;
		break;
	case VHOST_SET_VRING_BASE:
		assert_false(fake.running);
		ring->base = state->num;
		break;
	case VHOST_GET_VRING_BASE:
		assert_int_equal(ring->kick, -1);
		state->num = ring->base;
		break;
	case VHOST_SET_VRING_ADDR:
		assert_false(fake.running);
		ring->addr = *addr;
		break;
	case VHOST_SET_VRING_KICK:
		ring->kick = file->fd;
		break;
	case VHOST_SET_VRING_CALL:
		ring->call = file->fd;
		break;
	case VHOST_SET_VRING_ERR:
		ring->err = file->fd;
		break;
	default:
		fail_msg("ioctl %#lx", request);
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	const struct vhost_memory *mem;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (++fake.nr_calls == fake.fail_at) {
		errno = EFAULT;
		return -1;
	}
	assert_true(fake.owned || request == VHOST_SET_OWNER);
	switch (request) {
	case VHOST_SET_OWNER:
		fake.owned = true;
		break;
	case VHOST_GET_FEATURES:
		*(u64 *)arg = FAKE_FEATURES;
		break;
	case VHOST_SET_FEATURES:
		assert_false(fake.running);
		fake.features = *(u64 *)arg;
		break;
	case VHOST_SET_MEM_TABLE:
		mem = arg;
		assert_in_range(mem->nregions, 1, ARRAY_SIZE(fake.mem.region));
		memcpy(&fake.mem, mem, sizeof(*mem) + mem->nregions * sizeof(mem->regions[0]));
		break;
	case VHOST_VSOCK_SET_RUNNING:
		fake.running = *(int *)arg;
		break;
	default:
		set_ring(request, arg);
	}
	return 0;
}

static int run(struct vhost *vhost, bool on)
{
	return vhost_vsock_run(vhost->fd, on);
}

static const struct memory memory = {
	.nr_regions = 2,
	.region = {
		{ .gpa = 0, .size = 2 * PAGE_SIZE, .hva = ram[0] },
		{ .gpa = HIGH_RAM_START, .size = PAGE_SIZE, .hva = ram[2] },
	},
};

static const struct vhost_ring rings[] = {
	{ ram[0], ram[0] + 64, ram[0] + 128, 4, 50, 51, 52 },
	{ ram[2], ram[2] + 64, ram[2] + 128, 2, 60, 61, 62 },
};

static void begin(struct vhost *vhost)
{
	int i;

	memset(&fake, 0, sizeof(fake));
	for (i = 0; i < VHOST_RINGS_MAX; i++)
		fake.ring[i] = (struct fake_ring) { .kick = -1, .call = -1, .err = -1 };
	*vhost = (struct vhost) { .run = run };
	assert_int_equal(vhost_init(vhost, eventfd(0, EFD_CLOEXEC)), 0);
}

static int start(struct vhost *vhost)
{
	return vhost_start(vhost, &memory, BIT_ULL(VIRTIO_F_VERSION_1), rings, ARRAY_SIZE(rings));
}

static void assert_stopped(void)
{
	int i;

	assert_false(fake.running);
	for (i = 0; i < VHOST_RINGS_MAX; i++) {
		assert_int_equal(fake.ring[i].kick, -1);
		assert_int_equal(fake.ring[i].call, -1);
		assert_int_equal(fake.ring[i].err, -1);
	}
}

static void test_features(void **state)
{
	struct vhost vhost;

	begin(&vhost);
	assert_true(fake.owned);
	assert_int_equal(vhost.features, BIT_ULL(VIRTIO_F_VERSION_1) |
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX));
	/* What it cannot do it is not asked for. */
	assert_int_equal(vhost_start(&vhost, &memory, BIT_ULL(VIRTIO_F_RING_PACKED), rings, 2),
			 -EINVAL);
	assert_int_equal(vhost_start(&vhost, &memory, BIT_ULL(VHOST_F_LOG_ALL), rings, 2),
			 -EINVAL);
	assert_stopped();
	vhost_destroy(&vhost);
	assert_int_equal(vhost.fd, -1);
}

static void test_start(void **state)
{
	struct vhost vhost;
	int i;

	begin(&vhost);
	assert_int_equal(start(&vhost), 0);
	assert_true(fake.running);
	assert_int_equal(fake.features, BIT_ULL(VIRTIO_F_VERSION_1));
	assert_int_equal(fake.mem.head.nregions, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(fake.mem.region[i].guest_phys_addr, memory.region[i].gpa);
		assert_int_equal(fake.mem.region[i].memory_size, memory.region[i].size);
		assert_int_equal(fake.mem.region[i].userspace_addr,
				 (uintptr_t)memory.region[i].hva);
		assert_int_equal(fake.ring[i].addr.desc_user_addr, (uintptr_t)rings[i].desc);
		assert_int_equal(fake.ring[i].addr.avail_user_addr, (uintptr_t)rings[i].avail);
		assert_int_equal(fake.ring[i].addr.used_user_addr, (uintptr_t)rings[i].used);
		assert_int_equal(fake.ring[i].addr.flags, 0);
		assert_int_equal(fake.ring[i].num, rings[i].size);
		assert_int_equal(fake.ring[i].kick, rings[i].kick_fd);
		assert_int_equal(fake.ring[i].call, rings[i].call_fd);
		assert_int_equal(fake.ring[i].err, rings[i].err_fd);
	}
	vhost_stop(&vhost);
	assert_stopped();
	vhost_destroy(&vhost);
}

/* A driver that was reset begins with the first entry again. */
static void test_again(void **state)
{
	struct vhost vhost;

	begin(&vhost);
	assert_int_equal(start(&vhost), 0);
	fake.ring[0].base = 77;
	vhost_stop(&vhost);
	assert_int_equal(start(&vhost), 0);
	assert_int_equal(fake.ring[0].base, 0);
	assert_true(fake.running);
	vhost_stop(&vhost);
	vhost_stop(&vhost);
	assert_stopped();
	vhost_destroy(&vhost);
}

/* Whatever call fails: it is stopped, holds nothing, and can be started again. */
static void test_failures(void **state)
{
	struct vhost vhost;
	int calls, at;

	begin(&vhost);
	calls = fake.nr_calls;
	assert_int_equal(start(&vhost), 0);
	calls = fake.nr_calls - calls;
	assert_in_range(calls, 15, CALLS_MAX);
	vhost_destroy(&vhost);
	for (at = 1; at <= calls; at++) {
		begin(&vhost);
		fake.fail_at = fake.nr_calls + at;
		assert_int_equal(start(&vhost), -EFAULT);
		assert_stopped();
		assert_int_equal(start(&vhost), 0);
		vhost_stop(&vhost);
		assert_stopped();
		vhost_destroy(&vhost);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
