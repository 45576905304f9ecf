// SPDX-License-Identifier: GPL-2.0-only
/* Model-specific registers, by the VMM and by the guest. */
#include "lib/test.h"

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_MTRRCAP		0xfe
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MTRR_PHYSBASE0	0x200
#define MSR_MTRR_FIX64K		0x250
#define MSR_PAT			0x277
#define MSR_MTRR_DEFTYPE	0x2ff
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103
#define MSR_KVM_WALL_CLOCK	0x4b564d00
#define MSR_KVM_SYSTEM_TIME	0x4b564d01

FIXTURE(msr)
{
	struct test_vm vm;
};

FIXTURE_SETUP(msr)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(msr)
{
	vm_close(&self->vm);
}

static const struct {
	uint32_t index;
	uint64_t val;
} msrs[] = {
	/* AMD's CPUs keep 32 bits of these. */
	{ MSR_SYSENTER_CS, 0x10 }, { MSR_SYSENTER_ESP, 0x23456789 },
	{ MSR_SYSENTER_EIP, 0x81234567 },
	{ MSR_STAR, 0x0023001000000000 }, { MSR_LSTAR, 0xffffffff81000000 },
	{ MSR_CSTAR, 0xffffffff81100000 }, { MSR_FMASK, 0x47700 },
	{ MSR_FS_BASE, 0x7f1234567000 }, { MSR_GS_BASE, 0x1000 },
	{ MSR_KERNEL_GS_BASE, 0xffff888012345000 },
	{ MSR_PAT, 0x0007010600070106 }, { MSR_MTRR_DEFTYPE, 0xc06 },
	{ MSR_MTRR_PHYSBASE0, 0x80000000 }, { MSR_MTRR_FIX64K, 0x0606060606060606 },
};

TEST_F(msr, round_trip)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		uint64_t got;

		EXPECT_EQ(1, vcpu_set_msr(&self->vm, 0, msrs[i].index,
					  msrs[i].val)) {
			TH_LOG("MSR 0x%x", msrs[i].index);
		}
		EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, msrs[i].index, &got));
		EXPECT_EQ(msrs[i].val, got) {
			TH_LOG("MSR 0x%x", msrs[i].index);
		}
	}
}

/* Reads MSR ECX, adds RBX to it, writes it, reads it again. */
GUEST64(code_msr,
	"rdmsr\n" REPORT
	"mov %edx, %eax\n" REPORT
	"rdmsr\n"
	"add %ebx, %eax\n"
	"wrmsr\n"
	"rdmsr\n" REPORT
	DONE);

static int guest_msr(struct test_vm *vm, uint32_t index, uint32_t add)
{
	struct kvm_regs r = {
		.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2,
		.rcx = index, .rbx = add,
	};

	return xioctl(vm->vcpu[0], KVM_SET_REGS, &r);
}

TEST_F(msr, guest_sees_and_changes_them)
{
	static const uint32_t some[] = {
		MSR_CSTAR, MSR_LSTAR, MSR_KERNEL_GS_BASE, MSR_FMASK,
	};

	vm_load(&self->vm, GPA_CODE, code_msr);
	for (unsigned int i = 0; i < ARRAY_SIZE(some); i++) {
		uint64_t val = some[i] == MSR_FMASK ? 0x700 : 0x7fff12340000;
		uint64_t got;

		ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, some[i], val));
		ASSERT_EQ(0, guest_msr(&self->vm, some[i], 0x40));
		EXPECT_EQ((uint32_t)val, vcpu_report(&self->vm, 0));
		EXPECT_EQ(val >> 32, vcpu_report(&self->vm, 0));
		EXPECT_EQ((uint32_t)val + 0x40, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, some[i], &got));
		EXPECT_EQ(val + 0x40, got);
	}
}

/* What the list says is there can be read, and written back. */
TEST_F(msr, list_is_true)
{
	struct {
		struct kvm_msr_list head;
		uint32_t index[1024];
	} list = { .head.nmsrs = 1024 };
	unsigned int missing = 0;

	ASSERT_EQ(0, xioctl(self->vm.dev, KVM_GET_MSR_INDEX_LIST, &list.head));
	for (uint32_t i = 0; i < list.head.nmsrs; i++) {
		uint64_t val;

		if (vcpu_get_msr(&self->vm, 0, list.index[i], &val) == 1 &&
		    vcpu_set_msr(&self->vm, 0, list.index[i], val) == 1)
			continue;
		missing++;
		TH_LOG("MSR 0x%x is listed, and not there", list.index[i]);
	}
	EXPECT_EQ(0, missing);
}

