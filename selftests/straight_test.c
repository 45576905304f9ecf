// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN again and again for the same kind of exit: joist does it by a shorter road, on
 * which neither the scheduler nor the FPU's owner is told of the guest. What the VMM and
 * its threads do in between, and what the guest does instead.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lib/test.h"

#define PORT		0x80
#define ROUNDS		300
#define EXTRA_GPA	0x40000000UL
#define EXTRA_SIZE	(4UL << 20)

FIXTURE(straight)
{
	struct test_vm vm;
	struct kvm_run *run;
	int vcpu;
	void *extra;
};

static int begin(struct test_vm *vm, int i, uint64_t rbx, uint64_t rbp, uint64_t rdi)
{
	struct kvm_regs regs;
	int fd = vm->vcpu[i];

	if (vcpu_long64(vm, i, GPA_CODE) || xioctl(fd, KVM_GET_REGS, &regs))
		return -1;
	regs.rbx = rbx;
	regs.rbp = rbp;
	regs.rdi = rdi;
	return xioctl(fd, KVM_SET_REGS, &regs);
}

FIXTURE_SETUP(straight)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	self->run = self->vm.run[0];
	self->vcpu = self->vm.vcpu[0];
	self->extra = mmap(NULL, EXTRA_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->extra);
	madvise(self->extra, EXTRA_SIZE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, EXTRA_GPA, EXTRA_SIZE, self->extra));
}

FIXTURE_TEARDOWN(straight)
{
	vm_close(&self->vm);
	munmap(self->extra, EXTRA_SIZE);
}

/* --- the FPU -------------------------------------------------------------------------- */

/*
 * RBX counts in XMM0, XMM15 and the x87, which are looked at before an OUT and after; RBP
 * rounds. With RDI a page of its own is written between (the next exit is no OUT).
 * Reports where it went wrong.
 */
GUEST64(code_fpu,
	"push %rbx\n fninit\n fildq (%rsp)\n pop %rcx\n"
	"movq %rbx, %xmm0\n movq %rbx, %xmm15\n"
	"1: out %al, $0x80\n"
	"mov $1, %eax\n movq %xmm0, %rcx\n cmp %rcx, %rbx\n jne 2f\n"
	"test %rdi, %rdi\n jz 3f\n mov %rbx, (%rdi)\n add $0x1000, %rdi\n"
	"3: mov $2, %eax\n movq %xmm15, %rcx\n cmp %rcx, %rbx\n jne 2f\n"
	"push %rcx\n fistpq (%rsp)\n pop %rcx\n"
	"mov $3, %eax\n cmp %rcx, %rbx\n jne 2f\n"
	"inc %rbx\n movq %rbx, %xmm0\n movq %rbx, %xmm15\n"
	"push %rbx\n fildq (%rsp)\n pop %rcx\n"
	"dec %rbp\n jnz 1b\n"
	"mov $0, %eax\n"
	"2:" REPORT);

/* KVM_RUN with @val in the thread's own registers. Whether it still is there after. */
static bool run_keeps(int fd, uint64_t val, long *ret)
{
	uint64_t low = 0, high = 0, x87 = 0;
	uint32_t csr = 0x1f80 | (val & 1) << 13, csr_after = 0;

	asm volatile("movq %[val], %%xmm1\n movq %[val], %%xmm15\n"
		     "ldmxcsr %[csr]\n fninit\n fildq %[mem]\n"
		     "syscall\n"
		     "movq %%xmm1, %[low]\n movq %%xmm15, %[high]\n"
		     "stmxcsr %[after]\n fistpq %[x87]\n"
		     : "=a" (*ret), [low] "=&r" (low), [high] "=&r" (high),
		       [after] "=m" (csr_after), [x87] "=m" (x87)
		     : "a" (SYS_ioctl), "D" (fd), "S" (KVM_RUN), "d" (0),
		       [val] "r" (val), [mem] "m" (val), [csr] "m" (csr)
		     : "rcx", "r11", "memory", "xmm1", "xmm15", "st");
	csr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m" (csr));
	return low == val && high == val && x87 == val &&
	       csr_after == (0x1f80 | (val & 1) << 13);
}

