// SPDX-License-Identifier: GPL-2.0-only
/* Timers: the local APIC's three modes and the PIT. */
#include <time.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000

FIXTURE(timer)
{
	struct test_vm vm;
};

FIXTURE_SETUP(timer)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_CREATE_PIT2, &pit));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(timer)
{
	vm_close(&self->vm);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

GUEST64(handler_tick, "mov $0x1150, %eax\n" REPORT
	LAPIC_SET(0xb0, 0) "iretq\n");

/* By 16: with a bus of 1 GHz, 0x200000 counts are some 34 ms. */
GUEST64(code_one_shot,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x3e0, 3)
	LAPIC_SET(0x320, 0x50)
	"mov $0x77, %eax\n" REPORT
	LAPIC_SET(0x380, 0x200000)
	"1: sti\n"
	"hlt\n"
	"cli\n"
	LAPIC_GET(0x390)		/* the count has come to its end */
	REPORT
	"mov $0x78, %eax\n" REPORT
	LAPIC_SET(0x380, 0x200000)
	"jmp 1b\n");

TEST_F(timer, one_shot)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_tick);
	vm_load(&self->vm, GPA_CODE, code_one_shot);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	for (int i = 0; i < 3; i++) {
		uint64_t start = now_us();

		EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
		/* Not before its time. */
		EXPECT_LT(30000, now_us() - start);
		EXPECT_EQ(0, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0x78, vcpu_report(&self->vm, 0));
	}
}

GUEST64(code_periodic,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x3e0, 3)
	LAPIC_SET(0x320, 0x20050)
	LAPIC_SET(0x380, 0x100000)
	"mov $0x77, %eax\n" REPORT
	"1: sti\n"
	"hlt\n"
	"jmp 1b\n");

TEST_F(timer, periodic)
{
	uint64_t start;

	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_tick);
	vm_load(&self->vm, GPA_CODE, code_periodic);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	start = now_us();
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	/* Nine whole periods of 16.8 ms, though some may have come late. */
	EXPECT_LT(100000, now_us() - start);
}

/* A masked timer counts and stays silent. */
GUEST64(code_masked,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x3e0, 3)
	LAPIC_SET(0x320, 0x10050)
	LAPIC_SET(0x380, 0x100000)
	"sti\n"
	"1: pause\n"
	LAPIC_GET(0x390)
	"test %eax, %eax\n"
	"jnz 1b\n"
	DONE);

TEST_F(timer, masked)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_tick);
	vm_load(&self->vm, GPA_CODE, code_masked);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* RBX TSC ticks ahead; reports whether the deadline was passed. */
GUEST64(code_deadline,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x320, 0x40050)
	"1: rdtsc\n"
	"shl $32, %rdx\n"
	"or %rdx, %rax\n"
	"add %rbx, %rax\n"
	"mov %rax, %rsi\n"
	"mov %rax, %rdx\n"
	"shr $32, %rdx\n"
	"mov $0x6e0, %ecx\n"
	"wrmsr\n"
	"sti\n"
	"hlt\n"
	"cli\n"
	"rdtsc\n"
	"shl $32, %rdx\n"
	"or %rdx, %rax\n"
	"cmp %rsi, %rax\n"
	"setae %al\n"
	"movzbl %al, %eax\n" REPORT
	"mov $0x6e0, %ecx\n"
	"rdmsr\n" REPORT		/* disarmed */
	"jmp 1b\n");

/* Without the feature a write does nothing, and is no fault. */
GUEST64(code_no_deadline,
	"mov $0x6e0, %ecx\n mov $1, %eax\n xor %edx, %edx\n wrmsr\n"
	"rdmsr\n" REPORT
	DONE);

TEST_F(timer, tsc_deadline_without_the_feature)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2,
	};

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	vm_load(&self->vm, GPA_CODE, code_no_deadline);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(timer, tsc_deadline)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2,
	};
	int khz;

	if (xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
		       KVM_CAP_TSC_DEADLINE_TIMER) <= 0)
		SKIP(return, "no KVM_CAP_TSC_DEADLINE_TIMER");
	ASSERT_EQ(0, vcpu_allow_deadlines(&self->vm, 0));
	khz = xioctl(self->vm.vcpu[0], KVM_GET_TSC_KHZ, NULL);
	ASSERT_LT(0, khz);
	regs.rbx = (uint64_t)khz * 20;		/* 20 ms */
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_tick);
	vm_load(&self->vm, GPA_CODE, code_deadline);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
		EXPECT_EQ(1, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	}
	/* In the past: at once. */
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	regs.rbx = -1000ULL;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));
}

/* Channel 0 as a rate generator at 100 Hz, by the master PIC. */
GUEST64(code_pit,
	PIC_INIT(0xfe, 0xff)
	"mov $0x34, %al\n out %al, $0x43\n"
	"mov $0x9c, %al\n out %al, $0x40\n"
	"mov $0x2e, %al\n out %al, $0x40\n"
	"mov $0x77, %eax\n" REPORT
	"1: sti\n"
	"hlt\n"
	"cli\n"
	"jmp 1b\n");
GUEST64(handler_pit, "mov $0x1120, %eax\n" REPORT
	"mov $0x20, %al\n out %al, $0x20\n iretq\n");

TEST_F(timer, pit_rate)
{
	uint64_t start;

	vm_set_gate(&self->vm, 0x20, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_pit);
	vm_load(&self->vm, GPA_CODE, code_pit);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	start = now_us();
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(0x1120, vcpu_report(&self->vm, 0));
	EXPECT_LT(80000, now_us() - start);
}

/* Channel 2 gated by the speaker port: its output rises when it is through. */
GUEST64(code_channel2,
	"mov $0x01, %al\n out %al, $0x61\n"
	"mov $0xb0, %al\n out %al, $0x43\n"
	"mov $0x9c, %al\n out %al, $0x42\n"
	"mov $0x2e, %al\n out %al, $0x42\n"
	"in $0x61, %al\n movzbl %al, %eax\n" REPORT
	"1: in $0x61, %al\n test $0x20, %al\n jz 1b\n"
	"movzbl %al, %eax\n" REPORT
	DONE);

TEST_F(timer, pit_channel_2)
{
	uint64_t start;

	vm_load(&self->vm, GPA_CODE, code_channel2);
	start = now_us();
	EXPECT_EQ(0x01, vcpu_report(&self->vm, 0) & 0x21);
	EXPECT_EQ(0x21, vcpu_report(&self->vm, 0) & 0x21);
	EXPECT_LT(9000, now_us() - start);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F(timer, pit_state_round_trip)
{
	struct kvm_pit_state2 a, b;

	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_PIT2, &a));
	a.channels[2].count = 0x1234;
	a.channels[2].mode = 3;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_SET_PIT2, &a));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_PIT2, &b));
	EXPECT_EQ(0x1234, b.channels[2].count);
	EXPECT_EQ(3, b.channels[2].mode);
}

JOIST_TEST_MAIN
