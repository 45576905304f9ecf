// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's interface: its MSRs, hypercalls, SynIC and timers, for guests that mean
 * well and others. What CPUID allows is for KVM's own hyperv_features to say.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "lib/irq.h"
#include "lib/test.h"

#define MSR_OS_ID		0x40000000
#define MSR_HYPERCALL		0x40000001
#define MSR_VP_INDEX		0x40000002
#define MSR_RESET		0x40000003
#define MSR_VP_RUNTIME		0x40000010
#define MSR_REF_COUNT		0x40000020
#define MSR_REF_TSC		0x40000021
#define MSR_TSC_HZ		0x40000022
#define MSR_APIC_HZ		0x40000023
#define MSR_EOI			0x40000070
#define MSR_ICR			0x40000071
#define MSR_TPR			0x40000072
#define MSR_ASSIST		0x40000073
#define MSR_SCONTROL		0x40000080
#define MSR_SIEFP		0x40000082
#define MSR_SIMP		0x40000083
#define MSR_EOM			0x40000084
#define MSR_SINT2		0x40000092
#define MSR_TIMER0		0x400000b0
#define MSR_TIMER0_COUNT	0x400000b1
#define MSR_DEBUG_CONTROL	0x400000f1
#define MSR_DEBUG_STATUS	0x400000f2
#define MSR_CRASH_P0		0x40000100
#define MSR_CRASH_CTL		0x40000105
#define MSR_REENLIGHTEN		0x40000106
#define MSR_TSC_EMULATION	0x40000107
#define MSR_TSC_STATUS		0x40000108
#define MSR_KVM_TIME_NEW	0x4b564d01

#define OS_ID			(0x8100ULL << 48)
#define ENABLE			1ULL
#define FAST			(1ULL << 16)
#define BANKS(n)		((uint64_t)(n) << 17)
#define REPS(n)			((uint64_t)(n) << 32)
#define REP_START(n)		((uint64_t)(n) << 48)

#define CALL_FLUSH		2
#define CALL_FLUSH_LIST		3
#define CALL_SPIN		8
#define CALL_IPI		0xb
#define CALL_FLUSH_EX		0x13
#define CALL_FLUSH_LIST_EX	0x14
#define CALL_IPI_EX		0x15
#define CALL_POST		0x5c
#define CALL_DEBUG		0x6b

#define OK			0
#define BAD_CODE		2
#define BAD_INPUT		3
#define BAD_ALIGNMENT		4
#define DENIED			8

#define GPA_RDMSR	0x10000
#define GPA_WRMSR	0x10100
#define GPA_CALL	0x10200
#define GPA_WAIT	0x10300
#define GPA_GP		0x18000
#define GPA_UD		0x18100
#define GPA_IRQ		0x18200
#define GPA_RESULT	0x20010
#define GPA_IRQS	0x20020
#define GPA_PAGE	0x30000		/* for hypercalls */
#define GPA_INPUT	0x31000
#define GPA_TSC		0x32000
#define GPA_SIMP	0x33000

GUEST64(code_rdmsr,
	"rdmsr\n mov %eax, 0x20010\n mov %edx, 0x20014\n"
	"xor %eax, %eax\n" REPORT);
GUEST64(code_wrmsr, "wrmsr\n xor %eax, %eax\n" REPORT);
/* XMM0 is a set of processors: of bank 0 the one, the first. */
GUEST64(code_call,
	"pushq $1\n pushq $1\n movdqu (%rsp), %xmm0\n add $16, %rsp\n"
	"mov $0x30000, %eax\n call *%rax\n mov %rax, 0x20010\n"
	"sti\n nop\n cli\n"
	"xor %eax, %eax\n" REPORT);
/* Until there were RBX interrupts. */
GUEST64(code_wait,
	"sti\n 1: pause\n cmp %rbx, 0x20020\n jb 1b\n cli\n"
	"xor %eax, %eax\n" REPORT);
GUEST64(handler_gp, "mov $13, %eax\n" REPORT);
GUEST64(handler_ud, "mov $6, %eax\n" REPORT);
GUEST64(handler_irq, "lock incq 0x20020\n iretq\n");
GUEST64(handler_irq_eoi,
	"lock incq 0x20020\n push %rax\n push %rcx\n push %rdx\n"
	"mov $0x40000070, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
	"pop %rdx\n pop %rcx\n pop %rax\n iretq\n");

