/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the guest and back: nothing else is done here. */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#include "enter.h"

#define VMCS_HOST_RSP	0x6c14	/* HOST_RSP of <asm/vmx.h>, an enum there */

.section .noinstr.text, "ax"

/*
 * int vmx_enter(struct vmx_enter_args *args): interrupts off, the VMCS current
 * on this CPU.
 *
 * Clobbers what a C function may. The guest's registers are cleared before any
 * C code runs again, and its branch history cannot steer the host.
 */
SYM_FUNC_START(vmx_enter)
	push	%rbp
	mov	%rsp, %rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	cmp	%rsp, VMX_ARGS_HOST_RSP(%rdi)
	je	.Lrsp_known
	mov	%rsp, VMX_ARGS_HOST_RSP(%rdi)
	mov	$VMCS_HOST_RSP, %eax
.Lvmwrite:
	vmwrite	%rsp, %rax
.Lrsp_known:

	ALTERNATIVE "jmp .Lspec_entered", "", X86_FEATURE_MSR_SPEC_CTRL
	mov	VMX_ARGS_SPEC_GUEST(%rdi), %eax
	cmp	VMX_ARGS_SPEC_HOST(%rdi), %eax
	je	.Lspec_entered
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	xor	%edx, %edx
	wrmsr
.Lspec_entered:

	/* CF decides between the two instructions; VERW below changes only ZF. */
	btl	$VMX_ENTER_LAUNCHED, VMX_ARGS_FLAGS(%rdi)
	mov	VMX_ARGS_REGS(%rdi), %rdi
	mov	0x00(%rdi), %rax
	mov	0x08(%rdi), %rcx
	mov	0x10(%rdi), %rdx
	mov	0x18(%rdi), %rbx
	mov	0x28(%rdi), %rbp
	mov	0x30(%rdi), %rsi
	mov	0x40(%rdi), %r8
	mov	0x48(%rdi), %r9
	mov	0x50(%rdi), %r10
	mov	0x58(%rdi), %r11
	mov	0x60(%rdi), %r12
	mov	0x68(%rdi), %r13
	mov	0x70(%rdi), %r14
	mov	0x78(%rdi), %r15
	mov	0x38(%rdi), %rdi

#ifdef VM_CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS
#else
	CLEAR_CPU_BUFFERS
#endif
	jnc	.Lvmlaunch

	/* The unwinder sees the exit point with this frame. */
	UNWIND_HINT_SAVE
.Lvmresume:
	vmresume
	jmp	.Lfailed
.Lvmlaunch:
	vmlaunch
	jmp	.Lfailed

	_ASM_EXTABLE(.Lvmwrite, .Lfixup)
	_ASM_EXTABLE(.Lvmresume, .Lfixup)
	_ASM_EXTABLE(.Lvmlaunch, .Lfixup)

SYM_INNER_LABEL_ALIGN(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rdi
	mov	8(%rsp), %rdi
	mov	VMX_ARGS_REGS(%rdi), %rdi
	mov	%rax, 0x00(%rdi)
	mov	%rcx, 0x08(%rdi)
	mov	%rdx, 0x10(%rdi)
	mov	%rbx, 0x18(%rdi)
	mov	%rbp, 0x28(%rdi)
	mov	%rsi, 0x30(%rdi)
	popq	0x38(%rdi)
	mov	%r8,  0x40(%rdi)
	mov	%r9,  0x48(%rdi)
	mov	%r10, 0x50(%rdi)
	mov	%r11, 0x58(%rdi)
	mov	%r12, 0x60(%rdi)
	mov	%r13, 0x68(%rdi)
	mov	%r14, 0x70(%rdi)
	mov	%r15, 0x78(%rdi)
	xor	%ebx, %ebx

.Lleave:
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	pop	%rdi

	/*
	 * Before the first RET: the return stack holds nothing of the guest's
	 * and IBRS, where the host relies on it, is the host's again.
	 */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	ALTERNATIVE "jmp .Lspec_left", "", X86_FEATURE_MSR_SPEC_CTRL
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	btl	$VMX_ENTER_SPEC_SAVE, VMX_ARGS_FLAGS(%rdi)
	jnc	.Lspec_known
	rdmsr
	mov	%eax, VMX_ARGS_SPEC_GUEST(%rdi)
.Lspec_known:
	mov	VMX_ARGS_SPEC_HOST(%rdi), %eax
	/* With IBRS the write itself is the barrier, whatever the value. */
	ALTERNATIVE "", "jmp .Lspec_write", X86_FEATURE_KERNEL_IBRS
	cmp	%eax, VMX_ARGS_SPEC_GUEST(%rdi)
	je	.Lspec_left
.Lspec_write:
	xor	%edx, %edx
	wrmsr
.Lspec_left:
	lfence
#ifdef HAVE_CLEAR_BRANCH_HISTORY_VMEXIT
	CLEAR_BRANCH_HISTORY_VMEXIT
#endif

	mov	%ebx, %eax
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	/* VMfail, or #UD: a crash or reboot has turned VMX off under us. */
.Lfixup:
.Lfailed:
	mov	$1, %ebx
	jmp	.Lleave
SYM_FUNC_END(vmx_enter)

/*
 * void vmx_call_irq(unsigned long entry): what the CPU would do for an interrupt that
 * it has taken from the interrupt controller already. Interrupts off.
 */
SYM_FUNC_START(vmx_call_irq)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
	CALL_NOSPEC rdi
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(vmx_call_irq)

/*
 * void vmx_handle_nmi(void): enter the NMI handler as the NMI would have done.
 * A VM exit by NMI leaves NMIs blocked; the handler's IRET unblocks them.
 */
SYM_FUNC_START(vmx_handle_nmi)
	push	%rbp
	mov	%rsp, %rbp
#if defined(HAVE_EXC_NMI_KVM_VMX) || defined(HAVE_EXC_NMI_NOIST)
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
#ifdef HAVE_EXC_NMI_KVM_VMX
	call	asm_exc_nmi_kvm_vmx
#else
	call	asm_exc_nmi_noist
#endif
	mov	%rbp, %rsp
#else
	int	$2
#endif
	pop	%rbp
	RET
SYM_FUNC_END(vmx_handle_nmi)
