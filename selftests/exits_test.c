// SPDX-License-Identifier: GPL-2.0-only
/* Exits that a VMM asks for, or does without: KVM_ENABLE_CAP of a VM. */
#include <string.h>
#include <linux/kvm_para.h>

#include "lib/irq.h"
#include "lib/test.h"

FIXTURE(exits)
{
	struct test_vm vm;
	struct kvm_run *run;
};

FIXTURE_SETUP(exits)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
}

FIXTURE_TEARDOWN(exits)
{
	vm_close(&self->vm);
}

/* The vCPU, once the VM is as the test wants it. */
#define ADD_VCPU							\
do {									\
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));			\
	self->run = self->vm.run[0];					\
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));		\
} while (0)

static int enable(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return xioctl(fd, KVM_ENABLE_CAP, &enable);
}

static int has_cap(struct test_vm *vm, uint32_t cap)
{
	return xioctl_val(vm->fd, KVM_CHECK_EXTENSION, cap);
}

static bool is_intel(void)
{
	uint32_t a = 0, b, c, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x756e6547;	/* Genu... */
}

/* --- hypercalls to userspace -------------------------------------------------------------- */

#define HC_MAP_GPA	12
#define MAP_CAP		KVM_CAP_EXIT_HYPERCALL
#define MAP_FEATURE	(1U << 16)	/* KVM_FEATURE_HC_MAP_GPA_RANGE */

/* The VMM gives the arguments; the result, all of RAX, is in memory. */
GUEST64(code_call, "1: vmcall\n mov %rax, 0x20000\n" DONE "jmp 1b\n");
GUEST64(code_call_amd, "1: vmmcall\n mov %rax, 0x20000\n" DONE "jmp 1b\n");
GUEST32(code_call32, "1: vmcall\n mov %eax, 0x20000\n" DONE "jmp 1b\n");
GUEST32(code_call32_amd, "1: vmmcall\n mov %eax, 0x20000\n" DONE "jmp 1b\n");

static void load_call(struct test_vm *vm, bool wide)
{
	if (wide && is_intel())
		vm_load(vm, GPA_CODE, code_call);
	else if (wide)
		vm_load(vm, GPA_CODE, code_call_amd);
	else if (is_intel())
		vm_load(vm, GPA_CODE, code_call32);
	else
		vm_load(vm, GPA_CODE, code_call32_amd);
}

static int set_call(struct test_vm *vm, uint64_t gpa, uint64_t pages,
		    uint64_t attrs)
{
	struct kvm_regs regs;
	int err = xioctl(vm->vcpu[0], KVM_GET_REGS, &regs);

	regs.rip = GPA_CODE;
	regs.rax = HC_MAP_GPA;
	regs.rbx = gpa;
	regs.rcx = pages;
	regs.rdx = attrs;
	return err ? err : xioctl(vm->vcpu[0], KVM_SET_REGS, &regs);
}

/* What the guest has got; run to its end. */
static int64_t call_result(struct test_vm *vm)
{
	int64_t rax = -1;

	if (!vcpu_done(vm, 0))
		memcpy(&rax, vm->mem + GPA_DATA, sizeof(rax));
	return rax;
}

static int64_t call(struct test_vm *vm, uint64_t gpa, uint64_t pages,
		    uint64_t attrs)
{
	return set_call(vm, gpa, pages, attrs) ? -1 : call_result(vm);
}

TEST_F(exits, hypercall_arguments)
{
	EXPECT_EQ(1 << HC_MAP_GPA, has_cap(&self->vm, MAP_CAP));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, MAP_CAP, 1));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, MAP_CAP, 1ULL << 44));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, MAP_CAP,
				  1 << HC_MAP_GPA | 1 << KVM_HC_KICK_CPU));
	EXPECT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	EXPECT_EQ(0, enable(self->vm.fd, MAP_CAP, 0));
}

