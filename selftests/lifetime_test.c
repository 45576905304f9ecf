// SPDX-License-Identifier: GPL-2.0-only
/* Files closed in any order, processes killed, and nothing left behind. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/test.h"

GUEST64(code_spin, "1: jmp 1b\n");
GUEST64(code_done, "1:\n" DONE "jmp 1b\n");
GUEST64(code_sleep, "sti\n 1: hlt\n jmp 1b\n");

/* --- order of closing ------------------------------------------------------------ */

TEST(vm_closed_before_its_vcpu)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_done);
	close(vm.dev);
	close(vm.fd);
	vm.dev = -1;
	vm.fd = -1;
	/* It still runs. */
	EXPECT_EQ(0, vcpu_done(&vm, 0));
	vm_close(&vm);
}

TEST(vcpu_closed_before_its_mapping)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	close(vm.vcpu[0]);
	close(vm.fd);
	/* The run page is there as long as it is mapped. */
	vm.run[0]->immediate_exit = 1;
	EXPECT_EQ(1, vm.run[0]->immediate_exit);
	munmap(vm.run[0], vm.run_size);
	close(vm.dev);
	munmap(vm.mem, vm.mem_size);
}

TEST(closed_vcpu_cannot_come_back)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	close(vm.vcpu[0]);
	EXPECT_EQ(-EEXIST, xioctl_val(vm.fd, KVM_CREATE_VCPU, 0));
	vm_close(&vm);
}

TEST(memory_unmapped_before_the_vm)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_done);
	ASSERT_EQ(0, vcpu_done(&vm, 0));
	munmap(vm.mem, vm.mem_size);
	vm.mem = NULL;
	EXPECT_EQ(-EFAULT, vcpu_run(&vm, 0));
	vm_close(&vm);
}

TEST(eventfds_closed_first)
{
	struct kvm_ioeventfd io = { .addr = 0x300, .len = 1,
				    .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct kvm_irqfd irq = { .gsi = 4 };
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	io.fd = eventfd(0, 0);
	irq.fd = eventfd(0, 0);
	ASSERT_EQ(0, xioctl(vm.fd, KVM_IOEVENTFD, &io));
	ASSERT_EQ(0, xioctl(vm.fd, KVM_IRQFD, &irq));
	close(io.fd);
	close(irq.fd);
	vm_close(&vm);
}

/* --- other processes ---------------------------------------------------------------- */

TEST(used_by_another_process)
{
	struct test_vm vm;
	int status;
	pid_t child;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_done);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct kvm_regs regs;
		int bad = 0;

		/* The VM belongs to the address space that made it. */
		bad |= xioctl(vm.vcpu[0], KVM_RUN, NULL) != -EIO;
		bad |= xioctl(vm.vcpu[0], KVM_GET_REGS, &regs) != -EIO;
		bad |= vm_set_memory(&vm, 1, 0, 1 << 30, 4096, vm.mem) != -EIO;
		_exit(bad);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, vcpu_done(&vm, 0));
	vm_close(&vm);
}

/* The maker is gone, its files live on in a child. */
TEST(maker_exits_first)
{
	int to[2], status;
	pid_t child;
	char ok = 0;

	ASSERT_EQ(0, pipe(to));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct test_vm vm;
		pid_t grandchild;

		if (vm_new(&vm, VM_IRQCHIP) || vm_add_vcpu(&vm, 0) < 0)
			_exit(1);
		vcpu_long64(&vm, 0, GPA_CODE);
		vm_load(&vm, GPA_CODE, code_done);
		vcpu_done(&vm, 0);
		grandchild = fork();
		if (!grandchild) {
			usleep(200000);
			ok = xioctl(vm.vcpu[0], KVM_RUN, NULL) == -EIO;
			vm_close(&vm);
			if (write(to[1], &ok, 1) != 1)
				_exit(1);
			_exit(0);
		}
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(1, read(to[0], &ok, 1));
	EXPECT_EQ(1, ok);
}

static void *run_forever(void *arg)
{
	struct test_vm *vm = arg;

	for (;;)
		vcpu_run(vm, 0);
	return NULL;
}

static void *run_forever_1(void *arg)
{
	struct test_vm *vm = arg;

	for (;;)
		vcpu_run(vm, 1);
	return NULL;
}

/* Killed while its vCPUs run and sleep: kill -9 needs no help from it. */
TEST(killed)
{
	for (int n = 0; n < 20; n++) {
		int to[2], status;
		pid_t child;
		char c;

		ASSERT_EQ(0, pipe(to));
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			pthread_t a, b;
			struct test_vm vm;

			if (vm_new(&vm, n & 1 ? VM_IRQCHIP : 0) ||
			    vm_add_vcpu(&vm, 0) < 0 || vm_add_vcpu(&vm, 1) < 0)
				_exit(1);
			vcpu_long64(&vm, 0, GPA_CODE);
			vm_load(&vm, GPA_CODE, n & 2 ? code_sleep : code_spin);
			pthread_create(&a, NULL, run_forever, &vm);
			if (n & 1)	/* waits for its SIPI */
				pthread_create(&b, NULL, run_forever_1, &vm);
			if (write(to[1], "x", 1) != 1)
				_exit(1);
			pause();
		}
		ASSERT_EQ(1, read(to[0], &c, 1));
		usleep(n * 2000);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		close(to[0]);
		close(to[1]);
	}
}

