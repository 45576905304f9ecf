// SPDX-License-Identifier: GPL-2.0-only
/* Dirty rings: each vCPU's list of the pages it wrote, and a VMM that scribbles on it. */
#include "lib/dirty.h"

TEST_F(dirty, ring_arguments)
{
	struct test_vm *vm = &self->vm;
	int cap = KVM_CAP_DIRTY_LOG_RING;
	int max = xioctl_val(vm->fd, KVM_CHECK_EXTENSION, cap);

	ASSERT_LT(4096, max);
	EXPECT_EQ(max, xioctl_val(vm->fd, KVM_CHECK_EXTENSION,
				  KVM_CAP_DIRTY_LOG_RING_ACQ_REL));
	EXPECT_EQ(-EINVAL, reset_rings(vm));
	EXPECT_EQ(-EINVAL, enable(vm, cap, 0));
	EXPECT_EQ(-EINVAL, enable(vm, cap, 16));
	EXPECT_EQ(-EINVAL, enable(vm, cap, 3 << 12));
	EXPECT_EQ(-EINVAL, enable(vm, cap, 65536 + 16));
	EXPECT_EQ(-E2BIG, enable(vm, cap, 2UL * max));
	EXPECT_EQ(-E2BIG, enable(vm, cap, 1UL << 31));
	EXPECT_EQ(0, enable(vm, cap, 65536));
	EXPECT_EQ(-EINVAL, enable(vm, cap, 65536));
	EXPECT_EQ(0, reset_rings(vm));
}

TEST_F(dirty, ring_too_late)
{
	void *p;

	NEW_VCPU();
	EXPECT_EQ(-EINVAL, enable(&self->vm, KVM_CAP_DIRTY_LOG_RING, 65536));
	/* And nothing to be seen where a ring would be. */
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->vm.vcpu[0],
		 KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);
	if (p != MAP_FAILED) {
		EXPECT_EQ(-1, write(1, p, 1));
		munmap(p, PAGE);
	}
}

/* What is in a bitmap would be in no ring. */
TEST_F(dirty, ring_beside_bitmap)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits[4];

	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	EXPECT_EQ(-EINVAL, enable(vm, KVM_CAP_DIRTY_LOG_RING, 65536));
	EXPECT_EQ(0, get_log(vm, 1, bits));
	ASSERT_EQ(0, set_log(vm, 0, 200, self->extra));
	EXPECT_EQ(0, enable(vm, KVM_CAP_DIRTY_LOG_RING, 65536));
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	EXPECT_EQ(-ENXIO, get_log(vm, 1, bits));
}

static uint64_t big[EXTRA_PAGES / 64];

TEST_F(dirty, ring)
{
	struct test_vm *vm = &self->vm;
	size_t size = 4096 * sizeof(*self->ring);
	uint64_t bits[4];

	NEW_RING(4096);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ, MAP_PRIVATE,
				   vm->vcpu[0], KVM_DIRTY_LOG_PAGE_OFFSET * PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_EXEC,
				   MAP_SHARED, vm->vcpu[0],
				   KVM_DIRTY_LOG_PAGE_OFFSET * PAGE));

	/* Slot 0 is not logged: the guest's own work leaves nothing. */
	ASSERT_EQ(0, set_log(vm, 0, 200, self->extra));
	ASSERT_EQ(0, fill(vm, 0, 200));
	EXPECT_EQ(-1, RING_NEXT(1));
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	EXPECT_EQ(-ENXIO, get_log(vm, 1, bits));
	EXPECT_EQ(-ENXIO, clear_log(vm, 1, 0, 64, bits));
	EXPECT_EQ(-1, RING_NEXT(1));

	for (int n = 0; n < 3; n++) {
		ASSERT_EQ(0, fill(vm, 50, 10));
		/* Written again: it is there already. */
		ASSERT_EQ(0, fill(vm, 50, 10));
		/* Not read yet: nothing to be reset. */
		EXPECT_EQ(0, reset_rings(vm));
		for (int i = 0; i < 4; i++)
			EXPECT_EQ(50 + i, RING_NEXT(1));
		EXPECT_EQ(4, reset_rings(vm));
		EXPECT_EQ(0, reset_rings(vm));
		for (int i = 4; i < 10; i++)
			EXPECT_EQ(50 + i, RING_NEXT(1));
		EXPECT_EQ(-1, RING_NEXT(1));
		EXPECT_EQ(6, reset_rings(vm));
	}
	/* Read, but not reset: still writable, so not logged. */
	ASSERT_EQ(0, fill(vm, 7, 1));
	EXPECT_EQ(7, RING_NEXT(1));
	ASSERT_EQ(0, fill(vm, 7, 1));
	EXPECT_EQ(-1, RING_NEXT(1));
	EXPECT_EQ(1, reset_rings(vm));

	/* The slot goes before the reset does. */
	ASSERT_EQ(0, fill(vm, 9, 3));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(9 + i, RING_NEXT(1));
	ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	EXPECT_EQ(3, reset_rings(vm));
}

