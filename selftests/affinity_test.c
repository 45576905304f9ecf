// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's interrupt that is not posted goes to the CPU that its vCPU is on. The device is
 * QEMU's "edu"; without it, an IOMMU and two CPUs these tests skip.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/irq.h"
#include "lib/test.h"
#include "lib/vfio.h"

#define GSI		30
#define VECTOR		0x50
#define RAISES		10
#define RAISE		(0x60 / 4)	/* edu's registers, in words */
#define ACK		(0x64 / 4)
#define SETTLE_MS	50		/* of kmod/passthrough/affinity.c */
#define LONG_MS		(6 * SETTLE_MS)	/* that it would have moved in */
#define PARAMETER	"/sys/module/joist/parameters/irq_affinity"

/* What the guest writes: interrupts, and that it takes them; and what ends it. */
#define SEEN		0
#define READY		1
#define STOP		2

GUEST64(handler,
	"push %rax\n incl 0x20000\n"
	"movl $0, 0xb0(%rbp)\n pop %rax\n iretq\n");
GUEST64(code_spin,
	APIC_BASE_RBP LAPIC_SET(0xf0, 0x1ff) "sti\n movl $1, 0x20004\n"
	"1: pause\n cmpl $0, 0x20008\n je 1b\n" DONE);

FIXTURE(follow) {
	const char *why;	/* it is skipped; NULL: it is not */
	struct test_vfio v;
	struct test_vm vm;
	volatile uint32_t *edu;
	volatile uint32_t *words;
	size_t bar_size;
	int event;
	int irq;
	pthread_t thread;
	pid_t tid;		/* its; 0: it does not run */
	char former[64];
};

static void wait_ms(int ms)
{
	usleep(ms * 1000);
}

static int pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set);
}

/* A line of the file of the interrupt; -1: there is no such. */
static int affinity(int irq, const char *file, char *line, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/irq/%d/%s", irq, file);
	f = fopen(path, "r");
	line[0] = 0;
	if (!f)
		return -1;
	if (fgets(line, size, f))
		line[strcspn(line, "\n")] = 0;
	fclose(f);
	return 0;
}

/* The only CPU that it may go to; -1: there are others. */
static int goes_to(int irq)
{
	char line[64];

	affinity(irq, "smp_affinity_list", line, sizeof(line));
	return line[0] && !line[strspn(line, "0123456789")] ? atoi(line) : -1;
}

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fputs(text, f);
	return fclose(f);
}

static int set_affinity(int irq, const char *cpus)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity_list", irq);
	return write_file(path, cpus);
}

static bool comes_to(int irq, int cpu)
{
	for (int i = 0; i < 300; i++) {
		if (goes_to(irq) == cpu)
			return true;
		wait_ms(10);
	}
	return false;
}

/* How many a CPU has had of a row of interrupts; -1: there is none. */
static long count(const char *row, int cpu)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char line[512], *at;
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (strncmp(at, row, strlen(row)) || at[strlen(row)] != ':')
			continue;
		at += strlen(row) + 1;
		for (int i = 0; i <= cpu; i++)
			n = strtol(at, &at, 10);
	}
	if (f)
		fclose(f);
	return n;
}

