// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes that are done before the vCPU's loop sees them: to the x2APIC's registers, and
 * to the doorbells of devices that other threads serve.
 */
#include <pthread.h>
#include <signal.h>

#include "lib/doorbell.h"
#include "lib/irq.h"
#include "lib/test.h"

#define GSI		5

#define WRMSR(index, low, high)						\
	"mov $" #index ", %ecx\n mov $" #low ", %eax\n"			\
	"mov $" #high ", %edx\n wrmsr\n"
#define X2APIC								\
	"mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"		\
	WRMSR(0x80f, 0x1ff, 0)
#define ICR(low, dest)	WRMSR(0x830, low, dest)
#define EOI		WRMSR(0x80b, 0, 0)
#define SERVE(vector)	SAVE NOTE(vector) EOI RESTORE "iretq\n"
#define SET_CR8(tpr)	"mov $" #tpr ", %eax\n mov %rax, %cr8\n"

GUEST64(serve41, SERVE(0x41));
GUEST64(serve51, SERVE(0x51));
GUEST64(serve61, SERVE(0x61));

FIXTURE(hot_irq)
{
	struct test_vm vm;
	int vcpu;
};

FIXTURE_SETUP(hot_irq)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(0, vcpu_cpuid(&self->vm, 0));
	SET_HANDLER(0x41, serve41);
	SET_HANDLER(0x51, serve51);
	SET_HANDLER(0x61, serve61);
}

FIXTURE_TEARDOWN(hot_irq)
{
	vm_close(&self->vm);
}

/* --- the x2APIC ----------------------------------------------------------------------- */

GUEST64(code_order,
	X2APIC ICR(0x40041, 0) ICR(0x40061, 0) ICR(0x40051, 0)
	NOTE(0x01) "sti\n nop\n nop\n" DONE);

TEST_F(hot_irq, by_priority)
{
	vm_load(&self->vm, GPA_CODE, code_order);
	EXPECT_EQ(0x01615141, noted(&self->vm));
}

/* Interrupts while one is in service: the higher at once, the lower after its end. */
GUEST64(code_nested, X2APIC "sti\n" ICR(0x40051, 0) "nop\n nop\n" DONE);
GUEST64(nest51,
	SAVE "sti\n" ICR(0x40061, 0) ICR(0x40041, 0) "nop\n nop\n" NOTE(0x51)
	EOI "nop\n nop\n" NOTE(0x02) RESTORE "iretq\n");

TEST_F(hot_irq, nested)
{
	SET_HANDLER(0x51, nest51);
	vm_load(&self->vm, GPA_CODE, code_nested);
	EXPECT_EQ(0x61514102, noted(&self->vm));
}

/* CR8 may be written without an exit: what comes then goes by it. */
GUEST64(code_tpr,
	X2APIC "sti\n" SET_CR8(5) ICR(0x40051, 0) "nop\n nop\n" NOTE(0x01)
	ICR(0x40061, 0) "nop\n nop\n" NOTE(0x02) SET_CR8(0) "nop\n nop\n" DONE);

TEST_F(hot_irq, task_priority)
{
	vm_load(&self->vm, GPA_CODE, code_tpr);
	EXPECT_EQ(0x01610251, noted(&self->vm));
}

/* ... and so does what an EOI would let in. */
GUEST64(code_eoi_tpr,
	X2APIC ICR(0x40051, 0) ICR(0x40061, 0) "sti\n nop\n nop\n" NOTE(0x01)
	SET_CR8(0) "nop\n nop\n" DONE);
GUEST64(raise61, SAVE NOTE(0x61) SET_CR8(5) EOI RESTORE "iretq\n");

TEST_F(hot_irq, task_priority_at_the_end)
{
	SET_HANDLER(0x61, raise61);
	vm_load(&self->vm, GPA_CODE, code_eoi_tpr);
	EXPECT_EQ(0x610151, noted(&self->vm));
}

GUEST64(msr_raise61, SAVE NOTE(0x61) WRMSR(0x808, 0x50, 0) EOI RESTORE "iretq\n");

TEST_F(hot_irq, task_priority_by_msr)
{
	SET_HANDLER(0x61, msr_raise61);
	vm_load(&self->vm, GPA_CODE, code_eoi_tpr);
	EXPECT_EQ(0x610151, noted(&self->vm));
}

