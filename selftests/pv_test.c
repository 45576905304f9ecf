// SPDX-License-Identifier: GPL-2.0-only
/* KVM's paravirtual services: steal time, TLB flush, EOI, polling. apf_test.c has
 * asynchronous page faults.
 */
#include <linux/kvm_para.h>
#include <pthread.h>
#include <sys/mman.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000
#define GPA_HANDLER2	0x18100
#define GPA_PAGE	(GPA_DATA + 0x1000)	/* shared with the service */
#define GPA_EXTRA	0x800000		/* a slot of its own */
#define EXTRA_SIZE	0x2000
#define GPA_NOWHERE	0xd0000000

FIXTURE(pv)
{
	struct test_vm vm;
	struct kvm_steal_time *st;
	void *extra;
};

FIXTURE_SETUP(pv)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->st = (void *)(self->vm.mem + GPA_PAGE);
	self->extra = aligned_alloc(0x1000, EXTRA_SIZE);
	ASSERT_NE(NULL, self->extra);
	memset(self->extra, 0, EXTRA_SIZE);
	ASSERT_EQ(0, vm_set_memory(&self->vm, 1, 0, GPA_EXTRA, EXTRA_SIZE,
				   self->extra));
}

FIXTURE_TEARDOWN(pv)
{
	vm_close(&self->vm);
	free(self->extra);
}

static int set_ip(struct test_vm *vm, uint64_t ip)
{
	struct kvm_regs r = { .rip = ip, .rsp = GPA_STACK, .rflags = 2 };

	return xioctl(vm->vcpu[0], KVM_SET_REGS, &r);
}

/* Two KVM_RUNs of this: at its end, and at its start again. */
GUEST64(code_done, "1:\n" DONE "jmp 1b\n");

TEST_F(pv, announced)
{
	static const unsigned int features[] = {
		KVM_FEATURE_STEAL_TIME, KVM_FEATURE_PV_EOI,
		KVM_FEATURE_PV_TLB_FLUSH, KVM_FEATURE_POLL_CONTROL,
		KVM_FEATURE_ASYNC_PF, KVM_FEATURE_ASYNC_PF_INT,
	};
	static struct test_cpuid c;
	struct kvm_cpuid_entry2 *e;

	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	e = cpuid_entry(&c, KVM_CPUID_FEATURES, 0);
	ASSERT_NE(NULL, e);
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		EXPECT_NE(0, e->eax & 1U << features[i]) {
			TH_LOG("feature %u", features[i]);
		}
	}
	EXPECT_EQ(0, e->eax & 1U << KVM_FEATURE_MIGRATION_CONTROL);
	EXPECT_EQ(1, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_STEAL_TIME));
	EXPECT_EQ(1, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_HALT_POLL));
}

static const struct {
	uint32_t msr;
	uint64_t bad;
} bad_values[] = {
	{ MSR_KVM_STEAL_TIME, GPA_PAGE | 0x21 },
	{ MSR_KVM_STEAL_TIME, GPA_PAGE | 0x3 },
	{ MSR_KVM_PV_EOI_EN, GPA_PAGE | 0x3 },
	{ MSR_KVM_PV_EOI_EN, GPA_NOWHERE | 0x1 },
	{ MSR_KVM_PV_EOI_EN, 1ULL << 63 | 0x1 },
	{ MSR_KVM_POLL_CONTROL, 2 },
	{ MSR_KVM_POLL_CONTROL, ~0ULL },
	{ MSR_KVM_ASYNC_PF_EN, GPA_PAGE | 0x10 },
	{ MSR_KVM_ASYNC_PF_EN, GPA_PAGE | 0x20 },
	{ MSR_KVM_ASYNC_PF_EN, GPA_PAGE | 0xd },	/* of nested guests */
	{ MSR_KVM_ASYNC_PF_EN, GPA_NOWHERE | 0x9 },
	{ MSR_KVM_ASYNC_PF_INT, 0x100 },
};