static void *run(void *arg)
{
	FIXTURE_DATA(follow) * self = arg;

	__atomic_store_n(&self->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	return (void *)(long)vcpu_done(&self->vm, 0);
}

static int irqfd(FIXTURE_DATA(follow) * self, uint32_t flags)
{
	struct kvm_irqfd irq = { .gsi = GSI, .fd = self->event, .flags = flags };

	return xioctl(self->vm.fd, KVM_IRQFD, &irq);
}

/* vCPU 0 runs, on @cpu. */
static int start(FIXTURE_DATA(follow) * self, int cpu)
{
	memset((void *)self->words, 0, 16);
	vcpu_long64(&self->vm, 0, GPA_CODE);
	if (pthread_create(&self->thread, NULL, run, self))
		return -1;
	for (int i = 0; i < 3000 && !self->words[READY]; i++)
		wait_ms(1);
	return self->words[READY] ? pin(self->tid, cpu) : -1;
}

static long stop(FIXTURE_DATA(follow) * self)
{
	void *ret;

	self->words[STOP] = 1;
	pthread_join(self->thread, &ret);
	self->tid = 0;
	return (long)ret;
}

/* A VM whose vCPU 0 is ready to run, and that has no device's interrupt yet. */
static int make_vm(FIXTURE_DATA(follow) * self)
{
	struct test_vm *vm = &self->vm;

	if (vm_new(vm, VM_IRQCHIP) || vm_add_vcpu(vm, 0) < 0)
		return -1;
	self->words = (void *)(vm->mem + GPA_DATA);
	vm_load(vm, GPA_CODE, code_spin);
	SET_HANDLER(VECTOR, handler);
	return vm_route_msi(vm, GSI, VECTOR);
}

/* The device, and its message. */
static int take_edu(FIXTURE_DATA(follow) * self)
{
	if (vfio_open(&self->v))
		return -1;
	self->edu = vfio_map_bar(&self->v, 0, &self->bar_size);
	self->event = eventfd(0, EFD_NONBLOCK);
	if (!self->edu || self->event < 0 || vfio_set_msi(&self->v, self->event))
		return -1;
	self->irq = vfio_msi_irq(&self->v);
	return affinity(self->irq, "smp_affinity_list", self->former, sizeof(self->former));
}

FIXTURE_SETUP(follow)
{
	memset(self, 0, sizeof(*self));
	self->event = -1;
	self->why = sysconf(_SC_NPROCESSORS_ONLN) < 2 ? "one CPU (testbed --smp 2)" :
		    access(PARAMETER, W_OK) ? "not joist, or not root" : vfio_find(&self->v, EDU);
	if (self->why)
		return;
	ASSERT_EQ(0, take_edu(self));
	ASSERT_EQ(-1, goes_to(self->irq));
	ASSERT_EQ(0, make_vm(self));
}

FIXTURE_TEARDOWN(follow)
{
	if (self->why)
		return;
	if (self->tid)
		EXPECT_EQ(0, stop(self));
	vm_close(&self->vm);
	munmap((void *)self->edu, self->bar_size);
	vfio_close(&self->v);
	close(self->event);
}

/* As it was before anything followed anybody. */
static bool is_as_before(const FIXTURE_DATA(follow) * self)
{
	char line[64];

	return !affinity(self->irq, "smp_affinity_list", line, sizeof(line)) &&
	       !strcmp(line, self->former);
}

/* Return: 0: the guest has seen one. */
static int raise_one(FIXTURE_DATA(follow) * self)
{
	uint32_t seen = self->words[SEEN];

	self->edu[RAISE] = 1;
	for (int i = 0; i < 3000 && self->words[SEEN] == seen; i++)
		wait_ms(1);
	self->edu[ACK] = 1;
	return self->words[SEEN] == seen ? -1 : 0;
}

/*
 * The guest sees each that is raised: return how many of RAISES @cpu had. A change of the affinity
 * may take effect with the next one only: that is not counted.
 */
static long raise_on(FIXTURE_DATA(follow) * self, int cpu)
{
	char row[16];
	long before;

	if (raise_one(self))
		return -1;
	snprintf(row, sizeof(row), "%d", self->irq);
	before = count(row, cpu);
	for (int i = 0; i < RAISES; i++)
		if (raise_one(self))
			return -1;
	return count(row, cpu) - before;
}

TEST_F(follow, where_the_vcpu_goes)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	for (int i = 0; i < 6; i++) {
		int cpu = 1 - i % 2;

		ASSERT_EQ(0, pin(self->tid, cpu));
		EXPECT_TRUE(comes_to(self->irq, cpu));
		EXPECT_EQ(RAISES, raise_on(self, cpu));
	}
}

/* IPIs by which others are told, with the interrupt on the vCPU's CPU and on the other. */
TEST_F(follow, without_ipis)
{
	long same, other;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, pin(0, 0));
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	ASSERT_TRUE(comes_to(self->irq, 1));
	same = count("RES", 1);
	ASSERT_EQ(RAISES, raise_on(self, 1));
	same = count("RES", 1) - same;
	ASSERT_EQ(0, set_affinity(self->irq, "0"));
	other = count("RES", 1);
	ASSERT_EQ(RAISES, raise_on(self, 0));
	other = count("RES", 1) - other;
	TH_LOG("%d interrupts: %ld IPIs on the vCPU's CPU, %ld elsewhere", RAISES, same, other);
	/* Outside of the guest it needs none, and the host may have others. */
	EXPECT_LT(RAISES / 2, other);
	EXPECT_GT(RAISES / 2, same);
}

