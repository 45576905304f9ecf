// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: every way into the guest. */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000
#define GPA_HANDLER2	0x18800

/* --- without an irqchip: the VMM injects ------------------------------------------ */

FIXTURE(inject)
{
	struct test_vm vm;
	struct kvm_run *run;
};

FIXTURE_SETUP(inject)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(inject)
{
	vm_close(&self->vm);
}

GUEST64(handler_report, "mov $0x1111, %eax\n" REPORT "iretq\n");
GUEST64(code_hlt, "sti\n hlt\n mov $0x2222, %eax\n" REPORT DONE);

TEST_F(inject, interrupt_at_hlt)
{
	struct kvm_interrupt irq = { .irq = 0x40 };

	vm_set_gate(&self->vm, 0x40, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_report);
	vm_load(&self->vm, GPA_CODE, code_hlt);
	ASSERT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
	EXPECT_EQ(1, self->run->if_flag);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_INTERRUPT, &irq));
	EXPECT_EQ(0x1111, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* Interrupts are off: the window opens when the guest turns them on. */
GUEST64(code_window,
	"cli\n"
	"out %al, $0x80\n"
	"nop\n"
	"sti\n"
	"nop\n"
	"1: pause\n jmp 1b\n");

TEST_F(inject, window)
{
	struct kvm_interrupt irq = { .irq = 0x41 };

	vm_set_gate(&self->vm, 0x41, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_report);
	vm_load(&self->vm, GPA_CODE, code_window);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0, self->run->if_flag);
	EXPECT_EQ(0, self->run->ready_for_interrupt_injection);
	self->run->request_interrupt_window = 1;
	ASSERT_EQ(KVM_EXIT_IRQ_WINDOW_OPEN, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->if_flag);
	EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
	self->run->request_interrupt_window = 0;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_INTERRUPT, &irq));
	EXPECT_EQ(0x1111, vcpu_report(&self->vm, 0));
}

GUEST64(handler_nmi,
	"mov $0x3333, %eax\n" REPORT
	"out %al, $0x80\n"
	"mov $0x3334, %eax\n" REPORT
	"iretq\n");
GUEST64(code_nops, "1: nop\n mov $0x2222, %eax\n" REPORT "jmp 1b\n");

/* A second NMI waits for the first one's IRET, a third is lost. */
TEST_F(inject, nmi)
{
	vm_set_gate(&self->vm, 2, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_nmi);
	vm_load(&self->vm, GPA_CODE, code_nops);
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_NMI, NULL));
	EXPECT_EQ(0x3333, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_NMI, NULL));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_NMI, NULL));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x80, self->run->io.port);
	EXPECT_EQ(0x3334, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x3333, vcpu_report(&self->vm, 0));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(0x3334, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
}

/* A page that faults in while the interrupt is being delivered: the event is
 * not lost. The stack, and then the IDT, are touched by the delivery first.
 */
GUEST64(code_sti, "sti\n 1: pause\n jmp 1b\n");

TEST_F(inject, delivery_meets_a_nested_fault)
{
	struct kvm_interrupt irq = { .irq = 0x42 };
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 0x202, .rsp = 0x300000,
	};

	vm_set_gate(&self->vm, 0x42, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_report);
	vm_load(&self->vm, GPA_CODE, code_sti);
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_REGS, &regs));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_INTERRUPT, &irq));
	EXPECT_EQ(0x1111, vcpu_report(&self->vm, 0));
}

/* --- with an irqchip ---------------------------------------------------------------- */

FIXTURE(irqchip)
{
	struct test_vm vm;
};

FIXTURE_SETUP(irqchip)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
}

FIXTURE_TEARDOWN(irqchip)
{
	vm_close(&self->vm);
}

static int set_line(struct test_vm *vm, int irq, int level)
{
	struct kvm_irq_level l = { .irq = irq, .level = level };

	return xioctl(vm->fd, KVM_IRQ_LINE, &l);
}

/* The handler reports its vector (its code's own), ends it and returns. */
GUEST64(handler_pic, "mov $0x20, %al\n out %al, $0x20\n"
	"mov $0x1111, %eax\n" REPORT IRET_PAST_HLT);

GUEST64(code_pic,
	PIC_INIT(0xef, 0xff)
	APIC_BASE_RBP
	HALT_LOOP);

