// SPDX-License-Identifier: GPL-2.0-only
/* Exits that a VMM asks for, or does without: KVM_ENABLE_CAP of a VM. */
#include <pthread.h>
#include <string.h>
#include <linux/kvm_para.h>

#include "lib/irq.h"
#include "lib/test.h"

#define HANDLER		0x18000UL

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

/* --- without exits ------------------------------------------------------------------------ */

#define DISABLE_CAP	KVM_CAP_X86_DISABLE_EXITS
#define NO_HLT		KVM_X86_DISABLE_EXITS_HLT
#define NO_MWAIT	KVM_X86_DISABLE_EXITS_MWAIT

TEST_F(exits, disable_arguments)
{
	uint32_t have = has_cap(&self->vm, DISABLE_CAP);

	EXPECT_EQ(NO_HLT | KVM_X86_DISABLE_EXITS_PAUSE,
		  have & (NO_HLT | KVM_X86_DISABLE_EXITS_PAUSE));
	EXPECT_EQ(0, have & ~KVM_X86_DISABLE_VALID_EXITS);
	for (int bit = 0; bit < 64; bit++)
		EXPECT_EQ(have >> bit & 1 && bit < 32 ? 0 : -EINVAL,
			  enable(self->vm.fd, DISABLE_CAP, 1ULL << bit));
	EXPECT_EQ(0, enable(self->vm.fd, DISABLE_CAP, have));
	ADD_VCPU;
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, DISABLE_CAP, NO_HLT));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, DISABLE_CAP, 0));
}

GUEST64(code_halts, "sti\n 1: hlt\n jmp 1b\n");
GUEST64(handler_woken, "mov $0x77, %eax\n" REPORT "iretq\n");

/* The guest halts and KVM_RUN does not return; an interrupt wakes it. */
TEST_F(exits, hlt_stays_inside)
{
	struct kvm_interrupt irq = { .irq = 0x40 };

	ASSERT_EQ(0, enable(self->vm.fd, DISABLE_CAP, NO_HLT));
	ADD_VCPU;
	vm_load(&self->vm, GPA_CODE, code_halts);
	vm_load(&self->vm, HANDLER, handler_woken);
	vm_set_gate(&self->vm, 0x40, HANDLER);
	for (int i = 0; i < 3; i++) {
		alarm_in(20000);
		ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
		EXPECT_EQ(1, self->run->if_flag);
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_INTERRUPT, &irq));
		EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	}
}

TEST_F(exits, hlt_exits_else)
{
	ADD_VCPU;
	vm_load(&self->vm, GPA_CODE, code_halts);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

/* A VMM that sends a halted guest elsewhere, with an exception, wakes it. */
GUEST64(code_halts_off, "cli\n hlt\n");
GUEST64(code_elsewhere, "mov $0x55, %eax\n" REPORT DONE);

TEST_F(exits, hlt_left_by_vmm)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs;

	ASSERT_EQ(0, enable(self->vm.fd, DISABLE_CAP, NO_HLT));
	ADD_VCPU;
	vm_load(&self->vm, GPA_CODE, code_halts_off);
	memcpy(self->vm.mem + GPA_CODE + 2, "\xf4\xeb\xfd", 3);
	vm_load(&self->vm, GPA_CODE + 0x100, code_elsewhere);
	vm_load(&self->vm, HANDLER, handler_woken);
	vm_set_gate(&self->vm, 6, HANDLER);
	alarm_in(20000);
	ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, self->run->if_flag);

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = 6;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_VCPU_EVENTS, &events));
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	alarm_in(20000);
	ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
	regs.rip = GPA_CODE + 0x100;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	EXPECT_EQ(0x55, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* With the APIC in the kernel: its timer, and a message from another thread. */
GUEST64(code_apic_halts,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x3e0, 0xb)			/* divide by 1 */
	LAPIC_SET(0x320, 0x41)			/* one-shot */
	LAPIC_SET(0x380, 20000000)
	"sti\n 1: hlt\n jmp 1b\n");
GUEST64(handler_apic,
	APIC_BASE_RBP
	LAPIC_SET(0xb0, 0)
	"mov $0x66, %eax\n" REPORT "iretq\n");

static void *msi_later(void *arg)
{
	struct test_vm *vm = arg;
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x41 };

	usleep(50000);
	xioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
	return NULL;
}

TEST_F(exits, hlt_with_apic)
{
	struct kvm_mp_state mp;
	pthread_t thread;

	vm_close(&self->vm);
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, enable(self->vm.fd, DISABLE_CAP, NO_HLT));
	ADD_VCPU;
	vm_load(&self->vm, GPA_CODE, code_apic_halts);
	vm_load(&self->vm, HANDLER, handler_apic);
	vm_set_gate(&self->vm, 0x41, HANDLER);
	EXPECT_EQ(0x66, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, msi_later, &self->vm));
	EXPECT_EQ(0x66, vcpu_report(&self->vm, 0));
	pthread_join(thread, NULL);
	/* It is never seen halted. */
	alarm_in(20000);
	ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp.mp_state);
}

