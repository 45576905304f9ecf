// SPDX-License-Identifier: GPL-2.0-only
/*
 * XMM and YMM registers for the emulator: moves to and from device memory; the x87's
 * control and status. During KVM_RUN the guest's are in the CPU, or in the thread's
 * buffer if it was preempted; they are brought back before they are touched.
 */
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#include "glue.h"

#define XMM_SIZE	16

/* sse.S */
asmlinkage void sse_xmm_store(unsigned int reg, void *mem);
asmlinkage void sse_xmm_load(unsigned int reg, const void *mem);
asmlinkage void sse_ymm_store(unsigned int reg, void *mem);
asmlinkage void sse_ymm_load(unsigned int reg, const void *mem);

static void registers_lock(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

/**
 * glue_sse_read() - read a vector register of the guest
 * @emu: the instruction
 * @reg: 0..15
 * @buf: out
 * @len: 16 or 32 bytes
 */
void glue_sse_read(struct emu *emu, unsigned int reg, void *buf,
		   unsigned int len)
{
	memset(buf, 0, len);
	registers_lock();
	if (len == XMM_SIZE)
		sse_xmm_store(reg, buf);
	else if (boot_cpu_has(X86_FEATURE_AVX))
		sse_ymm_store(reg, buf);
	fpregs_unlock();
}

/** glue_sse_write() - write one; what is above 16 bytes stays, 32 is cleared */
void glue_sse_write(struct emu *emu, unsigned int reg, const void *buf,
		    unsigned int len)
{
	registers_lock();
	if (len == XMM_SIZE)
		sse_xmm_load(reg, buf);
	else if (boot_cpu_has(X86_FEATURE_AVX))
		sse_ymm_load(reg, buf);
	fpregs_unlock();
}

/** glue_fpu() - control and status of the guest's x87; none of these can fault */
int glue_fpu(struct emu *emu, enum emu_fpu what, u16 *word)
{
	registers_lock();
	switch (what) {
	case EMU_FPU_INIT:
		asm volatile("fninit");
		break;
	case EMU_FPU_CLEAR_EXCEPTIONS:
		asm volatile("fnclex");
		break;
	case EMU_FPU_STORE_STATUS:
		asm volatile("fnstsw %0" : "=m" (*word));
		break;
	case EMU_FPU_STORE_CONTROL:
		asm volatile("fnstcw %0" : "=m" (*word));
		break;
	case EMU_FPU_LOAD_CONTROL:
		asm volatile("fldcw %0" : : "m" (*word));
		break;
	}
	fpregs_unlock();
	return EMU_OK;
}
