// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_GUEST_DEBUG: software breakpoints, steps, and what the guest sees. */
#include "lib/debug.h"

#define BP		3
#define NP		11
#define RFLAGS_TF	0x100ULL
#define RFLAGS_IF	0x200ULL
#define STEP		(ENABLE | KVM_GUESTDBG_SINGLESTEP)
#define SW_BP		(ENABLE | KVM_GUESTDBG_USE_SW_BP)
#define DR6_BS		0x4000ULL

#define EXPECT_STEP(at)	EXPECT_DEBUG(DB, at, DR6_NONE | DR6_BS)

static uint64_t get_rip(int vcpu)
{
	struct kvm_regs regs;

	return xioctl(vcpu, KVM_GET_REGS, &regs) ? 0 : regs.rip;
}

/* --- the ioctl ---------------------------------------------------------------------------- */

TEST_F(debug, arguments)
{
	uint32_t all = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
		       KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |
		       KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |
		       KVM_GUESTDBG_BLOCKIRQ;

	EXPECT_EQ(all, (uint32_t)xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
					    KVM_CAP_SET_GUEST_DEBUG2));
	EXPECT_EQ(1, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_X86_ROBUST_SINGLESTEP));
	EXPECT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_EQ(-EINVAL, set_debug(self->vcpu, ENABLE | 4, 0, 0, 0));
	EXPECT_EQ(-EINVAL, set_debug(self->vcpu, 1U << 31, 0, 0, 0));
	EXPECT_EQ(-EINVAL, set_debug(self->vcpu, HW_BP, 0, 0, 1ULL << 32));
	EXPECT_EQ(-EINVAL, set_debug(self->vcpu, KVM_GUESTDBG_INJECT_DB |
				     KVM_GUESTDBG_INJECT_BP, 0, 0, 0));
	EXPECT_EQ(-EFAULT, xioctl(self->vcpu, KVM_SET_GUEST_DEBUG, NULL));
	EXPECT_EQ(0, set_debug(self->vcpu, HW_BP, 0, 0, DR7_NONE));
	EXPECT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	/* One exception at a time. */
	EXPECT_EQ(0, set_debug(self->vcpu, KVM_GUESTDBG_INJECT_DB, 0, 0, 0));
	EXPECT_EQ(-EBUSY, set_debug(self->vcpu, KVM_GUESTDBG_INJECT_BP, 0, 0, 0));
}

/* --- software breakpoints ----------------------------------------------------------------- */

/* Where it returns to, and with which RFLAGS. */
GUEST64(handler_says,
	"mov (%rsp), %rax\n" REPORT
	"mov 16(%rsp), %rax\n" REPORT
	"iretq\n");

GUEST64(code_int3, "int3\n mov $7, %eax\n" REPORT "int3\n" DONE);

TEST_F(debug, software_breakpoint)
{
	vm_load(&self->vm, GPA_CODE, code_int3);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, BP, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, SW_BP, 0, 0, 0));
	EXPECT_DEBUG(BP, GPA_CODE, DR6_NONE);
	EXPECT_EQ(GPA_CODE, get_rip(self->vcpu));
	/* Still there: again. */
	EXPECT_DEBUG(BP, GPA_CODE, DR6_NONE);
	/* It is the guest's own: its handler returns behind it. */
	ASSERT_EQ(0, set_debug(self->vcpu, SW_BP | KVM_GUESTDBG_INJECT_BP, 0, 0,
			       0));
	EXPECT_REPORT(GPA_CODE + 1);
	EXPECT_REPORT(2);
	EXPECT_REPORT(7);
	EXPECT_DEBUG(BP, GPA_CODE + 8, DR6_NONE);
	/* Nobody debugs any more: the guest's own business. */
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_REPORT(GPA_CODE + 9);
	EXPECT_REPORT(2);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* INT 3 in two bytes, and INT n, are no breakpoints. */
GUEST64(code_int_n, ".byte 0xcd, 3\n int $0x42\n" DONE);

TEST_F(debug, int_n_is_no_breakpoint)
{
	vm_load(&self->vm, GPA_CODE, code_int_n);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, BP, HANDLER);
	vm_set_gate(&self->vm, 0x42, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, SW_BP, 0, 0, 0));
	EXPECT_REPORT(GPA_CODE + 2);
	EXPECT_REPORT(2);
	EXPECT_REPORT(GPA_CODE + 4);
	EXPECT_REPORT(2);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

