// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that uses vector registers, timers and IPIs loses none of them while the
 * host uses its own and moves the vCPUs' threads about. JOIST_SOAK_SECONDS: how long.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_TIMER	0x18000
#define GPA_PONG	0x18400
#define GPA_PING	0x18800

/* Shared with the guest's code: 0x20000 the AP is up, 0x20008 timer interrupts,
 * 0x20010 pings at the AP, 0x20018 pongs at the BSP, 0x20020 AVX is there,
 * 0x20028 the AP's complaint, 0x20030 rounds.
 */
#define W_AVX		0x20020
#define W_AP_BAD	0x20028
#define W_ROUNDS	0x20030
#define W_PATTERN	0x20400		/* 16 registers of 32 bytes for each vCPU */

#define AVX_XSAVE	(1u << 28 | 1u << 26)	/* of CPUID 1's ECX */

#define ENABLE_AVX							\
	"cmpl $0, 0x20020\n je 8f\n"					\
	"mov %cr4, %rax\n or $0x40000, %eax\n mov %rax, %cr4\n"		\
	"xor %ecx, %ecx\n xor %edx, %edx\n mov $7, %eax\n xsetbv\n"	\
	"8:\n"

/* Registers 1 to 15 are loaded from, and compared with, the patterns at RSI; 0 is
 * scratch. A difference goes to "bad".
 */
#define LOAD_VECTORS							\
	"cmpl $0, 0x20020\n je 7f\n"					\
	".irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"			\
	"vmovups 32*\\n(%rsi), %ymm\\n\n.endr\n jmp 8f\n"		\
	"7: .irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"		\
	"movups 32*\\n(%rsi), %xmm\\n\n.endr\n"				\
	"8:\n"
#define CHECK_VECTORS(bad)						\
	"cmpl $0, 0x20020\n je 7f\n"					\
	".irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"			\
	"vxorps 32*\\n(%rsi), %ymm\\n, %ymm0\n vptest %ymm0, %ymm0\n"	\
	"jnz " bad "\n.endr\n jmp 8f\n"					\
	"7: .irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"		\
	"movups 32*\\n(%rsi), %xmm0\n pcmpeqb %xmm\\n, %xmm0\n"		\
	"pmovmskb %xmm0, %eax\n cmp $0xffff, %eax\n jne " bad "\n.endr\n" \
	"8:\n"

GUEST64(ap_main,
	AP_ENTER
	ENABLE_AVX
	"mov $0x20600, %esi\n"
	LOAD_VECTORS
	"lock incl 0x20000\n"
	"1: sti\n hlt\n cli\n"
	CHECK_VECTORS("6f")
	"jmp 1b\n"
	"6: movl $1, 0x20028\n"
	"jmp 1b\n");

/* Each round: vectors unharmed, one timer interrupt, one IPI there and back. */
GUEST64(bsp_main,
	PIC_INIT(0xff, 0xff)
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x3e0, 3)
	LAPIC_SET(0x320, 0x50)
	ENABLE_AVX
	"mov $0x20400, %esi\n"
	LOAD_VECTORS
	START_AP
	"xor %ebx, %ebx\n"
	"1: inc %ebx\n"
	"mov %ebx, 0x20030\n"
	CHECK_VECTORS("5f")
	LAPIC_SET(0x380, 0x1000)
	"2: sti\n hlt\n cli\n"
	"cmp %ebx, 0x20008\n jne 2b\n"
	CHECK_VECTORS("5f")
	LAPIC_SET(0x310, 0x1000000)
	LAPIC_SET(0x300, 0x4051)
	"3: sti\n hlt\n cli\n"
	"cmp %ebx, 0x20018\n jne 3b\n"
	"cmp %ebx, 0x20010\n jne 4f\n"
	"test $7, %bl\n jne 1b\n"
	"mov %ebx, %eax\n" REPORT
	"jmp 1b\n"
	"4: mov $0xbad00001, %eax\n" REPORT
	"5: mov $0xbad00002, %eax\n" REPORT
	DONE);

GUEST64(on_timer, "lock incl 0x20008\n"
	LAPIC_SET(0xb0, 0) IRET_PAST_HLT);
GUEST64(on_ping, "lock incl 0x20010\n"
	LAPIC_SET(0xb0, 0)
	LAPIC_SET(0x310, 0)
	LAPIC_SET(0x300, 0x4052)
	IRET_PAST_HLT);
GUEST64(on_pong, "lock incl 0x20018\n"
	LAPIC_SET(0xb0, 0) IRET_PAST_HLT);

FIXTURE(soak)
{
	struct test_vm vm;
	unsigned int seconds;
};

static struct {
	volatile bool stop;
	volatile int bad;		/* what a thread complains of */
	volatile unsigned int said;	/* rounds that the guest reported */
	volatile unsigned long host_rounds;
} soak;

static void on_usr1(int sig)
{
}

static bool has_avx(struct test_vm *vm)
{
	struct kvm_xcrs x = { .nr_xcrs = 1 };
	struct kvm_cpuid_entry2 *e;
	struct test_cpuid c;

	if (supported_cpuid(vm, &c) || vcpu_cpuid(vm, 0) || vcpu_cpuid(vm, 1))
		return false;
	e = cpuid_entry(&c, 1, 0);
	if (!e || (e->ecx & AVX_XSAVE) != AVX_XSAVE)
		return false;
	/* The guest sets it too; QEMU's SVM lets no XSETBV exit. */
	x.xcrs[0].value = 7;
	return !xioctl(vm->vcpu[0], KVM_SET_XCRS, &x) &&
	       !xioctl(vm->vcpu[1], KVM_SET_XCRS, &x);
}

