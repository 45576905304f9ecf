// SPDX-License-Identifier: GPL-2.0-only
/* Machine checks: what a vCPU has, what a VMM puts there, what the guest sees. */
#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000
#define GPA_HANDLER2	0x18800

#define BANKS		10
#define CTL_P		(1ULL << 8)
#define CMCI_P		(1ULL << 10)
#define SER_P		(1ULL << 24)
#define LMCE_P		(1ULL << 27)

#define MCG_CAP		0x179
#define MCG_STATUS	0x17a
#define MCG_CTL		0x17b
#define MC_CTL(i)	(0x400 + 4 * (i))
#define MC_STATUS(i)	(0x401 + 4 * (i))
#define MC_ADDR(i)	(0x402 + 4 * (i))
#define MC_MISC(i)	(0x403 + 4 * (i))
#define MC_CTL2(i)	(0x280 + (i))
#define HWCR		0xc0010015
#define STATUS_WRITE	(1ULL << 18)
#define TSC_AT_P0	(1ULL << 24)

#define VAL		(1ULL << 63)
#define OVER		(1ULL << 62)
#define UC		(1ULL << 61)
#define EN		(1ULL << 60)
#define PCC		(1ULL << 57)
#define S		(1ULL << 56)
#define AR		(1ULL << 55)
#define MCIP		4ULL
#define RIPV		1ULL
#define ON		(~0ULL)

FIXTURE(mce)
{
	struct test_vm vm;
};

FIXTURE_SETUP(mce)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_cpuid(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(mce)
{
	vm_close(&self->vm);
}

static int setup(struct test_vm *vm, uint64_t cap)
{
	return xioctl(vm->vcpu[0], KVM_X86_SETUP_MCE, &cap);
}

static int inject(struct test_vm *vm, int bank, uint64_t status,
		  uint64_t mcg_status, uint64_t addr)
{
	struct kvm_x86_mce mce = {
		.status = status, .addr = addr, .misc = 0x8c,
		.mcg_status = mcg_status, .bank = bank,
	};

	return xioctl(vm->vcpu[0], KVM_X86_SET_MCE, &mce);
}

static uint64_t get(struct test_vm *vm, uint32_t index)
{
	uint64_t val;

	return vcpu_get_msr(vm, 0, index, &val) == 1 ? val : 0xbadbadbadULL;
}

TEST_F(mce, capabilities)
{
	struct test_vm *vm = &self->vm;
	uint64_t cap = 0;

	EXPECT_EQ(32, xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_MCE));
	ASSERT_EQ(0, xioctl(vm->dev, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	EXPECT_EQ(CTL_P | SER_P, cap & (CTL_P | SER_P));
	EXPECT_EQ(0, cap & 0xff);
	EXPECT_EQ(32, get(vm, MCG_CAP));
	EXPECT_EQ(-EINVAL, setup(vm, CTL_P));
	EXPECT_EQ(-EINVAL, setup(vm, CTL_P | 33));
	EXPECT_EQ(-EINVAL, setup(vm, (1ULL << 26) | BANKS));
	EXPECT_EQ(-EINVAL, setup(vm, ~cap << 32 | BANKS));
	EXPECT_EQ(32, get(vm, MCG_CAP));
	EXPECT_EQ(0, setup(vm, CTL_P | SER_P | BANKS));
	EXPECT_EQ(CTL_P | SER_P | BANKS, get(vm, MCG_CAP));
	EXPECT_EQ(ON, get(vm, MCG_CTL));
	EXPECT_EQ(ON, get(vm, MC_CTL(BANKS - 1)));
	EXPECT_EQ(0, get(vm, MC_STATUS(0)));
}

/* What the VMM may write; what is not there. */
TEST_F(mce, msr_rules)
{
	struct test_vm *vm = &self->vm;
	uint64_t val;

	ASSERT_EQ(0, setup(vm, BANKS));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MCG_CAP, BANKS));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MCG_CTL, ON));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MCG_CTL, 0));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MC_CTL2(0), 1));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_CTL2(0), 0));
	EXPECT_EQ(0, vcpu_get_msr(vm, 0, MC_CTL2(BANKS), &val));
	EXPECT_EQ(0, vcpu_get_msr(vm, 0, MC_CTL(BANKS), &val));
	EXPECT_EQ(0, vcpu_get_msr(vm, 0, MC_MISC(31), &val));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MC_CTL(BANKS), 0));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_CTL(0), 0));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_CTL(0), ON & ~(1ULL << 10)));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MC_CTL(0), 0x1234));
	EXPECT_EQ(ON & ~(1ULL << 10), get(vm, MC_CTL(0)));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_STATUS(3), VAL | 5));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_ADDR(3), 0x1000));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MC_MISC(3), 7));
	EXPECT_EQ(VAL | 5, get(vm, MC_STATUS(3)));
	EXPECT_EQ(0x1000, get(vm, MC_ADDR(3)));
	EXPECT_EQ(7, get(vm, MC_MISC(3)));
	ASSERT_EQ(0, setup(vm, CTL_P | BANKS));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MCG_CTL, 1));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MCG_CTL, 0));
	EXPECT_EQ(1, vcpu_set_msr(vm, 0, MCG_STATUS, MCIP));
	EXPECT_EQ(MCIP, get(vm, MCG_STATUS));
}

