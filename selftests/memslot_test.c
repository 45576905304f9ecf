// SPDX-License-Identifier: GPL-2.0-only
/* Memory slots: what is refused, and what the guest sees of what is not. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/test.h"

#define SLOT_GPA	0x40000000UL
#define PAGE		4096UL

FIXTURE(memslot)
{
	struct test_vm vm;
	struct kvm_run *run;
	uint8_t *extra;		/* 8 MiB, 2 MiB aligned */
	void *map;
};

#define EXTRA_SIZE	(8UL << 20)

FIXTURE_SETUP(memslot)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->map = mmap(NULL, EXTRA_SIZE + (2 << 20), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	self->extra = (void *)(((uintptr_t)self->map + (2 << 20) - 1) &
			       ~((2UL << 20) - 1));
}

FIXTURE_TEARDOWN(memslot)
{
	vm_close(&self->vm);
	munmap(self->map, EXTRA_SIZE + (2 << 20));
}

#ifndef KVM_SET_USER_MEMORY_REGION2
struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

#define KVM_SET_USER_MEMORY_REGION2					\
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_MEM_GUEST_MEMFD	4
#endif

GUEST64(code_read_slot, "mov 0x40000000, %eax\n" REPORT DONE);

TEST_F(memslot, region2)
{
	struct kvm_userspace_memory_region2 mem = {
		.slot = 1, .guest_phys_addr = SLOT_GPA, .memory_size = PAGE,
		.userspace_addr = (uintptr_t)self->extra,
		.guest_memfd = -1, .pad2 = { 1 },	/* not looked at */
	};

	*(uint32_t *)self->extra = 0x2222;
	mem.flags = KVM_MEM_GUEST_MEMFD;
	EXPECT_EQ(-EINVAL, xioctl(self->vm.fd, KVM_SET_USER_MEMORY_REGION2, &mem));
	mem.flags = 0;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_SET_USER_MEMORY_REGION2, &mem));
	vm_load(&self->vm, GPA_CODE, code_read_slot);
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	mem.slot = 2;
	EXPECT_EQ(-EEXIST, xioctl(self->vm.fd, KVM_SET_USER_MEMORY_REGION2, &mem));
}

/* --- refusals ------------------------------------------------------------------- */

TEST_F(memslot, bad_arguments)
{
	struct test_vm *vm = &self->vm;
	uint8_t *m = self->extra;

	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA + 1, PAGE, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE + 1, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, m + 1));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 1 << 5, SLOT_GPA, PAGE, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, -PAGE, 2 * PAGE, m));
	/* Kernel addresses, and ranges that reach them. */
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE,
					 (void *)0xffff888000000000));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 2 * PAGE,
					 (void *)0x7ffffffff000));
	/* Numbers: too big, and an address space that is not there. */
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 0x7fff, 0, SLOT_GPA, PAGE, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 0x20001, 0, SLOT_GPA, PAGE, m));
	/* Deleting what is not there. */
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 0, m));
	/* Too many pages for one slot: 8 TiB. */
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 8UL << 40, 0));
	/* Beyond all physical addresses. */
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, 1UL << 60, PAGE, m));
	EXPECT_EQ(-EFAULT, xioctl(vm->fd, KVM_SET_USER_MEMORY_REGION,
				  (void *)8));
}

TEST_F(memslot, overlap)
{
	struct test_vm *vm = &self->vm;
	uint8_t *m = self->extra;

	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE, m));
	EXPECT_EQ(-EEXIST, vm_set_memory(vm, 2, 0, SLOT_GPA, PAGE, m));
	EXPECT_EQ(-EEXIST, vm_set_memory(vm, 2, 0, SLOT_GPA + 3 * PAGE,
					 4 * PAGE, m));
	EXPECT_EQ(-EEXIST, vm_set_memory(vm, 2, 0, SLOT_GPA - PAGE, 2 * PAGE,
					 m));
	EXPECT_EQ(-EEXIST, vm_set_memory(vm, 2, 0, SLOT_GPA - PAGE, 8 * PAGE,
					 m));
	/* Beside it, and the same memory twice, is allowed. */
	EXPECT_EQ(0, vm_set_memory(vm, 2, 0, SLOT_GPA + 4 * PAGE, PAGE, m));
	EXPECT_EQ(0, vm_set_memory(vm, 3, 0, SLOT_GPA - PAGE, PAGE, m));
	/* Moving it onto another one. */
	EXPECT_EQ(-EEXIST, vm_set_memory(vm, 3, 0, SLOT_GPA, PAGE, m));
}