/* One exit of vCPU @i's, with something in the thread's FPU. */
static bool one_out(struct test_vm *vm, int i, uint64_t val)
{
	struct kvm_run *run = vm->run[i];
	long ret;

	do {
		if (!run_keeps(vm->vcpu[i], val, &ret))
			return false;
	} while (ret == -EINTR);
	if (ret || run->exit_reason != KVM_EXIT_IO || run->io.port != PORT) {
		vcpu_complain(vm, i, "its OUT", ret ?: (int)run->exit_reason);
		return false;
	}
	return true;
}

TEST_F(straight, each_has_its_own_fpu)
{
	/* Without anything else; then the next exit is a page fault. */
	for (int pages = 0; pages < 2; pages++) {
		vm_load(&self->vm, GPA_CODE, code_fpu);
		ASSERT_EQ(0, begin(&self->vm, 0, 1000, ROUNDS, pages * EXTRA_GPA));
		for (int i = 0; i < ROUNDS; i++)
			ASSERT_TRUE(one_out(&self->vm, 0, 77 + i));
		EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	}
}

TEST_F(straight, fpu_while_signals_come)
{
	vm_load(&self->vm, GPA_CODE, code_fpu);
	ASSERT_EQ(0, begin(&self->vm, 0, 5, ROUNDS, EXTRA_GPA));
	alarm_every(150);
	for (int i = 0; i < ROUNDS; i++)
		if (!one_out(&self->vm, 0, i + 1))
			break;
	alarm_every(0);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
}

/* What the VMM sees between two runs, and what it puts there. */
TEST_F(straight, fpu_is_set_between)
{
	struct kvm_fpu fpu;

	vm_load(&self->vm, GPA_CODE, code_fpu);
	ASSERT_EQ(0, begin(&self->vm, 0, 40, 3, 0));
	ASSERT_TRUE(one_out(&self->vm, 0, 1));
	ASSERT_TRUE(one_out(&self->vm, 0, 2));
	ASSERT_TRUE(one_out(&self->vm, 0, 3));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_FPU, &fpu));
	EXPECT_EQ(42, *(uint64_t *)fpu.xmm[0]);
	EXPECT_EQ(42, *(uint64_t *)fpu.xmm[15]);
	*(uint64_t *)fpu.xmm[15] = 43;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_FPU, &fpu));
	EXPECT_EQ(2, vcpu_report(&self->vm, 0));
}

TEST_F(straight, two_vcpus_of_one_thread)
{
	vm_load(&self->vm, GPA_CODE, code_fpu);
	ASSERT_EQ(0, begin(&self->vm, 0, 1 << 20, ROUNDS, 0));
	ASSERT_EQ(0, begin(&self->vm, 1, 1 << 24, ROUNDS, 0));
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_TRUE(one_out(&self->vm, 0, 2 * i + 1));
		ASSERT_TRUE(one_out(&self->vm, 1, 2 * i + 2));
	}
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_report(&self->vm, 1));
}

/* --- threads -------------------------------------------------------------------------- */

struct part {
	struct test_vm *vm;
	int nr;		/* of this thread */
	int outs;
	bool ok;
};

