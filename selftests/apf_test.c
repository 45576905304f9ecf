// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults. The host's slow memory is a page under userfaultfd,
 * which is there when the test says so.
 */
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/irq.h"
#include "lib/slow.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000		/* #PF */
#define GPA_READY	0x18200		/* vector 0x60 */
#define GPA_OTHER	0x18400		/* vector 0x61 */
#define GPA_PAGE	(GPA_DATA + 0x1000)
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

static int apic_on(struct test_vm *vm, int i)
{
	struct kvm_lapic_state lapic;
	uint32_t svr = 0x1ff;
	int ret = xioctl(vm->vcpu[i], KVM_GET_LAPIC, &lapic);

	memcpy(lapic.regs + 0xf0, &svr, sizeof(svr));
	return ret ?: xioctl(vm->vcpu[i], KVM_SET_LAPIC, &lapic);
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
	ASSERT_EQ(0, apic_on(&self->vm, 0));
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

/* --- the VMM gets in between: the #PF is on its way, and has not arrived --------- */

struct between {
	struct test_vm *vm;
	int uffd;
	pthread_t runner;
};

/* The page shared with the guest is slow, too: a signal comes while it is fetched. */
static void *signal_then_shared_page(void *arg)
{
	struct between *b = arg;
	uint8_t *shared = b->vm->mem + GPA_PAGE;
	struct uffd_msg msg;

	while (read(b->uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	       msg.arg.pagefault.address != (unsigned long)shared)
		usleep(1000);
	pthread_kill(b->runner, SIGALRM);
	usleep(50000);
	return (void *)(long)slow_page(b->uffd, shared, 0, 0);
}

/* KVM_RUN until it returns with the #PF pending; its token, or -1. */
static int64_t stop_between(struct test_vm *vm, int uffd,
			    struct kvm_vcpu_events *ev)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)vm->mem + GPA_PAGE, 0x1000 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct between b = { vm, uffd, pthread_self() };
	pthread_t thread;
	void *failed;
	int ret;

	alarm_in(0);	/* its handler */
	if (ioctl(uffd, UFFDIO_REGISTER, &reg) ||
	    madvise(vm->mem + GPA_PAGE, 0x1000, MADV_DONTNEED) ||
	    run_from(vm, GPA_SLOW) ||
	    pthread_create(&thread, NULL, signal_then_shared_page, &b))
		return -1;
	ret = vcpu_run(vm, 0);
	if (pthread_join(thread, &failed) || failed || ret != -EINTR ||
	    xioctl(vm->vcpu[0], KVM_GET_VCPU_EVENTS, ev) ||
	    *(uint32_t *)(vm->mem + GPA_PAGE) != KVM_PV_REASON_PAGE_NOT_PRESENT)
		return -1;
	return ev->exception_payload;
}

static int payload_cap(struct test_vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { 1 },
	};

	return xioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

/* The guest was not told, and does not hear of it: it waits and reads. */
static void untold(struct __test_metadata *_metadata, struct test_vm *vm,
		   int uffd, uint8_t *slow)
{
	ASSERT_EQ(0, slow_page(uffd, slow, 0, 0x4321));
	EXPECT_EQ(0x4321, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, *(uint32_t *)(vm->mem + GPA_PAGE));
	EXPECT_EQ(0, *(uint32_t *)(vm->mem + GPA_PAGE + 4));
}

TEST_F(apf, replaced_by_the_vmm)
{
	struct test_vm *vm = &self->vm;
	struct kvm_vcpu_events ev;

	ASSERT_EQ(0, payload_cap(vm));
	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	ASSERT_LT(0, stop_between(vm, self->uffd, &ev));
	EXPECT_EQ(1, ev.exception.pending);
	EXPECT_EQ(14, ev.exception.nr);
	memset(&ev.exception, 0, sizeof(ev.exception));
	ev.exception_has_payload = 0;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
	untold(_metadata, vm, self->uffd, self->slow);
}

TEST_F(apf, forgotten_with_the_registers)
{
	struct test_vm *vm = &self->vm;
	struct kvm_vcpu_events ev;

	ASSERT_EQ(0, payload_cap(vm));
	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	ASSERT_LT(0, stop_between(vm, self->uffd, &ev));
	ASSERT_EQ(0, run_from(vm, GPA_SLOW));
	untold(_metadata, vm, self->uffd, self->slow);
}

