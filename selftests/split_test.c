// SPDX-License-Identifier: GPL-2.0-only
/* Split irqchip: local APICs in the kernel, PIC and IOAPIC in the VMM; x2APIC API. */
#include <pthread.h>
#include <sys/eventfd.h>

#include "lib/irq.h"
#include "lib/test.h"

#define GPA_HANDLER	0x18000
#define GPA_HANDLER2	0x18800
#define NR_PINS		24

static int enable_cap(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap e = { .cap = cap, .args[0] = arg };

	return xioctl(fd, KVM_ENABLE_CAP, &e);
}

static int set_line(struct test_vm *vm, int irq, int level)
{
	struct kvm_irq_level l = { .irq = irq, .level = level };

	return xioctl(vm->fd, KVM_IRQ_LINE, &l);
}

static int signal_msi(struct test_vm *vm, uint32_t lo, uint32_t hi,
		      uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = lo, .address_hi = hi, .data = data,
	};

	return xioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

static int interrupt(struct test_vm *vm, int vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	return xioctl(vm->vcpu[0], KVM_INTERRUPT, &irq);
}

/* --- making one ------------------------------------------------------------- */

FIXTURE(create)
{
	struct test_vm vm;
};

FIXTURE_SETUP(create)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
}

FIXTURE_TEARDOWN(create)
{
	vm_close(&self->vm);
}

TEST_F(create, once)
{
	struct kvm_enable_cap e = {
		.cap = KVM_CAP_SPLIT_IRQCHIP, .flags = 1, .args[0] = NR_PINS,
	};
	int fd = self->vm.fd;

	EXPECT_EQ(1, xioctl_val(fd, KVM_CHECK_EXTENSION,
				KVM_CAP_SPLIT_IRQCHIP));
	EXPECT_EQ(-EINVAL, xioctl(fd, KVM_ENABLE_CAP, &e));
	EXPECT_EQ(-EINVAL, enable_cap(fd, KVM_CAP_SPLIT_IRQCHIP, 4097));
	EXPECT_EQ(-EINVAL, enable_cap(fd, KVM_CAP_SPLIT_IRQCHIP, ~0ULL));
	EXPECT_EQ(0, enable_cap(fd, KVM_CAP_SPLIT_IRQCHIP, NR_PINS));
	EXPECT_EQ(-EEXIST, enable_cap(fd, KVM_CAP_SPLIT_IRQCHIP, NR_PINS));
	EXPECT_EQ(-EEXIST, xioctl_val(fd, KVM_CREATE_IRQCHIP, 0));
}