TEST_F(pv, bad_values)
{
	uint64_t before, after;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad_values); i++) {
		EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, bad_values[i].msr,
					  &before));
		EXPECT_EQ(0, vcpu_set_msr(&self->vm, 0, bad_values[i].msr,
					  bad_values[i].bad)) {
			TH_LOG("MSR 0x%x", bad_values[i].msr);
		}
		EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, bad_values[i].msr,
					  &after));
		EXPECT_EQ(before, after);
	}
}

/* The services need a local APIC in the kernel. */
TEST(no_irqchip)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	EXPECT_EQ(0, vcpu_set_msr(&vm, 0, MSR_KVM_ASYNC_PF_EN, GPA_PAGE | 9));
	EXPECT_EQ(0, vcpu_set_msr(&vm, 0, MSR_KVM_PV_EOI_EN, GPA_PAGE | 1));
	EXPECT_EQ(1, vcpu_set_msr(&vm, 0, MSR_KVM_ASYNC_PF_EN, 0));
	EXPECT_EQ(1, vcpu_set_msr(&vm, 0, MSR_KVM_PV_EOI_EN, 0));
	vm_close(&vm);
}

/* Wakes and IPIs by hypercall are for guests whose local APICs are the kernel's: to
 * others they are not announced, whatever the VMM says; what does without stays.
 */
static uint32_t features_kept(unsigned int flags)
{
	uint32_t eax = ~0U;
	static struct test_cpuid c;
	struct kvm_cpuid_entry2 *e;
	struct test_vm vm;

	if (vm_new(&vm, flags) || vm_add_vcpu(&vm, 0) || supported_cpuid(&vm, &c))
		return eax;
	if (!xioctl(vm.vcpu[0], KVM_SET_CPUID2, &c.head) &&
	    !xioctl(vm.vcpu[0], KVM_GET_CPUID2, &c.head)) {
		e = cpuid_entry(&c, KVM_CPUID_FEATURES, 0);
		if (e)
			eax = e->eax;
	}
	vm_close(&vm);
	return eax;
}

TEST(hypercalls_need_irqchip)
{
	uint32_t ipis = 1U << KVM_FEATURE_PV_SEND_IPI |
			1U << KVM_FEATURE_PV_UNHALT;
	uint32_t with = features_kept(VM_IRQCHIP), without = features_kept(0);

	ASSERT_NE(~0U, with);
	EXPECT_EQ(ipis, with & ipis);
	EXPECT_EQ(with & ~ipis, without);
}

/* Without their features, where the VMM enforces that, there are no such MSRs. */
GUEST64(code_rdmsr, "rdmsr\n mov $0, %eax\n" REPORT DONE);
GUEST64(code_wrmsr, "xor %eax, %eax\n xor %edx, %edx\n wrmsr\n" REPORT DONE);
GUEST64(handler_gp, "mov $0x6f6f, %eax\n" REPORT DONE);

static int64_t guest_msr(struct test_vm *vm, uint32_t msr)
{
	struct kvm_regs r = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2, .rcx = msr,
	};

	if (xioctl(vm->vcpu[0], KVM_SET_REGS, &r))
		return -1;
	return vcpu_report(vm, 0);
}

TEST_F(pv, enforced)
{
	static const uint32_t msrs[] = {
		MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN, MSR_KVM_POLL_CONTROL,
		MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK,
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = { 1 },
	};
	static struct test_cpuid c;
	struct test_vm *vm = &self->vm;
	uint64_t val;

	vm_set_gate(vm, 13, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_gp);
	vm_load(vm, GPA_CODE, code_rdmsr);
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
		EXPECT_EQ(0, guest_msr(vm, msrs[i]));

	vm_close(vm);
	ASSERT_EQ(0, vm_new(vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	ASSERT_EQ(0, supported_cpuid(vm, &c));
	cpuid_entry(&c, KVM_CPUID_FEATURES, 0)->eax = 0;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_CPUID2, &c.head));
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_ENABLE_CAP, &cap));
	vm_set_gate(vm, 13, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_gp);
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		vm_load(vm, GPA_CODE, code_rdmsr);
		EXPECT_EQ(0x6f6f, guest_msr(vm, msrs[i]));
		vm_load(vm, GPA_CODE, code_wrmsr);
		EXPECT_EQ(0x6f6f, guest_msr(vm, msrs[i]));
		/* The VMM may always. */
		EXPECT_EQ(1, vcpu_get_msr(vm, 0, msrs[i], &val));
	}
}