/* Given back as it was shown, it is delivered. */
static void given_back(struct __test_metadata *_metadata, struct test_vm *vm,
		       int uffd, uint8_t *slow, bool payload)
{
	struct kvm_vcpu_events ev;
	int64_t token;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	token = stop_between(vm, uffd, &ev);
	ASSERT_LE(0, token);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
	/* As injected, only CR2 has it. */
	if (!payload)
		token = vcpu_report(vm, 0);
	else
		EXPECT_EQ(token, vcpu_report(vm, 0));
	EXPECT_EQ(KVM_PV_REASON_PAGE_NOT_PRESENT, vcpu_report(vm, 0));
	ASSERT_EQ(0, slow_page(uffd, slow, 0, 0x5432));
	EXPECT_EQ(token, vcpu_report(vm, 0));
	EXPECT_EQ(0x5432, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

TEST_F(apf, given_back_as_pending)
{
	ASSERT_EQ(0, payload_cap(&self->vm));
	given_back(_metadata, &self->vm, self->uffd, self->slow, true);
}

TEST_F(apf, given_back_as_injected)
{
	given_back(_metadata, &self->vm, self->uffd, self->slow, false);
}

/* All that was read is written, the events last: KVM_SET_REGS has forgotten the #PF,
 * and the MSR asks for all to be woken.
 */
TEST_F(apf, given_back_with_all_the_rest)
{
	struct test_vm *vm = &self->vm;
	struct kvm_vcpu_events ev;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int64_t token;

	ASSERT_EQ(0, payload_cap(vm));
	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	token = stop_between(vm, self->uffd, &ev);
	ASSERT_LT(0, token);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_REGS, &regs));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_SREGS, &sregs));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_REGS, &regs));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_SREGS, &sregs));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_EN,
				  GPA_PAGE | APF_ALWAYS));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VCPU_EVENTS, &ev));
	EXPECT_EQ(token, vcpu_report(vm, 0));
	EXPECT_EQ(KVM_PV_REASON_PAGE_NOT_PRESENT, vcpu_report(vm, 0));
	/* It is told that all are there, looks, and waits for the page. */
	EXPECT_EQ(0xffffffff, vcpu_report(vm, 0));
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 0, 0x3210));
	usleep(100000);
	EXPECT_EQ(token, vcpu_report(vm, 0));
	EXPECT_EQ(0x3210, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

/* The page is there before the guest knows that it was not. */
TEST_F(apf, came_first)
{
	struct test_vm *vm = &self->vm;
	struct kvm_vcpu_events ev;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	ASSERT_LE(0, stop_between(vm, self->uffd, &ev));
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 0, 0x6543));
	usleep(100000);
	EXPECT_EQ(0x6543, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, *(uint32_t *)(vm->mem + GPA_PAGE));
	EXPECT_EQ(0, *(uint32_t *)(vm->mem + GPA_PAGE + 4));
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

/* A VMM with a page on its way, which tells @fd of its userfaultfd, if it is to. */
static void be_killed(int fd)
{
	struct test_vm vm;
	uint8_t *slow;
	int uffd;

	if (vm_new(&vm, VM_IRQCHIP) || vm_add_vcpu(&vm, 0) ||
	    vcpu_long64(&vm, 0, GPA_CODE) ||
	    slow_memory(&vm, &slow, &uffd) || apic_on(&vm, 0))
		_exit(1);
	guest_setup(&vm);
	if (apf_on(&vm, GPA_PAGE | APF_ALWAYS) != 0xffffffff ||
	    start_one(&vm, 0) <= 0)
		_exit(2);
	if (fd >= 0) {
		if (write(fd, &uffd, sizeof(uffd)) != sizeof(uffd))
			_exit(3);
		pause();
	}
	kill(getpid(), SIGKILL);
}

TEST_F(apf, killed)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		be_killed(-1);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* Another process has the userfaultfd and does not answer: the memory goes all the
 * same. A seal against writing says that nobody has the file mapped.
 */
TEST_F(apf, killed_while_its_pager_sleeps)
{
	int memfd = syscall(SYS_memfd_create, "held", MFD_ALLOW_SEALING);
	int status, pidfd, theirs, uffd, ret, tries = 0, pipefd[2];
	pid_t pid;

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, 0x1000));
	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	if (!pid) {
		if (mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED,
			 memfd, 0) == MAP_FAILED)
			_exit(4);
		be_killed(pipefd[1]);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(sizeof(theirs), read(pipefd[0], &theirs, sizeof(theirs)));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	uffd = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	ASSERT_LE(0, uffd);
	ASSERT_EQ(-1, fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	do
		usleep(100000);
	while ((ret = fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE)) && ++tries < 50);
	EXPECT_EQ(0, ret);
	close(uffd);
	close(pidfd);
	close(memfd);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* A file of the vCPU is closed while it goes on: it hears of its page, and asks for
 * it again.
 */