/* --- two at once on one thing ---------------------------------------------------------- */

static void *bother(void *arg)
{
	struct test_vm *vm = arg;
	struct kvm_regs regs;

	for (int i = 0; i < 2000; i++) {
		xioctl(vm->vcpu[0], KVM_GET_REGS, &regs);
		close(xioctl_val(vm->fd, KVM_CREATE_VCPU, 100 + i % 7));
		xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	}
	return NULL;
}

FIXTURE(slow) { };
FIXTURE_SETUP(slow) { }
FIXTURE_TEARDOWN(slow) { }

TEST_F_TIMEOUT(slow, ioctls_while_running, 120)
{
	struct test_vm vm;
	pthread_t thread;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
	vm_load(&vm, GPA_CODE, code_done);
	ASSERT_EQ(0, pthread_create(&thread, NULL, bother, &vm));
	for (int i = 0; i < 5000; i++)
		ASSERT_EQ(0, vcpu_done(&vm, 0));
	pthread_join(thread, NULL);
	vm_close(&vm);
}

/* --- nothing is left ------------------------------------------------------------------- */

/* KiB of kernel memory in use, by /proc/meminfo: slab, stacks, tables, per-CPU. */
static long kernel_memory(void)
{
	static const char *const fields[] = {
		"Slab:", "KernelStack:", "PageTables:", "SecPageTables:",
		"Percpu:", "VmallocUsed:",
	};
	FILE *f = fopen("/proc/meminfo", "r");
	char name[64];
	long kib, sum = 0;

	while (f && fscanf(f, "%63s %ld%*[^\n]", name, &kib) == 2)
		for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
			if (!strcmp(name, fields[i]))
				sum += kib;
	if (f)
		fclose(f);
	return sum;
}

/* MemFree too, which sees what no counter names. */
static long free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char name[64];
	long kib, found = 0;

	while (f && fscanf(f, "%63s %ld%*[^\n]", name, &kib) == 2)
		if (!strcmp(name, "MemFree:"))
			found = kib;
	if (f)
		fclose(f);
	return found;
}

static void one_vm(struct __test_metadata *_metadata, int n, void *mem)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = MEM_SIZE, .userspace_addr = (uintptr_t)mem,
	};
	int dev = dev_open(), vm, vcpu;

	ASSERT_LE(0, dev);
	vm = xioctl(dev, KVM_CREATE_VM, NULL);
	ASSERT_LE(0, vm);
	ASSERT_EQ(0, xioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	if (n & 1) {
		ASSERT_EQ(0, xioctl(vm, KVM_CREATE_IRQCHIP, NULL));
	}
	vcpu = xioctl_val(vm, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, vcpu);
	if (n & 2) {
		close(vm);
		close(vcpu);
	} else {
		close(vcpu);
		close(vm);
	}
	close(dev);
}

TEST_F_TIMEOUT(slow, create_and_destroy, 900)
{
	int rounds = getenv("JOIST_TEST_VMS") ? atoi(getenv("JOIST_TEST_VMS")) :
						10000;
	void *mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* What the host keeps of freed memory, as KASAN does, in KiB. */
	long kept = getenv("JOIST_TEST_KEPT") ? atol(getenv("JOIST_TEST_KEPT")) : 0;
	long before, after, free_before, free_after;

	ASSERT_NE(MAP_FAILED, mem);
	/* What is allocated once, and what waits for grace periods. */
	for (int i = 0; i < 200; i++)
		one_vm(_metadata, i, mem);
	sleep(1);
	before = kernel_memory();
	free_before = free_memory();
	for (int i = 0; i < rounds; i++)
		one_vm(_metadata, i, mem);
	/* Freed by RCU: in a while. */
	for (int i = 0; i < 20; i++) {
		after = kernel_memory();
		free_after = free_memory();
		if (after < before + 2048)
			break;
		sleep(1);
	}
	TH_LOG("kernel memory %ld -> %ld KiB, free %ld -> %ld KiB", before,
	       after, free_before, free_after);
	/* Below half a KiB for each VM: less than any of its parts. */
	EXPECT_LT(after - before, 2048 + rounds / 4 + kept);
	EXPECT_LT(free_before - free_after, 8192 + rounds / 4 + kept);
}

/* The same with guests that ran. */
TEST_F_TIMEOUT(slow, run_and_destroy, 300)
{
	long before = 0, after;

	for (int i = 0; i < 300; i++) {
		struct test_vm vm;

		if (i == 50) {
			sleep(1);
			before = kernel_memory();
		}
		ASSERT_EQ(0, vm_new(&vm, i & 1 ? VM_IRQCHIP : 0));
		ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
		ASSERT_EQ(0, vcpu_long64(&vm, 0, GPA_CODE));
		vm_load(&vm, GPA_CODE, code_done);
		ASSERT_EQ(0, vcpu_done(&vm, 0));
		vm_close(&vm);
	}
	sleep(1);
	after = kernel_memory();
	TH_LOG("kernel memory %ld -> %ld KiB", before, after);
	EXPECT_LT(after - before, 2048);
}

JOIST_TEST_MAIN
