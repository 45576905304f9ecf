// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's hypercalls, here and in userspace, and the debugger's exits. */
#include <pthread.h>
#include <signal.h>

#include "lib/hyperv.h"

TEST_F(hyperv, hostile_calls)
{
	ASSERT_EQ(0, greet(&self->vm));
	memset(self->vm.mem + GPA_INPUT, 0xff, 4096);
	/* Reserved bits. */
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH | 1ULL << 27, GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH | 1ULL << 44, GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH | 1ULL << 63, GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, ~0ULL, ~0ULL, ~0ULL));
	/* Counts where none belong, none where one does. */
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH | REPS(1), GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_IPI | REPS(0xfff), GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_SPIN | REP_START(1), 0, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_LIST, GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_LIST | REPS(5) | REP_START(5),
				  GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH | BANKS(1), GPA_INPUT, 0));
	/* Giant, with a list that is not there: what is in it is not needed. */
	EXPECT_EQ((int64_t)(OK | REPS(0xfff)),
		  call(&self->vm, CALL_FLUSH_LIST | REPS(0xfff), GPA_INPUT, 0));
	/* Addresses. */
	EXPECT_EQ(BAD_ALIGNMENT, call(&self->vm, CALL_FLUSH, GPA_INPUT + 4, 0));
	EXPECT_EQ(BAD_ALIGNMENT, call(&self->vm, CALL_FLUSH, GPA_INPUT + 0xff0, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH, GPA_HOLE, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH, -4096ULL, 0));
	/* Sets of processors. */
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_EX, GPA_INPUT, 0));
	input(&self->vm, 0, 0, 0, 7, 1);
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_EX | BANKS(2), GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_EX | BANKS(0x3ff), GPA_INPUT, 0));
	EXPECT_EQ(OK, call(&self->vm, CALL_FLUSH_EX | BANKS(3), GPA_INPUT, 0));
	input(&self->vm, 0, 0, 0, ~0ULL, ~0ULL);
	EXPECT_EQ(OK, call(&self->vm, CALL_FLUSH_EX | BANKS(64), GPA_INPUT, 0));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_FLUSH_EX | FAST | BANKS(64), 0, 0));
	input(&self->vm, 0, 0, 1, ~0ULL, ~0ULL);
	EXPECT_EQ((int64_t)(OK | REPS(1)),
		  call(&self->vm, CALL_FLUSH_LIST_EX | REPS(1), GPA_INPUT, 0));
	/* Vectors. */
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_IPI | FAST, 0xf, 1));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_IPI | FAST, 0x100, 1));
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_IPI | FAST, 1ULL << 32 | 0x50, 1));
	EXPECT_EQ(OK, call(&self->vm, CALL_SPIN | FAST, 0x1000, 0));
	/* Messages without a SynIC, a debugger that has not agreed to it. */
	EXPECT_EQ(BAD_INPUT, call(&self->vm, CALL_POST, GPA_INPUT, 0));
	EXPECT_EQ(DENIED, call(&self->vm, CALL_DEBUG, GPA_INPUT, 0));
	EXPECT_EQ(0, peek(&self->vm, GPA_IRQS));
}

TEST_F(hyperv, ipis)
{
	vm_load(&self->vm, GPA_IRQ, handler_irq_eoi);
	ASSERT_EQ(0, greet(&self->vm));
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI | FAST, 0x50, 1));
	EXPECT_EQ(1, peek(&self->vm, GPA_IRQS));
	input(&self->vm, 0x50, 1, 0, 0, 0);
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI, GPA_INPUT, 0));
	EXPECT_EQ(2, peek(&self->vm, GPA_IRQS));
	/* Of all, and of those in XMM0. */
	input(&self->vm, 0x50, 1, 0, 0, 0);
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI_EX, GPA_INPUT, 0));
	EXPECT_EQ(3, peek(&self->vm, GPA_IRQS));
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI_EX | FAST | BANKS(1), 0x50, 0));
	EXPECT_EQ(4, peek(&self->vm, GPA_IRQS));
	/* Nobody's. */
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI | FAST, 0x50, 2));
	EXPECT_EQ(4, peek(&self->vm, GPA_IRQS));
}

/* Two megabytes of addresses change what they are: seen after the call. */
GUEST64(code_flush,
	"mov 0x40000000, %eax\n" REPORT
	"movq $0x2000e7, 0x4000\n"
	"mov $0x10002, %ecx\n xor %edx, %edx\n mov $1, %r8d\n"
	"mov $0x30000, %eax\n call *%rax\n" REPORT
	"mov 0x40000000, %eax\n" REPORT);

TEST_F(hyperv, flush)
{
	static const uint32_t one = 1, two = 2;

	ASSERT_EQ(0, greet(&self->vm));
	vm_load(&self->vm, GPA_RDMSR, code_flush);
	/* 0x40000000 is the first entry of its directory. */
	*vm_pte_2m(&self->vm, 0x40000000) = 0xe7;
	ASSERT_EQ(self->vm.mem + 0x4000, (uint8_t *)vm_pte_2m(&self->vm, 0x40000000));
	memcpy(self->vm.mem, &one, sizeof(one));
	memcpy(self->vm.mem + 0x200000, &two, sizeof(two));
	ASSERT_EQ(0, at(&self->vm, GPA_RDMSR, 0, 0, 0, 0, 0));
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));
	EXPECT_EQ(OK, vcpu_report(&self->vm, 0));
	EXPECT_EQ(2, vcpu_report(&self->vm, 0));
}

