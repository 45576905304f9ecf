// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl against every other, against running vCPUs, and against close(), from
 * threads that know nothing of each other. What is right or wrong to answer is other
 * tests' business: the kernel must live, and nothing may be left behind.
 *
 * $RACE_SECONDS: how long each case goes on; default 4.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/test.h"

#define PAGE		4096UL
#define SLOT_GPA	0x40000000UL
#define SLOT_PAGES	1024
#define NR_RACERS	3
#define NR_RUNNERS	MAX_TEST_VCPUS
#define NR_EVENTFDS	4

struct arena {
	struct test_vm vm;
	uint8_t *pages;		/* what the slots show */
	int event[NR_EVENTFDS];
	atomic_bool stop;
};

struct racer {
	struct arena *a;
	pthread_t thread;
	unsigned int seed;
	int vcpu;
	unsigned long rounds;
};

static unsigned int dice(struct racer *r, unsigned int sides)
{
	return rand_r(&r->seed) % sides;
}

/* --- what a racer may do ----------------------------------------------------------- */

static void do_memslot(struct racer *r)
{
	static const uint32_t flags[] = {
		0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY,
		KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY,
	};
	unsigned int first = dice(r, 4) * 256;
	unsigned long size = dice(r, 3) ? 256 * PAGE : 0;

	vm_set_memory(&r->a->vm, 1 + dice(r, 4), flags[dice(r, 4)],
		      SLOT_GPA + first * PAGE, size, r->a->pages + first * PAGE);
}

static void do_dirty_log(struct racer *r)
{
	uint64_t bitmap[SLOT_PAGES / 64];
	struct kvm_dirty_log log = {
		.slot = 1 + dice(r, 4), .dirty_bitmap = bitmap,
	};
	struct kvm_clear_dirty_log clear = {
		.slot = log.slot, .first_page = dice(r, 4) * 64,
		.num_pages = 64, .dirty_bitmap = bitmap,
	};

	xioctl(r->a->vm.fd, KVM_GET_DIRTY_LOG, &log);
	memset(bitmap, 0xff, sizeof(bitmap));
	xioctl(r->a->vm.fd, KVM_CLEAR_DIRTY_LOG, &clear);
	xioctl(r->a->vm.fd, KVM_RESET_DIRTY_RINGS, NULL);
}