TEST_F(memslot, what_cannot_change)
{
	struct test_vm *vm = &self->vm;
	uint8_t *m = self->extra;

	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 8 * PAGE, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE,
					 m + PAGE));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, KVM_MEM_READONLY, SLOT_GPA,
					 4 * PAGE, m));
	EXPECT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE, m));
	EXPECT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA,
				   4 * PAGE, m));
	EXPECT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 0, m));
	EXPECT_EQ(-EINVAL, vm_set_memory(vm, 1, 0, SLOT_GPA, 0, m));
}

TEST_F(memslot, as_many_as_said)
{
	int max = xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_NR_MEMSLOTS);
	int n = max < 1024 ? max : 1024;

	ASSERT_LT(31, max);
	for (int i = 1; i < n; i++)
		ASSERT_EQ(0, vm_set_memory(&self->vm, i, 0,
					   SLOT_GPA + i * 2 * PAGE, PAGE,
					   self->extra));
	EXPECT_EQ(-EINVAL, vm_set_memory(&self->vm, max, 0, SLOT_GPA + (1UL << 30),
					 PAGE, self->extra));
	for (int i = 1; i < n; i++)
		ASSERT_EQ(0, vm_set_memory(&self->vm, i, 0, 0, 0, NULL));
}

/* --- what the guest sees ----------------------------------------------------------- */

/* Reads a word at RBX and reports it, then goes on at the next page, RCX times. */
GUEST64(code_read,
	"1: mov (%rbx), %eax\n" REPORT
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

static int guest_regs(struct test_vm *vm, uint64_t rbx, uint64_t rcx,
		      uint64_t rdx)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 2, .rsp = GPA_STACK,
		.rbx = rbx, .rcx = rcx, .rdx = rdx,
	};

	return xioctl(vm->vcpu[0], KVM_SET_REGS, &regs);
}

TEST_F(memslot, deleted_and_moved)
{
	struct test_vm *vm = &self->vm;
	uint32_t magic = 0x600d0000;

	memcpy(self->extra, &magic, 4);
	vm_load(vm, GPA_CODE, code_read);

	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 1, 0));
	EXPECT_EQ(magic, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));

	/* Moved: here, and no longer there. */
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA + PAGE, PAGE,
				   self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + PAGE, 1, 0));
	EXPECT_EQ(magic, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 1, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vm, 0));
	EXPECT_EQ(SLOT_GPA, self->run->mmio.phys_addr);
	memset(self->run->mmio.data, 0x5a, 4);
	EXPECT_EQ(0x5a5a5a5a, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));

	/* Deleted: a device access; back again: memory. */
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, 0, 0, NULL));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + PAGE, 1, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vm, 0));
	EXPECT_EQ(SLOT_GPA + PAGE, self->run->mmio.phys_addr);
	EXPECT_LE(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA + PAGE, PAGE,
				   self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + PAGE, 1, 0));
	EXPECT_EQ(magic, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

/* Each frame shows the page that the slot says, across two slots. */
TEST_F(memslot, two_slots_in_a_row)
{
	struct test_vm *vm = &self->vm;

	for (uint32_t i = 0; i < 8; i++)
		*(uint32_t *)(self->extra + i * PAGE) = 100 + i;
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE,
				   self->extra + 4 * PAGE));
	ASSERT_EQ(0, vm_set_memory(vm, 2, 0, SLOT_GPA + 4 * PAGE, 4 * PAGE,
				   self->extra));
	vm_load(vm, GPA_CODE, code_read);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 8, 0));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(100 + (i ^ 4), vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

/* Reads at RBX, writes RDX there, reads again. */
GUEST64(code_rw,
	"mov (%rbx), %eax\n" REPORT
	"mov %edx, (%rbx)\n"
	"mov (%rbx), %eax\n" REPORT DONE);

TEST_F(memslot, read_only)
{
	struct test_vm *vm = &self->vm;

	if (xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) <= 0)
		SKIP(return, "no KVM_CAP_READONLY_MEM");
	*(uint32_t *)self->extra = 0x70;
	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_READONLY, SLOT_GPA, PAGE,
				   self->extra));
	vm_load(vm, GPA_CODE, code_rw);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 0x1234));
	EXPECT_EQ(0x70, vcpu_report(vm, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vm, 0));
	EXPECT_EQ(1, self->run->mmio.is_write);
	EXPECT_EQ(SLOT_GPA, self->run->mmio.phys_addr);
	EXPECT_EQ(0x1234, *(uint32_t *)self->run->mmio.data);
	EXPECT_EQ(0x70, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0x70, *(uint32_t *)self->extra);
}

