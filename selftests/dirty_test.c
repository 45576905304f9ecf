// SPDX-License-Identifier: GPL-2.0-only
/* Dirty logging: the bitmap, its manual clearing, all of it at once with the rings,
 * which dirty_ring_test.c has by themselves.
 */
#include "lib/admin.h"
#include "lib/dirty.h"

/* --- clearing by hand ------------------------------------------------------------ */

TEST_F(dirty, manual_arguments)
{
	struct kvm_enable_cap c = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .flags = 1,
	};
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(MANUAL | ALL_SET,
		  xioctl_val(vm->fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2));
	EXPECT_EQ(-EINVAL, xioctl(vm->fd, KVM_ENABLE_CAP, &c));
	EXPECT_EQ(-EINVAL, enable(vm, c.cap, ALL_SET));
	EXPECT_EQ(-EINVAL, enable(vm, c.cap, MANUAL | 4));
	EXPECT_EQ(-EINVAL, enable(vm, c.cap, 1UL << 32));
	EXPECT_EQ(0, enable(vm, c.cap, MANUAL));
	EXPECT_EQ(0, enable(vm, c.cap, MANUAL | ALL_SET));
	EXPECT_EQ(0, enable(vm, c.cap, 0));
}

TEST_F(dirty, clear_arguments)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits[4] = { };

	EXPECT_EQ(-ENOENT, clear_log(vm, 1, 0, 64, bits));
	ASSERT_EQ(0, set_log(vm, 0, 200, self->extra));
	EXPECT_EQ(-ENOENT, clear_log(vm, 1, 0, 64, bits));
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	EXPECT_EQ(-EINVAL, clear_log(vm, 0x7fff, 0, 64, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 0x50001, 0, 64, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 1, 64, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 32, 64, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 0, 63, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 64, 65, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 0, 201, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 192, 64, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, 256, 0, bits));
	EXPECT_EQ(-EINVAL, clear_log(vm, 1, -64ULL, 128, bits));
	EXPECT_EQ(-EFAULT, clear_log(vm, 1, 0, 64, (void *)8));
	EXPECT_EQ(0, clear_log(vm, 1, 0, 0, (void *)8));
	EXPECT_EQ(0, clear_log(vm, 1, 0, 200, bits));
	EXPECT_EQ(0, clear_log(vm, 1, 64, 64, bits));
	EXPECT_EQ(0, clear_log(vm, 1, 192, 8, bits));
}

/* Without the capability KVM_CLEAR_DIRTY_LOG works all the same. */
TEST_F(dirty, clear_before_get)
{
	uint64_t mask[4] = { 0xff, 0, 1 }, bits[4];
	struct test_vm *vm = &self->vm;

	NEW_VCPU();
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	ASSERT_EQ(0, fill(vm, 0, 200));
	ASSERT_EQ(0, clear_log(vm, 1, 0, 200, mask));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(~0xffULL, bits[0]);
	EXPECT_EQ(~0ULL, bits[1]);
	EXPECT_EQ(~1ULL, bits[2]);
	EXPECT_EQ(0xff, bits[3]);
	/* And what was cleared is logged again. */
	ASSERT_EQ(0, fill(vm, 5, 1));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(1 << 5, bits[0]);
	EXPECT_EQ(1, count_bits(bits, 4));
}

/* Each page once until its bit is cleared, where it is logged. */
TEST_F(dirty, pages_counted_for_netlink)
{
	struct test_vm *vm = &self->vm;
	struct admin_vm seen;
	uint64_t bits[4];
	struct genl g;

	ASSERT_EQ(0, genl_open(&g));
	NEW_VCPU();
	ASSERT_EQ(0, set_log(vm, 0, 200, self->extra));
	ASSERT_EQ(0, fill(vm, 0, 100));
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	ASSERT_EQ(0, admin_get(&g, admin_newest(&g), &seen));
	EXPECT_EQ(0, seen.dirty_pages);
	ASSERT_EQ(0, fill(vm, 0, 50));
	ASSERT_EQ(0, fill(vm, 0, 60));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	ASSERT_EQ(0, admin_get(&g, seen.id, &seen));
	EXPECT_EQ(60, seen.dirty_pages);
	ASSERT_EQ(0, fill(vm, 55, 10));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	ASSERT_EQ(0, admin_get(&g, seen.id, &seen));
	EXPECT_EQ(70, seen.dirty_pages);
	genl_close(&g);
}