/* An EOI that a resampler waits for. R13 counts. */
GUEST64(code_pin,
	"mov $0xff, %al\n out %al, $0x21\n out %al, $0xa1\n"
	"mov $0xfec00000, %ebx\n movl $0x1b, (%rbx)\n movl $0, 0x10(%rbx)\n"
	"movl $0x1a, (%rbx)\n mov %r12d, 0x10(%rbx)\n"
	X2APIC
	"1: sti\n nop\n cli\n mov %r13d, %eax\n" REPORT "jmp 1b\n");
GUEST64(count51, SAVE "inc %r13\n" EOI RESTORE "iretq\n");

static int reported(struct test_vm *vm)
{
	if (vcpu_run(vm, 0) != KVM_EXIT_IO || vm->run[0]->io.port != PORT_REPORT)
		return -1;
	return *(uint32_t *)run_io_data(vm->run[0]);
}

/* Until the guest has counted to @n: then 0. */
static int count_to(struct test_vm *vm, int n)
{
	int i, got;

	for (i = 0; i < 100; i++) {
		got = reported(vm);
		if (got == n)
			return 0;
		if (got < 0 || got > n)
			return -1;
	}
	return -1;
}

TEST_F(hot_irq, ends_that_resamplers_hear)
{
	struct kvm_irqfd irq = { .gsi = GSI, .flags = KVM_IRQFD_FLAG_RESAMPLE };
	struct kvm_regs regs;
	int i;

	SET_HANDLER(0x51, count51);
	irq.fd = eventfd(0, EFD_NONBLOCK);
	irq.resamplefd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	vm_load(&self->vm, GPA_CODE, code_pin);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	regs.r12 = 0x8051;		/* level-triggered */
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, reported(&self->vm));
	for (i = 1; i <= 20; i++) {
		ASSERT_EQ(0, eventfd_write(irq.fd, 1));
		ASSERT_EQ(0, count_to(&self->vm, i));
		EXPECT_EQ(1, events(irq.resamplefd));
		/* It is not there for ever. */
		EXPECT_EQ(i, reported(&self->vm));
	}
	close(irq.fd);
	close(irq.resamplefd);
}

/* The later of two deadlines was moved: one interrupt. */
GUEST64(code_deadline,
	X2APIC WRMSR(0x832, 0x40041, 0) "sti\n"
	"rdtsc\n shl $32, %rdx\n or %rax, %rdx\n mov %rdx, %r14\n"
	"rdtsc\n add $20000000, %eax\n adc $0, %edx\n mov $0x6e0, %ecx\n wrmsr\n"
	"rdtsc\n add $20000, %eax\n adc $0, %edx\n wrmsr\n"
	"1: test %r13, %r13\n jz 1b\n"
	"add $60000000, %r14\n"
	"2: rdtsc\n shl $32, %rdx\n or %rax, %rdx\n cmp %r14, %rdx\n jb 2b\n" DONE);

TEST_F(hot_irq, deadline_moves)
{
	ASSERT_EQ(0, vcpu_allow_deadlines(&self->vm, 0));
	vm_load(&self->vm, GPA_CODE, code_deadline);
	EXPECT_EQ(0x41, noted(&self->vm));
}

/* R12 ticks ahead, then: halts, exits all the time, leaves for userspace. */
#define ARM								\
	"rdtsc\n add %r12d, %eax\n adc $0, %edx\n mov $0x6e0, %ecx\n wrmsr\n"
GUEST64(code_deadlines,
	X2APIC WRMSR(0x832, 0x40041, 0)
	"cli\n" ARM "sti\n hlt\n 1: test %r13, %r13\n jz 1b\n"
	ARM "2: xor %eax, %eax\n cpuid\n cmp $2, %r13\n jb 2b\n"
	"cli\n" ARM "mov $1, %eax\n" REPORT "sti\n nop\n nop\n"
	"3: cmp $3, %r13\n jb 3b\n" DONE);
GUEST64(count41, SAVE "inc %r13\n" EOI RESTORE IRET_PAST_HLT);

TEST_F(hot_irq, deadline_wherever_the_guest_is)
{
	uint64_t pending;
	struct kvm_regs regs;

	ASSERT_EQ(0, vcpu_allow_deadlines(&self->vm, 0));
	SET_HANDLER(0x41, count41);
	vm_load(&self->vm, GPA_CODE, code_deadlines);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	regs.r12 = 200000;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(1, reported(&self->vm));
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, 0x6e0, &pending));
	usleep(1000);
	EXPECT_TRUE(irq_count_is(3, noted(&self->vm)));
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, 0x6e0, &pending));
	EXPECT_EQ(0, pending);
}

