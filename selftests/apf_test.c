// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults. The host's slow memory is a page under userfaultfd,
 * which is there when the test says so.
 */
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000		/* #PF */
#define GPA_READY	0x18200		/* vector 0x60 */
#define GPA_OTHER	0x18400		/* vector 0x61 */
#define GPA_PAGE	(GPA_DATA + 0x1000)
#define GPA_SLOW	0x800000
#define SLOW_PAGES	40
#define SLOW_SIZE	(SLOW_PAGES * 0x1000UL)
#define GPA_EXTRA	0xa00000

#define APF_INT		8
#define APF_ON		(KVM_ASYNC_PF_ENABLED | APF_INT)
#define APF_ALWAYS	(APF_ON | KVM_ASYNC_PF_SEND_ALWAYS)
#define VECTOR_READY	0x60

FIXTURE(apf)
{
	struct test_vm vm;
	uint8_t *slow;
	int uffd;
};

/* 0, or -errno. */
static int slow_memory(struct test_vm *vm, uint8_t **slow, int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*slow = mmap(NULL, SLOW_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*slow == MAP_FAILED)
		return -errno;
	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*uffd < 0 || ioctl(*uffd, UFFDIO_API, &api))
		return -errno;
	reg.range.start = (unsigned long)*slow;
	reg.range.len = SLOW_SIZE;
	if (ioctl(*uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return vm_set_memory(vm, 1, 0, GPA_SLOW, SLOW_SIZE, *slow);
}

/* The page comes, with @val at its start. */
static int slow_page(int uffd, uint8_t *slow, int nr, uint32_t val)
{
	static _Alignas(4096) uint32_t page[1024];
	struct uffdio_copy copy = {
		.dst = (unsigned long)slow + nr * 0x1000UL,
		.src = (unsigned long)page,
		.len = 0x1000,
	};

	page[0] = val;
	return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
}

/* The 32-bit word at RBX, which is read again until it is there. */
GUEST64(code_read, "mov (%rbx), %eax\n" REPORT DONE);
/* The guest's "task" waits until the page is announced. */
GUEST64(handler_missing,
	"mov %cr2, %rax\n" REPORT
	"mov 0x21000, %eax\n" REPORT
	"movl $0, 0x21000\n"
	"sti\n 1: pause\n cmpl $0, 0x20000\n je 1b\n cli\n"
	"add $8, %rsp\n iretq\n");
#define ACK	"mov $0x4b564d07, %ecx\n mov $1, %eax\n xor %edx, %edx\n wrmsr\n"
GUEST64(handler_ready,
	APIC_BASE_RBP
	"mov 0x21004, %eax\n" REPORT
	"movl $1, 0x20000\n"
	"movl $0, 0x21004\n"
	LAPIC_SET(0xb0, 0)
	ACK "iretq\n");
GUEST64(handler_other,
	"mov $0x61, %eax\n" REPORT
	APIC_BASE_RBP LAPIC_SET(0xb0, 0) "iretq\n");

static int run_from(struct test_vm *vm, uint64_t rbx)
{
	struct kvm_regs r = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 0x202, .rbx = rbx,
	};

	*(uint32_t *)(vm->mem + 0x20000) = 0;
	return xioctl(vm->vcpu[0], KVM_SET_REGS, &r);
}

static int apic_on(struct test_vm *vm)
{
	struct kvm_lapic_state lapic;
	uint32_t svr = 0x1ff;
	int ret = xioctl(vm->vcpu[0], KVM_GET_LAPIC, &lapic);

	memcpy(lapic.regs + 0xf0, &svr, sizeof(svr));
	return ret ?: xioctl(vm->vcpu[0], KVM_SET_LAPIC, &lapic);
}

static void guest_setup(struct test_vm *vm)
{
	vm_set_gate(vm, 14, GPA_HANDLER);
	vm_set_gate(vm, VECTOR_READY, GPA_READY);
	vm_set_gate(vm, 0x61, GPA_OTHER);
	vm_load(vm, GPA_CODE, code_read);
	vm_load(vm, GPA_HANDLER, handler_missing);
	vm_load(vm, GPA_READY, handler_ready);
	vm_load(vm, GPA_OTHER, handler_other);
}