TEST_F(apf, a_duplicate_is_closed)
{
	struct test_vm *vm = &self->vm;
	int64_t token, again;

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	token = start_one(vm, 0);
	ASSERT_LT(0, token);
	close(dup(vm->vcpu[0]));
	usleep(100000);
	EXPECT_EQ(token, vcpu_report(vm, 0));
	again = vcpu_report(vm, 0);
	EXPECT_NE(token, again);
	EXPECT_EQ(KVM_PV_REASON_PAGE_NOT_PRESENT, vcpu_report(vm, 0));
	ASSERT_EQ(0, slow_page(self->uffd, self->slow, 0, 0x7654));
	usleep(100000);
	EXPECT_EQ(again, vcpu_report(vm, 0));
	EXPECT_EQ(0x7654, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
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

/* --- VMs that wait for all that they may: another still can ---------------------- */

#define NR_GREEDY	2
#define GREEDY_PAGES	(NR_GREEDY * MAX_TEST_VCPUS * 32)

struct greedy_vcpu {
	struct test_vm *vm;
	int i;
	pthread_t thread;
};

/* R13: what the vCPU shares with the host. */
GUEST64(code_greedy,
	"1: mov (%rbx), %eax\n"
	"add $0x1000, %rbx\n"
	"cmp $0x828000, %rbx\n"
	"jb 1b\n"
	DONE);
GUEST64(handler_greedy,
	"lock incl 0x22000\n"
	"movl $0, (%r13)\n"
	"addq $2, 8(%rsp)\n"
	"add $8, %rsp\n iretq\n");
GUEST64(handler_greedy_ready,
	APIC_BASE_RBP
	"push %rax\n push %rcx\n push %rdx\n"
	"movl $0, 4(%r13)\n"
	LAPIC_SET(0xb0, 0)
	ACK "pop %rdx\n pop %rcx\n pop %rax\n iretq\n");

static void *run_greedy(void *arg)
{
	struct greedy_vcpu *v = arg;

	return (void *)(long)vcpu_done(v->vm, v->i);
}

static int greedy_vcpu(struct test_vm *vm, int i, struct greedy_vcpu *v)
{
	uint64_t shared = GPA_PAGE + i * 0x40;
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_regs r = {
		.rip = GPA_CODE, .rsp = GPA_STACK - i * 0x800, .rflags = 0x202,
		.rbx = GPA_SLOW, .r13 = shared,
	};

	v->vm = vm;
	v->i = i;
	if (vm_add_vcpu(vm, i) != i || vcpu_long64(vm, i, GPA_CODE) ||
	    xioctl(vm->vcpu[i], KVM_SET_MP_STATE, &mp) || apic_on(vm, i) ||
	    xioctl(vm->vcpu[i], KVM_SET_REGS, &r) ||
	    vcpu_set_msr(vm, i, MSR_KVM_ASYNC_PF_INT, VECTOR_READY) != 1 ||
	    vcpu_set_msr(vm, i, MSR_KVM_ASYNC_PF_EN, shared | APF_ALWAYS) != 1)
		return -1;
	return pthread_create(&v->thread, NULL, run_greedy, v);
}

static int greedy_vm(struct test_vm *vm, uint8_t **slow, int *uffd,
		     struct greedy_vcpu *vcpu)
{
	int ret = vm_new(vm, VM_IRQCHIP) ?: slow_memory(vm, slow, uffd);

	vm_set_gate(vm, 14, GPA_HANDLER);
	vm_set_gate(vm, VECTOR_READY, GPA_READY);
	vm_load(vm, GPA_CODE, code_greedy);
	vm_load(vm, GPA_HANDLER, handler_greedy);
	vm_load(vm, GPA_READY, handler_greedy_ready);
	for (int i = 0; i < MAX_TEST_VCPUS && !ret; i++)
		ret = greedy_vcpu(vm, i, &vcpu[i]);
	return ret;
}

static int pages_told(struct test_vm *vm)
{
	int sum = 0;

	for (int i = 0; i < NR_GREEDY; i++)
		sum += *(volatile int *)(vm[i].mem + 0x22000);
	return sum;
}

TEST_F(apf, others_are_greedy)
{
	struct greedy_vcpu vcpu[NR_GREEDY][MAX_TEST_VCPUS];
	struct test_vm greedy[NR_GREEDY], *vm = &self->vm;
	int uffd[NR_GREEDY], tries = 0;
	uint8_t *slow[NR_GREEDY];
	pthread_t thread;
	void *ret;

	for (int i = 0; i < NR_GREEDY; i++)
		ASSERT_EQ(0, greedy_vm(&greedy[i], &slow[i], &uffd[i], vcpu[i]));
	while (pages_told(greedy) < GREEDY_PAGES && ++tries < 200)
		usleep(100000);
	EXPECT_EQ(GREEDY_PAGES, pages_told(greedy));

	EXPECT_EQ(0xffffffff, apf_on(vm, GPA_PAGE | APF_ALWAYS));
	ASSERT_EQ(0, run_from(vm, GPA_SLOW));
	ASSERT_EQ(0, pthread_create(&thread, NULL, page_later, self));
	vcpu_report(vm, 0);
	EXPECT_EQ(KVM_PV_REASON_PAGE_NOT_PRESENT, vcpu_report(vm, 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));

	for (int i = 0; i < NR_GREEDY; i++) {
		for (int j = 0; j < SLOW_PAGES; j++)
			EXPECT_EQ(0, slow_page(uffd[i], slow[i], j, j));
		for (int j = 0; j < MAX_TEST_VCPUS; j++) {
			ASSERT_EQ(0, pthread_join(vcpu[i][j].thread, &ret));
			EXPECT_EQ(0, (long)ret);
		}
		vm_close(&greedy[i]);
		close(uffd[i]);
		munmap(slow[i], SLOW_SIZE);
	}
}

JOIST_TEST_MAIN