/* --- steal time -------------------------------------------------------------- */

GUEST64(code_preempted, "1: movzbl 0x21010, %eax\n" REPORT "jmp 1b\n");

TEST_F(pv, steal_time)
{
	struct test_vm *vm = &self->vm;
	uint32_t version = 0;

	vm_load(vm, GPA_CODE, code_preempted);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, GPA_PAGE | 1));
	EXPECT_EQ(0, self->st->preempted);
	for (int i = 0; i < 3; i++) {
		/* It runs, and knows; it does not, and others know. */
		EXPECT_EQ(0, vcpu_report(vm, 0));
		EXPECT_EQ(KVM_VCPU_PREEMPTED, self->st->preempted);
		EXPECT_EQ(0, self->st->version & 1);
		EXPECT_LT(version, self->st->version);
		EXPECT_EQ(0, self->st->flags);
		version = self->st->version;
	}
	/* Time that another host has counted is not lost. */
	self->st->steal = 1ULL << 60;
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_LE(1ULL << 60, self->st->steal);
	EXPECT_GT((1ULL << 60) + (1ULL << 50), self->st->steal);

	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, 0));
	memset(self->st, 0, sizeof(*self->st));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, self->st->version);
	EXPECT_EQ(0, self->st->preempted);
}

/* A wish that others left while it did not run, taken exactly once. */
GUEST64(code_mapped,
	"1: mov 0x400000, %eax\n" REPORT
	"jmp 1b\n");

TEST_F(pv, tlb_flush)
{
	struct test_vm *vm = &self->vm;
	uint64_t *pte = vm_pte_2m(vm, 0x400000);

	*(uint32_t *)(vm->mem + 0x200000) = 0x1111;
	*(uint32_t *)self->extra = 0x2222;
	*pte = (*pte & 0xfff) | 0x200000;
	vm_load(vm, GPA_CODE, code_mapped);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, GPA_PAGE | 1));
	EXPECT_EQ(0x1111, vcpu_report(vm, 0));
	EXPECT_EQ(KVM_VCPU_PREEMPTED, self->st->preempted);
	*pte = (*pte & 0xfff) | GPA_EXTRA;
	self->st->preempted |= KVM_VCPU_FLUSH_TLB;
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	EXPECT_EQ(KVM_VCPU_PREEMPTED, self->st->preempted);
	/* Whatever else is written there is no harm. */
	self->st->preempted = 0xff;
	self->st->version = ~0U;
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	EXPECT_EQ(KVM_VCPU_PREEMPTED, self->st->preempted);
	EXPECT_EQ(0, self->st->version & 1);
}

TEST_F(pv, steal_memory_that_is_not_there)
{
	struct test_vm *vm = &self->vm;
	struct kvm_steal_time *st = self->extra;
	uint64_t val;

	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, GPA_NOWHERE | 1));
	EXPECT_EQ(1, vcpu_get_msr(vm, 0, MSR_KVM_STEAL_TIME, &val));
	EXPECT_EQ(GPA_NOWHERE | 1, val);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, ~0x3fULL | 1));
	EXPECT_EQ(0, vcpu_done(vm, 0));

	/* It goes away while it is in use. */
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, GPA_EXTRA | 1));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_LT(0, st->version);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, GPA_EXTRA, 0, self->extra));
	memset(st, 0, sizeof(*st));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, st->version);
	EXPECT_EQ(0, st->preempted);

	/* What only SMM sees is not the guest's memory. */
	ASSERT_EQ(0, vm_set_memory(vm, 1 << 16, 0, GPA_EXTRA, EXTRA_SIZE,
				   self->extra));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, st->version);
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, GPA_EXTRA | 1));
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MSR_KVM_ASYNC_PF_EN, GPA_EXTRA | 9));

	/* Read-only memory. */
	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_READONLY, GPA_EXTRA,
				   EXTRA_SIZE, self->extra));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(0, st->version);
	EXPECT_EQ(0, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, GPA_EXTRA | 1));
}