/* Turn it on, and take the first interrupt: all that was waited for is there. */
static int64_t apf_on(struct test_vm *vm, uint64_t val)
{
	int64_t token;

	if (vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_INT, VECTOR_READY) != 1 ||
	    vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_EN, val) != 1 ||
	    run_from(vm, GPA_DATA))
		return -1;
	token = vcpu_report(vm, 0);
	/* The handler comes to its end, and what it interrupted. */
	return vcpu_report(vm, 0) < 0 || vcpu_done(vm, 0) ? -1 : token;
}

FIXTURE_SETUP(apf)
{
	int err;

	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	err = slow_memory(&self->vm, &self->slow, &self->uffd);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, apic_on(&self->vm));
	guest_setup(&self->vm);
}

FIXTURE_TEARDOWN(apf)
{
	vm_close(&self->vm);
	if (self->uffd > 0)
		close(self->uffd);
	munmap(self->slow, SLOW_SIZE);
}

TEST_F(apf, missing_and_ready)
{
	struct test_vm *vm = &self->vm;
	int64_t token, last = 0;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_from(vm, GPA_SLOW + i * 0x1000));
		token = vcpu_report(vm, 0);
		EXPECT_NE(0, token);
		EXPECT_NE(last, token);
		EXPECT_EQ(KVM_PV_REASON_PAGE_NOT_PRESENT, vcpu_report(vm, 0));
		ASSERT_EQ(0, slow_page(self->uffd, self->slow, i, 0x1234 + i));
		EXPECT_EQ(token, vcpu_report(vm, 0));
		EXPECT_EQ(0x1234 + i, vcpu_report(vm, 0));
		EXPECT_EQ(0, vcpu_done(vm, 0));
		last = token;
	}
}

/* --- the guest cannot take it: it halts, and other interrupts come in ---------- */

static void *send_later(void *arg)
{
	struct test_vm *vm = arg;
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x61 };

	usleep(100000);
	return (void *)(long)xioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

static void halted(struct __test_metadata *_metadata, struct test_vm *vm,
		   int uffd, uint8_t *slow)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, run_from(vm, GPA_SLOW));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_later, vm));
	EXPECT_EQ(0x61, vcpu_report(vm, 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(1, (long)ret);
	ASSERT_EQ(0, slow_page(uffd, slow, 0, 0x5678));
	EXPECT_EQ(0x5678, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

TEST_F(apf, halted_in_the_kernel)
{
	EXPECT_EQ(0xffffffff, apf_on(&self->vm, GPA_PAGE | APF_ON));
	halted(_metadata, &self->vm, self->uffd, self->slow);
}

TEST_F(apf, halted_as_the_last_is_not_taken)
{
	EXPECT_EQ(0xffffffff, apf_on(&self->vm, GPA_PAGE | APF_ALWAYS));
	*(uint32_t *)(self->vm.mem + GPA_PAGE) = 1;
	halted(_metadata, &self->vm, self->uffd, self->slow);
}

TEST_F(apf, halted_as_the_shared_page_is_gone)
{
	struct test_vm *vm = &self->vm;
	void *extra = aligned_alloc(0x1000, 0x1000);

	memset(extra, 0, 0x1000);
	ASSERT_EQ(0, vm_set_memory(vm, 2, 0, GPA_EXTRA, 0x1000, extra));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_INT, VECTOR_READY));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_EN,
				  GPA_EXTRA | APF_ALWAYS));
	/* Before its first run: nothing has been announced. */
	ASSERT_EQ(0, vm_set_memory(vm, 2, 0, GPA_EXTRA, 0, extra));
	halted(_metadata, vm, self->uffd, self->slow);
	free(extra);
}

/* With interrupts off nothing is asynchronous. */
static void *page_later(void *arg)
{
	FIXTURE_DATA(apf) * self = arg;

	usleep(100000);
	return (void *)(long)slow_page(self->uffd, self->slow, 0, 0x9abc);
}

TEST_F(apf, interrupts_off)
{
	struct kvm_regs r = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2, .rbx = GPA_SLOW,
	};
	pthread_t thread;
	void *ret;

	EXPECT_EQ(0xffffffff, apf_on(&self->vm, GPA_PAGE | APF_ALWAYS));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &r));
	ASSERT_EQ(0, pthread_create(&thread, NULL, page_later, self));
	EXPECT_EQ(0x9abc, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(0, (long)ret);
}

/* --- what is on its way when it ends -------------------------------------------- */