/* Its affinity is as before with the end of the irqfd, and as little is left of the VM. */
TEST_F(follow, and_back)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	EXPECT_TRUE(is_as_before(self));
	ASSERT_EQ(0, start(self, 1));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, irqfd(self, 0));
		EXPECT_TRUE(comes_to(self->irq, 1));
		ASSERT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
		EXPECT_TRUE(is_as_before(self));
	}
	/* With the message's way to the vCPU. */
	ASSERT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
	ASSERT_EQ(0, vm_route_msi(&self->vm, GSI + 1, VECTOR));
	EXPECT_TRUE(is_as_before(self));
	ASSERT_EQ(0, vm_route_msi(&self->vm, GSI, VECTOR));
	EXPECT_TRUE(comes_to(self->irq, 1));
	/* With the VM. */
	EXPECT_EQ(0, stop(self));
	vm_close(&self->vm);
	EXPECT_TRUE(is_as_before(self));
	ASSERT_EQ(0, make_vm(self));
}

/* Who sets it by hand, or as irqbalance does, has his way from then on. */
TEST_F(follow, unless_somebody_else_sets_it)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	ASSERT_TRUE(comes_to(self->irq, 1));
	ASSERT_EQ(0, set_affinity(self->irq, "0"));
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, pin(self->tid, i % 2));
		wait_ms(LONG_MS);
		EXPECT_EQ(0, goes_to(self->irq));
	}
	EXPECT_EQ(RAISES, raise_on(self, 0));
	/* Neither is it set back, nor are they fought later. */
	ASSERT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
	EXPECT_EQ(0, goes_to(self->irq));
	ASSERT_EQ(0, irqfd(self, 0));
	wait_ms(LONG_MS);
	EXPECT_EQ(0, goes_to(self->irq));
	/* An interrupt that is new is new. */
	ASSERT_EQ(0, vfio_set_msi(&self->v, -1));
	ASSERT_EQ(0, vfio_set_msi(&self->v, self->event));
	self->irq = vfio_msi_irq(&self->v);
	EXPECT_TRUE(comes_to(self->irq, 1));
}

TEST_F(follow, unless_somebody_else_set_it_before)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, set_affinity(self->irq, "0"));
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	wait_ms(LONG_MS);
	EXPECT_EQ(0, goes_to(self->irq));
	EXPECT_EQ(RAISES, raise_on(self, 0));
	ASSERT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
	EXPECT_EQ(0, goes_to(self->irq));
}

TEST_F(follow, unless_it_is_off)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, write_file(PARAMETER, "N"));
	ASSERT_EQ(0, start(self, 1));
	EXPECT_EQ(0, irqfd(self, 0));
	wait_ms(LONG_MS);
	EXPECT_TRUE(is_as_before(self));
	EXPECT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
	ASSERT_EQ(0, write_file(PARAMETER, "Y"));
	EXPECT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
}

/* A message to another vCPU goes to where that is, or was last. */
TEST_F(follow, another_vcpu)
{
	const struct kvm_irq_routing_entry to_second = {
		.gsi = GSI, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000 | 1 << 12, .data = VECTOR },
	};
	const struct kvm_irq_routing_entry to_all = {
		.gsi = GSI, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000 | 0xff << 12, .data = VECTOR },
	};
	struct kvm_lapic_state lapic;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, pin(0, 0));
	ASSERT_LE(0, vm_add_vcpu(&self->vm, 1));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[1], KVM_GET_LAPIC, &lapic));
	lapic.regs[0xf1] |= 1;	/* enabled by software */
	ASSERT_EQ(0, xioctl(self->vm.vcpu[1], KVM_SET_LAPIC, &lapic));
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
	ASSERT_EQ(0, vm_route(&self->vm, &to_second));
	EXPECT_TRUE(comes_to(self->irq, 0));
	/* One to both follows nobody. */
	ASSERT_EQ(0, vm_route(&self->vm, &to_all));
	EXPECT_TRUE(is_as_before(self));
	wait_ms(LONG_MS);
	EXPECT_TRUE(is_as_before(self));
	ASSERT_EQ(0, vm_route_msi(&self->vm, GSI, VECTOR));
	EXPECT_TRUE(comes_to(self->irq, 1));
}