TEST_F(irqchip, pic)
{
	vm_set_gate(&self->vm, 0x24, GPA_HANDLER);
	vm_load(&self->vm, GPA_HANDLER, handler_pic);
	vm_load(&self->vm, GPA_CODE, code_pic);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_line(&self->vm, 4, 1));
		ASSERT_EQ(0, set_line(&self->vm, 4, 0));
		EXPECT_EQ(0x1111, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	}
}

/* Pin 4 as vector 0x50, edge, physical to APIC 0; pin 10 as 0x60, level. */
#define SETUP_IOAPIC							\
	PIC_INIT(0xff, 0xff)						\
	APIC_BASE_RBP IOAPIC_BASE_RBX					\
	LAPIC_SET(0xf0, 0x1ff)						\
	IOAPIC_SET(0x18, 0x50) IOAPIC_SET(0x19, 0)			\
	IOAPIC_SET(0x24, 0x8060) IOAPIC_SET(0x25, 0)

GUEST64(code_ioapic,
	SETUP_IOAPIC
	HALT_LOOP);
GUEST64(handler_edge, "mov $0x1150, %eax\n" REPORT
	LAPIC_SET(0xb0, 0) IRET_PAST_HLT);
GUEST64(handler_level, "mov $0x1160, %eax\n" REPORT
	LAPIC_SET(0xb0, 0) IRET_PAST_HLT);

static void load_ioapic(struct test_vm *vm)
{
	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_set_gate(vm, 0x60, GPA_HANDLER2);
	vm_load(vm, GPA_HANDLER, handler_edge);
	vm_load(vm, GPA_HANDLER2, handler_level);
	vm_load(vm, GPA_CODE, code_ioapic);
}

TEST_F(irqchip, ioapic_edge)
{
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_line(&self->vm, 4, 1));
		EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
		ASSERT_EQ(0, set_line(&self->vm, 4, 0));
	}
}

/* It comes again after each EOI as long as the line is up. */
TEST_F(irqchip, ioapic_level)
{
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, set_line(&self->vm, 10, 1));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0x1160, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, set_line(&self->vm, 10, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, set_line(&self->vm, 4, 1));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
}

/* The higher vector first, the lower after its EOI. */
TEST_F(irqchip, priorities)
{
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, set_line(&self->vm, 4, 1));
	ASSERT_EQ(0, set_line(&self->vm, 10, 1));
	EXPECT_EQ(0x1160, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, set_line(&self->vm, 10, 0));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
}

TEST_F(irqchip, msi)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x50 };

	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	EXPECT_LT(0, xioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	/* To nobody. */
	msi.address_lo = 0xfee00000 | 9 << 12;
	EXPECT_GE(0, xioctl(self->vm.fd, KVM_SIGNAL_MSI, &msi));
}

TEST_F(irqchip, irqfd)
{
	struct kvm_irqfd irq = { .gsi = 4 };
	uint64_t one = 1;

	irq.fd = eventfd(0, 0);
	ASSERT_LE(0, irq.fd);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	EXPECT_EQ(-EBUSY, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(8, write(irq.fd, &one, 8));
		EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	}
	irq.flags = KVM_IRQFD_FLAG_DEASSIGN;
	EXPECT_EQ(0, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	close(irq.fd);
}

/* A GSI that leads to an MSI. */
TEST_F(irqchip, irqfd_msi_route)
{
	struct kvm_irqfd irq = { .gsi = 30 };
	uint64_t one = 1;

	irq.fd = eventfd(0, 0);
	ASSERT_EQ(0, vm_route_msi(&self->vm, 30, 0x50));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(8, write(irq.fd, &one, 8));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	/* The route changes under it. */
	ASSERT_EQ(0, vm_route_msi(&self->vm, 30, 0x60));
	ASSERT_EQ(8, write(irq.fd, &one, 8));
	EXPECT_EQ(0x1160, vcpu_report(&self->vm, 0));
	close(irq.fd);
}

/* Level interrupt by eventfd: the EOI lowers the line and tells. */
TEST_F(irqchip, irqfd_resample)
{
	struct kvm_irqfd irq = { .gsi = 10, .flags = KVM_IRQFD_FLAG_RESAMPLE };
	uint64_t one = 1, seen = 0;

	irq.fd = eventfd(0, 0);
	irq.resamplefd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IRQFD, &irq));
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	EXPECT_EQ(-1, read(irq.resamplefd, &seen, 8));
	ASSERT_EQ(8, write(irq.fd, &one, 8));
	EXPECT_EQ(0x1160, vcpu_report(&self->vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(&self->vm, 0));
	EXPECT_EQ(8, read(irq.resamplefd, &seen, 8));
	close(irq.fd);
	close(irq.resamplefd);
}