/* What is in userspace is not here. */
TEST_F(create, chips_are_elsewhere)
{
	struct kvm_pit_config pit = {};
	struct kvm_irqchip chip = {};
	struct kvm_irqfd irq = { .gsi = 4, .flags = KVM_IRQFD_FLAG_RESAMPLE };
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e;
	} r = {
		.head.nr = 1,
		.e = { .gsi = 4, .type = KVM_IRQ_ROUTING_IRQCHIP },
	};
	int fd = self->vm.fd;

	ASSERT_EQ(0, enable_cap(fd, KVM_CAP_SPLIT_IRQCHIP, NR_PINS));
	EXPECT_EQ(-ENXIO, xioctl(fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(-ENXIO, xioctl(fd, KVM_SET_IRQCHIP, &chip));
	EXPECT_EQ(-ENOENT, xioctl(fd, KVM_CREATE_PIT2, &pit));
	EXPECT_EQ(-EINVAL, xioctl(fd, KVM_SET_GSI_ROUTING, &r));
	irq.fd = eventfd(0, 0);
	irq.resamplefd = eventfd(0, 0);
	EXPECT_EQ(-EINVAL, xioctl(fd, KVM_IRQFD, &irq));
	irq.flags = 0;
	EXPECT_EQ(0, xioctl(fd, KVM_IRQFD, &irq));
	/* Nothing is routed yet. */
	EXPECT_EQ(0, set_line(&self->vm, 4, 1));
	close(irq.fd);
	close(irq.resamplefd);
}

TEST_F(create, not_after_a_vcpu)
{
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	EXPECT_GT(0, enable_cap(self->vm.fd, KVM_CAP_SPLIT_IRQCHIP, NR_PINS));
	EXPECT_EQ(-ENXIO, set_line(&self->vm, 4, 1));
	EXPECT_EQ(-EINVAL, signal_msi(&self->vm, 0xfee00000, 0, 0x50));
}

TEST_F(create, not_after_the_whole)
{
	ASSERT_EQ(0, xioctl_val(self->vm.fd, KVM_CREATE_IRQCHIP, 0));
	EXPECT_EQ(-EEXIST, enable_cap(self->vm.fd, KVM_CAP_SPLIT_IRQCHIP, 24));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	EXPECT_EQ(-ENXIO, interrupt(&self->vm, 0x50));
}

/* --- running with it ----------------------------------------------------------- */

FIXTURE(split)
{
	struct test_vm vm;
	struct kvm_run *run;
};

GUEST64(handler_edge, "mov $0x1150, %eax\n" REPORT
	LAPIC_SET(0xb0, 0)
	"mov $0x1151, %eax\n" REPORT IRET_PAST_HLT);
GUEST64(handler_level, "mov $0x1160, %eax\n" REPORT
	LAPIC_SET(0xb0, 0)
	"mov $0x1161, %eax\n" REPORT IRET_PAST_HLT);
GUEST64(handler_pic, "mov $0x1140, %eax\n" REPORT IRET_PAST_HLT);

GUEST64(code_wait,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	HALT_LOOP);

FIXTURE_SETUP(split)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, vm_new(vm, 0));
	ASSERT_EQ(0, enable_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP, NR_PINS));
	ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	self->run = vm->run[0];
	vm_set_gate(vm, 0x40, GPA_HANDLER + 0x400);
	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_set_gate(vm, 0x60, GPA_HANDLER2);
	vm_load(vm, GPA_HANDLER + 0x400, handler_pic);
	vm_load(vm, GPA_HANDLER, handler_edge);
	vm_load(vm, GPA_HANDLER2, handler_level);
	vm_load(vm, GPA_CODE, code_wait);
}

FIXTURE_TEARDOWN(split)
{
	vm_close(&self->vm);
}

/* Pin 4: 0x50, edge. 10: 0x60, level. 30 is no pin: 0x60, level. */
static int set_routes(struct test_vm *vm)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e[3];
	} r = {
		.head.nr = 3,
		.e = {
			{ .gsi = 4, .type = KVM_IRQ_ROUTING_MSI,
			  .u.msi = { .address_lo = 0xfee00000, .data = 0x50 } },
			{ .gsi = 10, .type = KVM_IRQ_ROUTING_MSI,
			  .u.msi = { .address_lo = 0xfee00000,
				     .data = 0x8060 } },
			{ .gsi = 30, .type = KVM_IRQ_ROUTING_MSI,
			  .u.msi = { .address_lo = 0xfee00000,
				     .data = 0x8050 } },
		},
	};

	return xioctl(vm->fd, KVM_SET_GSI_ROUTING, &r);
}

TEST_F(split, edge)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, set_routes(vm));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_line(vm, 4, 1));
		ASSERT_EQ(0, set_line(vm, 4, 0));
		EXPECT_EQ(0x1150, vcpu_report(vm, 0));
		EXPECT_EQ(0x1151, vcpu_report(vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	}
}

/* The IOAPIC outside hears of the EOI, once each, before the guest goes on. */
TEST_F(split, level)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, set_routes(vm));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	for (int i = 0; i < 4; i++) {
		/* By the line, and as QEMU's IOAPIC does: a message of its own. */
		ASSERT_LE(0, i & 1 ? signal_msi(vm, 0xfee00000, 0, 0x8060) :
				     set_line(vm, 10, 1));
		EXPECT_EQ(0x1160, vcpu_report(vm, 0));
		ASSERT_EQ(KVM_EXIT_IOAPIC_EOI, vcpu_run(vm, 0));
		EXPECT_EQ(0x60, self->run->eoi.vector);
		EXPECT_EQ(0x1161, vcpu_report(vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	}
}

/* Level-triggered, but of no pin: a device's own MSI. */
TEST_F(split, level_of_no_pin)
{
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, set_routes(vm));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, set_line(vm, 30, 1));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x1151, vcpu_report(vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
}

