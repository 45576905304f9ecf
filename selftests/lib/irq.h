/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest code that talks to the interrupt controllers. */
#ifndef JOIST_SELFTESTS_IRQ_H
#define JOIST_SELFTESTS_IRQ_H

#include "vm.h"

/* The xAPIC's registers, once RBP has its address. */
#define APIC_BASE_RBP	"mov $0xfee00000, %ebp\n"
#define LAPIC_SET(reg, val)	"movl $" #val ", " #reg "(%rbp)\n"
#define LAPIC_GET(reg)		"movl " #reg "(%rbp), %eax\n"

/* The IOAPIC at 0xfec00000: register @reg = @val. */
#define IOAPIC_BASE_RBX	"mov $0xfec00000, %ebx\n"
#define IOAPIC_SET(reg, val)						\
	"movl $" #reg ", (%rbx)\n"					\
	"movl $" #val ", 0x10(%rbx)\n"

/* Both PICs: vectors 0x20 and 0x28, all lines as masked. */
#define PIC_INIT(mask0, mask1)						\
	"mov $0x11, %al\n out %al, $0x20\n out %al, $0xa0\n"		\
	"mov $0x20, %al\n out %al, $0x21\n"				\
	"mov $0x28, %al\n out %al, $0xa1\n"				\
	"mov $4, %al\n out %al, $0x21\n"				\
	"mov $2, %al\n out %al, $0xa1\n"				\
	"mov $1, %al\n out %al, $0x21\n out %al, $0xa1\n"		\
	"mov $" #mask0 ", %al\n out %al, $0x21\n"			\
	"mov $" #mask1 ", %al\n out %al, $0xa1\n"

/*
 * Returns from an interrupt that was to end a HLT, past that HLT if it came before
 * it. QEMU 7.2's SVM forgets STI's shadow when an exit falls into it: the guest
 * would halt with nothing left to wake it (on KVM as on joist).
 */
#define IRET_PAST_HLT							\
	"push %rax\n mov 8(%rsp), %rax\n cmpb $0xf4, (%rax)\n jne 99f\n"	\
	"incq 8(%rsp)\n 99: pop %rax\n iretq\n"

/* Reports 0x77, then for ever: sleeps until an interrupt has been, reports 0x2222. */
#define HALT_LOOP							\
	"mov $0x77, %eax\n" REPORT					\
	"1: sti\n"							\
	"hlt\n"								\
	"cli\n"								\
	"mov $0x2222, %eax\n" REPORT					\
	"jmp 1b\n"

/*
 * INIT, then SIPI twice, to APIC 1; it waits until the code of vm_load_ap(), which
 * begins with AP_ENTER, has set the word at 0x20000.
 */
#define START_AP							\
	LAPIC_SET(0x310, 0x1000000)					\
	LAPIC_SET(0x300, 0x4500)					\
	LAPIC_SET(0x310, 0x1000000)					\
	LAPIC_SET(0x300, 0x4609)					\
	LAPIC_SET(0x310, 0x1000000)					\
	LAPIC_SET(0x300, 0x4609)					\
	"9: pause\n cmpl $0, 0x20000\n je 9b\n"
#define AP_ENTER							\
	"mov $0x10, %eax\n"						\
	"mov %eax, %ds\n mov %eax, %ss\n mov %eax, %es\n"		\
	"mov $0xe000, %esp\n"						\
	"lidt 0x6fe0\n"							\
	APIC_BASE_RBP							\
	LAPIC_SET(0xf0, 0x1ff)

/* Handlers of interrupts, where set_handler() puts them. */
#define HANDLER_AT(vector)	(0x18000 + (vector) * 0x80)
#define SAVE		"push %rax\n push %rcx\n push %rdx\n"
#define RESTORE		"pop %rdx\n pop %rcx\n pop %rax\n"
/* R13: what has been, the last in the low byte. */
#define NOTE(what)	"shl $8, %r13\n or $" #what ", %r13\n"

static inline void set_handler(struct test_vm *vm, int vector, const uint8_t *start,
			       const uint8_t *end)
{
	vm_set_gate(vm, vector, HANDLER_AT(vector));
	vm_copy(vm, HANDLER_AT(vector), start, end);
}

/* In a fixture with a vm: GUEST64() code. */
#define SET_HANDLER(vector, name)					\
	set_handler(&self->vm, vector, name, name##_end)

/* R13 when the guest is done, ~0: it is not. */
static inline uint64_t noted(struct test_vm *vm)
{
	struct kvm_regs regs;

	if (vcpu_done(vm, 0) || xioctl(vm->vcpu[0], KVM_GET_REGS, &regs))
		return ~0ULL;
	return regs.r13;
}

/*
 * Was it so many interrupts? QEMU's SVM now and then delivers one a second time: the
 * vector that VMRUN injected is left in exception_index, and if QEMU leaves its loop
 * before the next #VMEXIT (another thread of it wants something) it is delivered from
 * there again. kvm_amd's guests see the same (Documentation/testbed.rst).
 */
static inline bool irq_count_is(int wanted, int got)
{
	return got == wanted || (cpu_is_tcg() && got > wanted && got < wanted + 10);
}

#endif
