/* SPDX-License-Identifier: GPL-2.0-only */
/* The multiboot header and the entry of the tests' kernel. */
#define MAGIC	0x1badb002
#define FLAGS	3

	.section .multiboot, "a"
	.align 4
	.long MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl _start
_start:
	mov $stack_top, %esp
	push %ebx
	call start_c

	.globl on_nmi
on_nmi:
	lock incl nmis
	iret

	.globl on_edu
on_edu:
	pusha
	cld
	call edu_interrupt
	popa
	iret

	.bss
	.globl edus
	.align 4
edus:
	.skip 4
	.globl nmis
	.align 4
nmis:
	.skip 4
	.align 16
	.skip 4096
stack_top:

	.section .note.GNU-stack, "", @progbits
