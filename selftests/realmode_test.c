// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real mode from the reset vector. A CPU without unrestricted guest has joist
 * interpret all of this; with it the CPU runs it. The results are the same, and are
 * written down here. The ways to other modes: modes_test.
 */
#include <pthread.h>

#include "lib/realmode.h"

/* --- reset ------------------------------------------------------------------------ */

GUEST16(code_rom,
	"mov %cs, %ax\n movzx %ax, %eax\n" REPORT
	"mov %ds, %ax\n movzx %ax, %eax\n" REPORT
	"mov %cs:0xfff0, %eax\n" REPORT
	"mov %cr0, %eax\n" REPORT
	"smsw %ax\n movzx %ax, %eax\n" REPORT
	"pushfw\n pop %ax\n movzx %ax, %eax\n" REPORT
	"hlt\n");

/* CS's base is that of the reset until CS is loaded. */
TEST_F(realmode, reset)
{
	static const uint8_t jump[] = { 0xe9, 0x0d, 0 };	/* to 0 */

	memcpy(self->rom + 0xfff0, jump, sizeof(jump));
	memcpy(self->rom, code_rom, code_rom_end - code_rom);
	*(uint16_t *)(self->vm.mem + 0xfffe) = 0;
	EXPECT_REPORTS(0xf000, 0, 0x000de9, 0x60000010, 0x10, 2);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

/* --- arithmetic, bits, BCD ---------------------------------------------------------- */

GUEST16(code_alu,
	SETUP
	"mov $0x7fff, %ax\n add $1, %ax\n" SAY_FLAGS SAY(eax)
	"mov $0xffffffff, %eax\n add $1, %eax\n" SAY_FLAGS SAY(eax)
	"mov $0x12345678, %eax\n bswap %eax\n" SAY(eax)
	"mov $0x80, %al\n cbtw\n" SAY(eax)
	"cwtl\n" SAY(eax)
	"mov $0x1234, %ax\n mov $0x5678, %dx\n mov $0x9a, %cl\n"
	"mul %dx\n" SAY(eax) SAY(edx)
	"mov $100, %ax\n mov $7, %bl\n div %bl\n" SAY(eax)
	"mov $-100, %ax\n idiv %bl\n movzx %ax, %eax\n" SAY(eax)
	"movl $0x11223344, 0\n movl $0x55667788, 4\n"
	"mov $0x80000001, %eax\n mov $0xf, %cl\n shld %cl, %eax, 4\n"
	"mov 4, %eax\n" SAY(eax)
	"shrd $4, %eax, 0\n mov 0, %eax\n" SAY(eax)
	"mov $35, %eax\n bts %eax, 0\n mov 4, %eax\n" SAY(eax)
	"mov $-1, %ax\n btc %ax, 2\n mov 0, %eax\n" SAY(eax)
	"mov $0x00500000, %eax\n bsf %eax, %ebx\n" SAY(ebx)
	"bsr %eax, %ebx\n" SAY(ebx)
	"clc\n rcl $3, %eax\n rol $9, %eax\n sar $2, %ax\n" SAY(eax)
	"mov 4, %eax\n mov $1, %ecx\n lock cmpxchg %ecx, 4\n" SAY_FLAGS
	"mov 4, %eax\n" SAY(eax)
	"mov 0, %eax\n mov 4, %edx\n mov $2, %ebx\n mov $3, %ecx\n"
	"lock cmpxchg8b 0\n" SAY_FLAGS "mov 4, %eax\n" SAY(eax)
	"mov $5, %eax\n lock xadd %eax, 4\n" SAY(eax)
	"mov $0x9182, %ax\n movsx %al, %ebx\n" SAY(ebx)
	"movzx %ah, %ebx\n" SAY(ebx)
	"cmp %eax, %eax\n sete %bl\n cmovne %eax, %ebx\n" SAY(ebx)
	"hlt\n");

TEST_F(realmode, arithmetic)
{
	vm_load(&self->vm, GPA_CODE, code_alu);
	EXPECT_REPORTS(0x80, 0x8000, 0x41, 0, 0x78563412, 0x7856ff80,
		       0xffffff80, 0xffff0060, 0x626, 0xffff020e, 0xfef2,
		       0x3bc44000, 0x01122334, 0x3bc44008, 0x0112a334, 20, 22,
		       1, 0x40, 1, 0x40, 3, 3, 0xffffff82, 0x91, 1);
}

GUEST16(code_bcd,
	SETUP
	"mov $0x0015, %ax\n add $0x27, %al\n daa\n" SAY(eax)
	"mov $0x32, %al\n sub $0x15, %al\n das\n" SAY(eax)
	"mov $0x0008, %ax\n add $7, %al\n aaa\n" SAY(eax)
	"mov $0x0103, %ax\n sub $7, %al\n aas\n" SAY(eax)
	"mov $63, %al\n aam\n movzx %ax, %eax\n" SAY(eax)
	"aad\n" SAY(eax)
	"movb $0x5a, 0x83\n mov $0x80, %bx\n mov $3, %al\n xlat\n" SAY(eax)
	"hlt\n");

TEST_F(realmode, decimal)
{
	vm_load(&self->vm, GPA_CODE, code_bcd);
	EXPECT_REPORTS(0x42, 0x17, 0x105, 6, 0x603, 63, 0x5a);
}

/* --- the stack, frames, far pointers ------------------------------------------------ */

GUEST16(code_stack,
	SETUP
	"mov $0x11111111, %eax\n mov $0x22222222, %ebx\n"
	"mov $0x33333333, %ebp\n"
	"pushaw\n mov %esp, %ecx\n" SAY(ecx)
	"mov 14(%esp), %ax\n" SAY(eax)
	"popaw\n" SAY(eax)
	"pushal\n mov %esp, %ecx\n" SAY(ecx)
	"popal\n"
	"push $0x1234\n pushl $-2\n popl %edx\n" SAY(edx)
	"popw 0x10\n mov 0x10, %dx\n" SAY(edx)
	"enter $0x20, $0\n mov %esp, %ecx\n" SAY(ecx) SAY(ebp)
	"leave\n mov %esp, %ecx\n" SAY(ecx) SAY(ebp)
	"enter $8, $2\n mov %esp, %ecx\n" SAY(ecx) "leave\n"
	"pushl $0xa55\n popfl\n pushfl\n popl %edx\n" SAY(edx)
	"pushw $2\n popfw\n"
	"push %cs\n pop %dx\n movzx %dx, %edx\n" SAY(edx)
	"push %ds\n pop %gs\n mov %gs, %dx\n" SAY(edx)
	"movw $0x1111, 0x20\n movw $0x4000, 0x22\n"
	"lgs 0x20, %bx\n mov %gs, %dx\n movzx %bx, %ebx\n" SAY(ebx) SAY(edx)
	"movl $0x22222222, 0x24\n movw $0x5000, 0x28\n"
	"lfs 0x24, %ebx\n mov %fs, %dx\n" SAY(ebx) SAY(edx)
	"les 0x20, %bx\n mov %es, %dx\n" SAY(edx)
	"movw $0x800, 0x30\n movw $0x3000, 0x32\n"
	"lss 0x30, %sp\n" SAY(esp)
	"hlt\n");

TEST_F(realmode, stack)
{
	vm_load(&self->vm, GPA_CODE, code_stack);
	EXPECT_REPORTS(0xff0, 0x11111111, 0x11111111, 0xfe0, 0xfffffffe,
		       0xffff1234, 0xfde, 0x33330ffe, 0x1000, 0x33333333,
		       0xff2, 0xa57, 0x1000, 0x2000, 0x1111, 0x4000,
		       0x22222222, 0x5000, 0x4000, 0x7f8);
}

/* --- branches ----------------------------------------------------------------------- */

GUEST16(code_branch,
	SETUP
	"xor %edx, %edx\n"
	"mov $5, %cx\n 1: inc %edx\n loop 1b\n" SAY(edx)
	"mov $0x10003, %ecx\n 2: inc %edx\n loop 2b\n" SAY(edx) SAY(ecx)
	"mov $2, %ecx\n 3: inc %edx\n addr32 loop 3b\n" SAY(edx)
	"mov $4, %cx\n 4: inc %edx\n cmp $9, %edx\n loopne 4b\n" SAY(edx)
	"xor %ecx, %ecx\n jcxz 5f\n mov $0xbad, %edx\n 5: jecxz 6f\n"
	"mov $0xbad, %edx\n 6:" SAY(edx)
	"call 7f\n jmp 8f\n 7: add $0x10, %edx\n ret\n 8:" SAY(edx)
	"calll 7f\n jmp 8f\n 7: add $0x10, %edx\n retl\n 8:" SAY(edx)
	"push $0x77\n push $0x66\n call 7f\n jmp 8f\n"
	"7: mov %sp, %bx\n add %ss:2(%bx), %dx\n ret $4\n"
	"8:" SAY(edx) SAY(esp)
	/* Far: the same code by way of another segment. */
	"lcall $0x0f00, $0x1000 + (9f - code_branch)\n jmp 8f\n"
	"9: mov %cs, %bx\n movzx %bx, %ebx\n lret\n 8:" SAY(ebx)
	"movw $0x2000 + (9b - code_branch), 0x40\n movw $0x0e00, 0x42\n"
	"lcall *0x40\n" SAY(ebx)
	"movl $0x1000 + (7f - code_branch), 0x44\n movw $0x0f00, 0x48\n"
	"ljmpl *0x44\n mov $0xbad, %ebx\n"
	"7: mov %cs, %bx\n" SAY(ebx)
	"ljmp $" CS_CODE ", $(8f - code_branch)\n 8: mov %cs, %bx\n" SAY(ebx)
	"hlt\n");

TEST_F(realmode, branches)
{
	vm_load(&self->vm, GPA_CODE, code_branch);
	EXPECT_REPORTS(5, 8, 0x10000, 10, 14, 14, 0x1e, 0x2e, 0x94, 0xff8,
		       0xf00, 0xe00, 0xf00, 0x1000);
}

/* --- strings ------------------------------------------------------------------------ */

GUEST16(code_string,
	SETUP
	"cld\n"
	"mov $0x100, %di\n mov $0x41424344, %eax\n mov $3, %cx\n rep stosl\n"
	SAY(edi) SAY(ecx)
	"mov $0x100, %si\n mov $0x200, %di\n mov $12, %cx\n rep movsb\n"
	SAY(esi) SAY(edi)
	"mov $0x100, %si\n mov $0x200, %di\n mov $12, %cx\n"
	"movb $0, 0x207\n repe cmpsb\n" SAY_FLAGS SAY(ecx)
	"mov $0x100, %di\n mov $0x200, %cx\n mov $0x42, %al\n repne scasb\n"
	SAY(edi)
	"std\n mov $0x10a, %si\n lodsw\n movzx %ax, %eax\n" SAY(eax) SAY(esi)
	"mov $0x20a, %di\n mov $2, %cx\n rep movsw\n" SAY(edi)
	"mov 0x208, %eax\n" SAY(eax)
	"cld\n mov $0x10100, %esi\n xor %cx, %cx\n rep movsb\n" SAY(esi)
	"xor %eax, %eax\n mov $0x100, %esi\n addr32 lodsb\n" SAY(eax) SAY(esi)
	"push %ss\n pop %es\n mov $0x10, %di\n mov $0x99, %al\n stosb\n"
	"mov %ss:0x10, %al\n" SAY(eax)
	"hlt\n");

TEST_F(realmode, strings)
{
	vm_load(&self->vm, GPA_CODE, code_string);
	EXPECT_REPORTS(0x10c, 0, 0x10c, 0x20c, 0, 4, 0x103, 0x4142, 0x108,
		       0x206, 0x43444142, 0x10100, 0x44, 0x101, 0x99);
}

/* --- ports -------------------------------------------------------------------------- */

GUEST16(code_ports,
	SETUP
	"cld\n"
	"mov $0x1f7, %dx\n in %dx, %al\n movzx %al, %eax\n" REPORT
	"mov $0x100, %di\n mov $4, %cx\n rep insw\n"
	"mov 0x102, %eax\n" REPORT SAY(edi)
	"mov $0x100, %si\n mov $3, %cx\n rep outsb\n" SAY(esi)
	"in $0x60, %eax\n" REPORT
	"hlt\n");

static int ports_run(struct test_vm *vm)
{
	struct kvm_run *run = vm->run[0];
	int ret = vcpu_run(vm, 0);

	if (ret == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN)
		for (unsigned int i = 0; i < run->io.count * run->io.size; i++)
			((uint8_t *)run_io_data(run))[i] = 0x50 + i;
	return ret;
}

TEST_F(realmode, ports)
{
	struct kvm_run *run = self->run;
	int in = 0, out = 0, ret;
	uint32_t report[5] = { };
	int n = 0;

	vm_load(&self->vm, GPA_CODE, code_ports);
	while ((ret = ports_run(&self->vm)) == KVM_EXIT_IO) {
		if (run->io.direction == KVM_EXIT_IO_IN) {
			in += run->io.count * run->io.size;
		} else if (run->io.port == 0x1f7) {
			EXPECT_EQ(1, run->io.size);
			out += run->io.count;
		} else {
			ASSERT_GT(5, n);
			report[n++] = *(uint32_t *)run_io_data(run);
		}
	}
	EXPECT_EQ(KVM_EXIT_HLT, ret);
	EXPECT_EQ(1 + 8 + 4, in);
	EXPECT_EQ(3, out);
	EXPECT_EQ(5, n);
	EXPECT_EQ(0x50, report[0]);
	EXPECT_EQ(0x108, report[2]);
	EXPECT_EQ(0x103, report[3]);
	EXPECT_EQ(0x53525150, report[4]);
}

/* --- interrupts and exceptions ------------------------------------------------------- */

GUEST16(code_events,
	SETUP
	"sti\n nop\n"
	"xor %edx, %edx\n"
	"int $0x40\n" SAY(edx) SAY(esp)
	"pushfw\n pop %ax\n movzx %ax, %eax\n and $0x200, %eax\n" SAY(eax)
	"int3\n" SAY(edx)
	"mov $0x7f, %al\n add $1, %al\n into\n" SAY(edx)
	"xor %bl, %bl\n mov $1, %ax\n div %bl\n" SAY(edx)
	"ud2\n" SAY(edx)
	"movw $5, 0\n movw $9, 2\n mov $10, %ax\n bound %ax, 0\n" SAY(edx)
	"mov $5, %ax\n bound %ax, 0\n" SAY(edx)
	/* A trap after each of two NOPs and the POPF that ends it. */
	"pushfw\n pop %ax\n or $0x100, %ax\n push %ax\n and $~0x100, %ax\n"
	"push %ax\n pop %bx\n"
	"popfw\n nop\n nop\n push %bx\n popfw\n" SAY(edx)
	"hlt\n");

/* Adds to EDX; those of faults skip the instruction, whose length is in the code. */
GUEST16(handler_40, "add $0x1, %edx\n iretw\n");
GUEST16(handler_3, "add $0x10, %edx\n iretw\n");
GUEST16(handler_4, "add $0x100, %edx\n iretw\n");
GUEST16(handler_1, "add $0x10000000, %edx\n iretw\n");
GUEST16(handler_fault2,
	"add $0x1000, %edx\n push %bp\n mov %sp, %bp\n addw $2, 2(%bp)\n"
	"pop %bp\n iretw\n");
GUEST16(handler_bound,
	"add $0x10000, %edx\n push %bp\n mov %sp, %bp\n addw $4, 2(%bp)\n"
	"pop %bp\n iretw\n");
GUEST16(handler_gp,
	"add $0x100000, %edx\n push %bp\n mov %sp, %bp\n addw $9, 2(%bp)\n"
	"pop %bp\n iretw\n");

TEST_F(realmode, events)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_events);
	LOAD_HANDLER(vm, 0x40, 0, handler_40);
	LOAD_HANDLER(vm, 3, 0x40, handler_3);
	LOAD_HANDLER(vm, 4, 0x80, handler_4);
	LOAD_HANDLER(vm, 1, 0xc0, handler_1);
	LOAD_HANDLER(vm, 0, 0x100, handler_fault2);
	LOAD_HANDLER(vm, 6, 0x100, handler_fault2);
	LOAD_HANDLER(vm, 5, 0x140, handler_bound);
	EXPECT_REPORTS(1, 0xff8, 0x200, 0x11, 0x111, 0x1111, 0x2111, 0x12111,
		       0x12111, 0x40012111);
}