/* Read-only here, by the VMM's own mapping: reads work, a write is the VMM's
 * error.
 */
TEST_F(memslot, protected_by_the_vmm)
{
	struct test_vm *vm = &self->vm;

	*(uint32_t *)self->extra = 0x71;
	ASSERT_EQ(0, mprotect(self->extra, PAGE, PROT_READ));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, self->extra));
	vm_load(vm, GPA_CODE, code_rw);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 0x1234));
	EXPECT_EQ(0x71, vcpu_report(vm, 0));
	EXPECT_EQ(-EFAULT, vcpu_run(vm, 0));
	ASSERT_EQ(0, mprotect(self->extra, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0x1234, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

TEST_F(memslot, nothing_behind_it)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, munmap(self->extra, PAGE));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, self->extra));
	vm_load(vm, GPA_CODE, code_rw);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 0x1234));
	EXPECT_EQ(-EFAULT, vcpu_run(vm, 0));
}

/* --- what the host does to the memory meanwhile ---------------------------------------- */

TEST_F(memslot, host_takes_pages_away)
{
	struct test_vm *vm = &self->vm;
	uint32_t *word = (uint32_t *)self->extra;
	uint8_t *other;

	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, self->extra));
	vm_load(vm, GPA_CODE, code_rw);
	*word = 1;
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 2));
	EXPECT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(2, *word);

	/* Dropped: zeros again. */
	ASSERT_EQ(0, madvise(self->extra, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 3));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(3, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(3, *word);

	/* Another page in its place. */
	other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, other);
	*(uint32_t *)other = 0x77;
	ASSERT_NE(MAP_FAILED, mremap(other, PAGE, PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED,
				     self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 4));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(4, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(4, *word);
}

/* After fork() the guest's write must not reach the child's copy. */
TEST_F(memslot, copy_on_write)
{
	struct test_vm *vm = &self->vm;
	uint32_t *word = (uint32_t *)self->extra;
	int to[2], status;
	pid_t child;
	char c = 0;

	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, PAGE, self->extra));
	vm_load(vm, GPA_CODE, code_rw);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 2));
	*word = 1;
	EXPECT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* Wait until the guest has written. */
		if (read(to[0], &c, 1) != 1)
			_exit(2);
		_exit(*word == 2 ? 0 : 1);
	}
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 3));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(3, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(3, *word);
	ASSERT_EQ(1, write(to[1], &c, 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Writes a word to each of RCX pages from RBX on. */
GUEST64(code_fill,
	"1: mov %ecx, (%rbx)\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

TEST_F(memslot, huge_pages)
{
	struct test_vm *vm = &self->vm;
	unsigned int pages = EXTRA_SIZE / PAGE;

	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	memset(self->extra, 0, EXTRA_SIZE);
	/* Aligned alike, and then not: both must show the right pages. */
	for (unsigned int shift = 0; shift < 2; shift++) {
		ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA + shift * PAGE,
					   EXTRA_SIZE, self->extra));
		vm_load(vm, GPA_CODE, code_fill);
		ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + shift * PAGE, pages, 0));
		ASSERT_EQ(0, vcpu_done(vm, 0));
		for (unsigned int i = 0; i < pages; i++)
			ASSERT_EQ(pages - i,
				  *(uint32_t *)(self->extra + i * PAGE));
		/* A large page split under the guest. */
		ASSERT_EQ(0, madvise(self->extra + 3 * PAGE, PAGE,
				     MADV_DONTNEED));
		ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + (3 + shift) * PAGE, 1,
					0));
		ASSERT_EQ(0, vcpu_done(vm, 0));
		EXPECT_EQ(1, *(uint32_t *)(self->extra + 3 * PAGE));
		EXPECT_EQ(pages - 4, *(uint32_t *)(self->extra + 4 * PAGE));
		ASSERT_EQ(0, vm_set_memory(vm, 1, 0, 0, 0, NULL));
	}
}