FIXTURE(hyperv)
{
	struct test_vm vm;
	struct kvm_run *run;
	int fd;
};

static int hv_cpuid(int fd, struct test_cpuid *c)
{
	memset(c, 0, sizeof(*c));
	c->head.nent = 256;
	return xioctl(fd, KVM_GET_SUPPORTED_HV_CPUID, c);
}

/* All that is supported, Hyper-V's leaves instead of KVM's; these go to @kvm, if not
 * zero.
 */
static int set_hv_cpuid(struct test_vm *vm, int i, uint32_t kvm)
{
	static struct test_cpuid c, hv, all;
	uint32_t n = 0;

	if (supported_cpuid(vm, &c) || hv_cpuid(vm->dev, &hv))
		return -1;
	memset(&all, 0, sizeof(all));
	for (uint32_t e = 0; e < c.head.nent; e++) {
		all.entry[n] = c.entry[e];
		if (c.entry[e].function >> 8 == 0x400000) {
			if (!kvm)
				continue;
			all.entry[n].function += kvm - 0x40000000;
		}
		n++;
	}
	for (uint32_t e = 0; e < hv.head.nent; e++)
		all.entry[n++] = hv.entry[e];
	all.head.nent = n;
	return xioctl(vm->vcpu[i], KVM_SET_CPUID2, &all);
}

static int enable(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	return xioctl(fd, KVM_ENABLE_CAP, &c);
}

static int hv_load(struct test_vm *vm)
{
	int ret = vcpu_long64(vm, 0, GPA_RDMSR);

	vm_load(vm, GPA_RDMSR, code_rdmsr);
	vm_load(vm, GPA_WRMSR, code_wrmsr);
	vm_load(vm, GPA_CALL, code_call);
	vm_load(vm, GPA_WAIT, code_wait);
	vm_load(vm, GPA_GP, handler_gp);
	vm_load(vm, GPA_UD, handler_ud);
	vm_load(vm, GPA_IRQ, handler_irq);
	vm_set_gate(vm, 13, GPA_GP);
	vm_set_gate(vm, 6, GPA_UD);
	vm_set_gate(vm, 0x50, GPA_IRQ);
	return ret;
}

