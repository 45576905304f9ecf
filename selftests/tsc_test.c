// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_TSC_KHZ: guests whose TSC has a rate of its own, and what follows it. */
#include <string.h>
#include <x86intrin.h>

#include "lib/irq.h"
#include "lib/test.h"

#define MSR_TSC			0x10
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_KVM_TIME		0x4b564d01
#define HANDLER			0x18000UL

FIXTURE(tsc)
{
	struct test_vm vm;
	int khz;	/* the host's */
};

FIXTURE_SETUP(tsc)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->khz = xioctl(self->vm.vcpu[0], KVM_GET_TSC_KHZ, NULL);
	ASSERT_LT(0, self->khz);
}

FIXTURE_TEARDOWN(tsc)
{
	vm_close(&self->vm);
}

static int set_khz(int fd, uint64_t khz)
{
	return xioctl_val(fd, KVM_SET_TSC_KHZ, khz);
}

static int get_khz(int fd)
{
	return xioctl(fd, KVM_GET_TSC_KHZ, NULL);
}

static bool can_scale(struct test_vm *vm)
{
	return xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
}

#define NEED_SCALING							\
do {									\
	if (!can_scale(&self->vm))					\
		SKIP(return, "no TSC scaling on this CPU");		\
} while (0)

/* The same moment's TSC, of the host: before, after; and the guest's. */
struct moment {
	uint64_t before, guest, after;
};

static int take(struct test_vm *vm, int i, struct moment *m)
{
	int ret;

	m->before = __rdtsc();
	ret = vcpu_get_msr(vm, i, MSR_TSC, &m->guest);
	m->after = __rdtsc();
	return ret;
}

/* Guest ticks in so many of the host's. */
static uint64_t scaled(uint64_t ticks, int khz, int host_khz)
{
	return (__uint128_t)ticks * khz / host_khz;
}

/* Does it count so, however long each of the calls takes? */
static bool counts(struct test_vm *vm, int i, int khz, int host_khz)
{
	struct moment a, b;

	if (take(vm, i, &a) != 1)
		return false;
	usleep(20000);
	if (take(vm, i, &b) != 1)
		return false;
	return scaled(b.before - a.after, khz, host_khz) <=
	       b.guest - a.guest + 2 &&
	       scaled(b.after - a.before, khz, host_khz) + 2 >=
	       b.guest - a.guest;
}

#define EXPECT_RATE(i, khz_)						\
	EXPECT_TRUE(counts(&self->vm, i, khz_, self->khz))

TEST_F(tsc, arguments)
{
	int fds[] = { self->vm.vcpu[0], self->vm.fd };
	int scaling = can_scale(&self->vm);

	EXPECT_EQ(scaling, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				      KVM_CAP_VM_TSC_CONTROL));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(self->khz, get_khz(fds[i]));
		EXPECT_EQ(-EINVAL, set_khz(fds[i], 1ULL << 32));
		EXPECT_EQ(-EINVAL, set_khz(fds[i], 0xffffffff));
		EXPECT_EQ(-EINVAL, set_khz(fds[i], 0x80000000));
		EXPECT_EQ(self->khz, get_khz(fds[i]));
		/* Near enough. */
		EXPECT_EQ(0, set_khz(fds[i], self->khz - self->khz / 5000));
		EXPECT_EQ(self->khz - self->khz / 5000, get_khz(fds[i]));
		EXPECT_EQ(0, set_khz(fds[i], self->khz + self->khz / 5000));
		/* And not. */
		EXPECT_EQ(scaling ? 0 : -EINVAL,
			  set_khz(fds[i], self->khz + self->khz / 1000));
		EXPECT_EQ(scaling ? 0 : -EINVAL,
			  set_khz(fds[i], self->khz / 2));
		EXPECT_EQ(scaling ? 0 : -EINVAL,
			  set_khz(fds[i], self->khz * 2));
		EXPECT_EQ(0, set_khz(fds[i], 0));
		EXPECT_EQ(self->khz, get_khz(fds[i]));
	}
}

/* A rate within the tolerance is a name: the counter is the host's. */
TEST_F(tsc, tolerance)
{
	struct moment a, b;

	ASSERT_EQ(0, set_khz(self->vm.vcpu[0], self->khz + self->khz / 5000));
	ASSERT_EQ(1, take(&self->vm, 0, &a));
	ASSERT_EQ(1, take(&self->vm, 0, &b));
	/* One offset fits both. */
	EXPECT_LE(a.before - a.guest, b.after - b.guest);
	EXPECT_LE(b.before - b.guest, a.after - a.guest);
	EXPECT_RATE(0, self->khz);
}

TEST_F(tsc, rate)
{
	int rates[] = { self->khz * 2, self->khz / 3, self->khz + 12345, 0 };

	NEED_SCALING;
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, set_khz(self->vm.vcpu[0], rates[i]));
		EXPECT_RATE(0, rates[i] ? rates[i] : self->khz);
	}
}

/* What the VM is set to, new vCPUs get, and are in step. */
TEST_F(tsc, vm_rate)
{
	struct moment m[2];
	int khz = self->khz * 2;

	NEED_SCALING;
	ASSERT_EQ(0, set_khz(self->vm.fd, khz));
	EXPECT_EQ(self->khz, get_khz(self->vm.vcpu[0]));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	EXPECT_EQ(khz, get_khz(self->vm.vcpu[1]));
	EXPECT_RATE(1, khz);
	/* The first gets it later, and is in step all the same. */
	ASSERT_EQ(0, set_khz(self->vm.vcpu[0], khz));
	for (int wr = 0; wr < 2; wr++) {
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(1, take(&self->vm, i, &m[i]));
		EXPECT_LT(m[0].guest, m[1].guest);
		EXPECT_GE(scaled(m[1].after - m[0].before, khz, self->khz) + 2,
			  m[1].guest - m[0].guest);
		/* As a VMM that restores them does. */
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(1, vcpu_set_msr(&self->vm, i, MSR_TSC,
						  123456789012345 + i * 1000));
	}
}