GUEST16(code_limit,
	SETUP
	"xor %edx, %edx\n movl $0, %ds:0xfffe\n" SAY(edx)
	"mov $0xffff, %bx\n mov (%bx), %al\n" SAY(edx)
	"hlt\n");

TEST_F(realmode, limit)
{
	if (cpu_is_tcg())
		SKIP(return, "QEMU's CPU does not check limits");
	vm_load(&self->vm, GPA_CODE, code_limit);
	LOAD_HANDLER(&self->vm, 13, 0, handler_gp);
	EXPECT_REPORTS(0x100000, 0x100000);
}

GUEST16(code_shutdown,
	SETUP
	"movw $0, 0\n movl $0, 2\n lidt 0\n"
	"int3\n");

/* No table, so the fault of the fault of the fault ends it. */
TEST_F(realmode, no_table)
{
	vm_load(&self->vm, GPA_CODE, code_shutdown);
	EXPECT_EQ(KVM_EXIT_SHUTDOWN, vcpu_run(&self->vm, 0));
}

GUEST16(code_window,
	SETUP
	"1: mov $1, %eax\n" REPORT
	"xor %eax, %eax\n"
	"sti\n mov $2, %eax\n mov $3, %eax\n mov $4, %eax\n"
	"cli\n" REPORT
	"jmp 1b\n");