FIXTURE_SETUP(soak)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	const char *seconds = getenv("JOIST_SOAK_SECONDS");
	struct test_vm *vm = &self->vm;

	self->seconds = seconds ? atoi(seconds) : 5;
	sigaction(SIGUSR1, &sa, NULL);
	memset(&soak, 0, sizeof(soak));
	ASSERT_EQ(0, vm_new(vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	*(uint32_t *)(vm->mem + W_AVX) = has_avx(vm);
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	for (int i = 0; i < 2 * 16 * 32; i++)
		vm->mem[W_PATTERN + i] = i * 37 + i / 32 + 1;
	vm_set_gate(vm, 0x50, GPA_TIMER);
	vm_set_gate(vm, 0x51, GPA_PING);
	vm_set_gate(vm, 0x52, GPA_PONG);
	vm_load(vm, GPA_TIMER, on_timer);
	vm_load(vm, GPA_PING, on_ping);
	vm_load(vm, GPA_PONG, on_pong);
	vm_load_ap(vm, ap_main);
	vm_load(vm, GPA_CODE, bsp_main);
}

FIXTURE_TEARDOWN(soak)
{
	vm_close(&self->vm);
}

struct vcpu_thread {
	struct test_vm *vm;
	int i;
	pthread_t thread;
};

static void *run_vcpu(void *arg)
{
	struct vcpu_thread *t = arg;
	struct kvm_run *run = t->vm->run[t->i];

	while (!soak.stop) {
		int ret = vcpu_run(t->vm, t->i);
		uint32_t said;

		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (ret != KVM_EXIT_IO || run->io.port != PORT_REPORT) {
			vcpu_complain(t->vm, t->i, "a report", ret);
			soak.bad = 1;
			break;
		}
		said = *(uint32_t *)run_io_data(run);
		if (said != soak.said + 8) {
			soak.bad = said;
			break;
		}
		soak.said = said;
	}
	return NULL;
}

/* The host's own arithmetic, in all the registers that the compiler finds. */
static double arithmetic(void)
{
	double x[16];

	for (int i = 0; i < 16; i++)
		x[i] = 0.1 + i / 100.0;
	for (int n = 0; n < 2000; n++)
		for (int i = 0; i < 16; i++)
			x[i] = 3.7 * x[i] * (1.0 - x[i]);
	for (int i = 1; i < 16; i++)
		x[0] += x[i];
	return x[0];
}

static void *run_host(void *arg)
{
	double first = arithmetic();

	while (!soak.stop) {
		if (arithmetic() != first)
			soak.bad = 2;
		soak.host_rounds++;
		usleep(500);
	}
	return NULL;
}

/* Each to another CPU. Returns how often. */
static unsigned int migrate(struct vcpu_thread *t, unsigned int round)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 2)
		return 0;
	for (int i = 0; i < 2; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((round + i * (round >> 3)) % cpus, &set);
		pthread_setaffinity_np(t[i].thread, sizeof(set), &set);
	}
	return 2;
}

TEST_F_TIMEOUT(soak, vectors_timers_ipis, 1800)
{
	struct vcpu_thread t[2] = { { &self->vm, 0 }, { &self->vm, 1 } };
	uint32_t *mem = (uint32_t *)self->vm.mem;
	unsigned int moved = 0, quiet = 0, last = 0;
	time_t end = time(NULL) + self->seconds;
	pthread_t host;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&t[i].thread, NULL, run_vcpu,
					    &t[i]));
	ASSERT_EQ(0, pthread_create(&host, NULL, run_host, NULL));
	/* In steps of 10 ms; 30 s without a report are a hang. */
	for (unsigned int n = 0; time(NULL) < end && !soak.bad; n++) {
		usleep(10000);
		moved += migrate(t, n);
		quiet = soak.said == last ? quiet + 1 : 0;
		last = soak.said;
		if (quiet > 3000)
			break;
	}
	soak.stop = true;
	for (int i = 0; i < 2; i++) {
		self->vm.run[i]->immediate_exit = 1;
		pthread_kill(t[i].thread, SIGUSR1);
		pthread_join(t[i].thread, NULL);
	}
	pthread_join(host, NULL);

	EXPECT_GE(3000, quiet);
	EXPECT_EQ(0, soak.bad);
	EXPECT_EQ(0, mem[W_AP_BAD / 4]);
	EXPECT_LT(0, soak.said) {
		TH_LOG("AP up %u, round %u: timer %u, pings %u, pongs %u",
		       mem[0x20000 / 4], mem[W_ROUNDS / 4], mem[0x20008 / 4],
		       mem[0x20010 / 4], mem[0x20018 / 4]);
	}
	EXPECT_LT(0, soak.host_rounds);
	TH_LOG("%u s, %s: %u rounds of the guest's, %lu of the host's, %u moves",
	       self->seconds, mem[W_AVX / 4] ? "AVX" : "SSE", soak.said,
	       soak.host_rounds, moved);
}

JOIST_TEST_MAIN