TEST_F(msr, bad_values)
{
	static const struct {
		uint32_t index;
		uint64_t val;
	} bad[] = {
		{ 0xdeadbeef, 0 },
		{ MSR_PAT, 0x0202020202020202 },	/* reserved type */
		{ MSR_EFER, 1ULL << 40 },
		{ MSR_MTRR_DEFTYPE, 0x1234567 },
		{ MSR_APIC_BASE, ~0ULL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(0, vcpu_set_msr(&self->vm, 0, bad[i].index,
					  bad[i].val)) {
			TH_LOG("MSR 0x%x", bad[i].index);
		}
	}
}

/* The answer is how many were done before the first that was not. */
TEST_F(msr, partial)
{
	struct test_msrs m = {
		.head.nmsrs = 3,
		.entry = {
			{ .index = MSR_LSTAR }, { .index = 0xdeadbeef },
			{ .index = MSR_STAR },
		},
	};

	EXPECT_EQ(1, xioctl(self->vm.vcpu[0], KVM_GET_MSRS, &m.head));
	EXPECT_EQ(1, xioctl(self->vm.vcpu[0], KVM_SET_MSRS, &m.head));
}

#define GPA_HANDLER	0x18000
GUEST64(handler_gp, "mov $0x6f6f, %eax\n" REPORT DONE);
GUEST64(code_wrmsr, "mov %rbx, %rax\n mov %rbx, %rdx\n shr $32, %rdx\n"
	"wrmsr\n" DONE);

/* The guest gets #GP for what the architecture forbids. */
TEST_F(msr, guest_bad_values)
{
	static const struct {
		uint32_t index;
		uint64_t val;
	} bad[] = {
		/* Not canonical; QEMU's CPU takes it when it is not trapped. */
		{ MSR_LSTAR, 0x8000000000000000 },
		{ MSR_KERNEL_GS_BASE, 0x0000900000000000 },
		{ MSR_PAT, 0x02 },
		{ MSR_EFER, 1 << 1 },
		{ MSR_MTRRCAP, 0 },			/* read-only */
	};

	vm_set_gate(&self->vm, 13, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_gp);
	vm_load(&self->vm, GPA_CODE, code_wrmsr);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kvm_regs r = {
			.rip = GPA_CODE, .rsp = GPA_STACK, .rflags = 2,
			.rcx = bad[i].index, .rbx = bad[i].val,
		};

		if (i < 2 && cpu_is_tcg())
			continue;
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &r));
		EXPECT_EQ(0x6f6f, vcpu_report(&self->vm, 0)) {
			TH_LOG("MSR 0x%x", bad[i].index);
		}
		vcpu_done(&self->vm, 0);
	}
}

/* --- time ------------------------------------------------------------------------ */

GUEST64(code_tsc,
	"rdtsc\n" REPORT
	"mov %edx, %eax\n" REPORT
	DONE);

TEST_F(msr, tsc)
{
	uint64_t before, after, guest;

	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_TSC, 1ULL << 50));
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC, &before));
	EXPECT_LE(1ULL << 50, before);
	EXPECT_GT((1ULL << 50) + (1ULL << 38), before);
	vm_load(&self->vm, GPA_CODE, code_tsc);
	guest = vcpu_report(&self->vm, 0);
	guest |= (uint64_t)vcpu_report(&self->vm, 0) << 32;
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC, &after));
	EXPECT_LE(before, guest);
	EXPECT_LE(guest, after);
}

struct pv_time {
	uint32_t version;
	uint32_t pad;
	uint64_t tsc;
	uint64_t system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t pad2[2];
};

GUEST64(code_done, "1:\n" DONE "jmp 1b\n");

/* What a guest makes of its clock page at a TSC value, in ns. */
static uint64_t pv_ns(volatile struct pv_time *t, uint64_t tsc)
{
	uint64_t delta = tsc - t->tsc;

	delta = t->shift < 0 ? delta >> -t->shift : delta << t->shift;
	return t->system_time + (delta >> 32) * t->mul +
	       ((delta & 0xffffffff) * t->mul >> 32);
}

TEST_F(msr, pv_clock)
{
	volatile struct pv_time *t = (void *)(self->vm.mem + GPA_DATA);
	struct kvm_clock_data clock = { };
	uint64_t tsc;

	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &clock));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_KVM_SYSTEM_TIME,
				  GPA_DATA | 1));
	vm_load(&self->vm, GPA_CODE, code_done);
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_NE(0, t->version);
	EXPECT_EQ(0, t->version & 1);
	EXPECT_NE(0, t->mul);
	/* Read between two of the VMM's, the guest's time is between theirs. */
	ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC, &tsc));
	EXPECT_LE(clock.clock, pv_ns(t, tsc));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &clock));
	EXPECT_GE(clock.clock, pv_ns(t, tsc));

	/* The VMM sets the clock: the guest's page follows. */
	memset(&clock, 0, sizeof(clock));
	clock.clock = 1ULL << 50;
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_SET_CLOCK, &clock));
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_EQ(0, t->version & 1);
	EXPECT_LE(1ULL << 50, t->system_time + (1ULL << 34));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &clock));
	EXPECT_LE(1ULL << 50, clock.clock);
}

TEST_F(msr, wall_clock)
{
	struct { uint32_t version, sec, nsec; } *w;
	uint64_t val;

	w = (void *)(self->vm.mem + GPA_DATA);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_KVM_WALL_CLOCK, GPA_DATA));
	EXPECT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_KVM_WALL_CLOCK, &val));
	EXPECT_EQ(GPA_DATA, val);
	EXPECT_NE(0, w->version);
	EXPECT_EQ(0, w->version & 1);
	EXPECT_NE(0, w->sec);
	EXPECT_GT(1000000000, w->nsec);
}

TEST_F(msr, tsc_khz)
{
	int khz = xioctl(self->vm.vcpu[0], KVM_GET_TSC_KHZ, NULL);

	EXPECT_LT(0, khz);
	EXPECT_EQ(0, xioctl_val(self->vm.vcpu[0], KVM_SET_TSC_KHZ, khz));
}

JOIST_TEST_MAIN