GUEST16(handler_irq, "incl 0x200\n iretw\n");

/* From the VMM, without an interrupt controller: after the shadow of STI. */
TEST_F(realmode, interrupt_window)
{
	uint32_t *count = (void *)(self->vm.mem + GPA_DATA + 0x200);
	struct kvm_interrupt irq = { .irq = 0x21 };
	struct test_vm *vm = &self->vm;
	struct kvm_regs regs;

	vm_load(vm, GPA_CODE, code_window);
	LOAD_HANDLER(vm, 0x21, 0, handler_irq);
	ASSERT_EQ(1, vcpu_report(vm, 0));
	EXPECT_EQ(0, self->run->ready_for_interrupt_injection);
	EXPECT_EQ(0, self->run->if_flag);
	self->run->request_interrupt_window = 1;
	ASSERT_EQ(KVM_EXIT_IRQ_WINDOW_OPEN, vcpu_run(vm, 0));
	EXPECT_EQ(1, self->run->ready_for_interrupt_injection);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_EQ(2, (uint32_t)regs.rax);
	self->run->request_interrupt_window = 0;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_INTERRUPT, &irq));
	ASSERT_EQ(4, vcpu_report(vm, 0));
	EXPECT_EQ(1, *count);

	/* Queued while the guest has them off. */
	ASSERT_EQ(1, vcpu_report(vm, 0));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_INTERRUPT, &irq));
	ASSERT_EQ(4, vcpu_report(vm, 0));
	EXPECT_EQ(2, *count);
}

