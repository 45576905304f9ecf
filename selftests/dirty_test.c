// SPDX-License-Identifier: GPL-2.0-only
/* Dirty logging: the bitmap, its manual clearing, and the rings. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/test.h"

#define SLOT_GPA	0x40000000UL
#define PAGE		4096UL
#define EXTRA_SIZE	(8UL << 20)
#define EXTRA_PAGES	(EXTRA_SIZE / PAGE)
#define LOG		KVM_MEM_LOG_DIRTY_PAGES

#define MANUAL		KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
#define ALL_SET		KVM_DIRTY_LOG_INITIALLY_SET

#define MSR_WALL_CLOCK	0x4b564d00

FIXTURE(dirty)
{
	struct test_vm vm;
	uint8_t *extra;			/* 2 MiB aligned */
	void *map;
	struct kvm_dirty_gfn *ring;	/* of vCPU 0 */
	unsigned int ring_nr;
	uint32_t at;			/* next entry to be read */
};

FIXTURE_SETUP(dirty)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	self->map = mmap(NULL, EXTRA_SIZE + (2 << 20), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	self->extra = (void *)(((uintptr_t)self->map + (2 << 20) - 1) &
			       ~((2UL << 20) - 1));
}

FIXTURE_TEARDOWN(dirty)
{
	if (self->ring)
		munmap(self->ring, self->ring_nr * sizeof(*self->ring));
	vm_close(&self->vm);
	munmap(self->map, EXTRA_SIZE + (2 << 20));
}

static int enable(struct test_vm *vm, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	return xioctl(vm->fd, KVM_ENABLE_CAP, &c);
}

static int set_log(struct test_vm *vm, uint32_t flags, unsigned int pages,
		   void *mem)
{
	return vm_set_memory(vm, 1, flags, SLOT_GPA, pages * PAGE, mem);
}

static int get_log(struct test_vm *vm, uint32_t slot, void *bits)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bits };

	return xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static int clear_log(struct test_vm *vm, uint32_t slot, uint64_t first,
		     uint32_t nr, void *bits)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .first_page = first, .num_pages = nr,
		.dirty_bitmap = bits,
	};

	return xioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static int reset_rings(struct test_vm *vm)
{
	return xioctl(vm->fd, KVM_RESET_DIRTY_RINGS, NULL);
}

static unsigned int count_bits(const uint64_t *bits, unsigned int words)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < words; i++)
		n += __builtin_popcountll(bits[i]);
	return n;
}

/* Writes RCX, counting down, to each of that many pages from RBX on. */
GUEST64(code_fill,
	"1: mov %ecx, (%rbx)\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

/* Reads them. */
GUEST64(code_touch,
	"1: mov (%rbx), %eax\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

static int guest_regs(struct test_vm *vm, int i, uint64_t rbx, uint64_t rcx,
		      uint64_t rdx)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 2, .rsp = GPA_STACK,
		.rbx = rbx, .rcx = rcx, .rdx = rdx,
	};

	return xioctl(vm->vcpu[i], KVM_SET_REGS, &regs);
}

static int fill(struct test_vm *vm, unsigned int first, unsigned int pages)
{
	int ret = guest_regs(vm, 0, SLOT_GPA + first * PAGE, pages, 0);

	return ret ? ret : vcpu_done(vm, 0);
}

#define NEW_VCPU()							\
	do {								\
		ASSERT_LE(0, vm_add_vcpu(&self->vm, 0));		\
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));	\
		vm_load(&self->vm, GPA_CODE, code_fill);		\
	} while (0)

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

/* --- rings ------------------------------------------------------------------------- */

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

#define RING_AT		(KVM_DIRTY_LOG_PAGE_OFFSET * PAGE)

static struct kvm_dirty_gfn *map_ring(struct test_vm *vm, unsigned int nr)
{
	void *ring = mmap(NULL, nr * sizeof(struct kvm_dirty_gfn),
			  PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[0], RING_AT);

	return ring == MAP_FAILED ? NULL : ring;
}

/* A vCPU with a ring of so many entries. */
#define NEW_RING(entries)						\
	do {								\
		self->ring_nr = (entries);				\
		ASSERT_EQ(0, enable(&self->vm, KVM_CAP_DIRTY_LOG_RING,	\
				    self->ring_nr * sizeof(*self->ring))); \
		NEW_VCPU();						\
		self->ring = map_ring(&self->vm, self->ring_nr);	\
		ASSERT_NE(NULL, self->ring);				\
	} while (0)

/* The next entry's offset, or -1: there is none, or -2: it is of another slot. */
static int64_t ring_next(struct kvm_dirty_gfn *ring, unsigned int nr,
			 uint32_t *at, uint32_t slot)
{
	struct kvm_dirty_gfn *e = &ring[*at % nr];
	int64_t offset = -2;

	if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
		return -1;
	if (e->slot == slot)
		offset = e->offset;
	__atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	++*at;
	return offset;
}