GUEST64(code_rdtsc,
	"rdtsc\n shl $32, %rdx\n or %rdx, %rax\n mov %rax, 0x20000\n" DONE);

/* The guest's own RDTSC is that of its MSR. */
TEST_F(tsc, rdtsc)
{
	struct moment a, b;
	uint64_t guest;

	NEED_SCALING;
	ASSERT_EQ(0, set_khz(self->vm.vcpu[0], self->khz * 3));
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_TSC, 1ULL << 50));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_rdtsc);
	ASSERT_EQ(1, take(&self->vm, 0, &a));
	ASSERT_EQ(0, vcpu_done(&self->vm, 0));
	ASSERT_EQ(1, take(&self->vm, 0, &b));
	memcpy(&guest, self->vm.mem + GPA_DATA, sizeof(guest));
	EXPECT_LE(1ULL << 50, a.guest);
	EXPECT_LT(a.guest, guest);
	EXPECT_LT(guest, b.guest);
}

/* KVM_VCPU_TSC_OFFSET: guest TSC less host TSC, scaled. */
TEST_F(tsc, offset)
{
	uint64_t offset;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int khz = self->khz * 2;
	struct moment m;

	NEED_SCALING;
	ASSERT_EQ(0, set_khz(self->vm.vcpu[0], khz));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_DEVICE_ATTR,
				    &attr));
		ASSERT_EQ(1, take(&self->vm, 0, &m));
		EXPECT_LE(m.before * 2, m.guest - offset);
		EXPECT_GE(m.after * 2, m.guest - offset);
		offset += 1ULL << 40;
		ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_DEVICE_ATTR,
				    &attr));
	}
}

GUEST64(code_nothing, "1: " DONE "jmp 1b\n");

/* As the guest finds it. */
struct clock_page {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
};

static uint64_t page_ns(const struct clock_page *pv, uint64_t tsc)
{
	uint64_t ticks = tsc - pv->tsc_timestamp;

	ticks = pv->tsc_shift < 0 ? ticks >> -pv->tsc_shift :
				    ticks << pv->tsc_shift;
	return pv->system_time +
	       ((__uint128_t)ticks * pv->tsc_to_system_mul >> 32);
}

/* The guest's clock page, by its own TSC, is the VM's clock. */
TEST_F(tsc, kvmclock)
{
	int rates[] = { 0, self->khz * 2, self->khz / 2 };
	struct clock_page pv;
	struct kvm_clock_data a, b;
	uint64_t tsc, ns;

	NEED_SCALING;
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	vm_load(&self->vm, GPA_CODE, code_nothing);
	ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, MSR_KVM_TIME, GPA_DATA | 1));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_khz(self->vm.vcpu[0], rates[i]));
		ASSERT_EQ(0, vcpu_done(&self->vm, 0));
		usleep(20000);
		memcpy(&pv, self->vm.mem + GPA_DATA, sizeof(pv));
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &a));
		ASSERT_EQ(1, vcpu_get_msr(&self->vm, 0, MSR_TSC, &tsc));
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_CLOCK, &b));
		ns = page_ns(&pv, tsc);
		EXPECT_LE(a.clock, ns + 100);
		EXPECT_GE(b.clock + 100, ns);
	}
}

/* 20 ms, as the guest counts them; it says when they are over. */
GUEST64(code_deadline,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x320, 0x40041)		/* TSC deadline */
	"rdtsc\n shl $32, %rdx\n or %rdx, %rax\n"
	"add 0x20000, %rax\n mov %rax, 0x20008\n"
	"mov %rax, %rdx\n shr $32, %rdx\n mov $0x6e0, %ecx\n wrmsr\n"
	"sti\n 1: hlt\n jmp 1b\n");
GUEST64(handler_deadline,
	"rdtsc\n shl $32, %rdx\n or %rdx, %rax\n mov %rax, 0x20010\n"
	LAPIC_SET(0xb0, 0) DONE);

TEST_F(tsc, deadline)
{
	int rates[] = { self->khz * 2, self->khz / 2 };
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;
	uint64_t words[3], t;

	NEED_SCALING;
	ASSERT_EQ(0, supported_cpuid(&self->vm, &c));
	e = cpuid_entry(&c, 1, 0);
	ASSERT_NE(NULL, e);
	e->ecx |= 1 << 24;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_CPUID2, &c));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, set_khz(self->vm.vcpu[0], rates[i]));
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		vm_load(&self->vm, GPA_CODE, code_deadline);
		vm_load(&self->vm, HANDLER, handler_deadline);
		vm_set_gate(&self->vm, 0x41, HANDLER);
		words[0] = 20ULL * rates[i];
		memcpy(self->vm.mem + GPA_DATA, words, 8);
		t = __rdtsc();
		ASSERT_EQ(0, vcpu_done(&self->vm, 0));
		t = __rdtsc() - t;
		memcpy(words, self->vm.mem + GPA_DATA, sizeof(words));
		/* Not before, but for what counts as reached; nor much after. */
		EXPECT_LE(words[1] - rates[i] / 100, words[2]);
		EXPECT_LE(19ULL * self->khz, t);
		EXPECT_GE(35ULL * self->khz, t);
	}
}

JOIST_TEST_MAIN