static void do_host_memory(struct racer *r)
{
	uint8_t *page = r->a->pages + dice(r, SLOT_PAGES) * PAGE;

	switch (dice(r, 4)) {
	case 0:
		madvise(page, PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(page, PAGE, PROT_READ);
		break;
	case 2:
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
		break;
	default:
		mmap(page, PAGE, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
}

static void do_irqfd(struct racer *r)
{
	struct kvm_irqfd irqfd = {
		.fd = r->a->event[dice(r, NR_EVENTFDS)], .gsi = dice(r, 24),
		.resamplefd = r->a->event[dice(r, NR_EVENTFDS)],
	};

	if (dice(r, 2))
		irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
	else if (!dice(r, 3))
		irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
	xioctl(r->a->vm.fd, KVM_IRQFD, &irqfd);
	eventfd_write(irqfd.fd, 1);
}

static void do_ioeventfd(struct racer *r)
{
	static const uint32_t len[] = { 0, 1, 2, 4, 8 };
	struct kvm_ioeventfd io = {
		.fd = r->a->event[dice(r, NR_EVENTFDS)],
		.len = len[dice(r, 5)], .addr = GPA_HOLE,
		.datamatch = dice(r, 2),
	};
	eventfd_t count;

	if (dice(r, 2)) {
		io.flags |= KVM_IOEVENTFD_FLAG_PIO;
		io.addr = PORT_REPORT;
	}
	if (dice(r, 2))
		io.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	if (dice(r, 2))
		io.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	xioctl(r->a->vm.fd, KVM_IOEVENTFD, &io);
	eventfd_read(io.fd, &count);
}

static void do_coalesced(struct racer *r)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = GPA_HOLE, .size = 8, .pio = dice(r, 2),
	};

	if (zone.pio)
		zone.addr = PORT_REPORT;
	xioctl(r->a->vm.fd, dice(r, 2) ? KVM_REGISTER_COALESCED_MMIO :
					 KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

static void do_routing(struct racer *r)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[8];
	} table = { .head.nr = dice(r, 9) };

	for (int i = 0; i < 8; i++) {
		struct kvm_irq_routing_entry *e = &table.entry[i];

		e->gsi = dice(r, 24);
		if (dice(r, 2)) {
			e->type = KVM_IRQ_ROUTING_MSI;
			e->u.msi.address_lo = 0xfee00000 | dice(r, 3) << 12;
			e->u.msi.data = 0x20 + dice(r, 0x40);
		} else {
			e->type = KVM_IRQ_ROUTING_IRQCHIP;
			e->u.irqchip.irqchip = dice(r, 3);
			e->u.irqchip.pin = dice(r, 24);
		}
	}
	xioctl(r->a->vm.fd, KVM_SET_GSI_ROUTING, &table);
}

static void do_interrupt(struct racer *r)
{
	struct kvm_msi msi = {
		.address_lo = 0xfee00000 | dice(r, 3) << 12,
		.data = 0x20 + dice(r, 0x40),
	};
	struct kvm_irq_level irq = { .irq = dice(r, 24), .level = dice(r, 2) };

	if (dice(r, 2))
		xioctl(r->a->vm.fd, KVM_SIGNAL_MSI, &msi);
	else
		xioctl(r->a->vm.fd, KVM_IRQ_LINE, &irq);
}

static void do_chips(struct racer *r)
{
	struct kvm_irqchip chip = { .chip_id = dice(r, 3) };
	struct kvm_clock_data clock;
	struct kvm_pit_state2 pit;

	if (!xioctl(r->a->vm.fd, KVM_GET_IRQCHIP, &chip))
		xioctl(r->a->vm.fd, KVM_SET_IRQCHIP, &chip);
	if (!xioctl(r->a->vm.fd, KVM_GET_PIT2, &pit))
		xioctl(r->a->vm.fd, KVM_SET_PIT2, &pit);
	if (!xioctl(r->a->vm.fd, KVM_GET_CLOCK, &clock)) {
		clock.flags = 0;
		xioctl(r->a->vm.fd, KVM_SET_CLOCK, &clock);
	}
}

static void do_vm_settings(struct racer *r)
{
	uint8_t allowed[8];
	struct kvm_msr_filter filter = {
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = 64, .base = 0x170, .bitmap = allowed,
		},
	};
	struct kvm_enable_cap cap = {
		.cap = dice(r, 256), .args = { dice(r, 4) },
	};
	int fd;

	memset(allowed, dice(r, 256), sizeof(allowed));
	xioctl(r->a->vm.fd, KVM_X86_SET_MSR_FILTER, &filter);
	xioctl(r->a->vm.fd, KVM_ENABLE_CAP, &cap);
	fd = xioctl_val(r->a->vm.fd, KVM_CREATE_VCPU,
			NR_RUNNERS + dice(r, 8));
	if (fd >= 0)
		close(fd);
}

static void do_stats(struct racer *r)
{
	struct test_vm *vm = &r->a->vm;
	int of = dice(r, 2) ? vm->fd : vm->vcpu[dice(r, NR_RUNNERS)];
	int fd = xioctl_val(of, KVM_GET_STATS_FD, 0);
	char buf[256];

	if (fd < 0)
		return;
	if (read(fd, buf, sizeof(buf)) < 0)
		r->rounds++;
	close(fd);
}