/* --- ioeventfd ------------------------------------------------------------------------ */

GUEST64(code_notify,
	"mov $0xc0000000, %ebx\n"
	"movl $7, (%rbx)\n"
	"movl $8, (%rbx)\n"
	"mov $5, %eax\n"
	"mov $0x300, %dx\n"
	"out %eax, %dx\n"
	DONE);

TEST_F(irqchip, ioeventfd)
{
	struct kvm_ioeventfd mmio = { .addr = GPA_HOLE, .len = 4, .datamatch = 7,
				      .flags = KVM_IOEVENTFD_FLAG_DATAMATCH };
	struct kvm_ioeventfd pio = { .addr = 0x300, .len = 4,
				     .flags = KVM_IOEVENTFD_FLAG_PIO };
	uint64_t n = 0;

	mmio.fd = eventfd(0, EFD_NONBLOCK);
	pio.fd = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IOEVENTFD, &mmio));
	EXPECT_EQ(-EEXIST, xioctl(self->vm.fd, KVM_IOEVENTFD, &mmio));
	ASSERT_EQ(0, xioctl(self->vm.fd, KVM_IOEVENTFD, &pio));
	vm_load(&self->vm, GPA_CODE, code_notify);
	/* 7 is taken, 8 is not. */
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(8, *(uint32_t *)self->vm.run[0]->mmio.data);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
	EXPECT_EQ(8, read(mmio.fd, &n, 8));
	EXPECT_EQ(1, n);
	EXPECT_EQ(8, read(pio.fd, &n, 8));
	EXPECT_EQ(1, n);

	mmio.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	EXPECT_EQ(0, xioctl(self->vm.fd, KVM_IOEVENTFD, &mmio));
	EXPECT_EQ(-ENOENT, xioctl(self->vm.fd, KVM_IOEVENTFD, &mmio));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(7, *(uint32_t *)self->vm.run[0]->mmio.data);
	close(mmio.fd);
	close(pio.fd);
}

/* --- the local APIC ---------------------------------------------------------------------- */

GUEST64(code_self,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	"sti\n"
	LAPIC_GET(0x20) REPORT		/* id */
	LAPIC_GET(0x30) REPORT		/* version */
	LAPIC_SET(0x300, 0x40050)	/* fixed, to self */
	"nop\n"
	"mov $0x2222, %eax\n" REPORT
	LAPIC_SET(0x80, 0x50)		/* TPR: 0x50 waits */
	LAPIC_SET(0x300, 0x40050)
	"nop\n"
	"mov $0x2223, %eax\n" REPORT
	LAPIC_GET(0xa0) REPORT		/* PPR */
	LAPIC_SET(0x80, 0)
	"nop\n"
	"mov $0x2224, %eax\n" REPORT
	"mov $5, %eax\n"
	"mov %rax, %cr8\n"		/* the same by CR8 */
	LAPIC_GET(0x80) REPORT
	LAPIC_SET(0x300, 0x40050)
	"nop\n"
	"mov $0x2225, %eax\n" REPORT
	"xor %eax, %eax\n"
	"mov %rax, %cr8\n"
	"nop\n"
	"mov $0x2226, %eax\n" REPORT
	DONE);

TEST_F(irqchip, lapic_priority)
{
	struct test_vm *vm = &self->vm;

	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_edge);
	vm_load(vm, GPA_CODE, code_self);
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(0x14, vcpu_report(vm, 0) & 0xff);
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	EXPECT_EQ(0x2223, vcpu_report(vm, 0));
	EXPECT_EQ(0x50, vcpu_report(vm, 0));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x2224, vcpu_report(vm, 0));
	EXPECT_EQ(0x50, vcpu_report(vm, 0));
	EXPECT_EQ(0x2225, vcpu_report(vm, 0));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x2226, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