GUEST16(code_nmi,
	SETUP
	"xor %edx, %edx\n"
	"1: mov %edx, %eax\n" REPORT "jmp 1b\n");
GUEST16(handler_nmi, "inc %edx\n mov $0x99, %eax\n" REPORT "iretw\n");

/* The second waits until the first has returned. */
TEST_F(realmode, nmi)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_nmi);
	LOAD_HANDLER(vm, 2, 0, handler_nmi);
	ASSERT_EQ(0, vcpu_report(vm, 0));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_NMI, NULL));
	ASSERT_EQ(0x99, vcpu_report(vm, 0));
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_NMI, NULL));
	ASSERT_EQ(0x99, vcpu_report(vm, 0));
	ASSERT_EQ(2, vcpu_report(vm, 0));
}

/* --- system registers --------------------------------------------------------------- */

GUEST16(code_system,
	SETUP
	"sgdtl 0\n mov 0, %ax\n movzx %ax, %eax\n" REPORT
	"movw $0x3ff, 0x10\n movl $0x87654321, 0x12\n lgdtw 0x10\n sgdtl 0\n"
	"mov 2, %eax\n and $0xffffff, %eax\n" REPORT
	"lgdtl 0x10\n sgdtl 0\n mov 2, %eax\n" REPORT
	"movl $0, 0x12\n lidtl 0x10\n sidtl 0\n mov 2, %eax\n" REPORT
	"mov %cr4, %eax\n or $0x200, %eax\n mov %eax, %cr4\n mov %cr4, %eax\n"
	REPORT
	"mov $0x12345000, %eax\n mov %eax, %cr3\n mov %cr3, %eax\n" REPORT
	"mov $0x1234, %eax\n mov %eax, %cr2\n mov %cr2, %eax\n" REPORT
	"mov %cr0, %eax\n or $0x8, %eax\n mov %eax, %cr0\n smsw %eax\n" REPORT
	"clts\n mov %cr0, %eax\n" REPORT
	"mov $0xc, %ax\n lmsw %ax\n mov %cr0, %eax\n" REPORT
	"hlt\n");
