// SPDX-License-Identifier: GPL-2.0-only
/* Hardware breakpoints and watchpoints: a debugger's, and the guest's own. */
#include <stdio.h>

#include "lib/debug.h"

#define DR6_BD		0x2000ULL
#define DR7_GD		0x2000ULL
#define KERNEL		0xffffffff81000000ULL	/* the host's kernel is there, too */

static uint64_t dr7_write4(int n)
{
	return DR7_EXEC(n) | 0xdULL << (16 + 4 * n);
}

/* What is at 0 is at KERNEL as well. */
static void map_kernel(struct test_vm *vm)
{
	uint64_t *pml4 = (uint64_t *)(vm->mem + GPA_PML4);
	uint64_t *pdpt = (uint64_t *)(vm->mem + 0x2000);

	pml4[KERNEL >> 39 & 511] = pml4[0];
	pdpt[KERNEL >> 30 & 511] = pdpt[0];
	*vm_pte_2m(vm, KERNEL & ((1 << 30) - 1)) = *vm_pte_2m(vm, 0);
}

GUEST64(code_hw,
	"nop\n"
	"nop\n"					/* 1 */
	"movl $5, (%rbx)\n"			/* 2 */
	"nop\n"					/* 8 */
	DONE);

TEST_F(debug, hardware_breakpoints)
{
	static const uint64_t bases[] = { 0, KERNEL };
	struct kvm_regs regs;
	uint64_t at;

	vm_load(&self->vm, GPA_CODE, code_hw);
	map_kernel(&self->vm);
	for (int n = 0; n < 8; n++) {
		int i = n % 4;

		at = bases[n / 4] + GPA_CODE;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		regs.rip = at;
		regs.rbx = bases[n / 4] + GPA_DATA;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, i, at + 1,
				       DR7_EXEC(i)));
		EXPECT_DEBUG(DB, at + 1, DR6_NONE | 1 << i);
		EXPECT_EQ(DR7_EXEC(i), self->run->debug.arch.dr7);
		/* Set anew at the same place, it is hit again. */
		ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, i ^ 1, at + 1,
				       DR7_EXEC(i ^ 1)));
		EXPECT_DEBUG(DB, at + 1, DR6_NONE | 1 << (i ^ 1));
		self->vm.mem[GPA_DATA] = 0;
		ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, i, regs.rbx,
				       dr7_write4(i)));
		EXPECT_DEBUG(DB, at + 8, DR6_NONE | 1 << i);
		EXPECT_EQ(5, self->vm.mem[GPA_DATA]);
	}
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

static const char * const host_names[] = {
	"svm_enter_armed", "svm_armed_begin", "svm_run", "vmx_run", "vmx_enter",
	"schedule", "__x64_sys_ioctl",
};

#define NR_HOST_NAMES	(sizeof(host_names) / sizeof(*host_names))

/* 0: the kernel has none of that name, or does not tell. Read once: it is long. */
static void host_symbols(uint64_t at[NR_HOST_NAMES])
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], name[256];
	unsigned long long addr;

	memset(at, 0, NR_HOST_NAMES * sizeof(*at));
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &addr, name) != 2)
			continue;
		for (unsigned int i = 0; i < NR_HOST_NAMES; i++)
			if (!strcmp(name, host_names[i]))
				at[i] = addr;
	}
	if (f)
		fclose(f);
}

GUEST64(code_loops, "mov $20, %ebx\n 1: mov %ebx, %eax\n" REPORT
	"dec %ebx\n jnz 1b\n" DONE);

/* A breakpoint of the guest's, or its debugger's, is not the host's, wherever. */
TEST_F_TIMEOUT(debug, breakpoints_in_the_hosts_code, 200)
{
	struct kvm_debugregs dr = { .dr6 = DR6_NONE, .dr7 = DR7_EXEC(1) };
	uint64_t at[NR_HOST_NAMES];
	int tried = 0;

	vm_load(&self->vm, GPA_CODE, code_loops);
	host_symbols(at);
	for (unsigned int i = 0; i < NR_HOST_NAMES; i++) {
		dr.db[1] = at[i];
		if (!dr.db[1])
			continue;
		tried++;
		ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, 0, dr.db[1],
				       DR7_EXEC(0)));
		ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE));
		for (int n = 20; n; n--)
			EXPECT_REPORT(n);
		EXPECT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_DEBUGREGS, &dr));
		ASSERT_EQ(0, set_rip(self->vcpu, GPA_CODE));
		for (int n = 20; n; n--)
			EXPECT_REPORT(n);
		EXPECT_EQ(0, vcpu_done(&self->vm, 0));
	}
	if (!tried)
		SKIP(return, "/proc/kallsyms tells no addresses");
}

GUEST64(code_arms,
	"mov %rbx, %dr2\n"		/* 0 */
	"mov $0x420, %eax\n"		/* 3 */
	"mov %rax, %dr7\n"		/* 8 */
	"mov $1, %eax\n" REPORT		/* 11 */
	"nop\n"				/* 18 */
	"mov $2, %eax\n" REPORT
	DONE);
