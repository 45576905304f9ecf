// SPDX-License-Identifier: GPL-2.0-only
/* Two vCPUs: started by INIT and SIPI, talking by IPIs. */
#include <pthread.h>
#include <signal.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000
#define GPA_HANDLER2	0x18800

/* Words that the guest's CPUs share. */
#define W_AP_UP		0x20000
#define W_COUNT0	0x20008
#define W_COUNT1	0x20010
#define W_LOCKED	0x20018

FIXTURE(smp)
{
	struct test_vm vm;
	pthread_t thread;
	bool started;
};

static volatile bool stop;
static volatile int ap_exit;

static void on_usr1(int sig)
{
}

static void *run_ap(void *arg)
{
	struct test_vm *vm = arg;

	while (!stop) {
		int ret = vcpu_run(vm, 1);

		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		ap_exit = ret;
		if (ret == KVM_EXIT_IO && vm->run[1]->io.port == PORT_DONE)
			break;
		vcpu_complain(vm, 1, "the end", ret);
		break;
	}
	return NULL;
}

FIXTURE_SETUP(smp)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct kvm_mp_state mp;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp.mp_state);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[1], KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(KVM_MP_STATE_UNINITIALIZED, mp.mp_state);
	stop = false;
	ap_exit = -1;
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_ap, &self->vm));
	self->started = true;
}

FIXTURE_TEARDOWN(smp)
{
	stop = true;
	self->vm.run[1]->immediate_exit = 1;
	pthread_kill(self->thread, SIGUSR1);
	pthread_join(self->thread, NULL);
	vm_close(&self->vm);
}

/* The AP counts itself in, and spins or sleeps. */
#define AP_LONG	AP_ENTER "lock incl 0x20000\n"

GUEST64(ap_sleep, AP_LONG "1: sti\n hlt\n jmp 1b\n");
GUEST64(ap_spin, AP_LONG "sti\n 1: pause\n jmp 1b\n");

GUEST64(code_start,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	"mov 0x20000, %eax\n" REPORT
	DONE);

TEST_F(smp, init_sipi)
{
	vm_load_ap(&self->vm, ap_sleep);
	vm_load(&self->vm, GPA_CODE, code_start);
	EXPECT_EQ(1, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_EQ(-1, ap_exit);
}

/* Vector 0x50 to APIC 1, again each time the last one was counted. */
GUEST64(code_ping,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	"xor %ecx, %ecx\n"
	"1: inc %ecx\n"
	LAPIC_SET(0x310, 0x1000000)
	LAPIC_SET(0x300, 0x4050)
	"2: pause\n"
	"cmp %ecx, 0x20010\n"
	"jb 2b\n"
	"cmp $500, %ecx\n"
	"jne 1b\n"
	"mov 0x20010, %eax\n" REPORT
	DONE);
GUEST64(handler_count1, "lock incl 0x20010\n"
	LAPIC_SET(0xb0, 0) "iretq\n");

TEST_F_TIMEOUT(smp, ipis_to_a_sleeper, 120)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_count1);
	vm_load_ap(&self->vm, ap_sleep);
	vm_load(&self->vm, GPA_CODE, code_ping);
	EXPECT_TRUE(irq_count_is(500, vcpu_report(&self->vm, 0)));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

TEST_F_TIMEOUT(smp, ipis_to_a_spinner, 120)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_count1);
	vm_load_ap(&self->vm, ap_spin);
	vm_load(&self->vm, GPA_CODE, code_ping);
	EXPECT_TRUE(irq_count_is(500, vcpu_report(&self->vm, 0)));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Back and forth: 0x50 to 1, whose handler sends 0x51 to 0; both sleep. */
GUEST64(handler_pong, "lock incl 0x20010\n"
	LAPIC_SET(0xb0, 0)
	LAPIC_SET(0x310, 0)
	LAPIC_SET(0x300, 0x4051)
	"iretq\n");
GUEST64(handler_count0, "lock incl 0x20008\n"
	LAPIC_SET(0xb0, 0) IRET_PAST_HLT);