/* By the guest: a status is only cleared. EAX says how many wrote without #GP. */
GUEST64(code_wrmsr,
	"xor %ebx, %ebx\n"
	"mov $0x40d, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
	"mov %ebx, %eax\n" REPORT		/* 0: it did */
	"mov $0x40d, %ecx\n mov $1, %eax\n wrmsr\n"
	"mov %ebx, %eax\n" REPORT		/* 1: it did not */
	"mov $0x17b, %ecx\n rdmsr\n"
	"mov %ebx, %eax\n" REPORT		/* 2: no MCG_CTL */
	"mov $0x428, %ecx\n rdmsr\n"
	"mov %ebx, %eax\n" REPORT		/* 3: bank 10 */
	"mov $0x280, %ecx\n rdmsr\n"
	"mov %ebx, %eax\n" REPORT		/* 4: no CTL2 */
	"mov $0x179, %ecx\n rdmsr\n" REPORT
	DONE);
GUEST64(handler_gp, "inc %ebx\n add $8, %rsp\n addq $2, (%rsp)\n iretq\n");

static bool cpu_is_amd(void)
{
	uint32_t eax = 0, ebx, ecx, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return ecx == 0x444d4163;	/* "cAMD" */
}

TEST_F(mce, guest_writes)
{
	struct test_vm *vm = &self->vm;

	/* SER_P is not for AMD's guests to see. */
	ASSERT_EQ(0, setup(vm, SER_P | BANKS));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MC_STATUS(3), VAL | 5));
	vm_set_gate(vm, 13, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_gp);
	vm_load(vm, GPA_CODE, code_wrmsr);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(i, vcpu_report(vm, 0));
	EXPECT_EQ(cpu_is_amd() ? BANKS : BANKS | SER_P, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, get(vm, MC_STATUS(3)));
}

TEST_F(mce, hwcr)
{
	const uint64_t ignored = 1 << 3 | 1 << 6 | 1 << 8;
	struct test_vm *vm = &self->vm;

	EXPECT_EQ(TSC_AT_P0, get(vm, HWCR));
	for (int bit = 0; bit < 64; bit++) {
		uint64_t val = 1ULL << bit, kept = val & (STATUS_WRITE | TSC_AT_P0);

		ASSERT_EQ(1, vcpu_set_msr(vm, 0, HWCR, 0));
		EXPECT_EQ(!!(val & ignored) || kept,
			  vcpu_set_msr(vm, 0, HWCR, val));
		EXPECT_EQ(kept, get(vm, HWCR));
	}
}

/* By a guest that may. */
GUEST64(code_status,
	"mov $0x40d, %ecx\n mov $5, %eax\n mov $7, %edx\n wrmsr\n"
	"rdmsr\n" REPORT
	"mov %ebx, %eax\n" REPORT
	DONE);

TEST_F(mce, guest_writes_status)
{
	struct test_vm *vm = &self->vm;
	bool amd = cpu_is_amd();

	ASSERT_EQ(0, setup(vm, BANKS));
	vm_set_gate(vm, 13, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_gp);
	vm_load(vm, GPA_CODE, code_status);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, HWCR, TSC_AT_P0 | STATUS_WRITE));
	EXPECT_EQ(amd ? 5 : 0, vcpu_report(vm, 0));
	EXPECT_EQ(!amd, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(amd ? 7ULL << 32 | 5 : 0, get(vm, MC_STATUS(3)));
}

/* Corrected errors are recorded, and do not hide what is worse. */
TEST_F(mce, corrected)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, setup(vm, CTL_P | SER_P | BANKS));
	EXPECT_EQ(-EINVAL, inject(vm, BANKS, VAL | EN, 0, 0x1000));
	EXPECT_EQ(-EINVAL, inject(vm, 0xff, VAL | EN, 0, 0x1000));
	EXPECT_EQ(-EINVAL, inject(vm, 2, EN, 0, 0x1000));
	EXPECT_EQ(0, get(vm, MC_STATUS(2)));
	ASSERT_EQ(0, inject(vm, 2, VAL | EN, 0, 0x1000));
	EXPECT_EQ(VAL | EN, get(vm, MC_STATUS(2)));
	EXPECT_EQ(0x1000, get(vm, MC_ADDR(2)));
	EXPECT_EQ(0x8c, get(vm, MC_MISC(2)));
	ASSERT_EQ(0, inject(vm, 2, VAL | EN | 1, 0, 0x2000));
	EXPECT_EQ(VAL | OVER | EN | 1, get(vm, MC_STATUS(2)));
	EXPECT_EQ(0x2000, get(vm, MC_ADDR(2)));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MC_STATUS(2), VAL | UC));
	ASSERT_EQ(0, inject(vm, 2, VAL | EN | 2, 0, 0x3000));
	EXPECT_EQ(VAL | OVER | UC, get(vm, MC_STATUS(2)));
	EXPECT_EQ(0x2000, get(vm, MC_ADDR(2)));
}