/* A route that became edge, or went: no exit. */
TEST_F(split, routes_change)
{
	struct kvm_irq_routing none = {};
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, set_routes(vm));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_SET_GSI_ROUTING, &none));
	ASSERT_EQ(0, set_line(vm, 10, 1));
	ASSERT_LT(0, signal_msi(vm, 0xfee00000, 0, 0x8060));
	EXPECT_EQ(0x1160, vcpu_report(vm, 0));
	EXPECT_EQ(0x1161, vcpu_report(vm, 0));
	EXPECT_EQ(0x2222, vcpu_report(vm, 0));
}

TEST_F(split, irqfd)
{
	struct kvm_irqfd irq = { .gsi = 10 };
	struct test_vm *vm = &self->vm;
	uint64_t one = 1;

	irq.fd = eventfd(0, 0);
	ASSERT_EQ(0, set_routes(vm));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_IRQFD, &irq));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(8, write(irq.fd, &one, 8));
	EXPECT_EQ(0x1160, vcpu_report(vm, 0));
	ASSERT_EQ(KVM_EXIT_IOAPIC_EOI, vcpu_run(vm, 0));
	EXPECT_EQ(0x1161, vcpu_report(vm, 0));
	close(irq.fd);
}

/* --- the PIC outside: ExtINT through LINT0 ----------------------------------------- */

TEST_F(split, extint)
{
	struct test_vm *vm = &self->vm;

	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(-EINVAL, interrupt(vm, 256));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, interrupt(vm, 0x40));
		EXPECT_EQ(-EEXIST, interrupt(vm, 0x40));
		EXPECT_EQ(0x1140, vcpu_report(vm, 0));
		EXPECT_EQ(0x2222, vcpu_report(vm, 0));
	}
}

/* It goes before what the local APIC has. */
TEST_F(split, extint_first)
{
	struct test_vm *vm = &self->vm;

	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_LT(0, signal_msi(vm, 0xfee00000, 0, 0x50));
	ASSERT_EQ(0, interrupt(vm, 0x40));
	EXPECT_EQ(0x1140, vcpu_report(vm, 0));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
}

/* Interrupts off, LINT0 open: the window opens with STI. */
GUEST64(code_window,
	"cli\n"
	"mov $0x77, %eax\n" REPORT
	"nop\n sti\n nop\n"
	"1: pause\n jmp 1b\n");

TEST_F(split, window)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_window);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(0, self->run->ready_for_interrupt_injection);
	self->run->request_interrupt_window = 1;
	ASSERT_EQ(KVM_EXIT_IRQ_WINDOW_OPEN, vcpu_run(vm, 0));
	EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
	EXPECT_EQ(1, self->run->if_flag);
	self->run->request_interrupt_window = 0;
	ASSERT_EQ(0, interrupt(vm, 0x40));
	EXPECT_EQ(0x1140, vcpu_report(vm, 0));
}

/* LINT0 masked: no window, nothing comes through, until the guest opens it. */
GUEST64(code_masked,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	LAPIC_SET(0x350, 0x10700)
	"sti\n nop\n"
	"mov $0x77, %eax\n" REPORT
	"mov $0x78, %eax\n" REPORT
	LAPIC_SET(0x350, 0x700)
	"1: pause\n jmp 1b\n");

TEST_F(split, masked_lint0)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_masked);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(1, self->run->if_flag);
	EXPECT_EQ(0, self->run->ready_for_interrupt_injection);
	self->run->request_interrupt_window = 1;
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	ASSERT_EQ(KVM_EXIT_IRQ_WINDOW_OPEN, vcpu_run(vm, 0));
	EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
}

TEST_F(split, masked_lint0_holds_it)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_masked);
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, interrupt(vm, 0x40));
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	EXPECT_EQ(0x1140, vcpu_report(vm, 0));
}

static void *line_later(void *arg)
{
	usleep(200000);
	set_line(arg, 4, 1);
	return NULL;
}

/* HLT waits in the kernel, a window asked for or not. */
TEST_F(split, halted_vcpu_wakes_up)
{
	struct test_vm *vm = &self->vm;
	pthread_t thread;

	ASSERT_EQ(0, set_routes(vm));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, line_later, vm));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	pthread_join(thread, NULL);
}

/* --- KVM_CAP_X2APIC_API ---------------------------------------------------------------- */

#define APIC_BASE_MSR	0x1b
#define X2APIC_ON	0xfee00c00ULL

FIXTURE(x2apic)
{
	struct test_vm vm;
};

FIXTURE_SETUP(x2apic)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
}

FIXTURE_TEARDOWN(x2apic)
{
	vm_close(&self->vm);
}

