/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions. One that fails says so in the log and otherwise does
 * nothing; #UD is survived: a crash or reboot turns VMX off under running code.
 */
#ifndef JOIST_VMX_INSN_H
#define JOIST_VMX_INSN_H

#include <linux/errno.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/vmx.h>

/* The exit qualification's numbers of these, as masks; ours are enum vcpu_reg. */
#undef REG_R8
#undef REG_R9
#undef REG_R10
#undef REG_R11
#undef REG_R12
#undef REG_R13
#undef REG_R14
#undef REG_R15

/* insn_error() in vmcs.c: out of line, cold. */
void vmx_insn_error(const char *insn, unsigned long arg, unsigned long val);

/* MSRs that are there, on paths where each instruction counts: not by the wrappers,
 * which trace and, for a Xen guest, call.
 */
static __always_inline u64 host_rdmsr(u32 msr)
{
	return __rdmsr(msr);
}

static __always_inline void host_wrmsr(u32 msr, u64 val)
{
	__wrmsr(msr, val, val >> 32);
}

/* From memory, by halves. */
static __always_inline void host_wrmsr_from(u32 msr, const u64 *val)
{
	const u32 *half = (const u32 *)val;

	__wrmsr(msr, half[0], half[1]);
}

/* Every field: zero-extended; 64-bit and natural-width ones in full. */
static __always_inline u64 vmcs_read(unsigned long field)
{
	unsigned long val;
	bool ok;

	asm volatile("1: vmread %[field], %[val]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_ZERO_REG, %[val])
		     : "=@cca" (ok), [val] "=r" (val)
		     : [field] "r" (field));
	if (unlikely(!ok))
		vmx_insn_error("VMREAD", field, 0);
	return val;
}

static __always_inline u32 vmcs_read32(unsigned long field)
{
	return vmcs_read(field);
}

static __always_inline void vmcs_write(unsigned long field, u64 val)
{
	asm goto("1: vmwrite %[val], %[field]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [field] "r" (field), [val] "rm" (val)
		 : "cc" : failed);
	return;
failed:
	vmx_insn_error("VMWRITE", field, val);
}

static __always_inline void vmx_vmptrld(u64 vmcs_pa)
{
	asm goto("1: vmptrld %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m" (vmcs_pa) : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_error("VMPTRLD", vmcs_pa, 0);
}

static __always_inline void vmx_vmclear(u64 vmcs_pa)
{
	asm goto("1: vmclear %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m" (vmcs_pa) : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_error("VMCLEAR", vmcs_pa, 0);
}

/* 0, or -EIO: refused or faulted. CR4.VMXE is set. */
static __always_inline int vmx_vmxon(u64 region_pa)
{
	asm goto("1: vmxon %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m" (region_pa) : "cc", "memory" : failed);
	return 0;
failed:
	return -EIO;
}

static __always_inline void vmx_vmxoff(void)
{
	asm volatile("1: vmxoff\n\t"
		     "2:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : : : "cc", "memory");
}

static __always_inline void vmx_invept(unsigned long extent, u64 eptp)
{
	struct {
		u64 eptp;
		u64 reserved;
	} desc = { eptp, 0 };

	asm goto("1: invept %[desc], %[extent]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [desc] "m" (desc), [extent] "r" (extent)
		 : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_error("INVEPT", extent, eptp);
}

static __always_inline void vmx_invvpid(unsigned long extent, u16 vpid,
					u64 gva)
{
	struct {
		u64 vpid;
		u64 gva;
	} desc = { vpid, gva };

	asm goto("1: invvpid %[desc], %[extent]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [desc] "m" (desc), [extent] "r" (extent)
		 : "cc", "memory" : failed);
	return;
failed:
	vmx_insn_error("INVVPID", extent, vpid);
}

#endif