/* #MC: with CR4.MCE; the second of two is the end. */
GUEST64(code_mc,
	"mov %cr4, %rax\n or $0x40, %rax\n mov %rax, %cr4\n"
	"mov $0x77, %eax\n" REPORT
	"1: pause\n jmp 1b\n");
GUEST64(code_no_mc, "mov $0x77, %eax\n" REPORT "1: pause\n jmp 1b\n");
GUEST64(handler_mc,
	"mov $0x17a, %ecx\n rdmsr\n" REPORT
	"mov $0x406, %ecx\n rdmsr\n" REPORT
	"mov $0x17a, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
	"mov $0x1112, %eax\n" REPORT
	"iretq\n");

#define FATAL	(VAL | UC | EN | S | AR)

TEST_F(mce, uncorrected)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, setup(vm, CTL_P | SER_P | BANKS));
	vm_set_gate(vm, 18, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_mc);
	vm_load(vm, GPA_CODE, code_mc);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	/* Turned off: nothing happens. */
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MCG_CTL, 0));
	ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MCG_CTL, ON));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MC_CTL(1), 0));
	ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MC_CTL(1), ON));
	EXPECT_EQ(0, get(vm, MC_STATUS(1)));
	EXPECT_EQ(0, get(vm, MCG_STATUS));

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
		EXPECT_EQ(FATAL | (i ? OVER : 0), get(vm, MC_STATUS(1)));
		EXPECT_EQ(MCIP | RIPV, vcpu_report(vm, 0));
		EXPECT_EQ(0x5000, vcpu_report(vm, 0));
		EXPECT_EQ(0x1112, vcpu_report(vm, 0));
	}
	ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
	ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(vm, 0));
}

TEST_F(mce, uncorrected_without_cr4_mce)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, setup(vm, CTL_P | SER_P | BANKS));
	vm_load(vm, GPA_CODE, code_no_mc);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, inject(vm, 1, FATAL, MCIP | RIPV, 0x5000));
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(vm, 0));
}

/* --- CMCI ----------------------------------------------------------------------- */

GUEST64(code_cmci,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x2f0, 0x50)
	LAPIC_GET(0x2f0) REPORT
	LAPIC_GET(0x30) "shr $16, %eax\n" REPORT
	"sti\n"
	"mov $0x287, %ecx\n mov $0x40000000, %eax\n xor %edx, %edx\n wrmsr\n"
	"mov $0x77, %eax\n" REPORT
	"mov $0x78, %eax\n" REPORT
	DONE);
GUEST64(handler_cmci, "push %rax\n mov $0x1150, %eax\n" REPORT
	LAPIC_SET(0xb0, 0) "pop %rax\n iretq\n");

#define UCNA	(VAL | UC | EN)

TEST_F(mce, cmci)
{
	struct test_vm *vm = &self->vm;
	uint64_t cap = 0;

	ASSERT_EQ(0, xioctl(vm->dev, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	if (!(cap & CMCI_P))
		SKIP(return, "no CMCI");
	ASSERT_EQ(0, setup(vm, CTL_P | SER_P | CMCI_P | BANKS));
	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_cmci);
	vm_load(vm, GPA_CODE, code_cmci);
	EXPECT_EQ(0x50, vcpu_report(vm, 0));
	EXPECT_EQ(6, vcpu_report(vm, 0) & 0xff);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MC_CTL2(7), 1 << 29));
	/* Bank 6 does not signal; both record. */
	ASSERT_EQ(0, inject(vm, 6, UCNA, 0, 0x6000));
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	EXPECT_EQ(0x6000, get(vm, MC_ADDR(6)));
	ASSERT_EQ(0, inject(vm, 7, UCNA, 0, 0x7000));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(UCNA, get(vm, MC_STATUS(7)));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

/* Without the capability there is no such register. */
GUEST64(code_no_cmci,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x2f0, 0x50)
	LAPIC_GET(0x2f0) REPORT
	LAPIC_GET(0x30) "shr $16, %eax\n" REPORT
	LAPIC_SET(0x280, 0)
	LAPIC_GET(0x280) REPORT
	DONE);

TEST_F(mce, no_cmci)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, setup(vm, CTL_P | SER_P | BANKS));
	vm_load(vm, GPA_CODE, code_no_cmci);
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(5, vcpu_report(vm, 0) & 0xff);
	EXPECT_EQ(0x80, vcpu_report(vm, 0));	/* illegal register */
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

JOIST_TEST_MAIN