/* A hypercall cannot wake such a vCPU: its guest is not told that one could. */
TEST_F(exits, hlt_hides_pv_unhalt)
{
	const uint32_t unhalt = 1 << KVM_FEATURE_PV_UNHALT;
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;

	for (int no_hlt = 0; no_hlt < 2; no_hlt++) {
		if (no_hlt)
			ASSERT_EQ(0, enable(self->vm.fd, DISABLE_CAP, NO_HLT));
		/* Without a local APIC here it is hidden anyway. */
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_CREATE_IRQCHIP, NULL));
		ADD_VCPU;
		ASSERT_EQ(0, vcpu_cpuid(&self->vm, 0));
		c.head.nent = 256;
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_CPUID2, &c));
		e = cpuid_entry(&c, 0x40000001, 0);
		ASSERT_NE(NULL, e);
		EXPECT_EQ(no_hlt ? 0 : unhalt, e->eax & unhalt);
		vm_close(&self->vm);
		ASSERT_EQ(0, vm_new(&self->vm, 0));
	}
}

/* An exit makes nothing of MWAIT; the CPU waits for the write. RBX counts. */
GUEST64(code_mwait,
	"xor %ebx, %ebx\n"
	"1: inc %ebx\n mov $0x20000, %eax\n xor %ecx, %ecx\n xor %edx, %edx\n"
	"monitor\n xor %eax, %eax\n mwait\n"
	"jmp 1b\n");

TEST_F(exits, mwait_stays_inside)
{
	struct kvm_regs regs;

	if (!(has_cap(&self->vm, DISABLE_CAP) & NO_MWAIT))
		SKIP(return, "no MWAIT for guests on this CPU");
	for (int inside = 0; inside < 2; inside++) {
		if (inside)
			ASSERT_EQ(0, enable(self->vm.fd, DISABLE_CAP,
					    NO_MWAIT));
		ADD_VCPU;
		vm_load(&self->vm, GPA_CODE, code_mwait);
		alarm_in(50000);
		ASSERT_EQ(-EINTR, vcpu_run(&self->vm, 0));
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_REGS, &regs));
		EXPECT_LT(0, regs.rbx);
		if (vcpu_stat(self->vm.vcpu[0], "exits_cpuid") >= 0) {
			EXPECT_EQ(inside, !vcpu_stat(self->vm.vcpu[0],
						     "exits_mwait"));
			EXPECT_EQ(inside, !vcpu_stat(self->vm.vcpu[0],
						     "exits_monitor"));
		}
		vm_close(&self->vm);
		ASSERT_EQ(0, vm_new(&self->vm, 0));
	}
}

/* --- bus locks, and guests that let nothing in -------------------------------------------- */

#define BUS_CAP		KVM_CAP_X86_BUS_LOCK_EXIT
#define BUS_OFF		KVM_BUS_LOCK_DETECTION_OFF
#define BUS_EXIT	KVM_BUS_LOCK_DETECTION_EXIT

/* A locked addition over the boundary of two cache lines. */
GUEST64(code_bus_lock, "1: lock addl $1, 0x2003e\n jmp 1b\n");
GUEST64(code_no_bus_lock, "1: lock addl $1, 0x20040\n jmp 1b\n");

TEST_F(exits, bus_lock)
{
	int have = has_cap(&self->vm, BUS_CAP);

	EXPECT_EQ(-EINVAL, enable(self->vm.fd, BUS_CAP, 0));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, BUS_CAP, BUS_OFF | BUS_EXIT));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, BUS_CAP, 4));
	EXPECT_EQ(have ? 0 : -EINVAL, enable(self->vm.fd, BUS_CAP, BUS_EXIT));
	if (!have)
		SKIP(return, "no bus lock exits on this CPU");
	EXPECT_EQ(BUS_OFF | BUS_EXIT, have);
	ADD_VCPU;
	vm_load(&self->vm, GPA_CODE, code_bus_lock);
	for (int i = 1; i < 4; i++) {
		ASSERT_EQ(KVM_EXIT_X86_BUS_LOCK, vcpu_run(&self->vm, 0));
		EXPECT_EQ(KVM_RUN_X86_BUS_LOCK,
			  self->run->flags & KVM_RUN_X86_BUS_LOCK);
		EXPECT_EQ(i, *(uint16_t *)(self->vm.mem + 0x2003e));
	}
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_no_bus_lock);
	alarm_in(20000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, self->run->flags & KVM_RUN_X86_BUS_LOCK);
}

#define NOTIFY_CAP	KVM_CAP_X86_NOTIFY_VMEXIT
#define NOTIFY_ON	KVM_X86_NOTIFY_VMEXIT_ENABLED

TEST_F(exits, notify)
{
	int have = has_cap(&self->vm, NOTIFY_CAP);

	EXPECT_EQ(-EINVAL, enable(self->vm.fd, NOTIFY_CAP, 0));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, NOTIFY_CAP, NOTIFY_ON | 4));
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, NOTIFY_CAP,
				  KVM_X86_NOTIFY_VMEXIT_USER));
	EXPECT_EQ(have ? 0 : -EINVAL,
		  enable(self->vm.fd, NOTIFY_CAP, 0x20000ULL << 32 | NOTIFY_ON));
	if (!have)
		SKIP(return, "no notify exits on this CPU");
	/* A guest that takes its events never sees one. */
	ADD_VCPU;
	EXPECT_EQ(-EINVAL, enable(self->vm.fd, NOTIFY_CAP, NOTIFY_ON));
	vm_load(&self->vm, GPA_CODE, code_no_bus_lock);
	alarm_in(20000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
}

JOIST_TEST_MAIN