TEST_F(x2apic, flags)
{
	int fd = self->vm.fd;

	EXPECT_EQ(3, xioctl_val(fd, KVM_CHECK_EXTENSION, KVM_CAP_X2APIC_API));
	EXPECT_EQ(-EINVAL, enable_cap(fd, KVM_CAP_X2APIC_API, 4));
	EXPECT_EQ(-EINVAL, enable_cap(fd, KVM_CAP_X2APIC_API, 1ULL << 32 | 1));
	EXPECT_EQ(0, enable_cap(fd, KVM_CAP_X2APIC_API, 0));
	EXPECT_EQ(0, enable_cap(fd, KVM_CAP_X2APIC_API, 1));
	EXPECT_EQ(0, enable_cap(fd, KVM_CAP_X2APIC_API, 2));
}

static uint32_t apic_id(struct test_vm *vm, int i)
{
	struct kvm_lapic_state s;

	if (xioctl(vm->vcpu[i], KVM_GET_LAPIC, &s))
		return ~0;
	return *(uint32_t *)(s.regs + 0x20);
}

/* Ids are shown as they are, and messages find those above 255. */
TEST_F(x2apic, full_ids)
{
	struct test_vm *vm = &self->vm;
	struct kvm_lapic_state s;

	ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	ASSERT_EQ(1, vm_add_vcpu(vm, 0x123));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(1, vcpu_set_msr(vm, i, APIC_BASE_MSR, X2APIC_ON |
					  (i ? 0 : 0x100)));
		ASSERT_EQ(0, xioctl(vm->vcpu[i], KVM_GET_LAPIC, &s));
		*(uint32_t *)(s.regs + 0xf0) = 0x1ff;
		ASSERT_EQ(0, xioctl(vm->vcpu[i], KVM_SET_LAPIC, &s));
	}
	EXPECT_EQ(0x23000000, apic_id(vm, 1));
	EXPECT_GE(0, signal_msi(vm, 0xfee23000, 0x100, 0x50));
	ASSERT_EQ(0, enable_cap(vm->fd, KVM_CAP_X2APIC_API, 1));
	EXPECT_EQ(0x123, apic_id(vm, 1));
	EXPECT_EQ(1, signal_msi(vm, 0xfee23000, 0x100, 0x50));
	EXPECT_GE(0, signal_msi(vm, 0xfee23000, 0x200, 0x50));
	EXPECT_EQ(-EINVAL, signal_msi(vm, 0xfee23000, 0x101, 0x50));
}

/* 0xff means everybody, until it is said that it means 0xff. */
TEST_F(x2apic, broadcast)
{
	struct test_vm *vm = &self->vm;
	struct kvm_lapic_state s;

	ASSERT_EQ(0, vm_add_vcpu(vm, 0));
	ASSERT_EQ(1, vcpu_set_msr(vm, 0, APIC_BASE_MSR, X2APIC_ON | 0x100));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_LAPIC, &s));
	*(uint32_t *)(s.regs + 0xf0) = 0x1ff;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_LAPIC, &s));
	EXPECT_EQ(1, signal_msi(vm, 0xfeeff000, 0, 0x50));
	ASSERT_EQ(0, enable_cap(vm->fd, KVM_CAP_X2APIC_API, 2));
	EXPECT_GE(0, signal_msi(vm, 0xfeeff000, 0, 0x51));
	EXPECT_EQ(1, signal_msi(vm, 0xfee00000, 0, 0x51));
}

/* --- the task priority -------------------------------------------------------------- */

FIXTURE(tpr)
{
	struct test_vm vm;
	struct kvm_run *run;
};

FIXTURE_SETUP(tpr)
{
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->run = self->vm.run[0];
}

FIXTURE_TEARDOWN(tpr)
{
	vm_close(&self->vm);
}

GUEST64(code_tpr,
	"mov $0xfee00000, %ebp\n"		/* 5 bytes */
	"movl $0x30, 0x80(%rbp)\n"		/* 10 */
	"movl 0x80(%rbp), %eax\n"		/* 6 */
	REPORT
	"movl 0xa0(%rbp), %eax\n"
	REPORT
	DONE);