TEST_F(exits, hypercall_to_userspace)
{
	ADD_VCPU;
	load_call(&self->vm, true);
	/* Until the VMM wants it, it is not there. */
	EXPECT_EQ(-1000, call(&self->vm, 0x100000, 16, 0));
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));

	ASSERT_EQ(0, set_call(&self->vm, 0x1234567000, 16, 0x12));
	ASSERT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
	EXPECT_EQ(HC_MAP_GPA, self->run->hypercall.nr);
	EXPECT_EQ(0x1234567000, self->run->hypercall.args[0]);
	EXPECT_EQ(16, self->run->hypercall.args[1]);
	EXPECT_EQ(0x12, self->run->hypercall.args[2]);
	EXPECT_EQ(1, self->run->hypercall.longmode);
	self->run->hypercall.ret = 0x123456789abcdef0;
	EXPECT_EQ(0x123456789abcdef0, call_result(&self->vm));

	/* A VMM that only completes it: RAX and RIP are right for it to save. */
	ASSERT_EQ(0, set_call(&self->vm, 0, 1, 0));
	ASSERT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
	self->run->hypercall.ret = -5;
	self->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	self->run->immediate_exit = 0;
	EXPECT_EQ(-5, call_result(&self->vm));

	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 0));
	EXPECT_EQ(-1000, call(&self->vm, 0x100000, 16, 0));
}

/* What is wrong with a call userspace is not bothered with. */
TEST_F(exits, hypercall_checked)
{
	ADD_VCPU;
	load_call(&self->vm, true);
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	EXPECT_EQ(-22, call(&self->vm, 0x100800, 1, 0));	/* not a page */
	EXPECT_EQ(-22, call(&self->vm, 0x100001, 1, 0));
	EXPECT_EQ(-22, call(&self->vm, 0x100000, 0, 0));	/* none */
	EXPECT_EQ(-22, call(&self->vm, 0x100000, -1ULL, 0));	/* wraps */
	EXPECT_EQ(-22, call(&self->vm, 0x1000, -1ULL, 0));
	/* The largest that does not is userspace's to judge. */
	ASSERT_EQ(0, set_call(&self->vm, 0x1000, -2ULL, 0));
	EXPECT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, call_result(&self->vm));
}

/* KVM leaves these to userspace; they must be zero all the same. */
TEST_F(exits, hypercall_attributes)
{
	ADD_VCPU;
	load_call(&self->vm, true);
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	EXPECT_EQ(-22, call(&self->vm, 0x100000, 1, 1 << 5));
	EXPECT_EQ(-22, call(&self->vm, 0x100000, 1, 1ULL << 63));
	ASSERT_EQ(0, set_call(&self->vm, 0x100000, 1, 0x1f));
	EXPECT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x1f, self->run->hypercall.args[2]);
}

TEST_F(exits, hypercall_32bit)
{
	ADD_VCPU;
	ASSERT_EQ(0, vcpu_prot32(&self->vm, 0, GPA_CODE));
	load_call(&self->vm, false);
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	/* Upper halves do not count, in neither direction. */
	ASSERT_EQ(0, set_call(&self->vm, 0x700100000, 0x700000002,
			      0x700000010));
	ASSERT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x100000, self->run->hypercall.args[0]);
	EXPECT_EQ(2, self->run->hypercall.args[1]);
	EXPECT_EQ(0x10, self->run->hypercall.args[2]);
	EXPECT_EQ(0, self->run->hypercall.longmode);
	self->run->hypercall.ret = -1ULL;
	memset(self->vm.mem + GPA_DATA, 0, 8);
	EXPECT_EQ(0xffffffff, call_result(&self->vm));
}

/* A VMM that has it enforced announces it, or there is none. */
TEST_F(exits, hypercall_announced)
{
	struct test_cpuid c;
	struct kvm_cpuid_entry2 *e;

	ADD_VCPU;
	load_call(&self->vm, true);
	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	e = cpuid_entry(&c, 0x40000001, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(0, e->eax & MAP_FEATURE);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_CPUID2, &c));
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	ASSERT_EQ(0, enable(self->vm.vcpu[0],
			    KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1));
	EXPECT_EQ(-1000, call(&self->vm, 0x100000, 1, 0));
	vm_close(&self->vm);

	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ADD_VCPU;
	load_call(&self->vm, true);
	e->eax |= MAP_FEATURE;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_CPUID2, &c));
	ASSERT_EQ(0, enable(self->vm.fd, MAP_CAP, 1 << HC_MAP_GPA));
	ASSERT_EQ(0, enable(self->vm.vcpu[0],
			    KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1));
	ASSERT_EQ(0, set_call(&self->vm, 0x100000, 1, 0));
	EXPECT_EQ(KVM_EXIT_HYPERCALL, vcpu_run(&self->vm, 0));
}

JOIST_TEST_MAIN