/* --- steps ------------------------------------------------------------------------------------ */

GUEST64(code_steps,
	"nop\n"			/* 0 */
	"sti\n"			/* 1 */
	"nop\n"			/* 2 */
	"cli\n"			/* 3 */
	"mov %ss, %eax\n"	/* 4 */
	"mov %eax, %ss\n"	/* 6 */
	"nop\n"			/* 8 */
	"cpuid\n"		/* 9: exits are instructions, too */
	"mov $0x277, %ecx\n"	/* 11 */
	"rdmsr\n"		/* 16 */
	"out %al, $0xe4\n"	/* 18 */
	"nop\n"			/* 20 */
	"nop\n");

TEST_F(debug, steps)
{
	static const int at[] = { 1, 2, 3, 4, 6, 8, 9, 11, 16, 18 };
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_steps);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	for (unsigned int i = 0; i < sizeof(at) / sizeof(*at); i++) {
		/* No matter whether it is asked for once or each time. */
		if (i & 1)
			ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
		EXPECT_STEP(GPA_CODE + at[i]);
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		EXPECT_EQ(0, regs.rflags & RFLAGS_TF);
	}
	/* The VMM is told what the instruction does, then that it is over. */
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_STEP(GPA_CODE + 20);
	EXPECT_STEP(GPA_CODE + 21);
	/* A step that has not been told of is forgotten with the debugger. */
	ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE + 18));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE + 18));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
}

/* Step until the guest reports: what, or -1; *@steps: how many it took. */
static int64_t step_to_report(struct test_vm *vm, int *steps)
{
	for (*steps = 0; *steps < 200; ++*steps) {
		int ret = vcpu_run(vm, 0);

		if (ret == KVM_EXIT_IO && vm->run[0]->io.port == PORT_REPORT)
			return *(uint32_t *)run_io_data(vm->run[0]);
		if (ret != KVM_EXIT_DEBUG ||
		    vm->run[0]->debug.arch.exception != DB ||
		    !(vm->run[0]->debug.arch.dr6 & DR6_BS)) {
			vcpu_complain(vm, 0, "a step", ret);
			return -1;
		}
	}
	return -1;
}

/* All ways to push RFLAGS, and to load them. */
GUEST64(code_flags,
	"pushf\n pop %rax\n" REPORT
	"push $0x203\n popf\n pushf\n pop %rax\n" REPORT
	"int $0x42\n"
	"nop\n"
	"ud2\n"
	"mov $9, %eax\n" REPORT);
/* Its frame is that of an exception without error code. */
GUEST64(handler_flags,
	"mov 16(%rsp), %rax\n" REPORT
	"mov (%rsp), %rax\n"
	"cmpw $0x0b0f, (%rax)\n jne 1f\n"	/* UD2 is a fault */
	"addq $2, (%rsp)\n"
	"1: iretq\n");