GUEST64(code_x2apic,
	"mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	"mov $0x80f, %ecx\n mov $0x1ff, %eax\n xor %edx, %edx\n wrmsr\n"
	"sti\n"
	"mov $0x802, %ecx\n rdmsr\n" REPORT
	"mov $0x80d, %ecx\n rdmsr\n" REPORT
	"mov $0x83f, %ecx\n mov $0x50, %eax\n xor %edx, %edx\n wrmsr\n"
	"nop\n"
	"mov $0x2222, %eax\n" REPORT
	DONE);
GUEST64(handler_x2apic, "mov $0x1150, %eax\n" REPORT
	"mov $0x80b, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n iretq\n");

TEST_F(irqchip, x2apic)
{
	struct test_vm *vm = &self->vm;

	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_x2apic);
	vm_load(vm, GPA_CODE, code_x2apic);
	EXPECT_EQ(0, vcpu_report(vm, 0));
	EXPECT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

TEST_F(irqchip, lapic_state_round_trip)
{
	struct kvm_lapic_state a, b;

	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_LAPIC, &a));
	a.regs[0x80] = 0x30;			/* TPR */
	*(uint32_t *)(a.regs + 0x320) = 0x100ec;	/* LVT timer, masked */
	*(uint32_t *)(a.regs + 0x0f0) = 0x1ff;
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_SET_LAPIC, &a));
	ASSERT_EQ(0, xioctl(self->vm.vcpu[0], KVM_GET_LAPIC, &b));
	EXPECT_EQ(0x30, b.regs[0x80]);
	EXPECT_EQ(0x100ec, *(uint32_t *)(b.regs + 0x320));
	EXPECT_EQ(0x1ff, *(uint32_t *)(b.regs + 0x0f0));
}

TEST_F(irqchip, chips_round_trip)
{
	for (int chip = 0; chip < 3; chip++) {
		struct kvm_irqchip a = { .chip_id = chip }, b;

		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_IRQCHIP, &a));
		if (chip < 2)
			a.chip.pic.imr = 0x5a;
		else
			a.chip.ioapic.redirtbl[3].bits = 0x10033;
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_SET_IRQCHIP, &a));
		memset(&b, 0, sizeof(b));
		b.chip_id = chip;
		ASSERT_EQ(0, xioctl(self->vm.fd, KVM_GET_IRQCHIP, &b));
		if (chip < 2) {
			EXPECT_EQ(0x5a, b.chip.pic.imr);
		} else {
			EXPECT_EQ(0x10033, b.chip.ioapic.redirtbl[3].bits);
		}
	}
}

/* --- a sleeping vCPU -------------------------------------------------------------------- */

static void *kick_later(void *arg)
{
	struct test_vm *vm = arg;

	usleep(200000);
	set_line(vm, 4, 1);
	return NULL;
}

TEST_F(irqchip, halted_vcpu_wakes_up)
{
	pthread_t thread;

	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_later, &self->vm));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	pthread_join(thread, NULL);
}

static void on_usr1(int sig)
{
}

static pthread_t main_thread;

static void *signal_later(void *arg)
{
	usleep(200000);
	pthread_kill(main_thread, SIGUSR1);
	return NULL;
}

TEST_F(irqchip, halted_vcpu_takes_signals)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	pthread_t thread;

	sigaction(SIGUSR1, &sa, NULL);
	main_thread = pthread_self();
	load_ioapic(&self->vm);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_later, NULL));
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	pthread_join(thread, NULL);
}

/* From another thread while the guest spins: it is interrupted at once. */
GUEST64(code_spin,
	SETUP_IOAPIC
	"mov $0x77, %eax\n" REPORT
	"sti\n"
	"1: jmp 1b\n");

TEST_F(irqchip, running_vcpu_is_interrupted)
{
	pthread_t thread;

	load_ioapic(&self->vm);
	vm_load(&self->vm, GPA_CODE, code_spin);
	EXPECT_EQ(0x77, vcpu_report(&self->vm, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_later, &self->vm));
	EXPECT_EQ(0x1150, vcpu_report(&self->vm, 0));
	pthread_join(thread, NULL);
}

JOIST_TEST_MAIN