/* Another vCPU reads all the time what changes its place: after the call it reads the
 * new one. By an IPI it is told of the end.
 */
GUEST64(code_flush_other,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	"1: pause\n cmpl $1, 0x20030\n jne 1b\n"
	"mov $20, %ebx\n"
	"2: mov $3, %esi\n sub 0x20030, %esi\n"
	"xorq $0x200000, 0x4000\n"
	"mov $0x10002, %ecx\n xor %edx, %edx\n xor %r8d, %r8d\n"
	"mov $0x30000, %eax\n call *%rax\n"
	"test %rax, %rax\n jnz 4f\n"
	"mov $100000000, %ecx\n"
	"3: pause\n cmp %esi, 0x20030\n je 5f\n loop 3b\n"
	"4: mov $0xbad, %eax\n" REPORT
	"5: dec %ebx\n jnz 2b\n"
	"mov $0x1000b, %ecx\n mov $0x50, %edx\n mov $2, %r8d\n"
	"mov $0x30000, %eax\n call *%rax\n"
	"6: pause\n cmpq $1, 0x20020\n jne 6b\n"
	"xor %eax, %eax\n" REPORT);
GUEST64(ap_reader,
	AP_ENTER
	"lock incl 0x20000\n sti\n"
	"1: mov 0x40000000, %eax\n mov %eax, 0x20030\n jmp 1b\n");

static void *run_ap(void *arg)
{
	int ret;

	do
		ret = vcpu_run(arg, 1);
	while (ret == -EINTR && !((struct test_vm *)arg)->run[1]->immediate_exit);
	return NULL;
}

static void no_action(int sig)
{
}

TEST_F_TIMEOUT(hyperv, flush_other, 120)
{
	static const uint64_t xmm0[2] = { 2, 0 };
	static const uint32_t one = 1, two = 2;
	struct sigaction act = { .sa_handler = no_action };
	struct kvm_fpu fpu;
	pthread_t ap;

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	ASSERT_EQ(0, greet(&self->vm));
	vm_load_ap(&self->vm, ap_reader);
	vm_load(&self->vm, GPA_WAIT, code_flush_other);
	*vm_pte_2m(&self->vm, 0x40000000) = 0xe7;
	memcpy(self->vm.mem, &one, sizeof(one));
	memcpy(self->vm.mem + 0x200000, &two, sizeof(two));
	/* The input goes on in XMM0: the processor 1. */
	ASSERT_EQ(0, at(&self->vm, GPA_WAIT, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_FPU, &fpu));
	memcpy(fpu.xmm[0], xmm0, sizeof(xmm0));
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_FPU, &fpu));
	ASSERT_EQ(0, pthread_create(&ap, NULL, run_ap, &self->vm));
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	self->vm.run[1]->immediate_exit = 1;
	pthread_kill(ap, SIGUSR1);
	pthread_join(ap, NULL);
}

/* --- what userspace does ------------------------------------------------------------- */

TEST_F(hyperv, messages_exit)
{
	struct kvm_hyperv_exit *hv = &self->run->hyperv;

	ASSERT_EQ(0, enable(self->fd, KVM_CAP_HYPERV_SYNIC2, 0));
	ASSERT_EQ(0, greet(&self->vm));
	ASSERT_EQ(0, at(&self->vm, GPA_CALL, 0, 0, CALL_POST, GPA_INPUT, 0x99));
	ASSERT_EQ(KVM_EXIT_HYPERV, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_EXIT_HYPERV_HCALL, hv->type);
	EXPECT_EQ(CALL_POST, hv->u.hcall.input);
	EXPECT_EQ(GPA_INPUT, hv->u.hcall.params[0]);
	EXPECT_EQ(0x99, hv->u.hcall.params[1]);
	hv->u.hcall.result = 19;
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(19, peek(&self->vm, GPA_RESULT));
}

TEST_F(hyperv, debugger_exits)
{
	struct kvm_hyperv_exit *hv = &self->run->hyperv;
	uint64_t val;

	ASSERT_EQ(0, wr_begin(&self->vm, MSR_DEBUG_CONTROL, 3));
	ASSERT_EQ(KVM_EXIT_HYPERV, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_EXIT_HYPERV_SYNDBG, hv->type);
	EXPECT_EQ(MSR_DEBUG_CONTROL, hv->u.syndbg.msr);
	EXPECT_EQ(3, hv->u.syndbg.control);
	hv->u.syndbg.status = 0x77;
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, rd(&self->vm, MSR_DEBUG_STATUS, &val));
	EXPECT_EQ(0x77, val);
}

JOIST_TEST_MAIN