TEST_F(debug, steps_are_unseen)
{
	int n;

	vm_load(&self->vm, GPA_CODE, code_flags);
	vm_load(&self->vm, HANDLER, handler_flags);
	vm_set_gate(&self->vm, 0x42, HANDLER);
	vm_set_gate(&self->vm, 6, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_EQ(2, step_to_report(&self->vm, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(0x203, step_to_report(&self->vm, &n));
	EXPECT_EQ(5, n);
	/* INT: delivery is a step, so is each instruction of the handler. */
	EXPECT_EQ(0x203, step_to_report(&self->vm, &n));
	EXPECT_EQ(3, n);
	/* Five to IRET, NOP, delivery, MOV; a fault pushes RF. */
	EXPECT_EQ(0x10203, step_to_report(&self->vm, &n));
	EXPECT_EQ(8, n);
	EXPECT_EQ(9, step_to_report(&self->vm, &n));
	EXPECT_EQ(7, n);
}

TEST_F(debug, step_into_handler)
{
	vm_load(&self->vm, GPA_CODE, code_int_n);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, BP, HANDLER);
	vm_set_gate(&self->vm, 0x42, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(HANDLER);
	EXPECT_STEP(HANDLER + 4);
}

/* The device was read by another instruction, at the same place in a page. */
GUEST64(code_device, "pushf\n mov (%rbx), %eax\n popf\n mov $5, %eax\n" REPORT);

TEST_F(debug, step_after_a_device_access)
{
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_device);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
	regs.rbx = GPA_HOLE + ((regs.rsp - 8) & 0xfff);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	memset(self->run->mmio.data, 0, sizeof(self->run->mmio.data));
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(GPA_CODE + 3);	/* done with the access */
	EXPECT_STEP(GPA_CODE + 4);	/* POPF */
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_REPORT(5);
}

/* SYSCALL keeps RFLAGS in R11. */
GUEST64(code_syscall, "syscall\n");
GUEST64(handler_syscall,
	"mov %r11, %rax\n" REPORT
	"pushf\n pop %rax\n" REPORT);

TEST_F(debug, step_over_syscall)
{
	static const uint64_t masks[] = { 0, RFLAGS_TF };
	int n;

	vm_load(&self->vm, GPA_CODE, code_syscall);
	vm_load(&self->vm, HANDLER, handler_syscall);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, 0xc0000081,
					  (uint64_t)SEL_CODE64 << 32));
		ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, 0xc0000082, HANDLER));
		ASSERT_EQ(1, vcpu_set_msr(&self->vm, 0, 0xc0000084, masks[i]));
		ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
		EXPECT_EQ(2, step_to_report(&self->vm, &n));
		EXPECT_EQ(2, n);
		EXPECT_EQ(2, step_to_report(&self->vm, &n));
	}
}

GUEST64(code_page_fault,
	"movabs $0x7f0012345000, %rbx\n"
	"mov (%rbx), %eax\n"		/* two bytes */
	"mov $9, %eax\n" REPORT);
GUEST64(handler_page_fault,
	"pop %rax\n" REPORT
	"mov %cr2, %rax\n" REPORT
	"mov 16(%rsp), %rax\n" REPORT
	"addq $2, (%rsp)\n"
	"iretq\n");

TEST_F(debug, step_into_page_fault)
{
	int n;

	vm_load(&self->vm, GPA_CODE, code_page_fault);
	vm_load(&self->vm, HANDLER, handler_page_fault);
	vm_set_gate(&self->vm, 14, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_EQ(0, step_to_report(&self->vm, &n));
	EXPECT_EQ(3, n);	/* MOV, delivery, POP */
	EXPECT_EQ(0x12345000, step_to_report(&self->vm, &n));
	EXPECT_EQ(0x10002, step_to_report(&self->vm, &n));
	EXPECT_EQ(9, step_to_report(&self->vm, &n));
}

/* A guest that steps itself gets its traps, the debugger gets its own. */
GUEST64(code_own_tf,
	"pushf\n orl $0x100, (%rsp)\n popf\n"
	"nop\n"					/* the first that traps */
	"pushf\n andl $~0x100, (%rsp)\n popf\n"
	"mov $9, %eax\n" REPORT);
GUEST64(handler_own_tf,
	"mov %dr6, %rax\n"
	"mov $0xffff0ff0, %ecx\n mov %rcx, %dr6\n"
	REPORT
	"iretq\n");

TEST_F(debug, guest_steps_itself)
{
	static const uint32_t controls[] = { 0, HW_BP, SW_BP, STEP };
	int traps[4] = { 0 }, n;
	int64_t got;

	vm_load(&self->vm, GPA_CODE, code_own_tf);
	vm_load(&self->vm, HANDLER, handler_own_tf);
	vm_set_gate(&self->vm, DB, HANDLER);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
		ASSERT_EQ(0, set_debug(self->vcpu, controls[i], 0, 0, DR7_NONE));
		do {
			got = step_to_report(&self->vm, &n);
			ASSERT_NE(-1, got);
			traps[i] += got == (DR6_NONE | DR6_BS);
			if (controls[i] != STEP)
				EXPECT_EQ(0, n);
		} while (got == (DR6_NONE | DR6_BS));
		EXPECT_EQ(9, got);
		EXPECT_EQ(4, traps[i]);
	}
}

GUEST64(code_int1, ".byte 0xf1\n mov $7, %eax\n" REPORT);

GUEST64(handler_ud, "mov $0x666, %eax\n" REPORT);