GUEST16(code_dr,
	"mov $0x11223344, %eax\n mov %eax, %dr0\n mov %dr0, %ebx\n"
	"mov %ebx, %eax\n" REPORT
	"hlt\n");
/* LME with PAE alone: else QEMU 7.2's SVM forgets the host's CR0 at the next exit. */
GUEST16(code_msr,
	"mov $0x20, %eax\n mov %eax, %cr4\n"
	"mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n"
	"xor %eax, %eax\n rdmsr\n" REPORT
	"xor %eax, %eax\n wrmsr\n"
	"mov $0x174, %ecx\n mov $0x8, %eax\n xor %edx, %edx\n wrmsr\n"
	"xor %eax, %eax\n rdmsr\n" REPORT
	"hlt\n");
GUEST16(code_cpuid,
	"xor %eax, %eax\n cpuid\n cmp $0, %ebx\n setne %al\n and $1, %eax\n"
	REPORT
	"rdtsc\n mov %eax, %ebx\n rdtsc\n cmp %ebx, %eax\n setne %al\n"
	"and $1, %eax\n" REPORT
	"hlt\n");
GUEST16(code_hints, "wbinvd\n pause\n invlpg 0\n hlt\n");
GUEST16(code_x87,
	SETUP
	"fninit\n fnstsw %ax\n movzx %ax, %eax\n" REPORT
	"fnstcw 0\n mov 0, %ax\n" REPORT
	"movw $0x27f, 0\n fldcw 0\n fnclex\n fwait\n fnstcw 2\n mov 2, %ax\n"
	REPORT
	"hlt\n");

