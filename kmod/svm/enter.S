/* SPDX-License-Identifier: GPL-2.0-only */
/* The world switch of SVM. Nothing here may be traced or probed. */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/asm-offsets.h>

#include "../compat/enter.h"

/* Offsets in vcpu->regs[] and struct svm_spec_ctrl; run.c checks them. */
#define REG_RCX		0x08
#define REG_RDX		0x10
#define REG_RBX		0x18
#define REG_RBP		0x28
#define REG_RSI		0x30
#define REG_RDI		0x38
#define REG_R8		0x40
#define REG_R9		0x48
#define REG_R10		0x50
#define REG_R11		0x58
#define REG_R12		0x60
#define REG_R13		0x68
#define REG_R14		0x70
#define REG_R15		0x78
#define SPEC_GUEST	0x00
#define SPEC_HOST	0x08

/* The stack while the guest runs. */
#define STACK_SPEC	0x00
#define STACK_HOST	0x08
#define STACK_REGS	0x10
#define STACK_SIZE	0x18

.section .noinstr.text, "ax"

/*
 * void svm_enter(hpa_t vmcb_pa, u64 *regs, hpa_t host_pa,
 *		  struct svm_spec_ctrl *spec_ctrl)
 * void svm_enter_armed(hpa_t vmcb_pa, u64 *regs, hpa_t host_pa,
 *			struct svm_spec_ctrl *spec_ctrl, u64 dr7)
 *
 * Runs the guest once. Interrupts are off before and after; while the guest
 * runs IF is on, so that an interrupt ends it (V_INTR_MASKING), and GIF off
 * before and after VMRUN, so that nothing is delivered while the CPU is neither
 * quite the host's nor the guest's. A pending NMI is taken at STGI.
 *
 * @host_pa: page with the host's VMSAVE state
 * @spec_ctrl: NULL, or SPEC_CTRL is to be switched by hand
 * @dr7: what arms the guest's breakpoints on a CPU whose VMRUN does not
 */
.macro ENTER armed
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rdi

	test	%rcx, %rcx
	jz	.Lenter_spec_done\@
	mov	SPEC_GUEST(%rcx), %rax
	cmp	SPEC_HOST(%rcx), %rax
	je	.Lenter_spec_done\@
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
.Lenter_spec_done\@:

	mov	%rsi, %rax
	mov	REG_RCX(%rax), %rcx
	mov	REG_RDX(%rax), %rdx
	.if \armed
	mov	%r8, %rbx
	.else
	mov	REG_RBX(%rax), %rbx
	.endif
	mov	REG_RBP(%rax), %rbp
	mov	REG_RSI(%rax), %rsi
	mov	REG_RDI(%rax), %rdi
	mov	REG_R8(%rax), %r8
	mov	REG_R9(%rax), %r9
	mov	REG_R10(%rax), %r10
	mov	REG_R11(%rax), %r11
	mov	REG_R12(%rax), %r12
	mov	REG_R13(%rax), %r13
	mov	REG_R14(%rax), %r14
	mov	REG_R15(%rax), %r15

	clgi
	sti
	.if \armed
	mov	%rbx, %db7
SYM_INNER_LABEL(svm_armed_begin, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	mov	REG_RBX(%rax), %rbx
	.endif
	pop	%rax
	COMPAT_VM_CLEAR_CPU_BUFFERS
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	.if \armed
	xor	%eax, %eax
	mov	%rax, %db7
SYM_INNER_LABEL(svm_armed_end, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	.endif
	mov	STACK_HOST(%rsp), %rax
	vmload	%rax

	/* GS is the host's again. */
	mov	STACK_REGS(%rsp), %rax
	mov	%rcx, REG_RCX(%rax)
	mov	%rdx, REG_RDX(%rax)
	mov	%rbx, REG_RBX(%rax)
	mov	%rbp, REG_RBP(%rax)
	mov	%rsi, REG_RSI(%rax)
	mov	%rdi, REG_RDI(%rax)
	mov	%r8, REG_R8(%rax)
	mov	%r9, REG_R9(%rax)
	mov	%r10, REG_R10(%rax)
	mov	%r11, REG_R11(%rax)
	mov	%r12, REG_R12(%rax)
	mov	%r13, REG_R13(%rax)
	mov	%r14, REG_R14(%rax)
	mov	%r15, REG_R15(%rax)

	/* Return predictions are the guest's until here. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT

	mov	STACK_SPEC(%rsp), %rsi
	test	%rsi, %rsi
	jz	.Lexit_spec_done\@
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, SPEC_GUEST(%rsi)
	mov	SPEC_HOST(%rsi), %rdx
	cmp	%rdx, %rax
	je	.Lexit_spec_done\@
	mov	%edx, %eax
	shr	$32, %rdx
	wrmsr
.Lexit_spec_done\@:

	COMPAT_UNTRAIN_RET_VM

	/* No guest value is left for the host to speculate with. */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	cli
	stgi

	add	$STACK_SIZE, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET
.endm

SYM_FUNC_START(svm_enter)
	ENTER armed=0
SYM_FUNC_END(svm_enter)

SYM_FUNC_START(svm_enter_armed)
	ENTER armed=1
SYM_FUNC_END(svm_enter_armed)