TEST_F(debug, int1_is_the_guests)
{
	static const uint32_t controls[] = { 0, HW_BP, SW_BP };

	vm_load(&self->vm, GPA_CODE, code_int1);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, DB, HANDLER);
	vm_set_gate(&self->vm, 6, HANDLER + 0x100);
	vm_load(&self->vm, HANDLER + 0x100, handler_ud);
	if (cpu_is_tcg()) {
		EXPECT_REPORT(0x666);
		SKIP(return, "QEMU has no INT1");
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE));
		ASSERT_EQ(0, set_debug(self->vcpu, controls[i], 0, 0, DR7_NONE));
		EXPECT_REPORT(GPA_CODE + 1);
		EXPECT_REPORT(2);
		EXPECT_REPORT(7);
	}
}

GUEST64(code_report, "nop\n mov $7, %eax\n" REPORT);

TEST_F(debug, inject_db)
{
	vm_load(&self->vm, GPA_CODE, code_report);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, DB, HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, 1, GPA_CODE, DR7_EXEC(1)));
	EXPECT_DEBUG(DB, GPA_CODE, DR6_NONE | 2);
	ASSERT_EQ(0, set_debug(self->vcpu, KVM_GUESTDBG_INJECT_DB, 0, 0, 0));
	EXPECT_REPORT(GPA_CODE);
	EXPECT_REPORT(2);
	EXPECT_REPORT(7);
}

/* --- interrupts ----------------------------------------------------------------------------- */

GUEST64(code_nops, "nop\n nop\n nop\n mov $7, %eax\n" REPORT);

TEST_F(debug, interrupts_are_blocked)
{
	struct kvm_interrupt irq = { .irq = 0x42 };
	struct kvm_regs regs = { .rip = GPA_CODE, .rsp = GPA_STACK,
				 .rflags = 2 | RFLAGS_IF };

	vm_load(&self->vm, GPA_CODE, code_nops);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, 0x42, HANDLER);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_INTERRUPT, &irq));
	ASSERT_EQ(0, set_debug(self->vcpu, STEP | KVM_GUESTDBG_BLOCKIRQ, 0, 0,
			       0));
	EXPECT_STEP(GPA_CODE + 1);
	EXPECT_STEP(GPA_CODE + 2);
	/* Not blocked: its delivery is the step. */
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_REPORT(GPA_CODE + 2);
	EXPECT_REPORT(0x202);
	EXPECT_REPORT(7);
}

/* What waits for the end of a shadow does so, stepped or not. */
GUEST64(code_shadows,
	"sti\n"				/* 0 */
	"nop\n"				/* 1: STI's shadow */
	"nop\n"
	"cli\n"				/* 3 */
	"mov %ss, %eax\n"		/* 4 */
	"sti\n"				/* 6 */
	"mov %eax, %ss\n"		/* 7: both shadows */
	"nop\n"				/* 9: that of MOV SS */
	"nop\n");

TEST_F(debug, steps_in_shadows)
{
	struct kvm_interrupt irq = { .irq = 0x42 };

	vm_load(&self->vm, GPA_CODE, code_shadows);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, 0x42, HANDLER);
	if (cpu_is_tcg())
		SKIP(return, "QEMU's VMRUN forgets the shadow");
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_INTERRUPT, &irq));
	EXPECT_STEP(GPA_CODE + 1);
	EXPECT_STEP(GPA_CODE + 2);
	EXPECT_STEP(HANDLER);
	ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE + 3));
	EXPECT_STEP(GPA_CODE + 4);
	EXPECT_STEP(GPA_CODE + 6);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_INTERRUPT, &irq));
	EXPECT_STEP(GPA_CODE + 7);
	EXPECT_STEP(GPA_CODE + 9);
	EXPECT_STEP(GPA_CODE + 10);
	EXPECT_STEP(HANDLER);
}

TEST_F(debug, nmi_is_blocked)
{
	vm_load(&self->vm, GPA_CODE, code_nops);
	vm_load(&self->vm, HANDLER, handler_says);
	vm_set_gate(&self->vm, 2, HANDLER);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_NMI, NULL));
	ASSERT_EQ(0, set_debug(self->vcpu, STEP | KVM_GUESTDBG_BLOCKIRQ, 0, 0,
			       0));
	EXPECT_STEP(GPA_CODE + 1);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(HANDLER);
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_REPORT(GPA_CODE + 1);
	EXPECT_REPORT(2);
	EXPECT_REPORT(7);
}