FIXTURE_SETUP(hyperv)
{
	struct kvm_lapic_state lapic;

	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->fd = self->vm.vcpu[0];
	self->run = self->vm.run[0];
	ASSERT_EQ(0, set_hv_cpuid(&self->vm, 0, 0));
	ASSERT_EQ(0, hv_load(&self->vm));
	ASSERT_EQ(0, xioctl(self->fd, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)&lapic.regs[0xf0] = 0x1ff;
	ASSERT_EQ(0, xioctl(self->fd, KVM_SET_LAPIC, &lapic));
}

FIXTURE_TEARDOWN(hyperv)
{
	vm_close(&self->vm);
}

static uint64_t peek(struct test_vm *vm, uint64_t gpa)
{
	uint64_t val;

	memcpy(&val, vm->mem + gpa, sizeof(val));
	return val;
}

/* At a piece of code with these registers: 0 or -errno. */
static int at(struct test_vm *vm, uint64_t rip, uint64_t rax, uint64_t rbx,
	      uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	struct kvm_regs regs = {
		.rip = rip, .rax = rax, .rbx = rbx, .rcx = rcx, .rdx = rdx,
		.r8 = r8, .rsp = GPA_STACK, .rflags = 2,
	};
	int ret;

	/* The last report is over. */
	vm->run[0]->immediate_exit = 1;
	ret = vcpu_run(vm, 0);
	vm->run[0]->immediate_exit = 0;
	return ret == -EINTR ? xioctl(vm->vcpu[0], KVM_SET_REGS, &regs) : -1;
}

/* By the guest: 0, or the vector of the exception. */
static __attribute_noinline__ int64_t rd(struct test_vm *vm, uint32_t index, uint64_t *val)
{
	int64_t ret;

	if (at(vm, GPA_RDMSR, 0, 0, index, 0, 0))
		return -1;
	ret = vcpu_report(vm, 0);
	*val = peek(vm, GPA_RESULT);
	return ret;
}

static int wr_begin(struct test_vm *vm, uint32_t index, uint64_t val)
{
	return at(vm, GPA_WRMSR, (uint32_t)val, 0, index, val >> 32, 0);
}

static __attribute_noinline__ int64_t wr(struct test_vm *vm, uint32_t index, uint64_t val)
{
	return wr_begin(vm, index, val) ? -1 : vcpu_report(vm, 0);
}

/* RAX, or -1 less the vector of the exception. */
static __attribute_noinline__ int64_t
call(struct test_vm *vm, uint64_t control, uint64_t in, uint64_t out)
{
	int64_t ret;

	if (at(vm, GPA_CALL, 0, 0, control, in, out))
		return -100;
	ret = vcpu_report(vm, 0);
	return ret ? -1 - ret : (int64_t)peek(vm, GPA_RESULT);
}

static __attribute_noinline__ int64_t wait_irqs(struct test_vm *vm, uint64_t n)
{
	return at(vm, GPA_WAIT, 0, n, 0, 0, 0) ? -1 : vcpu_report(vm, 0);
}

/* The guest says what it is, and gets its page. */
static int greet(struct test_vm *vm)
{
	return wr(vm, MSR_OS_ID, OS_ID) ||
	       wr(vm, MSR_HYPERCALL, GPA_PAGE | ENABLE);
}

static void input(struct test_vm *vm, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d, uint64_t e)
{
	uint64_t words[] = { a, b, c, d, e };

	memcpy(vm->mem + GPA_INPUT, words, sizeof(words));
}

/* --- CPUID -------------------------------------------------------------------------- */

TEST_F(hyperv, cpuid)
{
	static struct test_cpuid dev, vcpu, plain;
	struct test_vm other;

	ASSERT_EQ(0, hv_cpuid(self->vm.dev, &dev));
	ASSERT_EQ(0, hv_cpuid(self->fd, &vcpu));
	EXPECT_EQ(0, memcmp(&dev, &vcpu, sizeof(dev)));
	EXPECT_EQ(0x31237648, cpuid_entry(&dev, 0x40000001, 0)->eax);
	EXPECT_EQ(0x40000082, cpuid_entry(&dev, 0x40000000, 0)->eax);
	/* No nested virtualization. */
	EXPECT_EQ(NULL, cpuid_entry(&dev, 0x4000000a, 0));

	dev.head.nent--;
	EXPECT_EQ(-E2BIG, xioctl(self->vm.dev, KVM_GET_SUPPORTED_HV_CPUID, &dev));
	EXPECT_EQ(vcpu.head.nent - 1, dev.head.nent);
	EXPECT_EQ(-EFAULT, xioctl(self->vm.dev, KVM_GET_SUPPORTED_HV_CPUID,
				  (void *)8));

	/* Timers in direct mode and the SynIC need a local APIC. */
	ASSERT_EQ(0, vm_new(&other, 0));
	ASSERT_EQ(0, vm_add_vcpu(&other, 0));
	ASSERT_EQ(0, hv_cpuid(other.vcpu[0], &plain));
	EXPECT_EQ(1U << 19, cpuid_entry(&vcpu, 0x40000003, 0)->edx ^
		  cpuid_entry(&plain, 0x40000003, 0)->edx);
	EXPECT_EQ(-EINVAL, enable(other.vcpu[0], KVM_CAP_HYPERV_SYNIC, 0));
	vm_close(&other);
	EXPECT_EQ(-EINVAL, enable(self->fd, KVM_CAP_HYPERV_SYNIC2, 1));
}

/* KVM's leaf of features is where its signature is, and Hyper-V's is not that. */
TEST_F(hyperv, kvm_leaves_move)
{
	ASSERT_EQ(0, enable(self->fd, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1));
	EXPECT_EQ(13, wr(&self->vm, MSR_KVM_TIME_NEW, 0));
	vm_close(&self->vm);

	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, set_hv_cpuid(&self->vm, 0, 0x40000100));
	ASSERT_EQ(0, enable(self->vm.vcpu[0],
			    KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1));
	ASSERT_EQ(0, hv_load(&self->vm));
	EXPECT_EQ(0, wr(&self->vm, MSR_KVM_TIME_NEW, 0));
}

/* A guest that was not told of Hyper-V has none of it. */
TEST_F(hyperv, not_announced)
{
	uint64_t val;

	ASSERT_EQ(0, vcpu_cpuid(&self->vm, 0));
	EXPECT_EQ(13, rd(&self->vm, MSR_OS_ID, &val));
	EXPECT_EQ(13, wr(&self->vm, MSR_OS_ID, OS_ID));
	EXPECT_EQ(13, rd(&self->vm, MSR_REF_COUNT, &val));
	/* The VMM may restore it all the same; hypercalls stay KVM's. */
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_OS_ID, OS_ID));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_HYPERCALL,
				  GPA_PAGE | ENABLE));
	EXPECT_EQ(-1000, call(&self->vm, 0xbeef, 0, 0));
}