TEST_F(realmode, system)
{
	vm_load(&self->vm, GPA_CODE, code_system);
	EXPECT_REPORTS(0xffff, 0x654321, 0x87654321, 0, 0x200, 0x12345000,
		       0x1234, 0x60000018, 0x60000010, 0x6000001c);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

TEST_F(realmode, debug_registers)
{
	vm_load(&self->vm, GPA_CODE, code_dr);
	EXPECT_REPORTS(0x11223344);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

TEST_F(realmode, msrs)
{
	vm_load(&self->vm, GPA_CODE, code_msr);
	EXPECT_REPORTS(0x100, 8);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

TEST_F(realmode, cpuid_and_tsc)
{
	vm_load(&self->vm, GPA_CODE, code_cpuid);
	EXPECT_REPORTS(1, 1);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

TEST_F(realmode, hints)
{
	vm_load(&self->vm, GPA_CODE, code_hints);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

TEST_F(realmode, x87)
{
	vm_load(&self->vm, GPA_CODE, code_x87);
	EXPECT_REPORTS(0, 0x37f, 0x27f);
	EXPECT_EQ(KVM_EXIT_HLT, vcpu_run(&self->vm, 0));
}

/* --- what goes on around it ----------------------------------------------------------- */

GUEST16(code_spin, SETUP "1: incl 0x100\n jmp 1b\n");

TEST_F(realmode, signal)
{
	vm_load(&self->vm, GPA_CODE, code_spin);
	alarm_in(50000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	alarm_in(50000);
	EXPECT_EQ(-EINTR, vcpu_run(&self->vm, 0));
	EXPECT_LT(1, *(uint32_t *)(self->vm.mem + GPA_DATA + 0x100));
}

static void *spin(void *arg)
{
	return (void *)(long)vcpu_run(arg, 0);
}

/* Memory slots change while it spins: whoever does that is not kept waiting. */
TEST_F(realmode, slots_change)
{
	volatile uint32_t *count = (void *)(self->vm.mem + GPA_DATA + 0x100);
	struct test_vm *vm = &self->vm;
	pthread_t thread;

	vm_load(vm, GPA_CODE, code_spin);
	ASSERT_EQ(0, pthread_create(&thread, NULL, spin, vm));
	while (!*count)
		usleep(1000);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, vm_set_memory(vm, 2, 0, 0x80000000, 0x10000,
					   self->rom));
		EXPECT_EQ(0, vm_set_memory(vm, 2, 0, 0x80000000, 0, NULL));
	}
	alarm_in(1);
	/* One may come just before KVM_RUN. */
	while (pthread_tryjoin_np(thread, NULL)) {
		pthread_kill(thread, SIGALRM);
		usleep(1000);
	}
}

/* Ticks of the PIT by the PIC, and HLT in between; one more from a busy loop. */
GUEST16(code_timer,
	SETUP
	PIC_INIT(0xfe, 0xff)
	"mov $0x34, %al\n out %al, $0x43\n"
	"mov $0xff, %al\n out %al, $0x40\n mov $0x0f, %al\n out %al, $0x40\n"
	"xor %ebx, %ebx\n"
	"1: sti\n hlt\n cli\n cmp $3, %ebx\n jb 1b\n"
	"mov %ebx, %edx\n sti\n"
	"2: cmp %ebx, %edx\n je 2b\n"
	"cli\n mov $0x7777, %eax\n" REPORT
	"hlt\n");
GUEST16(handler_tick,
	"push %ax\n inc %ebx\n mov $0x20, %al\n out %al, $0x20\n pop %ax\n"
	/* Past a HLT that it came before: see IRET_PAST_HLT. */
	"push %bp\n mov %sp, %bp\n push %ds\n push %si\n lds 2(%bp), %si\n"
	"cmpb $0xf4, (%si)\n jne 1f\n incw 2(%bp)\n"
	"1: pop %si\n pop %ds\n pop %bp\n iretw\n");

TEST(timer)
{
	struct kvm_pit_config pit = { };
	struct test_vm vm;
	uint8_t *rom;

	ASSERT_EQ(0, vm_new(&vm, VM_IRQCHIP));
	ASSERT_EQ(0, xioctl(vm.fd, KVM_CREATE_PIT2, &pit));
	ASSERT_EQ(0, vm_add_vcpu(&vm, 0));
	rom = rom_add(&vm);
	ASSERT_NE(NULL, rom);
	vm_load(&vm, GPA_CODE, code_timer);
	LOAD_HANDLER(&vm, 0x20, 0, handler_tick);
	EXPECT_EQ(0x7777, vcpu_report(&vm, 0));
	vm_close(&vm);
	munmap(rom, ROM_SIZE);
}

GUEST16(code_debug, "nop\n nop\n mov $0x5678, %eax\n" REPORT "int3\n" DONE);

TEST_F(realmode, breakpoints)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = { [1] = GPA_CODE + 1, [7] = 0x404 },
	};
	struct test_vm *vm = &self->vm;
	struct kvm_run *run = self->run;

	if (cpu_is_tcg())
		SKIP(return, "QEMU 7.2 itself dies of it");
	vm_load(vm, GPA_CODE, code_debug);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
		ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(vm, 0));
		EXPECT_EQ(1, run->debug.arch.exception);
		EXPECT_EQ(GPA_CODE + 1, run->debug.arch.pc);
		EXPECT_EQ(2, run->debug.arch.dr6 & 0xf);
	}
	debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_SET_GUEST_DEBUG, &debug));
	EXPECT_EQ(0x5678, vcpu_report(vm, 0));
	ASSERT_EQ(KVM_EXIT_DEBUG, vcpu_run(vm, 0));
	EXPECT_EQ(3, run->debug.arch.exception);
	EXPECT_EQ(GPA_CODE + code_debug_end - code_debug - 3,
		  run->debug.arch.pc);
}

GUEST16(code_unknown, SETUP "fldpi\n hlt\n");

/* Where the CPU runs it, it is known. */
TEST_F(realmode, unknown_instruction)
{
	struct kvm_run *run = self->run;
	int ret;

	vm_load(&self->vm, GPA_CODE, code_unknown);
	ret = vcpu_run(&self->vm, 0);
	if (ret == KVM_EXIT_HLT)
		SKIP(return, "the CPU runs real mode itself");
	ASSERT_EQ(KVM_EXIT_INTERNAL_ERROR, ret);
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION, run->emulation_failure.suberror);
	EXPECT_EQ(KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES,
		  run->emulation_failure.flags);
	EXPECT_EQ(0xd9, run->emulation_failure.insn_bytes[0]);
	EXPECT_EQ(0xeb, run->emulation_failure.insn_bytes[1]);
}

JOIST_TEST_MAIN