GUEST64(code_ping_pong,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	"xor %ecx, %ecx\n"
	"1: inc %ecx\n"
	"cli\n"
	LAPIC_SET(0x310, 0x1000000)
	LAPIC_SET(0x300, 0x4050)
	"2: sti\n"
	"hlt\n"
	"cli\n"
	"cmp %ecx, 0x20008\n"
	"jb 2b\n"
	"cmp $300, %ecx\n"
	"jne 1b\n"
	"mov 0x20008, %eax\n" REPORT
	"mov 0x20010, %eax\n" REPORT
	DONE);

TEST_F_TIMEOUT(smp, ping_pong, 120)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_set_gate(&self->vm, 0x51, GPA_HANDLER2);
	vm_load(&self->vm, GPA_HANDLER, handler_pong);
	vm_load(&self->vm, GPA_HANDLER2, handler_count0);
	vm_load_ap(&self->vm, ap_sleep);
	vm_load(&self->vm, GPA_CODE, code_ping_pong);
	EXPECT_TRUE(irq_count_is(300, vcpu_report(&self->vm, 0)));
	EXPECT_TRUE(irq_count_is(300, vcpu_report(&self->vm, 0)));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* To all but self, by shorthand; and NMI. */
GUEST64(code_shorthand,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	LAPIC_SET(0x300, 0xc4050)
	"1: pause\n cmpl $1, 0x20010\n jne 1b\n"
	LAPIC_SET(0x310, 0x1000000)
	LAPIC_SET(0x300, 0x4400)
	"2: pause\n cmpl $2, 0x20010\n jne 2b\n"
	DONE);
GUEST64(handler_nmi1, "lock incl 0x20010\n iretq\n");

TEST_F(smp, shorthand_and_nmi)
{
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_set_gate(&self->vm, 2, GPA_HANDLER2);
	vm_load(&self->vm, GPA_HANDLER, handler_count1);
	vm_load(&self->vm, GPA_HANDLER2, handler_nmi1);
	vm_load_ap(&self->vm, ap_sleep);
	vm_load(&self->vm, GPA_CODE, code_shorthand);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Both add to one word with LOCK: no addition is lost. */
GUEST64(ap_add, AP_LONG
	"mov $100000, %ecx\n"
	"1: lock addl $1, 0x20018\n loop 1b\n"
	"lock incl 0x20010\n"
	"2: hlt\n jmp 2b\n");
GUEST64(code_add,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	START_AP
	"mov $100000, %ecx\n"
	"1: lock addl $1, 0x20018\n loop 1b\n"
	"2: pause\n cmpl $1, 0x20010\n jne 2b\n"
	"mov 0x20018, %eax\n" REPORT
	DONE);

TEST_F_TIMEOUT(smp, locked_additions, 120)
{
	vm_load_ap(&self->vm, ap_add);
	vm_load(&self->vm, GPA_CODE, code_add);
	EXPECT_EQ(200000, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* One changes a page table and tells the other, whose TLB must follow. */
GUEST64(handler_flush,
	"mov %cr3, %rax\n"
	"mov %rax, %cr3\n"
	"lock incl 0x20010\n"
	LAPIC_SET(0xb0, 0) "iretq\n");
GUEST64(ap_read, AP_LONG
	"sti\n"
	"1: mov 0x2000000, %eax\n"
	"mov %eax, 0x20018\n"
	"jmp 1b\n");
GUEST64(code_remap,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	"movl $0x200087, 0x3080\n"	/* 32 MiB -> 2 MiB */
	START_AP
	"1: pause\n cmpl $0x1111, 0x20018\n jne 1b\n"
	"movl $0x000087, 0x3080\n"	/* -> 0 */
	LAPIC_SET(0x310, 0x1000000)
	LAPIC_SET(0x300, 0x4050)
	"2: pause\n cmpl $1, 0x20010\n jne 2b\n"
	"3: pause\n cmpl $0x2222, 0x20018\n jne 3b\n"
	DONE);

TEST_F_TIMEOUT(smp, guest_tlb_shootdown, 60)
{
	*(uint32_t *)(self->vm.mem + 0x200000) = 0x1111;
	*(uint32_t *)self->vm.mem = 0x2222;
	vm_set_gate(&self->vm, 0x50, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_flush);
	vm_load_ap(&self->vm, ap_read);
	vm_load(&self->vm, GPA_CODE, code_remap);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

JOIST_TEST_MAIN