TEST_F(dirty, manual)
{
	uint64_t mask[4] = { 0xf }, bits[4];
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, enable(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, MANUAL));
	NEW_VCPU();
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	ASSERT_EQ(0, fill(vm, 0, 8));
	for (int i = 0; i < 3; i++) {
		memset(bits, 0x55, sizeof(bits));
		ASSERT_EQ(0, get_log(vm, 1, bits));
		EXPECT_EQ(0xff, bits[0]);
		EXPECT_EQ(1 + 7, count_bits(bits, 4));
	}
	ASSERT_EQ(0, clear_log(vm, 1, 0, 64, mask));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(0xf0, bits[0]);
	ASSERT_EQ(0, fill(vm, 2, 1));
	ASSERT_EQ(0, fill(vm, 199, 1));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(0xf4, bits[0]);
	EXPECT_EQ(1 << 7, bits[3]);
	/* The part behind an offset: bit 0 is its first page. */
	mask[0] = 1 << 7;
	ASSERT_EQ(0, clear_log(vm, 1, 192, 8, mask));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(0xf4, bits[0]);
	EXPECT_EQ(0, bits[3]);
	ASSERT_EQ(0, fill(vm, 199, 1));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(1 << 7, bits[3]);
}

static uint64_t big[EXTRA_PAGES / 64], big_mask[EXTRA_PAGES / 64];

/* Mapped large or small before: nothing is missed once it has been cleared. */
TEST_F(dirty, initially_set)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits[4];

	ASSERT_EQ(0, enable(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			    MANUAL | ALL_SET));
	NEW_VCPU();
	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	memset(self->extra, 0, EXTRA_SIZE);
	ASSERT_EQ(0, set_log(vm, 0, EXTRA_PAGES, self->extra));
	ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
	ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
	ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(EXTRA_PAGES, count_bits(big, EXTRA_PAGES / 64));

	/* 64 pages in the middle of a large one. */
	memset(big_mask, 0xff, sizeof(big_mask));
	ASSERT_EQ(0, clear_log(vm, 1, 640, 64, big_mask));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(EXTRA_PAGES - 64, count_bits(big, EXTRA_PAGES / 64));
	ASSERT_EQ(0, fill(vm, 641, 1));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(2, big[10]);

	ASSERT_EQ(0, clear_log(vm, 1, 0, EXTRA_PAGES, big_mask));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(0, count_bits(big, EXTRA_PAGES / 64));
	ASSERT_EQ(0, fill(vm, 1000, 100));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(100, count_bits(big, EXTRA_PAGES / 64));
	for (unsigned int i = 1000; i < 1100; i++)
		EXPECT_EQ(1, big[i / 64] >> (i % 64) & 1);

	/* A slot made so, and nothing beyond its end. */
	ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	ASSERT_EQ(0, set_log(vm, LOG, 200, self->extra));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(200, count_bits(bits, 4));
	EXPECT_EQ(0xff, bits[3]);
}

/* --- logging ends ----------------------------------------------------------------- */

static uint64_t page_faults(struct test_vm *vm)
{
	int fd = xioctl_val(vm->vcpu[0], KVM_GET_STATS_FD, 0);
	struct kvm_stats_header head;
	uint64_t val = 0;
	char desc[512];

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return 0;
	for (uint32_t i = 0; i < head.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)desc;
		size_t size = sizeof(*d) + head.name_size;

		if (pread(fd, desc, size, head.desc_offset + i * size) != size)
			break;
		/* joist's name, and KVM's. */
		if (strcmp(d->name, "page_faults") && strcmp(d->name, "pf_taken"))
			continue;
		if (pread(fd, &val, 8, head.data_offset + d->offset) != 8)
			val = 0;
	}
	close(fd);
	return val;
}

/* What the host has in small pages stays mapped, what it has in large ones is
 * mapped large again.
 */