GUEST64(code_jump, "jmp *%rbx\n");

/* Runs at RBX, writes a word to each of RCX pages behind it. */
GUEST64(code_beside,
	"1: mov %ecx, 0x1000(%rbx)\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

/* Where code may run on small pages only, it must not chase data on the same
 * large page away, nor be chased.
 */
TEST_F(memslot, code_and_data_on_a_huge_page)
{
	struct test_vm *vm = &self->vm;
	unsigned int pages = EXTRA_SIZE / PAGE - 1;

	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	memset(self->extra, 0, EXTRA_SIZE);
	memcpy(self->extra, code_beside, code_beside_end - code_beside);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, EXTRA_SIZE,
				   self->extra));
	vm_load(vm, GPA_CODE, code_jump);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, pages, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	for (unsigned int i = 0; i < pages; i++)
		ASSERT_EQ(pages - i,
			  *(uint32_t *)(self->extra + (i + 1) * PAGE));
}

/* --- changes while the vCPU runs --------------------------------------------------------- */

/* Counts at 0x20000 for ever, reading RBX each time. */
GUEST64(code_poll,
	"1: mov (%rbx), %eax\n"
	"lock incl 0x20000\n"
	"jmp 1b\n");

struct runner {
	struct test_vm *vm;
	volatile bool stop;
	volatile int bad;
	volatile uint32_t mmio;
};

static void *run_thread(void *arg)
{
	struct runner *r = arg;
	struct kvm_run *run = r->vm->run[0];

	while (!r->stop) {
		int ret = vcpu_run(r->vm, 0);

		if (ret == KVM_EXIT_MMIO) {
			r->mmio++;
			continue;
		}
		if (ret == -EINTR || ret == -EAGAIN) {
			run->immediate_exit = 0;
			continue;
		}
		vcpu_complain(r->vm, 0, "mmio or signal", ret);
		r->bad = 1;
		break;
	}
	return NULL;
}

static void on_usr1(int sig)
{
}

static void runner_stop(struct runner *r, pthread_t thread)
{
	r->stop = true;
	r->vm->run[0]->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

/* A second at least; the caller looks whether it came. */
static void wait_for_change(const volatile uint32_t *word, uint32_t before)
{
	for (int spin = 0; *word == before && spin < 100000; spin++)
		usleep(10);
}

TEST_F_TIMEOUT(memslot, changes_while_running, 120)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct test_vm *vm = &self->vm;
	struct runner r = { .vm = vm };
	volatile uint32_t *count = (uint32_t *)(vm->mem + GPA_DATA);
	pthread_t thread;
	uint32_t before;

	sigaction(SIGUSR1, &sa, NULL);
	vm_load(vm, GPA_CODE, code_poll);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &r));
	for (int i = 0; i < 200 && !r.bad; i++) {
		uint32_t flags = i & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0;

		ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE,
					   self->extra));
		before = *count;
		wait_for_change(count, before);
		ASSERT_NE(before, *count);
		ASSERT_EQ(0, vm_set_memory(vm, 1, flags, SLOT_GPA, 4 * PAGE,
					   self->extra));
		ASSERT_EQ(0, vm_set_memory(vm, 1, flags, SLOT_GPA + 4 * PAGE,
					   4 * PAGE, self->extra));
		before = r.mmio;
		ASSERT_EQ(0, vm_set_memory(vm, 1, 0, 0, 0, NULL));
		wait_for_change(&r.mmio, before);
		ASSERT_NE(before, r.mmio);
	}
	EXPECT_EQ(0, r.bad);
	runner_stop(&r, thread);
}