/* Spins until the VMM says so. */
GUEST64(code_until, "1: pause\n cmpl $0, 0x20000\n je 1b\n" DONE);

static void *run_until(void *vm)
{
	return (void *)(intptr_t)vcpu_done(vm, 0);
}

/* The page goes while the vCPU does not run, and comes back while it does: from then
 * on it is not preempted, though it has not lost its CPU since.
 */
TEST_F(pv, steal_memory_comes_back)
{
	volatile struct kvm_steal_time *st = self->extra;
	struct test_vm *vm = &self->vm;
	pthread_t thread;
	uint32_t version;
	void *ret;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "a CPU for the vCPU alone is needed");
	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME, GPA_EXTRA | 1));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(KVM_VCPU_PREEMPTED, st->preempted);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, GPA_EXTRA, 0, self->extra));
	version = st->version;
	ASSERT_EQ(0, set_ip(vm, GPA_CODE));
	vm_load(vm, GPA_CODE, code_until);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_until, vm));
	usleep(50000);
	EXPECT_EQ(KVM_VCPU_PREEMPTED, st->preempted);
	EXPECT_EQ(version, st->version);
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, GPA_EXTRA, EXTRA_SIZE,
				   self->extra));
	usleep(20000);
	EXPECT_EQ(0, st->preempted);
	EXPECT_NE(version, st->version);
	*(volatile uint32_t *)(vm->mem + GPA_DATA) = 1;
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(KVM_VCPU_PREEMPTED, st->preempted);
}

TEST_F(pv, dirty_log)
{
	struct test_vm *vm = &self->vm;
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = &bits };

	ASSERT_EQ(0, vm_set_memory(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, GPA_EXTRA,
				   EXTRA_SIZE, self->extra));
	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_STEAL_TIME,
				  (GPA_EXTRA + 0x1000) | 1));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
	EXPECT_EQ(2, bits);
}

/* --- end of interrupt ---------------------------------------------------------- */

#define PV_EOI_ON	(GPA_PAGE | 1)
#define SELF_IPI(vec)	LAPIC_SET(0x300, 0x400##vec)
/* The ISR of vectors 0x40..0x5f. */
#define ISR2		LAPIC_GET(0x120)
/* Was EOI offered? Take it, if so; R12 counts. */
#define TAKE_EOI	"xor %eax, %eax\n btrl $0, 0x21000\n setc %al\n"	\
			"add %rax, %r12\n"

/* Two in a row, the second is delivered only if the first has ended. */
GUEST64(code_eoi,
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff)
	"xor %r12, %r12\n xor %r13, %r13\n"
	"sti\n nop\n"
	SELF_IPI(40) "nop\n nop\n"
	SELF_IPI(40) "nop\n nop\n"
	ISR2 REPORT
	"mov %r12d, %eax\n" REPORT
	"mov %r13d, %eax\n" REPORT
	DONE);
GUEST64(handler_take, TAKE_EOI "inc %r13\n iretq\n");
/* It does as if it had never heard of it. */
GUEST64(handler_ignore,
	"testl $1, 0x21000\n jz 1f\n inc %r12\n 1:\n"
	LAPIC_SET(0xb0, 0) "inc %r13\n iretq\n");