TEST_F(dirty, logging_ends)
{
	struct test_vm *vm = &self->vm;
	uint64_t before;

	NEW_VCPU();
	for (int huge = 0; huge < 2; huge++) {
		madvise(self->extra, EXTRA_SIZE, MADV_DONTNEED);
		madvise(self->extra, EXTRA_SIZE,
			huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		memset(self->extra, 0, EXTRA_SIZE);
		vm_load(vm, GPA_CODE, code_fill);
		ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
		ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
		ASSERT_EQ(0, get_log(vm, 1, big));
		ASSERT_EQ(0, set_log(vm, 0, EXTRA_PAGES, self->extra));
		before = page_faults(vm);
		ASSERT_LT(EXTRA_PAGES - 1, before);
		vm_load(vm, GPA_CODE, code_touch);
		ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
		EXPECT_GT(20, page_faults(vm) - before);
		/* Writes go through, and to the right places. */
		vm_load(vm, GPA_CODE, code_fill);
		ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
		for (unsigned int i = 0; i < EXTRA_PAGES; i++)
			ASSERT_EQ(EXTRA_PAGES - i,
				  *(uint32_t *)(self->extra + i * PAGE));
		ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	}
}

/* One write to a large page leaves the rest of it mapped. */
TEST_F(dirty, large_pages_are_split)
{
	struct test_vm *vm = &self->vm;
	uint64_t before;

	NEW_VCPU();
	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	for (unsigned int i = 0; i < EXTRA_PAGES; i++)
		*(uint32_t *)(self->extra + i * PAGE) = i;
	vm_load(vm, GPA_CODE, code_touch);
	ASSERT_EQ(0, set_log(vm, 0, EXTRA_PAGES, self->extra));
	ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
	ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
	before = page_faults(vm);
	vm_load(vm, GPA_CODE, code_fill);
	for (unsigned int i = 0; i < EXTRA_PAGES; i += 512)
		ASSERT_EQ(0, fill(vm, i + 5, 1));
	vm_load(vm, GPA_CODE, code_touch);
	ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
	EXPECT_LT(0, page_faults(vm) - before);
	EXPECT_GT(20, page_faults(vm) - before);
	/* And all of the rest is logged. */
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(EXTRA_PAGES / 512, count_bits(big, EXTRA_PAGES / 64));
	vm_load(vm, GPA_CODE, code_fill);
	ASSERT_EQ(0, fill(vm, 0, EXTRA_PAGES));
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(EXTRA_PAGES, count_bits(big, EXTRA_PAGES / 64));
	for (unsigned int i = 0; i < EXTRA_PAGES; i++)
		ASSERT_EQ(EXTRA_PAGES - i,
			  *(uint32_t *)(self->extra + i * PAGE));
}

/* Clean pages are written again, more of them than a log of the CPU's holds. */
TEST_F(dirty, many_pages_again)
{
	struct test_vm *vm = &self->vm;

	NEW_VCPU();
	ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
	for (unsigned int pages = EXTRA_PAGES; pages > 100; pages = pages * 3 / 4) {
		ASSERT_EQ(0, fill(vm, 0, pages));
		ASSERT_EQ(0, get_log(vm, 1, big));
		EXPECT_EQ(pages, count_bits(big, EXTRA_PAGES / 64));
		EXPECT_EQ(1, big[(pages - 1) / 64] >> ((pages - 1) % 64) & 1);
	}
	ASSERT_EQ(0, get_log(vm, 1, big));
	EXPECT_EQ(0, count_bits(big, EXTRA_PAGES / 64));
}

/* Writes RCX to the page at RBX, and stays. */
GUEST64(code_write_and_spin, "mov %ecx, (%rbx)\n1: pause\njmp 1b\n");

/* What a guest wrote that has not left since is in the log. */
TEST_F(dirty, seen_while_it_runs)
{
	volatile uint32_t *word = (uint32_t *)(self->extra + 3 * PAGE);
	struct test_vm *vm = &self->vm;
	struct runner r;

	NEW_VCPU();
	ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
	for (uint32_t i = 1; i < 5; i++) {
		ASSERT_EQ(0, fill(vm, 0, 8));
		ASSERT_EQ(0, get_log(vm, 1, big));
		vm_load(vm, GPA_CODE, code_write_and_spin);
		ASSERT_EQ(0, guest_regs(vm, 0, SLOT_GPA + 3 * PAGE, i << 16, 0));
		ASSERT_EQ(0, runner_start(&r, vm, 0));
		while (*word != i << 16 && !r.bad)
			usleep(100);
		ASSERT_EQ(0, get_log(vm, 1, big));
		runner_stop(&r);
		ASSERT_EQ(0, r.bad);
		EXPECT_EQ(1 << 3, big[0]);
		EXPECT_EQ(1, count_bits(big, EXTRA_PAGES / 64));
		vm_load(vm, GPA_CODE, code_fill);
		vm->run[0]->immediate_exit = 0;
	}
}

/* --- all at once -------------------------------------------------------------------- */

static void ring_collect(struct kvm_dirty_gfn *ring, unsigned int nr,
			 uint32_t *at, uint64_t *bits)
{
	int64_t page;

	while ((page = ring_next(ring, nr, at, 1)) != -1)
		if (page >= 0 && page < ROUND_PAGES)
			bits[page / 64] |= 1ULL << (page % 64);
}

/* What is new by a kind of log goes to @bits: 0 or -errno. */
static int collect(struct _test_data_dirty *self, int mode, uint64_t *bits)
{
	uint64_t got[ROUND_PAGES / 64];
	struct test_vm *vm = &self->vm;
	int ret;

	if (mode == 2) {
		ring_collect(self->ring, self->ring_nr, &self->at, bits);
		ret = reset_rings(vm);
		return ret < 0 ? ret : 0;
	}
	ret = get_log(vm, 1, got);
	for (int i = 0; i < ROUND_PAGES / 64; i++)
		bits[i] |= got[i];
	if (!ret && mode == 1)
		ret = clear_log(vm, 1, 0, ROUND_PAGES, got);
	return ret;
}

/* Every page that changed is in the log: bitmap, cleared by hand, ring. */
TEST_F_TIMEOUT(dirty, nothing_is_missed, 200)
{
	static uint32_t was[ROUND_PAGES];
	uint64_t bits[ROUND_PAGES / 64];
	struct test_vm *vm = &self->vm;
	struct runner r;

	for (int mode = 0; mode < 3; mode++) {
		unsigned int total = 0;

		if (mode == 1)
			ASSERT_EQ(0, enable(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
					    MANUAL));
		if (mode == 2) {
			vm_close(vm);
			ASSERT_EQ(0, vm_new(vm, 0));
			NEW_RING(256);
		} else if (mode == 0) {
			NEW_VCPU();
		}
		vm_load(vm, GPA_CODE, code_scatter);
		ASSERT_EQ(0, guest_regs(vm, 0, SLOT_GPA, 0, 0x123456789abcdef));
		ASSERT_EQ(0, set_log(vm, LOG, ROUND_PAGES, self->extra));
		for (int round = 0; round < 20; round++) {
			unsigned int changed = 0;

			for (int i = 0; i < ROUND_PAGES; i++)
				was[i] = *(uint32_t *)(self->extra + i * PAGE);
			memset(bits, 0, sizeof(bits));
			ASSERT_EQ(0, runner_start(&r, vm, 0));
			for (int n = 0; n < 20; n++) {
				usleep(500);
				ASSERT_EQ(0, collect(self, mode, bits));
			}
			runner_stop(&r);
			ASSERT_EQ(0, r.bad);
			ASSERT_EQ(0, collect(self, mode, bits));
			for (int i = 0; i < ROUND_PAGES; i++) {
				if (was[i] == *(uint32_t *)(self->extra + i * PAGE))
					continue;
				changed++;
				ASSERT_EQ(1, bits[i / 64] >> (i % 64) & 1);
			}
			total += changed;
		}
		EXPECT_LT(100, total);
		ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	}
}

/* Logging comes and goes, is read and cleared, and the slot goes, under two vCPUs. */
TEST_F_TIMEOUT(dirty, toggled_while_running, 200)
{
	struct test_vm *vm = &self->vm;
	struct runner r[2];

	ASSERT_EQ(0, enable(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			    MANUAL | ALL_SET));
	NEW_VCPU();
	ASSERT_LE(0, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, vcpu_long64(vm, 1, GPA_CODE));
	vm_load(vm, GPA_CODE, code_scatter);
	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	memset(self->extra, 0, EXTRA_SIZE);
	memset(big_mask, 0xff, sizeof(big_mask));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, guest_regs(vm, i, SLOT_GPA, 0, 77 + i));
		ASSERT_EQ(0, runner_start(&r[i], vm, i));
	}
	for (int n = 0; n < 100 && !r[0].bad && !r[1].bad; n++) {
		ASSERT_EQ(0, set_log(vm, n & 1 ? LOG : 0, EXTRA_PAGES,
				     self->extra));
		usleep(300);
		ASSERT_EQ(0, set_log(vm, LOG, EXTRA_PAGES, self->extra));
		usleep(300);
		ASSERT_EQ(0, get_log(vm, 1, big));
		ASSERT_EQ(0, clear_log(vm, 1, 0, EXTRA_PAGES, big_mask));
		usleep(300);
		ASSERT_EQ(0, set_log(vm, 0, EXTRA_PAGES, self->extra));
		usleep(300);
		if (n & 2)
			ASSERT_EQ(0, set_log(vm, 0, 0, NULL));
	}
	for (int i = 0; i < 2; i++) {
		runner_stop(&r[i]);
		EXPECT_EQ(0, r[i].bad);
	}
}

JOIST_TEST_MAIN