/* Two processors that wake each other. */
#define ROUNDS	500
#define W_READY	0x20000

GUEST64(code_ping,
	X2APIC "sti\n 1: pause\n cmpl $0, 0x20000\n je 1b\n"
	"2: mov %r13, %r14\n" ICR(0x4061, 1)
	"3: pause\n cmp %r13, %r14\n je 3b\n"
	"dec %rbp\n jnz 2b\n" DONE);
GUEST64(code_pong, X2APIC "movl $1, 0x20000\n 1: sti\n hlt\n cli\n jmp 1b\n");
GUEST64(pong61,
	"push %rcx\n push %rdx\n push %rax\n incl 0x20008\n" EOI ICR(0x4051, 0)
	"pop %rax\n pop %rdx\n pop %rcx\n" IRET_PAST_HLT);

static void on_usr1(int sig)
{
}

static void *run_pong(void *arg)
{
	vcpu_run(arg, 1);
	return NULL;
}

TEST_F(hot_irq, two_wake_each_other)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct kvm_regs regs;
	pthread_t thread;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[1], KVM_SET_MP_STATE, &mp));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 1, GPA_CODE + 0x800));
	ASSERT_EQ(0, vcpu_cpuid(&self->vm, 1));
	SET_HANDLER(0x51, count51);
	SET_HANDLER(0x61, pong61);
	vm_load(&self->vm, GPA_CODE, code_ping);
	vm_load(&self->vm, GPA_CODE + 0x800, code_pong);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	regs.rbp = ROUNDS;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_pong, &self->vm));
	EXPECT_TRUE(irq_count_is(ROUNDS, noted(&self->vm)));
	EXPECT_TRUE(irq_count_is(ROUNDS, *(uint32_t *)(self->vm.mem + 0x20008)));
	self->vm.run[1]->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

/* --- doorbells ------------------------------------------------------------------------ */

static int start(struct test_vm *vm, uint64_t addr, uint64_t n)
{
	struct kvm_regs regs;

	if (xioctl(vm->vcpu[0], KVM_GET_REGS, &regs))
		return -1;
	regs.rdx = addr;
	regs.rbp = n;
	return xioctl(vm->vcpu[0], KVM_SET_REGS, &regs);
}

/* One for any value, one for the value 7; the others are the VMM's. */
GUEST64(code_bells,
	"1: mov %ebp, 0x10(%rdx)\n mov %bp, 0x20(%rdx)\n mov %ebp, 0x30(%rdx)\n"
	"dec %rbp\n jnz 1b\n" DONE);

TEST_F(hot_irq, bells)
{
	struct kvm_run *run = self->vm.run[0];
	int any = eventfd(0, EFD_NONBLOCK), seven = eventfd(0, EFD_NONBLOCK);
	int i, n;

	ASSERT_EQ(0, ioeventfd(&self->vm, any, GPA_HOLE + 0x10, 4, 0, 0));
	ASSERT_EQ(0, ioeventfd(&self->vm, seven, GPA_HOLE + 0x20, 2,
			       KVM_IOEVENTFD_FLAG_DATAMATCH, 7));
	vm_load(&self->vm, GPA_CODE, code_bells);
	ASSERT_EQ(0, start(&self->vm, GPA_HOLE, 10));
	for (i = 10; i; i--) {
		for (n = i == 7; n < 2; n++) {
			uint32_t val = 0;

			ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
			EXPECT_EQ(GPA_HOLE + 0x20 + 0x10 * n, run->mmio.phys_addr);
			EXPECT_EQ(n ? 4 : 2, run->mmio.len);
			memcpy(&val, run->mmio.data, run->mmio.len);
			EXPECT_EQ(i, val);
		}
	}
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_EQ(10, events(any));
	EXPECT_EQ(1, events(seven));
	close(any);
	close(seven);
}

#define MANY	3000

GUEST64(code_rings, "1: mov %ebp, (%rdx)\n dec %rbp\n jnz 1b\n" DONE);

/* Each write is told once, to the one or the other. */
TEST_F(hot_irq, bell_comes_and_goes)
{
	int64_t rung, exits;

	vm_load(&self->vm, GPA_CODE, code_rings);
	ASSERT_EQ(0, start(&self->vm, GPA_HOLE, MANY));
	ASSERT_EQ(0, doorbell_comes_and_goes(&self->vm, GPA_HOLE, false, &rung,
					     &exits));
	EXPECT_EQ(MANY, rung + exits);
	EXPECT_LT(0, rung);
}

JOIST_TEST_MAIN