/* --- MSRs --------------------------------------------------------------------------- */

TEST_F(hyperv, vmm_msrs)
{
	static const struct {
		uint32_t index;
		uint64_t val;
	} kept[] = {
		{ MSR_OS_ID, OS_ID }, { MSR_HYPERCALL, GPA_PAGE | ENABLE },
		{ MSR_VP_INDEX, 7 }, { MSR_REF_TSC, GPA_TSC | ENABLE },
		{ MSR_ASSIST, GPA_INPUT | ENABLE },
		{ MSR_CRASH_P0 + 4, 0x123456789 }, { MSR_CRASH_CTL, 1ULL << 63 },
		{ MSR_REENLIGHTEN, 1 << 16 | 0xff }, { MSR_TSC_EMULATION, 1 },
		{ MSR_TSC_STATUS, 1 }, { MSR_DEBUG_STATUS, 5 },
	};
	uint64_t val, before;

	for (unsigned int i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		EXPECT_EQ(1, vcpu_set_msr(&self->vm, 0, kept[i].index, kept[i].val));
		EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, kept[i].index, &val));
		EXPECT_EQ(kept[i].val, val) {
			TH_LOG("MSR %x", kept[i].index);
		}
	}
	/* Facts: not set, and no error. */
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC_HZ, &before));
	EXPECT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_TSC_HZ, 1));
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC_HZ, &val));
	EXPECT_EQ(before, val);
	EXPECT_EQ(1000ULL * xioctl(self->fd, KVM_GET_TSC_KHZ, NULL), val);
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_APIC_HZ, &val));
	EXPECT_EQ(1000000000, val);
	/* Errors. */
	EXPECT_EQ(0, vcpu_set_msr(&self->vm, 0, MSR_VP_INDEX, 1 << 20));
	EXPECT_EQ(0, vcpu_set_msr(&self->vm, 0, MSR_HYPERCALL, GPA_HOLE | ENABLE));
	EXPECT_EQ(0, vcpu_set_msr(&self->vm, 0, MSR_SCONTROL, 1));
	EXPECT_EQ(0, vcpu_get_msr(&self->vm, 0, 0x40000004, &val));
}

/* Where the VMM gave an index, the guest reads it, and is called by it. */
TEST_F(hyperv, vp_index)
{
	uint64_t val;

	EXPECT_EQ(0, rd(&self->vm, MSR_VP_INDEX, &val));
	EXPECT_EQ(0, val);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_VP_INDEX, 65));
	EXPECT_EQ(0, rd(&self->vm, MSR_VP_INDEX, &val));
	EXPECT_EQ(65, val);
	EXPECT_EQ(13, wr(&self->vm, MSR_VP_INDEX, 1));
	ASSERT_EQ(0, greet(&self->vm));
	/* Bank 1 is the second of two, bit 1. */
	input(&self->vm, 0x50, 0, 3, 0, 2);
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI_EX | BANKS(2), GPA_INPUT, 0));
	EXPECT_EQ(1, peek(&self->vm, GPA_IRQS));
	EXPECT_EQ(OK, call(&self->vm, CALL_IPI | FAST, 0x50, ~0ULL));
	EXPECT_EQ(1, peek(&self->vm, GPA_IRQS));
}

TEST_F(hyperv, guest_msrs_refuse)
{
	static const struct {
		uint32_t index;
		uint64_t val;
	} bad[] = {
		{ MSR_VP_RUNTIME, 1 }, { MSR_REF_COUNT, 1 }, { MSR_TSC_HZ, 1 },
		{ MSR_APIC_HZ, 1 }, { MSR_TPR, 0x100 }, { MSR_TPR, 1ULL << 32 },
		{ MSR_REENLIGHTEN, 1 << 8 }, { MSR_REENLIGHTEN, 1 << 17 },
		{ MSR_TSC_EMULATION, 2 }, { MSR_TSC_STATUS, 1 },
		{ MSR_ASSIST, GPA_HOLE | ENABLE }, { MSR_ASSIST, ~0ULL },
		{ MSR_HYPERCALL, GPA_HOLE | ENABLE }, { MSR_HYPERCALL, ~0ULL },
		{ MSR_SCONTROL, 1 }, { MSR_SIMP, 0 }, { MSR_TIMER0, 0 },
		{ 0x40000004, 0 }, { 0x40000110, 0 },
	};
	uint64_t val;

	ASSERT_EQ(0, wr(&self->vm, MSR_OS_ID, OS_ID));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(13, wr(&self->vm, bad[i].index, bad[i].val)) {
			TH_LOG("MSR %x, case %u", bad[i].index, i);
		}
	}
	EXPECT_EQ(13, rd(&self->vm, MSR_EOI, &val));
	EXPECT_EQ(13, rd(&self->vm, MSR_SCONTROL, &val));
}