GUEST64(handler_breakpoint,
	"mov %dr6, %rax\n" REPORT
	"mov (%rsp), %rax\n" REPORT
	"orl $0x10000, 16(%rsp)\n"	/* RF: go on */
	"iretq\n");

/* The guest's own: hit while it is armed, and not any more. */
TEST_F(debug, guest_arms_a_breakpoint)
{
	static const uint64_t bases[] = { 0, KERNEL };
	struct kvm_debugregs dr;
	struct kvm_regs regs;

	vm_load(&self->vm, GPA_CODE, code_arms);
	vm_load(&self->vm, HANDLER, handler_breakpoint);
	vm_set_gate(&self->vm, DB, HANDLER);
	map_kernel(&self->vm);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_REGS, &regs));
		regs.rip = bases[i] + GPA_CODE;
		regs.rbx = bases[i] + GPA_CODE + 18;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_REGS, &regs));
		EXPECT_REPORT(1);
		EXPECT_REPORT(DR6_NONE | 4);
		EXPECT_REPORT((uint32_t)regs.rbx);
		EXPECT_REPORT(2);
		EXPECT_EQ(0, vcpu_done(&self->vm, 0));
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_DEBUGREGS, &dr));
		EXPECT_EQ(regs.rbx, dr.db[2]);
		EXPECT_EQ(0x420, dr.dr7);
		dr.dr7 = DR7_NONE;
		ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_DEBUGREGS, &dr));
		ASSERT_EQ(0, set_rip(self->vcpu, bases[i] + GPA_CODE + 11));
		EXPECT_REPORT(1);
		EXPECT_REPORT(2);
		EXPECT_EQ(0, vcpu_done(&self->vm, 0));
	}
}

/* What the guest puts into its debug registers it finds there; they do nothing. */
GUEST64(code_own_dr,
	"mov $0x11111, %eax\n mov %rax, %dr0\n"
	"mov $0x22222, %eax\n mov %rax, %dr3\n"
	"mov $0xffff0ff1, %eax\n mov %rax, %dr6\n"
	"mov $0x4c2, %eax\n mov %rax, %dr7\n"
	"mov %dr0, %rax\n" REPORT
	"mov %dr3, %rax\n" REPORT
	"mov %dr6, %rax\n" REPORT
	"mov %dr7, %rax\n" REPORT
	".byte 0x90\n"
	DONE);

TEST_F(debug, guest_keeps_its_own_registers)
{
	uint64_t nop = GPA_CODE + (code_own_dr_end - code_own_dr) - 3;
	struct kvm_debugregs dr;

	vm_load(&self->vm, GPA_CODE, code_own_dr);
	ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, 0, nop, DR7_EXEC(0)));
	EXPECT_REPORT(0x11111);
	EXPECT_REPORT(0x22222);
	EXPECT_REPORT(0xffff0ff1);
	EXPECT_REPORT(0x4c2);
	EXPECT_DEBUG(DB, nop, DR6_NONE | 1);
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_DEBUGREGS, &dr));
	EXPECT_EQ(0x11111, dr.db[0]);
	EXPECT_EQ(0x22222, dr.db[3]);
	EXPECT_EQ(0xffff0ff1, dr.dr6);
	EXPECT_EQ(0x4c2, dr.dr7);
	/* The VMM may set the guest's: the breakpoint stays where it is. */
	dr.db[0] = 0x33333;
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_DEBUGREGS, &dr));
	EXPECT_DEBUG(DB, nop, DR6_NONE | 1);
	ASSERT_EQ(0, set_debug(self->vcpu, 0, 0, 0, 0));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_GET_DEBUGREGS, &dr));
	EXPECT_EQ(0x33333, dr.db[0]);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

GUEST64(code_gd, "mov %dr0, %rax\n" DONE);
GUEST64(handler_gd,
	"mov %dr6, %rax\n" REPORT
	"mov (%rsp), %rax\n" REPORT
	"addq $3, (%rsp)\n iretq\n");

TEST_F(debug, general_detect)
{
	struct kvm_debugregs dr = { .dr6 = DR6_NONE, .dr7 = DR7_NONE | DR7_GD };

	vm_load(&self->vm, GPA_CODE, code_gd);
	vm_load(&self->vm, HANDLER, handler_gd);
	vm_set_gate(&self->vm, DB, HANDLER);
	/* The debugger's. */
	ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, 0, 0, DR7_NONE | DR7_GD));
	EXPECT_DEBUG(DB, GPA_CODE, DR6_NONE | DR6_BD);
	/* The guest's own, while a debugger has the registers. */
	ASSERT_EQ(0, set_debug(self->vcpu, HW_BP, 0, 0, DR7_NONE));
	ASSERT_EQ(0, xioctl(self->vcpu, KVM_SET_DEBUGREGS, &dr));
	EXPECT_REPORT(DR6_NONE | DR6_BD);
	EXPECT_REPORT(GPA_CODE);
	EXPECT_EQ(0, vcpu_done(&self->vm, 0));
}

JOIST_TEST_MAIN