/* A vCPU that does not stay anywhere is not run after. */
TEST_F(follow, one_that_bounces)
{
	struct timespec from, now;
	int was, moves = 0;
	long ms = 0;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
	was = goes_to(self->irq);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; ms < 20 * SETTLE_MS; i++) {
		int is;

		ASSERT_EQ(0, pin(self->tid, i % 2));
		usleep(2000);
		is = goes_to(self->irq);
		moves += is != was;
		was = is;
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000;
	}
	TH_LOG("%d moves in %ld ms", moves, ms);
	EXPECT_LE(moves, ms / SETTLE_MS + 1);
	ASSERT_EQ(0, pin(self->tid, 0));
	EXPECT_TRUE(comes_to(self->irq, 0));
}

static int set_online(int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return write_file(path, on ? "1" : "0");
}

/* That the kernel moves it then is nobody else's doing. */
TEST_F(follow, a_cpu_goes_offline)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
	EXPECT_EQ(0, set_online(1, false));
	EXPECT_TRUE(comes_to(self->irq, 0));
	EXPECT_EQ(RAISES, raise_on(self, 0));
	wait_ms(LONG_MS);
	EXPECT_EQ(0, set_online(1, true));
	EXPECT_EQ(0, pin(self->tid, 1));
	EXPECT_TRUE(comes_to(self->irq, 1));
	EXPECT_EQ(RAISES, raise_on(self, 1));
	ASSERT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
	EXPECT_TRUE(is_as_before(self));
}

static void *bounce(void *arg)
{
	FIXTURE_DATA(follow) * self = arg;

	for (int i = 0; !self->words[STOP]; i++) {
		pin(self->tid, i % 2);
		wait_ms(SETTLE_MS / 4 * (i % 8));
	}
	return NULL;
}

/* All that may come and go does, while the vCPU moves. */
TEST_F(follow, comings_and_goings)
{
	pthread_t bouncer;

	if (self->why)
		SKIP(return, "%s", self->why);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, pthread_create(&bouncer, NULL, bounce, self));
	for (int i = 0; i < 40; i++) {
		EXPECT_EQ(0, irqfd(self, 0));
		wait_ms(SETTLE_MS / 10 * (i % 20));
		if (i % 2) {
			EXPECT_EQ(0, vfio_set_msi(&self->v, -1));
			EXPECT_EQ(0, vfio_set_msi(&self->v, self->event));
		}
		if (i % 4 == 2)
			EXPECT_EQ(0, vm_route_msi(&self->vm, GSI + 1, VECTOR));
		wait_ms(SETTLE_MS / 10 * (i % 13));
		if (i % 4 == 2)
			EXPECT_EQ(0, vm_route_msi(&self->vm, GSI, VECTOR));
		EXPECT_EQ(0, irqfd(self, KVM_IRQFD_FLAG_DEASSIGN));
	}
	EXPECT_EQ(0, irqfd(self, 0));
	self->words[STOP] = 1;
	pthread_join(bouncer, NULL);
	EXPECT_EQ(0, stop(self));
	ASSERT_EQ(0, start(self, 1));
	self->irq = vfio_msi_irq(&self->v);
	EXPECT_TRUE(comes_to(self->irq, 1));
	EXPECT_EQ(RAISES, raise_on(self, 1));
}

/* Who has all of it is killed, at any time. */
TEST_F(follow, killed)
{
	if (self->why)
		SKIP(return, "%s", self->why);
	for (int i = 0; i < 8; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid) {
			FIXTURE_DATA(follow) own = *self;

			if (make_vm(&own) || irqfd(&own, 0) || start(&own, i % 2))
				_exit(1);
			pause();
		}
		wait_ms(2 * SETTLE_MS + i * SETTLE_MS / 2);
		EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		/* The device is ours, and goes on. */
		EXPECT_TRUE(is_as_before(self));
	}
	/* Of another VM's interrupt ours does not know who has set it. */
	ASSERT_EQ(0, vfio_set_msi(&self->v, -1));
	ASSERT_EQ(0, vfio_set_msi(&self->v, self->event));
	self->irq = vfio_msi_irq(&self->v);
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, irqfd(self, 0));
	EXPECT_TRUE(comes_to(self->irq, 1));
}

JOIST_TEST_MAIN