TEST_F(hyperv, hypercall_page)
{
	uint64_t val;

	/* Not before the guest has said what it is. */
	EXPECT_EQ(0, wr(&self->vm, MSR_HYPERCALL, GPA_PAGE | ENABLE));
	EXPECT_EQ(0, rd(&self->vm, MSR_HYPERCALL, &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(0, peek(&self->vm, GPA_PAGE));
	ASSERT_EQ(0, greet(&self->vm));
	EXPECT_EQ(0xc3, self->vm.mem[GPA_PAGE + 3]);
	EXPECT_EQ(BAD_CODE, call(&self->vm, 0xbeef, 0, 0));
	/* Without a name it is off again. */
	EXPECT_EQ(0, wr(&self->vm, MSR_OS_ID, 0));
	EXPECT_EQ(0, rd(&self->vm, MSR_HYPERCALL, &val));
	EXPECT_EQ(GPA_PAGE, val);
	EXPECT_EQ(-1000, call(&self->vm, 0xbeef, 0, 0));
	/* Locked. */
	EXPECT_EQ(0, wr(&self->vm, MSR_OS_ID, OS_ID));
	EXPECT_EQ(0, wr(&self->vm, MSR_HYPERCALL, GPA_PAGE | 2 | ENABLE));
	EXPECT_EQ(13, wr(&self->vm, MSR_HYPERCALL, GPA_INPUT | ENABLE));
}

TEST_F(hyperv, apic_msrs)
{
	uint64_t val;

	vm_load(&self->vm, GPA_IRQ, handler_irq_eoi);
	EXPECT_EQ(0, wr(&self->vm, MSR_TPR, 0x60));
	EXPECT_EQ(0, rd(&self->vm, MSR_TPR, &val));
	EXPECT_EQ(0x60, val);
	/* To itself, twice; held back by the priority first. */
	EXPECT_EQ(0, wr(&self->vm, MSR_ICR, 0x44050));
	EXPECT_EQ(0, rd(&self->vm, MSR_ICR, &val));
	EXPECT_EQ(0x44050, val);
	EXPECT_EQ(0, peek(&self->vm, GPA_IRQS));
	EXPECT_EQ(0, wr(&self->vm, MSR_TPR, 0));
	EXPECT_EQ(0, wait_irqs(&self->vm, 1));
	EXPECT_EQ(0, wr(&self->vm, MSR_ICR, 0x44050));
	EXPECT_EQ(0, wait_irqs(&self->vm, 2));
}

TEST_F(hyperv, crash_and_reset)
{
	struct kvm_run *run = self->run;

	EXPECT_EQ(0, wr(&self->vm, MSR_CRASH_P0 + 1, 0x1234));
	EXPECT_EQ(0, wr(&self->vm, MSR_CRASH_CTL, 1));
	ASSERT_EQ(0, wr_begin(&self->vm, MSR_CRASH_CTL, 1ULL << 63));
	ASSERT_EQ(KVM_EXIT_SYSTEM_EVENT, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_SYSTEM_EVENT_CRASH, run->system_event.type);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, wr(&self->vm, MSR_RESET, 0));
	ASSERT_EQ(0, wr_begin(&self->vm, MSR_RESET, 1));
	ASSERT_EQ(KVM_EXIT_SYSTEM_EVENT, vcpu_run(&self->vm, 0));
	EXPECT_EQ(KVM_SYSTEM_EVENT_RESET, run->system_event.type);
	EXPECT_EQ(0, vcpu_report(&self->vm, 0));
}

/* --- time --------------------------------------------------------------------------- */

TEST_F(hyperv, reference_time)
{
	struct kvm_clock_data clock;
	uint64_t a, b;

	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &a));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &b));
	EXPECT_LT(a, b);
	EXPECT_EQ(0, wr(&self->vm, MSR_REF_TSC, GPA_TSC | ENABLE));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &clock));
	EXPECT_EQ(!!(clock.flags & KVM_CLOCK_TSC_STABLE),
		  !!(uint32_t)peek(&self->vm, GPA_TSC));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &a));
	EXPECT_LT(b, a);
	/* An hour later. */
	clock.clock += 3600ULL * 1000000000;
	clock.flags = 0;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_SET_CLOCK, &clock));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &b));
	EXPECT_LT(3500ULL * 10000000, b - a);
	/* A page that is not there is none; the counter counts. */
	EXPECT_EQ(0, wr(&self->vm, MSR_REF_TSC, GPA_HOLE | ENABLE));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &a));
	EXPECT_LE(b, a);
	EXPECT_EQ(0, wr(&self->vm, MSR_REF_TSC, ~0ULL));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &b));
	EXPECT_LE(a, b);
}

