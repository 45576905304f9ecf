/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of Hyper-V's interface, for the tests of it: numbers, code, a fixture. */
#ifndef JOIST_SELFTESTS_HYPERV_H
#define JOIST_SELFTESTS_HYPERV_H

#include <string.h>

#include "irq.h"
#include "test.h"

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

static inline int hv_cpuid(int fd, struct test_cpuid *c)
{
	memset(c, 0, sizeof(*c));
	c->head.nent = 256;
	return xioctl(fd, KVM_GET_SUPPORTED_HV_CPUID, c);
}

/* All that is supported, Hyper-V's leaves instead of KVM's; these go to @kvm, if not
 * zero.
 */
static inline int set_hv_cpuid(struct test_vm *vm, int i, uint32_t kvm)
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

static inline int enable(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	return xioctl(fd, KVM_ENABLE_CAP, &c);
}

static inline int hv_load(struct test_vm *vm)
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

static inline uint64_t peek(struct test_vm *vm, uint64_t gpa)
{
	uint64_t val;

	memcpy(&val, vm->mem + gpa, sizeof(val));
	return val;
}

/* At a piece of code with these registers: 0 or -errno. */
static inline int at(struct test_vm *vm, uint64_t rip, uint64_t rax, uint64_t rbx,
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
static __attribute_noinline__ __attribute_maybe_unused__ int64_t
rd(struct test_vm *vm, uint32_t index, uint64_t *val)
{
	int64_t ret;

	if (at(vm, GPA_RDMSR, 0, 0, index, 0, 0))
		return -1;
	ret = vcpu_report(vm, 0);
	*val = peek(vm, GPA_RESULT);
	return ret;
}

static inline int wr_begin(struct test_vm *vm, uint32_t index, uint64_t val)
{
	return at(vm, GPA_WRMSR, (uint32_t)val, 0, index, val >> 32, 0);
}

static __attribute_noinline__ __attribute_maybe_unused__ int64_t
wr(struct test_vm *vm, uint32_t index, uint64_t val)
{
	return wr_begin(vm, index, val) ? -1 : vcpu_report(vm, 0);
}

/* RAX, or -1 less the vector of the exception. */
static __attribute_noinline__ __attribute_maybe_unused__ int64_t
call(struct test_vm *vm, uint64_t control, uint64_t in, uint64_t out)
{
	int64_t ret;

	if (at(vm, GPA_CALL, 0, 0, control, in, out))
		return -100;
	ret = vcpu_report(vm, 0);
	return ret ? -1 - ret : (int64_t)peek(vm, GPA_RESULT);
}

static __attribute_noinline__ __attribute_maybe_unused__ int64_t
wait_irqs(struct test_vm *vm, uint64_t n)
{
	return at(vm, GPA_WAIT, 0, n, 0, 0, 0) ? -1 : vcpu_report(vm, 0);
}

/* The guest says what it is, and gets its page. */
static inline int greet(struct test_vm *vm)
{
	return wr(vm, MSR_OS_ID, OS_ID) ||
	       wr(vm, MSR_HYPERCALL, GPA_PAGE | ENABLE);
}

static inline void input(struct test_vm *vm, uint64_t a, uint64_t b, uint64_t c,
			 uint64_t d, uint64_t e)
{
	uint64_t words[] = { a, b, c, d, e };

	memcpy(vm->mem + GPA_INPUT, words, sizeof(words));
}

#endif