/* An exit to userspace comes between: the offer is withdrawn. */
GUEST64(handler_report,
	"mov $0x77, %eax\n" REPORT
	TAKE_EOI LAPIC_SET(0xb0, 0) "inc %r13\n iretq\n");

static void eoi_setup(struct test_vm *vm)
{
	vm_set_gate(vm, 0x40, GPA_HANDLER);
	vm_set_gate(vm, 0x51, GPA_HANDLER);
	vm_load(vm, GPA_CODE, code_eoi);
	set_ip(vm, GPA_CODE);
}

TEST_F(pv, eoi_taken)
{
	struct test_vm *vm = &self->vm;
	uint64_t val;

	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_take);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	EXPECT_EQ(1, vcpu_get_msr(vm, 0, MSR_KVM_PV_EOI_EN, &val));
	EXPECT_EQ(PV_EOI_ON, val);
	EXPECT_EQ(0, vcpu_report(vm, 0));	/* none in service */
	EXPECT_EQ(2, vcpu_report(vm, 0));	/* both were offered */
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));

	/* Turned off: the bit is not touched. */
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, 0));
	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_ignore);
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

TEST_F(pv, eoi_ignored)
{
	struct test_vm *vm = &self->vm;

	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_ignore);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

TEST_F(pv, eoi_withdrawn)
{
	struct test_vm *vm = &self->vm;
	struct kvm_lapic_state lapic;

	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_report);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0x77, vcpu_report(vm, 0));
		/* What a VMM would move to another host agrees. */
		EXPECT_EQ(0, vm->mem[GPA_PAGE] & 1);
		ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_LAPIC, &lapic));
		EXPECT_EQ(1, lapic.regs[0x120] & 1);
	}
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

/* One waits behind the other: its EOI has to be heard of at once. */
GUEST64(code_eoi_two,
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff)
	"xor %r12, %r12\n xor %r13, %r13\n"
	SELF_IPI(40) SELF_IPI(51)
	"sti\n nop\n nop\n nop\n"
	ISR2 REPORT
	"mov %r12d, %eax\n" REPORT
	"mov %r13d, %eax\n" REPORT
	DONE);
GUEST64(handler_first,		/* not offered: R12 gets 0x100 otherwise */
	"testl $1, 0x21000\n jz 1f\n add $0x100, %r12\n 1:\n"
	LAPIC_SET(0xb0, 0) "inc %r13\n iretq\n");

TEST_F(pv, eoi_of_two)
{
	struct test_vm *vm = &self->vm;

	eoi_setup(vm);
	vm_set_gate(vm, 0x51, GPA_HANDLER2);
	vm_load(vm, GPA_CODE, code_eoi_two);
	vm_load(vm, GPA_HANDLER, handler_take);
	vm_load(vm, GPA_HANDLER2, handler_first);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

/* The IOAPIC's interrupts: a line may wait for the end. */
GUEST64(code_eoi_pin,
	PIC_INIT(0xff, 0xff)	/* it has the line, too */
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff) IOAPIC_BASE_RBX
	"xor %r12, %r12\n xor %r13, %r13\n"
	IOAPIC_SET(0x18, 0x8040) IOAPIC_SET(0x19, 0)	/* pin 4, level */
	"mov $1, %eax\n" REPORT
	"sti\n 1: pause\n test %r13, %r13\n jz 1b\n"
	"mov %r12d, %eax\n" REPORT
	ISR2 REPORT
	DONE);
GUEST64(handler_pin,
	"testl $1, 0x21000\n jz 1f\n inc %r12\n 1:\n"
	"mov $2, %eax\n" REPORT
	LAPIC_SET(0xb0, 0) "inc %r13\n iretq\n");

TEST_F(pv, eoi_of_a_line)
{
	struct test_vm *vm = &self->vm;
	struct kvm_irq_level line = { .irq = 4, .level = 1 };

	eoi_setup(vm);
	vm_load(vm, GPA_CODE, code_eoi_pin);
	vm_load(vm, GPA_HANDLER, handler_pin);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	ASSERT_EQ(1, vcpu_report(vm, 0));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_IRQ_LINE, &line));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	line.level = 0;
	ASSERT_EQ(0, xioctl(vm->fd, KVM_IRQ_LINE, &line));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
}