static void *run_part(void *arg)
{
	struct part *p = arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(p->nr % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	p->ok = true;
	for (int i = 0; i < p->outs && p->ok; i++)
		p->ok = one_out(p->vm, 0, p->nr * 100 + i);
	return NULL;
}

/* Each on another CPU, where there is one, and gone after its part. */
TEST_F(straight, threads_in_turn_that_end)
{
	vm_load(&self->vm, GPA_CODE, code_fpu);
	ASSERT_EQ(0, begin(&self->vm, 0, 1, 20 * 5, EXTRA_GPA));
	for (int i = 0; i < 20; i++) {
		struct part part = { .vm = &self->vm, .nr = i, .outs = 5 };
		pthread_t thread;

		ASSERT_EQ(0, pthread_create(&thread, NULL, run_part, &part));
		pthread_join(thread, NULL);
		ASSERT_TRUE(part.ok);
	}
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
}

static void *move_about(void *arg)
{
	int nr = sysconf(_SC_NPROCESSORS_ONLN);
	pid_t tid = *(pid_t *)arg;
	cpu_set_t cpus;

	for (int i = 0; i < 100; i++) {
		CPU_ZERO(&cpus);
		CPU_SET(i % nr, &cpus);
		sched_setaffinity(tid, sizeof(cpus), &cpus);
		usleep(300);
	}
	return NULL;
}

TEST_F(straight, moved_and_preempted)
{
	pid_t tid = syscall(SYS_gettid);
	pthread_t thread;

	vm_load(&self->vm, GPA_CODE, code_fpu);
	ASSERT_EQ(0, begin(&self->vm, 0, 9, 20 * ROUNDS, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, move_about, &tid));
	for (int i = 0; i < 20 * ROUNDS; i++)
		if (!one_out(&self->vm, 0, i))
			break;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
}

/* --- what the run page asks for ------------------------------------------------------- */

/* CR8 into the report, IN's value before it. */
GUEST64(code_ports,
	"1: in $0x80, %al\n movzbl %al, %ebx\n out %al, $0x80\n"
	"mov %cr8, %rcx\n shl $8, %ecx\n lea (%rbx, %rcx), %eax\n" REPORT
	"jmp 1b\n");

static int port_exit(struct test_vm *vm)
{
	int ret = vcpu_run(vm, 0);

	return ret == KVM_EXIT_IO ? vm->run[0]->io.port : -1;
}

/* An IN, answered, and an OUT. */
#define IN_AND_OUT(val)							\
do {									\
	ASSERT_EQ(PORT, port_exit(&self->vm));				\
	*(uint8_t *)run_io_data(self->run) = (val);			\
	ASSERT_EQ(PORT, port_exit(&self->vm));				\
} while (0)

TEST_F(straight, answers)
{
	vm_load(&self->vm, GPA_CODE, code_ports);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 50; i++) {
		IN_AND_OUT(i);
		EXPECT_EQ(i, vcpu_report(&self->vm, 0));
	}
}

TEST_F(straight, immediate_exit)
{
	vm_load(&self->vm, GPA_CODE, code_ports);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	IN_AND_OUT(1);
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));
	ASSERT_EQ(PORT, port_exit(&self->vm));
	*(uint8_t *)run_io_data(self->run) = 0x42;
	for (int i = 0; i < 3; i++) {
		struct kvm_regs regs;

		self->run->immediate_exit = 1;
		EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
		self->run->immediate_exit = 0;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		EXPECT_EQ(0x42, regs.rax & 0xff);
		/* That IN is over. */
		*(uint8_t *)run_io_data(self->run) = 0x43;
	}
	ASSERT_EQ(PORT, port_exit(&self->vm));
	EXPECT_EQ(0x42, vcpu_report(&self->vm, 0));
}

TEST_F(straight, task_priority)
{
	vm_load(&self->vm, GPA_CODE, code_ports);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 8; i++) {
		IN_AND_OUT(3);
		self->run->cr8 = i;
		EXPECT_EQ(i << 8 | 3, vcpu_report(&self->vm, 0));
		EXPECT_EQ(i, self->run->cr8);
	}
	/* No such priority. */
	IN_AND_OUT(3);
	self->run->cr8 = 16;
	EXPECT_EQ(-EINVAL, vcpu_run(&self->vm, 0));
	self->run->cr8 = 2;
	EXPECT_EQ(2 << 8 | 3, vcpu_report(&self->vm, 0));
}