static void do_vcpu_events(struct racer *r)
{
	int fd = r->a->vm.vcpu[dice(r, NR_RUNNERS)];
	struct kvm_mp_state mp = { .mp_state = dice(r, 5) };
	struct kvm_vcpu_events ev;

	switch (dice(r, 5)) {
	case 0:
		xioctl(fd, KVM_NMI, NULL);
		break;
	case 1:
		xioctl(fd, KVM_SMI, NULL);
		break;
	case 2:
		if (!xioctl(fd, KVM_GET_VCPU_EVENTS, &ev))
			xioctl(fd, KVM_SET_VCPU_EVENTS, &ev);
		break;
	case 3:
		xioctl(fd, KVM_SET_MP_STATE, &mp);
		break;
	default:
		xioctl(fd, KVM_GET_MP_STATE, &mp);
	}
}

static void do_vcpu_state(struct racer *r)
{
	int fd = r->a->vm.vcpu[dice(r, NR_RUNNERS)];
	struct kvm_lapic_state lapic;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;

	switch (dice(r, 3)) {
	case 0:
		if (!xioctl(fd, KVM_GET_SREGS, &sregs))
			xioctl(fd, KVM_SET_SREGS, &sregs);
		break;
	case 1:
		if (!xioctl(fd, KVM_GET_LAPIC, &lapic))
			xioctl(fd, KVM_SET_LAPIC, &lapic);
		break;
	default:
		if (!xioctl(fd, KVM_GET_XSAVE, &xsave))
			xioctl(fd, KVM_SET_XSAVE, &xsave);
	}
}

/* What shares a page with the guest, of KVM's and of Hyper-V's. */
static void do_vcpu_msr(struct racer *r)
{
	static const uint32_t shared[] = {
		0x4b564d01,	/* clock */
		0x4b564d02,	/* asynchronous page faults, their vector, the last's end */
		0x4b564d06, 0x4b564d07,
		0x4b564d03,	/* steal time */
		0x4b564d04,	/* EOI */
		0x40000000,	/* guest OS */
		0x40000001,	/* hypercalls */
		0x40000021,	/* reference TSC */
		0x40000073,	/* assist page */
		0x10,		/* TSC */
	};
	uint32_t index = shared[dice(r, ARRAY_SIZE(shared))];
	uint64_t val = SLOT_GPA + dice(r, SLOT_PAGES) * PAGE;

	if (dice(r, 4))
		val |= index == 0x4b564d02 ? 0xb : 1;
	if (index == 0x4b564d06)
		val = 0x20 + dice(r, 0x40);
	vcpu_set_msr(&r->a->vm, dice(r, NR_RUNNERS), index, val);
	vcpu_get_msr(&r->a->vm, dice(r, NR_RUNNERS), index, &val);
}

static void (*const moves[])(struct racer *r) = {
	do_memslot, do_dirty_log, do_host_memory, do_irqfd, do_ioeventfd,
	do_coalesced, do_routing, do_interrupt, do_chips, do_vm_settings,
	do_stats, do_vcpu_events, do_vcpu_state, do_vcpu_msr,
};

/* --- the threads -------------------------------------------------------------------- */

static void *race(void *arg)
{
	struct racer *r = arg;

	while (!r->a->stop) {
		moves[dice(r, ARRAY_SIZE(moves))](r);
		r->rounds++;
	}
	return NULL;
}

/* Reads and writes the slots, a port and a device, with interrupts on. */
GUEST64(code_busy,
	"sti\n"
	"1: mov $0x40000000, %ebx\n"
	"2: mov (%rbx), %eax\n"
	"mov %eax, (%rbx)\n"
	"mov %eax, 0xc0000000\n"
	"out %eax, $0xe0\n"
	"mov $0x174, %ecx\n rdmsr\n wrmsr\n"
	"add $0x1000, %ebx\n"
	"cmp $0x40400000, %ebx\n"
	"jb 2b\n"
	"jmp 1b\n");