TEST_F(hyperv, runtime)
{
	uint64_t a, b;

	ASSERT_EQ(0, rd(&self->vm, MSR_VP_RUNTIME, &a));
	ASSERT_EQ(0, rd(&self->vm, MSR_VP_RUNTIME, &b));
	EXPECT_LE(a, b);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_VP_RUNTIME, 1ULL << 50));
	ASSERT_EQ(0, rd(&self->vm, MSR_VP_RUNTIME, &b));
	EXPECT_LE(1ULL << 50, b);
}

/* --- hypercalls --------------------------------------------------------------------- */

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

/* --- SynIC --------------------------------------------------------------------------- */

static int route_sint(struct test_vm *vm, uint32_t vp, uint32_t sint)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} r = {
		.head.nr = 1,
		.entry = {
			.gsi = 30,
			.type = KVM_IRQ_ROUTING_HV_SINT,
			.u.hv_sint = { .vcpu = vp, .sint = sint },
		},
	};

	return xioctl(vm->fd, KVM_SET_GSI_ROUTING, &r);
}

static int pulse(struct test_vm *vm)
{
	struct kvm_irq_level up = { .irq = 30, .level = 1 };
	struct kvm_irq_level down = { .irq = 30 };

	return xioctl(vm->fd, KVM_IRQ_LINE, &up) ||
	       xioctl(vm->fd, KVM_IRQ_LINE, &down);
}

/* Write an MSR that userspace is told of. */
static int64_t wr_told(struct test_vm *vm, uint32_t index, uint64_t val)
{
	struct kvm_hyperv_exit *hv = &vm->run[0]->hyperv;

	if (wr_begin(vm, index, val) || vcpu_run(vm, 0) != KVM_EXIT_HYPERV ||
	    hv->type != KVM_EXIT_HYPERV_SYNIC || hv->u.synic.msr != index)
		return -1;
	return vcpu_report(vm, 0);
}

TEST_F(hyperv, synic)
{
	uint64_t val;

	ASSERT_EQ(0, enable(self->fd, KVM_CAP_HYPERV_SYNIC, 0));
	memset(self->vm.mem + GPA_SIMP, 0xff, 4096);
	EXPECT_EQ(0, wr_told(&self->vm, MSR_SIMP, GPA_SIMP | ENABLE));
	EXPECT_EQ(GPA_SIMP | ENABLE, self->run->hyperv.u.synic.msg_page);
	EXPECT_EQ(0, peek(&self->vm, GPA_SIMP));
	EXPECT_EQ(0, peek(&self->vm, GPA_SIMP + 4088));
	EXPECT_EQ(0, wr_told(&self->vm, MSR_SCONTROL, 1));
	EXPECT_EQ(13, wr(&self->vm, MSR_SIEFP, GPA_HOLE | ENABLE));
	EXPECT_EQ(13, wr(&self->vm, MSR_SIMP, ~0ULL));
	EXPECT_EQ(13, wr(&self->vm, MSR_SINT2, 5));
	EXPECT_EQ(0, rd(&self->vm, MSR_SINT2, &val));
	EXPECT_EQ(1 << 16, val);

	EXPECT_EQ(-EINVAL, route_sint(&self->vm, 0, 16));
	ASSERT_EQ(0, route_sint(&self->vm, 0, 2));
	/* Masked. Then each is over by itself: three come without an EOI. */
	ASSERT_EQ(0, pulse(&self->vm));
	EXPECT_EQ(0, wr(&self->vm, MSR_SINT2, 0x50 | 1 << 17));
	for (int i = 1; i <= 3; i++) {
		ASSERT_EQ(0, pulse(&self->vm));
		EXPECT_EQ(0, wait_irqs(&self->vm, i));
		EXPECT_EQ(i, peek(&self->vm, GPA_IRQS));
	}
	/* A processor that is not there. */
	ASSERT_EQ(0, route_sint(&self->vm, 0xffffffff, 2));
	ASSERT_EQ(0, pulse(&self->vm));
}