#define RING_NEXT(slot) ring_next(self->ring, self->ring_nr, &self->at, slot)

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

/* --- hostile, and all at once --------------------------------------------------------- */

/* Adds one to a word of a random page of 512 from RBX on, for ever. */
GUEST64(code_scatter,
	"1: mov %rdx, %rax\n shl $13, %rax\n xor %rax, %rdx\n"
	"mov %rdx, %rax\n shr $7, %rax\n xor %rax, %rdx\n"
	"mov %rdx, %rax\n shl $17, %rax\n xor %rax, %rdx\n"
	"mov %edx, %eax\n and $0x1ff, %eax\n shl $12, %rax\n"
	"lock incl (%rbx,%rax)\n"
	"jmp 1b\n");

struct runner {
	struct test_vm *vm;
	int i;
	pthread_t thread;
	volatile bool stop;
	volatile int bad;
};

static void on_usr1(int sig)
{
}

static void *run_thread(void *arg)
{
	struct runner *r = arg;

	while (!r->stop) {
		int ret = vcpu_run(r->vm, r->i);

		if (ret == KVM_EXIT_DIRTY_RING_FULL) {
			usleep(100);
		} else if (ret != KVM_EXIT_MMIO && ret != -EINTR &&
			   ret != -EAGAIN) {
			vcpu_complain(r->vm, r->i, "to go on", ret);
			r->bad = 1;
			break;
		}
	}
	return NULL;
}

static int runner_start(struct runner *r, struct test_vm *vm, int i)
{
	struct sigaction sa = { .sa_handler = on_usr1 };

	sigaction(SIGUSR1, &sa, NULL);
	*r = (struct runner){ .vm = vm, .i = i };
	vm->run[i]->immediate_exit = 0;
	return -pthread_create(&r->thread, NULL, run_thread, r);
}

static void runner_stop(struct runner *r)
{
	r->stop = true;
	r->vm->run[r->i]->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	pthread_join(r->thread, NULL);
}

#define ROUND_PAGES	512

static void ring_collect(struct kvm_dirty_gfn *ring, unsigned int nr,
			 uint32_t *at, uint64_t *bits)
{
	int64_t page;

	while ((page = ring_next(ring, nr, at, 1)) != -1)
		if (page >= 0 && page < ROUND_PAGES)
			bits[page / 64] |= 1ULL << (page % 64);
}

static int collect(struct test_vm *vm, int mode, uint64_t *bits)
{
	uint64_t got[ROUND_PAGES / 64];
	int ret = get_log(vm, 1, got);

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
				if (mode == 2) {
					ring_collect(self->ring, self->ring_nr,
						     &self->at, bits);
					ASSERT_LE(0, reset_rings(vm));
				} else {
					ASSERT_EQ(0, collect(vm, mode, bits));
				}
			}
			runner_stop(&r);
			ASSERT_EQ(0, r.bad);
			if (mode == 2) {
				ring_collect(self->ring, self->ring_nr,
					     &self->at, bits);
				ASSERT_LE(0, reset_rings(vm));
			} else {
				ASSERT_EQ(0, collect(vm, mode, bits));
			}
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

/* --- who waits for the vCPU's thread with sigwait() -------------------------------------- */

GUEST64(code_spin, "1: jmp 1b\n");

static void *send_usr1(void *arg)
{
	usleep(2000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

/* A signal that only KVM_RUN lets in ends it, whatever else the signal would do,
 * and is left for the thread to take.
 */
TEST_F(dirty, signal_stays_pending)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} mask = { .head.len = 8, .set = ~(1ULL << (SIGUSR1 - 1)) };
	pthread_t me = pthread_self(), other;
	struct test_vm *vm = &self->vm;
	struct timespec none = { };
	sigset_t usr1, old, now;

	NEW_VCPU();
	vm_load(vm, GPA_CODE, code_spin);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &usr1, &old));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_SIGNAL_MASK, &mask));
	for (int i = 0; i < 30; i++) {
		signal(SIGUSR1, i % 3 == 2 ? SIG_IGN : SIG_DFL);
		/* Before, and while it runs. */
		ASSERT_EQ(0, i % 3 ?
			  pthread_create(&other, NULL, send_usr1, &me) :
			  pthread_kill(me, SIGUSR1));
		EXPECT_EQ(-EINTR, vcpu_run(vm, 0));
		ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, NULL, &now));
		EXPECT_EQ(1, sigismember(&now, SIGUSR1));
		EXPECT_EQ(SIGUSR1, sigtimedwait(&usr1, NULL, &none));
		EXPECT_EQ(-1, sigtimedwait(&usr1, NULL, &none));
		if (i % 3)
			pthread_join(other, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR1, SIG_DFL);
}

JOIST_TEST_MAIN