/* Whatever becomes of it: it starts again. */
static void *run(void *arg)
{
	struct racer *r = arg;
	struct test_vm *vm = &r->a->vm;

	while (!r->a->stop) {
		int reason = vcpu_run(vm, r->vcpu);

		r->rounds++;
		switch (reason) {
		case KVM_EXIT_IO:
		case KVM_EXIT_MMIO:
			break;
		case -EBADF:
			return NULL;
		default:
			if (dice(r, 2))
				vcpu_long64(vm, r->vcpu, GPA_CODE);
		}
	}
	return NULL;
}

static void race_begin(struct arena *a, struct racer *racer,
		       void *(*what)(void *), int n, int nr)
{
	racer->a = a;
	racer->seed = n * 7919 + nr;
	racer->vcpu = nr;
	racer->rounds = 0;
	if (pthread_create(&racer->thread, NULL, what, racer))
		abort();
}

static int race_seconds(void)
{
	const char *s = getenv("RACE_SECONDS");

	return s ? atoi(s) : 4;
}

/* One VM's life. @close_first: its files go while all is under way. Rounds made. */
static unsigned long arena_once(struct __test_metadata *_metadata, int n,
				bool close_first)
{
	struct racer racer[NR_RACERS], runner[NR_RUNNERS];
	struct arena a = { .stop = false };
	unsigned long rounds = 0;

	ASSERT_EQ(0, vm_new(&a.vm, VM_IRQCHIP));
	a.pages = mmap(NULL, SLOT_PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, a.pages);
	for (int i = 0; i < NR_EVENTFDS; i++)
		a.event[i] = eventfd(0, EFD_NONBLOCK);
	vm_load(&a.vm, GPA_CODE, code_busy);
	for (int i = 0; i < NR_RUNNERS; i++) {
		ASSERT_LE(0, vm_add_vcpu(&a.vm, i));
		ASSERT_EQ(0, vcpu_long64(&a.vm, i, GPA_CODE));
	}
	for (int i = 0; i < NR_RUNNERS; i++)
		race_begin(&a, &runner[i], run, n, i);
	for (int i = 0; i < NR_RACERS; i++)
		race_begin(&a, &racer[i], race, n, NR_RUNNERS + i);
	usleep(close_first ? 50000 + n % 7 * 20000 : 400000);
	if (close_first) {
		close(a.vm.fd);
		close(a.vm.vcpu[n % NR_RUNNERS]);
	}
	a.stop = true;
	/* The alarm may end the wrong thread's call: until both are back. */
	for (int i = 0; i < NR_RUNNERS; i++) {
		while (pthread_tryjoin_np(runner[i].thread, NULL)) {
			pthread_kill(runner[i].thread, SIGALRM);
			usleep(1000);
		}
		rounds += runner[i].rounds;
	}
	for (int i = 0; i < NR_RACERS; i++) {
		pthread_join(racer[i].thread, NULL);
		rounds += racer[i].rounds;
	}
	if (close_first) {
		a.vm.fd = -1;
		a.vm.vcpu[n % NR_RUNNERS] = -1;
	}
	vm_close(&a.vm);
	munmap(a.pages, SLOT_PAGES * PAGE);
	for (int i = 0; i < NR_EVENTFDS; i++)
		close(a.event[i]);
	return rounds;
}

static void arena_rounds(struct __test_metadata *_metadata, bool close_first)
{
	time_t end = time(NULL) + race_seconds();
	unsigned long rounds = 0, once;
	int lives = 0;

	alarm_in(0);	/* none: only its handler is wanted */
	do {
		once = arena_once(_metadata, lives++, close_first);
		EXPECT_LT(0, once);
		rounds += once;
	} while (time(NULL) < end);
	TH_LOG("%lu rounds in %d VMs", rounds, lives);
}

FIXTURE(race)
{
};

FIXTURE_SETUP(race)
{
}

FIXTURE_TEARDOWN(race)
{
}

TEST_F_TIMEOUT(race, ioctls_against_each_other, 1000)
{
	arena_rounds(_metadata, false);
}

TEST_F_TIMEOUT(race, ioctls_against_close, 1000)
{
	arena_rounds(_metadata, true);
}

JOIST_TEST_MAIN