/* A message, one more while the slot is taken, and EOM. */
TEST_F(hyperv, timer_messages)
{
	uint64_t slot = GPA_SIMP + 2 * 256, val, now;

	ASSERT_EQ(0, enable(self->fd, KVM_CAP_HYPERV_SYNIC2, 0));
	EXPECT_EQ(0, wr_told(&self->vm, MSR_SIMP, GPA_SIMP | ENABLE));
	EXPECT_EQ(0, wr_told(&self->vm, MSR_SCONTROL, 1));
	EXPECT_EQ(0, wr(&self->vm, MSR_SINT2, 0x50 | 1 << 17));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 2 << 16 | 1 << 3));
	ASSERT_EQ(0, rd(&self->vm, MSR_REF_COUNT, &now));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, now + 20000));
	EXPECT_EQ(0, wait_irqs(&self->vm, 1));
	EXPECT_EQ(0x80000010, (uint32_t)peek(&self->vm, slot));
	EXPECT_EQ(24, self->vm.mem[slot + 4]);
	EXPECT_EQ(now + 20000, peek(&self->vm, slot + 24));
	EXPECT_LE(now + 20000, peek(&self->vm, slot + 32));
	EXPECT_EQ(0, rd(&self->vm, MSR_TIMER0, &val));
	EXPECT_EQ(2 << 16 | 1 << 3, val);

	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, 1));
	EXPECT_EQ(1, self->vm.mem[slot + 5]);
	EXPECT_EQ(1, peek(&self->vm, GPA_IRQS));
	memset(self->vm.mem + slot, 0, 256);
	EXPECT_EQ(0, wr(&self->vm, MSR_EOM, 0));
	EXPECT_EQ(0, wait_irqs(&self->vm, 2));
	EXPECT_EQ(1, peek(&self->vm, slot + 24));
	/* Source 0 has no messages; reserved bits. */
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 1));
	EXPECT_EQ(0, rd(&self->vm, MSR_TIMER0, &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(13, wr(&self->vm, MSR_TIMER0, 1ULL << 63));
}

/* Interrupts every 100 ns, or as often as there can be; it goes away while it runs. */
TEST_F(hyperv, timer_direct)
{
	uint64_t val;

	vm_load(&self->vm, GPA_IRQ, handler_irq_eoi);
	ASSERT_EQ(0, enable(self->fd, KVM_CAP_HYPERV_SYNIC2, 0));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, 1));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 1 << 12 | 0x50 << 4 | 3));
	EXPECT_EQ(0, wait_irqs(&self->vm, 10));
	EXPECT_LE(10, peek(&self->vm, GPA_IRQS));
	/* Restored by the VMM, one that is not running does not start. */
	EXPECT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_TIMER0, 2 << 16 | 1 << 3));
	EXPECT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_TIMER0_COUNT, 1));
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TIMER0, &val));
	EXPECT_EQ(2 << 16 | 1 << 3, val);
	/* No vector at all, and at the end of time. */
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 1 << 12 | 3));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, ~0ULL));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 1 << 12 | 0x50 << 4 | 1));
	EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, 1000));
}

/* A period beyond the end of time: it never comes. */
TEST_F(hyperv, timer_endless_period)
{
	static const uint64_t counts[] = { ~0ULL, ~0ULL - 1000, 1ULL << 63 };

	vm_load(&self->vm, GPA_IRQ, handler_irq_eoi);
	ASSERT_EQ(0, enable(self->fd, KVM_CAP_HYPERV_SYNIC2, 0));
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 0));
		EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0_COUNT, counts[i]));
		EXPECT_EQ(0, wr(&self->vm, MSR_TIMER0, 1 << 12 | 0x50 << 4 | 3));
		EXPECT_EQ(0, wait_irqs(&self->vm, 0));
		EXPECT_EQ(0, peek(&self->vm, GPA_IRQS));
	}
}

JOIST_TEST_MAIN