TEST_F(tpr, accesses_are_reported)
{
	struct kvm_tpr_access_ctl ctl = { .enabled = 1, .flags = 1 };
	struct test_vm *vm = &self->vm;

	EXPECT_EQ(-EINVAL, xioctl(vm->vcpu[0], KVM_TPR_ACCESS_REPORTING, &ctl));
	ctl.flags = 0;
	vm_load(vm, GPA_CODE, code_tpr);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_TPR_ACCESS_REPORTING, &ctl));
	ASSERT_EQ(KVM_EXIT_TPR_ACCESS, vcpu_run(vm, 0));
	EXPECT_EQ(1, self->run->tpr_access.is_write);
	EXPECT_EQ(GPA_CODE + 5, self->run->tpr_access.rip);
	ASSERT_EQ(KVM_EXIT_TPR_ACCESS, vcpu_run(vm, 0));
	EXPECT_EQ(0, self->run->tpr_access.is_write);
	EXPECT_EQ(GPA_CODE + 15, self->run->tpr_access.rip);
	EXPECT_EQ(0x30, vcpu_report(vm, 0));
	EXPECT_EQ(0x30, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ctl.enabled = 0;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_TPR_ACCESS_REPORTING, &ctl));
	ASSERT_EQ(0, vcpu_long64(vm, 0, GPA_CODE));
	EXPECT_EQ(0x30, vcpu_report(vm, 0));
}

/* The guest keeps its priority in memory: it holds back what is below. */
GUEST64(code_vapic,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	"sti\n"
	"movb $0x60, 0x20000\n"
	"mov $0x77, %eax\n" REPORT
	"mov 0x20000, %eax\n" REPORT
	LAPIC_GET(0x80) REPORT
	"movb $0x20, 0x20000\n"
	"mov $1, %eax\n vmmcall\n"		/* KVM_HC_VAPIC_POLL_IRQ */
	"nop\n"
	"mov $0x78, %eax\n" REPORT
	DONE);

TEST_F(tpr, vapic)
{
	struct kvm_vapic_addr addr = { .vapic_addr = GPA_HOLE };
	struct test_vm *vm = &self->vm;

	if (!xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_VAPIC))
		SKIP(return, "no KVM_CAP_VAPIC");
	vm_set_gate(vm, 0x50, GPA_HANDLER);
	vm_load(vm, GPA_HANDLER, handler_edge);
	vm_load(vm, GPA_CODE, code_vapic);
	EXPECT_EQ(-EINVAL, xioctl(vm->vcpu[0], KVM_SET_VAPIC_ADDR, &addr));
	addr.vapic_addr = GPA_DATA;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VAPIC_ADDR, &addr));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	ASSERT_EQ(1, signal_msi(vm, 0xfee00000, 0, 0x50));
	/* It sees what waits, and its own priority. */
	EXPECT_EQ(0x50000060, vcpu_report(vm, 0));
	EXPECT_EQ(0x60, vcpu_report(vm, 0));
	EXPECT_EQ(0x1150, vcpu_report(vm, 0));
	EXPECT_EQ(0x1151, vcpu_report(vm, 0));
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	addr.vapic_addr = 0;
	EXPECT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VAPIC_ADDR, &addr));
}

/* It may use CR8 as well: the word follows, and is no reason to go back. */
GUEST64(code_vapic_cr8,
	APIC_BASE_RBP
	LAPIC_SET(0xf0, 0x1ff)
	"mov $5, %eax\n mov %rax, %cr8\n"
	"mov $0x77, %eax\n" REPORT
	LAPIC_GET(0x80) REPORT
	"mov 0x20000, %eax\n" REPORT
	"movb $0x20, 0x20000\n"
	"mov $0x78, %eax\n" REPORT
	"mov %cr8, %rax\n" REPORT
	"mov $3, %eax\n mov %rax, %cr8\n"
	LAPIC_GET(0x80) REPORT
	DONE);

TEST_F(tpr, vapic_and_cr8)
{
	struct kvm_vapic_addr addr = { .vapic_addr = GPA_DATA };
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_vapic_cr8);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_VAPIC_ADDR, &addr));
	EXPECT_EQ(0x77, vcpu_report(vm, 0));
	EXPECT_EQ(0x50, vcpu_report(vm, 0));
	EXPECT_EQ(0x50, vcpu_report(vm, 0));
	EXPECT_EQ(0x78, vcpu_report(vm, 0));
	EXPECT_EQ(2, vcpu_report(vm, 0));
	EXPECT_EQ(0x30, vcpu_report(vm, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
}

JOIST_TEST_MAIN