/* The memory goes while the offer stands: nothing breaks but the offer. */
TEST_F(pv, eoi_memory_goes)
{
	struct test_vm *vm = &self->vm;

	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_report);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, GPA_EXTRA | 1));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, vm_set_memory(vm, 1, 0, GPA_EXTRA, 0, self->extra));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

/* The host cannot reach the memory when it is left: whether the offer was taken it
 * finds out later.
 */
GUEST64(handler_unreachable,
	"cmpl $2, 0x20000\n je 2f\n"
	"movl $1, 0x20000\n"
	"1: pause\n cmpl $2, 0x20000\n jne 1b\n"
	"2: mov $0x78, %eax\n" REPORT
	TAKE_EOI "test %eax, %eax\n jnz 3f\n"
	LAPIC_SET(0xb0, 0)
	"3: inc %r13\n iretq\n");

static void *make_unreachable(void *arg)
{
	struct test_vm *vm = arg;
	volatile uint32_t *stage = (void *)(vm->mem + GPA_DATA);
	int ret;

	while (*stage != 1)
		usleep(1000);
	ret = mprotect(vm->mem + GPA_PAGE, 0x1000, PROT_NONE);
	*stage = 2;
	return (void *)(long)ret;
}

TEST_F(pv, eoi_memory_cannot_be_reached)
{
	struct test_vm *vm = &self->vm;
	pthread_t thread;
	void *ret;

	*(uint32_t *)(vm->mem + GPA_DATA) = 0;
	eoi_setup(vm);
	vm_load(vm, GPA_HANDLER, handler_unreachable);
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_PV_EOI_EN, PV_EOI_ON));
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_unreachable, vm));
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(0, (long)ret);
	ASSERT_EQ(0, mprotect(vm->mem + GPA_PAGE, 0x1000,
			      PROT_READ | PROT_WRITE));
	EXPECT_EQ(1, vm->mem[GPA_PAGE] & 1);
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
}

/* --- polling ------------------------------------------------------------------- */

GUEST64(code_hlt,
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x320, 0x40) LAPIC_SET(0x3e0, 0xb) LAPIC_SET(0x380, 50000)
	"1: sti\n hlt\n cli\n test %r13, %r13\n jz 1b\n"
	"mov %r13d, %eax\n" REPORT
	DONE);
GUEST64(handler_count, LAPIC_SET(0xb0, 0) "inc %r13\n" IRET_PAST_HLT);

TEST_F(pv, poll_control)
{
	struct test_vm *vm = &self->vm;
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HALT_POLL };
	uint64_t val;

	EXPECT_EQ(1, vcpu_get_msr(vm, 0, MSR_KVM_POLL_CONTROL, &val));
	EXPECT_EQ(1, val);
	eoi_setup(vm);
	vm_load(vm, GPA_CODE, code_hlt);
	vm_load(vm, GPA_HANDLER, handler_count);
	for (int i = 0; i < 4; i++) {
		cap.args[0] = i & 1 ? 0 : 1000000;
		ASSERT_EQ(0, xioctl(vm->fd, KVM_ENABLE_CAP, &cap));
		ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_KVM_POLL_CONTROL, i >> 1));
		ASSERT_EQ(0, set_ip(vm, GPA_CODE));
		EXPECT_EQ(1, vcpu_report(vm, 0));
	}
	cap.args[0] = 1ULL << 32;
	EXPECT_EQ(-EINVAL, xioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	cap.args[0] = 0;
	cap.flags = 1;
	EXPECT_EQ(-EINVAL, xioctl(vm->fd, KVM_ENABLE_CAP, &cap));
}

JOIST_TEST_MAIN