static int64_t start_one(struct test_vm *vm, int nr)
{
	int64_t token;

	if (run_from(vm, GPA_SLOW + nr * 0x1000))
		return -1;
	token = vcpu_report(vm, 0);
	if (vcpu_report(vm, 0) != KVM_PV_REASON_PAGE_NOT_PRESENT)
		return -1;
	*(uint32_t *)(vm->mem + GPA_PAGE) = 0;
	return token;
}

GUEST64(code_done, DONE);

TEST_F(apf, disabled)
{
	struct test_vm *vm = &self->vm;
	struct kvm_lapic_state lapic;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	EXPECT_LT(0, start_one(vm, 0));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_EN, 0));
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 0, 1));
	usleep(50000);
	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(0, run_from(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, *(uint32_t *)(vm->mem + GPA_PAGE + 4));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_LAPIC, &lapic));
	EXPECT_EQ(0, lapic.regs[0x230] & 1);

	/* Enabled again: whoever waits is told that all are ready. */
	vm_load(vm, GPA_CODE, code_read);
	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
}

/* No announcement before the last was acknowledged. */
TEST_F(apf, one_at_a_time)
{
	struct test_vm *vm = &self->vm;
	int64_t token[2];

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	for (int i = 0; i < 2; i++)
		token[i] = start_one(vm, i);
	EXPECT_NE(token[0], token[1]);
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 0, 1));
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 1, 2));
	usleep(50000);
	EXPECT_EQ(token[0] + token[1],
		  vcpu_report(vm, 0) + vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

TEST_F(apf, closed)
{
	EXPECT_EQ(0xffffffff, apf_on(&self->vm, GPA_PAGE | APF_ALWAYS));
	EXPECT_LT(0, start_one(&self->vm, 0));
	EXPECT_LT(0, start_one(&self->vm, 1));
	/* The VM first, then what its pages wait for. */
}

TEST_F(apf, killed)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct test_vm vm;
		uint8_t *slow;
		int uffd;

		if (vm_new(&vm, VM_IRQCHIP) || vm_add_vcpu(&vm, 0) ||
		    vcpu_long64(&vm, 0, GPA_CODE) ||
		    slow_memory(&vm, &slow, &uffd) || apic_on(&vm))
			_exit(1);
		guest_setup(&vm);
		if (apf_on(&vm, GPA_PAGE | APF_ALWAYS) != 0xffffffff ||
		    start_one(&vm, 0) <= 0)
			_exit(2);
		kill(getpid(), SIGKILL);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* More pages than may be on their way: the vCPU waits for the one too many. */
GUEST64(code_many,
	"1: mov (%rbx), %eax\n"
	"add $0x1000, %rbx\n"
	"cmp $0x828000, %rbx\n"
	"jb 1b\n"
	"mov %r12d, %eax\n" REPORT
	DONE);
GUEST64(handler_skip,
	"inc %r12\n"
	"movl $0, 0x21000\n"
	"addq $2, 8(%rsp)\n"
	"add $8, %rsp\n iretq\n");
GUEST64(handler_quiet,
	APIC_BASE_RBP
	"push %rax\n push %rcx\n push %rdx\n"
	"movl $0, 0x21004\n"
	LAPIC_SET(0xb0, 0)
	ACK "pop %rdx\n pop %rcx\n pop %rax\n iretq\n");

static void *pages_later(void *arg)
{
	FIXTURE_DATA(apf) * self = arg;
	long ret = 0;

	sleep(1);
	for (int i = 0; i < SLOW_PAGES; i++)
		ret |= slow_page(self->uffd, self->slow, i, i);
	return (void *)ret;
}

TEST_F(apf, too_many)
{
	struct test_vm *vm = &self->vm;
	pthread_t thread;
	int64_t nr;
	void *ret;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	vm_load(vm, GPA_CODE, code_many);
	vm_load(vm, GPA_HANDLER, handler_skip);
	vm_load(vm, GPA_READY, handler_quiet);
	ASSERT_EQ(0, run_from(vm, GPA_SLOW));
	ASSERT_EQ(0, pthread_create(&thread, NULL, pages_later, self));
	nr = vcpu_report(vm, 0);
	EXPECT_LT(8, nr);
	EXPECT_GT(SLOW_PAGES, nr);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(0, (long)ret);
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

JOIST_TEST_MAIN