TEST_F(dirty, ring_full)
{
	struct test_vm *vm = &self->vm;
	unsigned int full = 0, seen = 0;
	int ret, n;

	NEW_RING(1024);
	ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
	memset(big, 0, sizeof(big));
	ASSERT_EQ(0, guest_regs(vm, 0, SLOT_GPA, EXTRA_PAGES, 0));
	while ((ret = vcpu_run(vm, 0)) == KVM_EXIT_DIRTY_RING_FULL) {
		int64_t at;

		/* It stays so, until something is reset. */
		ASSERT_EQ(KVM_EXIT_DIRTY_RING_FULL, vcpu_run(vm, 0));
		ASSERT_EQ(0, reset_rings(vm));
		ASSERT_EQ(KVM_EXIT_DIRTY_RING_FULL, vcpu_run(vm, 0));
		for (n = 0; (at = RING_NEXT(1)) >= 0; n++)
			big[at / 64] |= 1ULL << (at % 64);
		ASSERT_EQ(-1, at);
		ASSERT_LT(256, n);
		ASSERT_GE(1024, n);
		ASSERT_EQ(KVM_EXIT_DIRTY_RING_FULL, vcpu_run(vm, 0));
		ASSERT_EQ(n, reset_rings(vm));
		full++;
	}
	ASSERT_EQ(KVM_EXIT_IO, ret);
	EXPECT_LT(1, full);
	for (int64_t at; (at = RING_NEXT(1)) >= 0;)
		big[at / 64] |= 1ULL << (at % 64);
	seen = count_bits(big, EXTRA_PAGES / 64);
	EXPECT_EQ(EXTRA_PAGES, seen);
	for (unsigned int i = 0; i < EXTRA_PAGES; i++)
		ASSERT_EQ(EXTRA_PAGES - i, *(uint32_t *)(self->extra + i * PAGE));
}

/* What the kernel writes for the guest is in the ring too. */
TEST_F(dirty, ring_has_the_kernels_writes)
{
	struct test_vm *vm = &self->vm;
	int n = 0;

	NEW_RING(1024);
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_WALL_CLOCK, SLOT_GPA + 5 * PAGE));
	while (RING_NEXT(1) == 5)
		n++;
	EXPECT_LT(0, n);
	EXPECT_EQ(n, reset_rings(vm));
	/* A VMM that overruns the ring loses pages of its own guest, no more. (KVM
	 * complains in the host's log.)
	 */
	if (!strcmp(test_dev(), "/dev/kvm"))
		return;
	for (int i = 0; i < 3000; i++)
		ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_WALL_CLOCK,
					  SLOT_GPA + (i % 200) * PAGE));
	ASSERT_EQ(0, guest_regs(vm, 0, SLOT_GPA, 1, 0));
	EXPECT_EQ(KVM_EXIT_DIRTY_RING_FULL, vcpu_run(vm, 0));
	for (n = 0; RING_NEXT(1) >= 0; n++)
		;
	EXPECT_EQ(1024, n);
	EXPECT_EQ(n, reset_rings(vm));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

struct scribbler {
	struct kvm_dirty_gfn *ring;
	unsigned int nr;
	volatile bool stop;
};

#define store(p, v)	__atomic_store_n(p, v, __ATOMIC_RELAXED)

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	unsigned int seed = 1;

	while (!s->stop)
		for (unsigned int i = 0; i < s->nr; i++) {
			struct kvm_dirty_gfn *e = &s->ring[i];

			seed = seed * 1103515245 + 12345;
			store(&e->slot, seed >> 8 & 0x30007);
			store(&e->offset, seed & 0x10000 ? seed :
			      (uint64_t)seed << 33);
			store(&e->flags, seed >> 4);
		}
	return NULL;
}

/* The ring is the VMM's to write: it can only harm its own log. */
TEST_F_TIMEOUT(dirty, ring_scribbled_on, 200)
{
	struct scribbler s = { };
	struct test_vm *vm = &self->vm;
	pthread_t thread;
	struct runner r;

	NEW_RING(256);
	vm_load(vm, GPA_CODE, code_scatter);
	ASSERT_EQ(0, guest_regs(vm, 0, SLOT_GPA, 0, 99));
	s.ring = self->ring;
	s.nr = self->ring_nr;
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	ASSERT_EQ(0, runner_start(&r, vm, 0));
	for (int n = 0; n < 200 && !r.bad; n++) {
		int reset;

		ASSERT_EQ(0, set_log(vm, LOG, ROUND_PAGES, self->extra));
		for (int i = 0; i < 4; i++) {
			usleep(100);
			reset = reset_rings(vm);
			ASSERT_LE(0, reset);
			ASSERT_GE(256, reset);
		}
		ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	}
	runner_stop(&r);
	EXPECT_EQ(0, r.bad);
	s.stop = true;
	pthread_join(thread, NULL);
}

JOIST_TEST_MAIN
