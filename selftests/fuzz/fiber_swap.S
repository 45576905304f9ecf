/* SPDX-License-Identifier: GPL-2.0-only */
/* void fiber_swap(void **old, void *new): what a function call keeps is on the stacks. */
	.text
	.globl	fiber_swap
	.type	fiber_swap, @function
fiber_swap:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	fiber_swap, . - fiber_swap

	.section .note.GNU-stack, "", @progbits