/* Says what raised it, and where; returns past the error code. */
GUEST64(handler_np,
	"mov (%rsp), %rax\n and $2, %eax\n" REPORT		/* a gate */
	"mov 8(%rsp), %rax\n" REPORT
	"add $8, %rsp\n"
	"iretq\n");

/* An interrupt without a handler is lost, and the guest goes on: so it would be
 * without a debugger.
 */
TEST_F(debug, interrupt_faults)
{
	struct kvm_interrupt irq = { .irq = 0x42 };
	struct kvm_regs regs = { .rip = GPA_CODE, .rsp = GPA_STACK,
				 .rflags = 2 | RFLAGS_IF };
	static const uint32_t controls[] = { 0, HW_BP, STEP };
	struct kvm_vcpu_events events;

	vm_load(&self->vm, GPA_CODE, code_nops);
	vm_load(&self->vm, HANDLER, handler_np);
	vm_set_gate(&self->vm, NP, HANDLER);
	vm_set_absent_gate(&self->vm, 0x42);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_INTERRUPT, &irq));
		ASSERT_EQ(0, set_debug(self->vcpu, controls[i], 0, 0, DR7_NONE));
		if (controls[i] == STEP)
			EXPECT_STEP(HANDLER);
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_VCPU_EVENTS, &events));
		EXPECT_EQ(i < 2, events.interrupt.injected);
		ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
		EXPECT_REPORT(2);
		EXPECT_REPORT(GPA_CODE);
		EXPECT_REPORT(7);
	}
}

TEST_F(debug, nmi_faults)
{
	struct kvm_vcpu_events events;

	vm_load(&self->vm, GPA_CODE, code_nops);
	vm_load(&self->vm, HANDLER, handler_np);
	vm_set_gate(&self->vm, NP, HANDLER);
	vm_set_absent_gate(&self->vm, 2);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_NMI, NULL));
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(HANDLER);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(0, events.nmi.injected);
	EXPECT_EQ(0, events.nmi.pending);
	EXPECT_EQ(1, events.nmi.masked);
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_REPORT(2);
	EXPECT_REPORT(GPA_CODE);
	EXPECT_REPORT(7);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(0, events.nmi.masked);
}

/* --- instructions that are emulated --------------------------------------------------------- */

GUEST64(code_mmio,
	"mov $0xc0000000, %eax\n"		/* 0 */
	"mov (%rax), %ecx\n"			/* 5 */
	"mov %ecx, (%rax)\n"			/* 7 */
	"nop\n");				/* 9 */

TEST_F(debug, step_over_device_accesses)
{
	vm_load(&self->vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP, 0, 0, 0));
	EXPECT_STEP(GPA_CODE + 5);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_STEP(GPA_CODE + 7);
	ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(1, self->run->mmio.is_write);
	EXPECT_STEP(GPA_CODE + 9);
	EXPECT_STEP(GPA_CODE + 10);
}

/* Where instructions begin at CS's base, not at 0. */
FIXTURE(real)
{
	struct test_vm vm;
	struct kvm_run *run;
	int vcpu;
};

FIXTURE_SETUP(real)
{
	struct kvm_sregs sregs;

	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->run = self->vm.run[0];
	self->vcpu = self->vm.vcpu[0];
	ASSERT_EQ(0, vcpu_real(&self->vm, 0, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_SREGS, &sregs));
	sregs.cs.base = GPA_CODE;
	sregs.cs.selector = GPA_CODE >> 4;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_SREGS, &sregs));
}

FIXTURE_TEARDOWN(real)
{
	vm_close(&self->vm);
}

GUEST16(code_real, "nop\n pushf\n pop %ax\n out %ax, $0xe0\n int3\n");

TEST_F(real, steps_and_breakpoint)
{
	vm_load(&self->vm, GPA_CODE, code_real);
	ASSERT_EQ(0, set_debug(self->vcpu, STEP | KVM_GUESTDBG_USE_SW_BP, 0, 0,
			       0));
	EXPECT_STEP(GPA_CODE + 1);
	EXPECT_STEP(GPA_CODE + 2);
	EXPECT_STEP(GPA_CODE + 3);
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(2, *(uint16_t *)run_io_data(self->run));
	EXPECT_STEP(GPA_CODE + 5);
	EXPECT_DEBUG(BP, GPA_CODE + 5, DR6_NONE);
}

JOIST_TEST_MAIN