/* The host unmaps and writes while the guest reads: never an old page. */
TEST_F_TIMEOUT(memslot, unmapping_while_running, 120)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct test_vm *vm = &self->vm;
	struct runner r = { .vm = vm };
	volatile uint32_t *count = (uint32_t *)(vm->mem + GPA_DATA);
	pthread_t thread;
	uint32_t before;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 4 * PAGE, self->extra));
	vm_load(vm, GPA_CODE, code_poll);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 0, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &r));
	for (int i = 0; i < 500 && !r.bad; i++) {
		ASSERT_EQ(0, madvise(self->extra, 4 * PAGE, MADV_DONTNEED));
		before = *count;
		wait_for_change(count, before);
		ASSERT_NE(before, *count);
	}
	EXPECT_EQ(0, r.bad);
	EXPECT_EQ(0, r.mmio);
	runner_stop(&r, thread);
}

/* --- dirty logging ------------------------------------------------------------------------- */

static int get_log(struct test_vm *vm, uint32_t slot, void *bits)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bits };

	return xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

TEST_F(memslot, dirty_log)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits[4];

	EXPECT_EQ(-ENOENT, get_log(vm, 1, bits));
	EXPECT_EQ(-EINVAL, get_log(vm, 0x7fff, bits));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, 200 * PAGE,
				   self->extra));
	EXPECT_EQ(-ENOENT, get_log(vm, 1, bits));

	/* Mapped writable before logging starts. */
	vm_load(vm, GPA_CODE, code_fill);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 200, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA,
				   200 * PAGE, self->extra));
	memset(bits, 0xff, sizeof(bits));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, bits[i]);

	/* Twice: after it was read the page must fault again. */
	for (int n = 0; n < 2; n++) {
		ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + 60 * PAGE, 10, 0));
		ASSERT_EQ(0, vcpu_done(vm, 0));
		ASSERT_EQ(0, get_log(vm, 1, bits));
		EXPECT_EQ(0xf000000000000000, bits[0]);
		EXPECT_EQ(0x3f, bits[1]);
		EXPECT_EQ(0, bits[2]);
		EXPECT_EQ(0, bits[3]);
	}
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(0, bits[0] | bits[1]);

	/* Reads are not writes. */
	vm_load(vm, GPA_CODE, code_read);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, 1, 0));
	EXPECT_LE(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	EXPECT_EQ(0, bits[0]);
	EXPECT_EQ(-EFAULT, get_log(vm, 1, (void *)8) ? -EFAULT : 0);
}

TEST_F(memslot, dirty_log_of_huge_pages)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits[EXTRA_SIZE / PAGE / 64];
	unsigned int set = 0;

	madvise(self->extra, EXTRA_SIZE, MADV_HUGEPAGE);
	memset(self->extra, 0, EXTRA_SIZE);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, EXTRA_SIZE,
				   self->extra));
	vm_load(vm, GPA_CODE, code_fill);
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA, EXTRA_SIZE / PAGE, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA,
				   EXTRA_SIZE, self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + 513 * PAGE, 1, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, get_log(vm, 1, bits));
	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		set += __builtin_popcountll(bits[i]);
	EXPECT_EQ(1, set);
	EXPECT_EQ(2, bits[8]);
	EXPECT_EQ(1, *(uint32_t *)(self->extra + 513 * PAGE));

	/* Logging ends: memory stays what it is. */
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, SLOT_GPA, EXTRA_SIZE,
				   self->extra));
	ASSERT_EQ(0, guest_regs(vm, SLOT_GPA + 514 * PAGE, 1, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(1, *(uint32_t *)(self->extra + 513 * PAGE));
	EXPECT_EQ(1, *(uint32_t *)(self->extra + 514 * PAGE));
}

JOIST_TEST_MAIN