/* Registers by the run page, and back. */
TEST_F(straight, synced_registers)
{
	vm_load(&self->vm, GPA_CODE, code_ports);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 5; i++) {
		IN_AND_OUT(7);
		self->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
		EXPECT_EQ(7, vcpu_report(&self->vm, 0));
		EXPECT_EQ(7, self->run->s.regs.regs.rbx);
		self->run->kvm_valid_regs = 0;
		IN_AND_OUT(8);
		self->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
		self->run->s.regs.regs.rax = 0x55;
		self->run->s.regs.regs.rip = GPA_CODE + 2;	/* past the IN */
		ASSERT_EQ(PORT, port_exit(&self->vm));
		EXPECT_EQ(0, self->run->kvm_dirty_regs);
		EXPECT_EQ(0x55, vcpu_report(&self->vm, 0));
	}
}

GUEST64(code_sti, "sti\n nop\n 1: out %al, $0x80\n jmp 1b\n");

/* The guest can take an interrupt: it is told when asked for, and only then. */
TEST_F(straight, interrupt_window)
{
	vm_load(&self->vm, GPA_CODE, code_sti);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 3; k++) {
			ASSERT_EQ(PORT, port_exit(&self->vm));
			EXPECT_EQ(1, self->run->if_flag);
			EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
		}
		self->run->request_interrupt_window = 1;
		EXPECT_EQ(KVM_EXIT_IRQ_WINDOW_OPEN, vcpu_run(&self->vm, 0));
		self->run->request_interrupt_window = 0;
	}
}

GUEST64(code_isr, "mov $0x99, %eax\n" REPORT "iretq\n");

TEST_F(straight, interrupt_between)
{
	struct kvm_interrupt irq = { .irq = 0x40 };

	vm_load(&self->vm, GPA_CODE, code_sti);
	vm_load(&self->vm, GPA_CODE + 0x1000, code_isr);
	vm_set_gate(&self->vm, 0x40, GPA_CODE + 0x1000);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 3; k++)
			ASSERT_EQ(PORT, port_exit(&self->vm));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_INTERRUPT, &irq));
		EXPECT_EQ(0x99, vcpu_report(&self->vm, 0));
	}
}

/* --- signals -------------------------------------------------------------------------- */

GUEST64(code_spin, "1: out %al, $0x80\n mov $0x20000, %ecx\n 2: loop 2b\n jmp 1b\n");

static int alarms;

static void count_alarm(int sig)
{
	__atomic_fetch_add(&alarms, 1, __ATOMIC_SEQ_CST);
}

/* One that is pending comes first; one that comes ends the run. */
TEST_F(straight, signals)
{
	struct sigaction sa = { .sa_handler = count_alarm };
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} none = { .head.len = 8 };
	int interrupted = 0;
	sigset_t mask, old;

	vm_load(&self->vm, GPA_CODE, code_spin);
	ASSERT_EQ(0, begin(&self->vm, 0, 0, 0, 0));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(PORT, port_exit(&self->vm));
	alarm_every(500);
	sigaction(SIGALRM, &sa, NULL);
	for (int i = 0; i < 2000 && interrupted < 3; i++)
		interrupted += vcpu_run(&self->vm, 0) == -EINTR;
	alarm_every(0);
	EXPECT_LE(3, interrupted);
	EXPECT_LE(3, alarms);

	/* KVM_SET_SIGNAL_MASK counts from the next run on. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaction(SIGUSR1, &sa, NULL);
	sigprocmask(SIG_BLOCK, &mask, &old);
	while (port_exit(&self->vm) != PORT)
		;
	raise(SIGUSR1);
	EXPECT_EQ(PORT, port_exit(&self->vm));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_SIGNAL_MASK, &none));
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	sigprocmask(SIG_SETMASK, &old, NULL);
}

JOIST_TEST_MAIN
