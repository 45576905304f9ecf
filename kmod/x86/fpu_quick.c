// SPDX-License-Identifier: GPL-2.0-only
/*
 * The FPU's registers, exchanged where nothing can come between: interrupts are off from
 * before the guest's are loaded until the thread's own are back. To whoever looks they
 * were the thread's all the time, so the kernel is told nothing.
 */
#include <linux/sched.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/special_insns.h>

#include "x86.h"
#include "../compat/compat.h"

/* In a header's XCOMP_BV. */
#define XCOMP_COMPACT	BIT_ULL(63)

/**
 * fpu_quick_possible() - are the kernel's buffers as this file writes and reads them?
 * @fps: one of them
 *
 * Where components can be switched off for a thread (XFD), the kernel does it.
 */
bool fpu_quick_possible(const struct fpstate *fps)
{
	bool compact = fps->regs.xsave.header.xcomp_bv & XCOMP_COMPACT;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return boot_cpu_has(X86_FEATURE_FXSR);
	return !boot_cpu_has(X86_FEATURE_XFD) &&
	       compact == (boot_cpu_has(X86_FEATURE_XSAVES) ||
			   boot_cpu_has(X86_FEATURE_XSAVEC));
}

static __always_inline void regs_save(struct fpstate *fps)
{
	if (unlikely(!static_cpu_has(X86_FEATURE_XSAVE))) {
		asm volatile("fxsave64 %0" : "=m" (fps->regs.fxsave));
		return;
	}
	asm volatile(ALTERNATIVE_3("xsave64 (%0)",
				   "xsaveopt64 (%0)", X86_FEATURE_XSAVEOPT,
				   "xsavec64 (%0)", X86_FEATURE_XSAVEC,
				   "xsaves64 (%0)", X86_FEATURE_XSAVES)
		     : : "D" (&fps->regs.xsave), "a" ((u32)fps->xfeatures),
		       "d" ((u32)(fps->xfeatures >> 32)) : "memory");
}

/* Less PKRU, which fpu_enter() and fpu_leave() see to. What the buffer does not have is
 * initialised: nothing of the thread's is to be in the CPU with the guest.
 */
static __always_inline void regs_load(struct fpstate *fps)
{
	u64 mask = ~(u64)XFEATURE_MASK_PKRU;

	/* Of AMD's: without an exception pending the addresses of the last x87
	 * instruction are not loaded. They must not be the other's.
	 */
	if (static_cpu_has_bug(X86_BUG_FXSAVE_LEAK))
		asm volatile("fnclex; emms; fildl %0" : : "m" (fps->size));
	if (unlikely(!static_cpu_has(X86_FEATURE_XSAVE))) {
		asm volatile("1: fxrstor64 %0\n2:\n"
			     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FPU_RESTORE)
			     : : "m" (fps->regs.fxsave));
		return;
	}
	asm volatile("1: " ALTERNATIVE("xrstor64 (%0)",
				       "xrstors64 (%0)", X86_FEATURE_XSAVES)
		     "\n2:\n" _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FPU_RESTORE)
		     : : "D" (&fps->regs.xsave), "a" ((u32)mask),
		       "d" ((u32)(mask >> 32)) : "memory");
}

/**
 * fpu_quick_in() - the guest's registers replace the thread's
 * @vcpu: interrupts off until fpu_quick_out(); vcpu->fpu_quick
 */
void fpu_quick_in(struct vcpu *vcpu)
{
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		vcpu->host_pkru = rdpkru();
	regs_save(compat_current_fpu()->fpstate);
	regs_load(vcpu->fpu.fpstate);
}

/** fpu_quick_out() - and the other way round */
void fpu_quick_out(struct vcpu *vcpu)
{
	regs_save(vcpu->fpu.fpstate);
	regs_load(compat_current_fpu()->fpstate);
}
