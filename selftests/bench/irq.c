// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of a guest that has its local APIC in the kernel, in x2APIC mode. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "irq.h"

#define GPA_HANDLER	0x18000
#define VECTOR		0x50
#define GSI		30

/* x2APIC mode, software enable, LVT timer: TSC deadline. */
#define APIC_ON								\
	"mov $0x1b, %ecx\nrdmsr\nor $0xc00, %eax\nwrmsr\n"		\
	"mov $0x80f, %ecx\nmov $0x1ff, %eax\nxor %edx, %edx\nwrmsr\n"	\
	"mov $0x832, %ecx\nmov $0x40050, %eax\nwrmsr\n"
#define APIC_EOI							\
	"mov $0x80b, %ecx\nxor %eax, %eax\nxor %edx, %edx\nwrmsr\n"

/* Each interrupt counts in r13. */
GUEST64(handler, "inc %r13\n" APIC_EOI "iretq\n");
GUEST64(handler_at_hlt, "inc %r13\n" APIC_EOI IRET_PAST_HLT);

GUEST64(self_ipi,
	APIC_ON "sti\n"
	"mov $0x830, %r8d\n"
	"1: mov %r8d, %ecx\nmov $0x40050, %eax\nxor %edx, %edx\nwrmsr\n"
	"dec %r12\njnz 1b\n" DONE);

/*
 * The deadline is far enough away for the arming to be over. Meanwhile the guest spins:
 * SPIN_INSNS instructions for each count of r14, which are taken off.
 */
#define SPIN_INSNS	3
GUEST64(deadline,
	APIC_ON "sti\n"
	"1: mov %r13, %r15\n"
	"rdtsc\nadd $20000, %eax\nadc $0, %edx\n"
	"mov $0x6e0, %ecx\nwrmsr\n"
	"2: inc %r14\ncmp %r13, %r15\nje 2b\n"
	"dec %r12\njnz 1b\n" DONE);

/* Says in a word of memory that it is about to halt. */
GUEST64(wake,
	APIC_ON "cli\n"
	"1: movl $1, 0x20000\n"
	"sti\nhlt\ncli\n"
	"dec %r12\njnz 1b\n" DONE);

static int open_irq(struct bench *b)
{
	vm_set_gate(&b->vm, VECTOR, GPA_HANDLER);
	vm_load(&b->vm, GPA_HANDLER, handler);
	return vcpu_allow_deadlines(&b->vm, 0);
}

/* Ticks, less what the guest span; -1 if not each iteration had its interrupt. */
static int64_t measure_irqs(struct bench *b, unsigned int n)
{
	int64_t ticks = loop_measure(b, n);
	struct kvm_regs regs;

	if (ticks < 0 || xioctl(b->vm.vcpu[0], KVM_GET_REGS, &regs))
		return -1;
	if (regs.r13 != n) {
		fprintf(stderr, "%llu interrupts of %u\n",
			(unsigned long long)regs.r13, n);
		return -1;
	}
	return ticks - (int64_t)(SPIN_INSNS * regs.r14);
}

/* An eventfd that is an MSI. */
static int open_wake(struct bench *b)
{
	struct kvm_irqfd irq = { .gsi = GSI };

	if (open_irq(b))
		return -1;
	vm_load(&b->vm, GPA_HANDLER, handler_at_hlt);
	b->fd = eventfd(0, 0);
	irq.fd = b->fd;
	return b->fd < 0 || vm_route_msi(&b->vm, GSI, VECTOR) ||
	       xioctl(b->vm.fd, KVM_IRQFD, &irq) ? -1 : 0;
}

struct waker {
	struct bench *b;
	bool stop;
};

static void *waker_thread(void *arg)
{
	const uint64_t one = 1;
	struct waker *w = arg;
	uint32_t *word = (uint32_t *)(w->b->vm.mem + GPA_DATA);

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL))
			sched_yield();
		else if (write(w->b->fd, &one, sizeof(one)) != sizeof(one))
			break;
	}
	return NULL;
}

/*
 * The vCPU's thread has the CPU as soon as it can run. Where there is one CPU the
 * other thus finds the vCPU halted each time it looks.
 */
static int64_t measure_wake(struct bench *b, unsigned int n)
{
	const struct sched_param first = { .sched_priority = 1 }, normal = { };
	struct waker w = { .b = b };
	pthread_t thread;
	int64_t ticks;

	if (pthread_create(&thread, NULL, waker_thread, &w))
		return -1;
	sched_setscheduler(0, SCHED_FIFO, &first);
	ticks = measure_irqs(b, n);
	sched_setscheduler(0, SCHED_OTHER, &normal);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return ticks;
}

const struct row irq_rows[] = {
	{
		.name = "self-IPI through x2APIC ICR, and EOI", CODE(self_ipi),
		.n = 1000, .vm_flags = VM_IRQCHIP,
		.open = open_irq, .measure = measure_irqs,
	},
	{
		.name = "TSC deadline: arm, expiry, EOI", CODE(deadline),
		.n = 200, .vm_flags = VM_IRQCHIP,
		.open = open_irq, .measure = measure_irqs,
	},
	{
		.name = "HLT, wake by another thread's irqfd, EOI", CODE(wake),
		.n = 500, .vm_flags = VM_IRQCHIP,
		.open = open_wake, .measure = measure_wake,
	},
	{ }
};
