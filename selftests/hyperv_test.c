// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's interface: its CPUID, MSRs, time, SynIC and timers, for guests that mean
 * well and others. What CPUID allows is for KVM's own hyperv_features to say.
 * hyperv_call_test.c has the hypercalls.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "lib/hyperv.h"
#include "lib/slow.h"

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

/* --- pages that are long in coming: one vCPU waits, the others do not ---------------- */

struct rescue {
	uint8_t *slow;
	int uffd;
	int nr;
	atomic_bool seen;
	atomic_bool came;
};

/* The page comes when the test has seen what it wanted, or has to be helped out. */
static void *rescue(void *arg)
{
	struct rescue *r = arg;

	for (int tries = 0; !r->seen && tries < 300; tries++)
		usleep(10000);
	r->came = true;
	return (void *)(long)slow_page(r->uffd, r->slow, r->nr, 0);
}

/* Somebody waits for it. */
static bool page_wanted(struct rescue *r)
{
	struct uffd_msg msg;

	for (int tries = 0; tries < 1000; tries++) {
		if (read(r->uffd, &msg, sizeof(msg)) == sizeof(msg))
			return true;
		usleep(10000);
	}
	return false;
}

static void *set_hypercall_page(void *arg)
{
	return (void *)(long)vcpu_set_msr(arg, 0, MSR_HYPERCALL,
					  GPA_SLOW | ENABLE);
}

static void *read_os_id(void *arg)
{
	uint64_t val;

	return (void *)(long)rd(arg, MSR_OS_ID, &val);
}

static int second_vcpu(struct test_vm *vm)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };

	return vm_add_vcpu(vm, 1) != 1 || set_hv_cpuid(vm, 1, 0) ||
	       vcpu_long64(vm, 1, GPA_WAIT) ||
	       xioctl(vm->vcpu[1], KVM_SET_MP_STATE, &mp);
}

/* The threads leave signals to this one. */
static int thread_quiet(pthread_t *thread, void *(*what)(void *), void *arg)
{
	sigset_t set, old;
	int ret;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	ret = pthread_create(thread, NULL, what, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

TEST_F(hyperv, slow_hypercall_page)
{
	struct test_vm *vm = &self->vm;
	struct rescue r = { .nr = 0 };
	pthread_t setter, rescuer;
	uint64_t val;
	void *ret;

	ASSERT_EQ(0, second_vcpu(vm));
	ASSERT_EQ(0, slow_memory(vm, &r.slow, &r.uffd));
	ASSERT_EQ(0, wr(vm, MSR_OS_ID, OS_ID));
	ASSERT_EQ(0, thread_quiet(&setter, set_hypercall_page, vm));
	ASSERT_TRUE(page_wanted(&r));
	ASSERT_EQ(0, thread_quiet(&rescuer, rescue, &r));
	EXPECT_EQ(1, vcpu_get_msr(vm, 1, MSR_HYPERCALL, &val));
	EXPECT_FALSE(r.came);
	EXPECT_EQ(0, val);
	r.seen = true;
	ASSERT_EQ(0, pthread_join(rescuer, &ret));
	EXPECT_EQ(0, (long)ret);
	ASSERT_EQ(0, pthread_join(setter, &ret));
	EXPECT_EQ(1, (long)ret);
	EXPECT_EQ(1, vcpu_get_msr(vm, 1, MSR_HYPERCALL, &val));
	EXPECT_EQ(GPA_SLOW | ENABLE, val);
	EXPECT_NE(0, *(uint32_t *)r.slow);
	vm_close(vm);
	close(r.uffd);
	munmap(r.slow, SLOW_SIZE);
}

/* No vCPU runs with the page as it was, but a signal ends the wait, and the time can
 * be read.
 */
TEST_F(hyperv, slow_tsc_page)
{
	struct test_vm *vm = &self->vm;
	struct rescue r = { .nr = 1 };
	pthread_t runner, rescuer;
	struct kvm_clock_data clock;
	uint64_t val;
	void *ret;

	ASSERT_EQ(0, second_vcpu(vm));
	ASSERT_EQ(0, slow_memory(vm, &r.slow, &r.uffd));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, MSR_REF_TSC, (GPA_SLOW + 0x1000) | ENABLE));
	ASSERT_EQ(0, thread_quiet(&runner, read_os_id, vm));
	ASSERT_TRUE(page_wanted(&r));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_GET_CLOCK, &clock));
	clock.flags = 0;
	ASSERT_EQ(0, xioctl(vm->fd, KVM_SET_CLOCK, &clock));
	ASSERT_EQ(0, thread_quiet(&rescuer, rescue, &r));
	EXPECT_EQ(1, vcpu_get_msr(vm, 1, MSR_REF_COUNT, &val));
	alarm_every(100000);
	EXPECT_EQ(-EINTR, vcpu_run(vm, 1));
	alarm_in(0);
	EXPECT_FALSE(r.came);
	r.seen = true;
	ASSERT_EQ(0, pthread_join(rescuer, &ret));
	EXPECT_EQ(0, (long)ret);
	ASSERT_EQ(0, pthread_join(runner, &ret));
	EXPECT_EQ(0, (long)ret);
	ASSERT_EQ(0, xioctl(vm->fd, KVM_GET_CLOCK, &clock));
	EXPECT_EQ(!!(clock.flags & KVM_CLOCK_TSC_STABLE),
		  !!((volatile uint32_t *)r.slow)[0x400]);
	vm_close(vm);
	close(r.uffd);
	munmap(r.slow, SLOW_SIZE);
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

/* --- SynIC --------------------------------------------------------------------------- */

static int route_sint(struct test_vm *vm, uint32_t vp, uint32_t sint)
{
	const struct kvm_irq_routing_entry route = {
		.gsi = 30,
		.type = KVM_IRQ_ROUTING_HV_SINT,
		.u.hv_sint = { .vcpu = vp, .sint = sint },
	};

	return vm_route(vm, &route);
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
