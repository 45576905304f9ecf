/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and writing a vCPU's registers through the cache. */
#ifndef JOIST_CORE_REGS_H
#define JOIST_CORE_REGS_H

#include <asm/processor-flags.h>
#include <asm/msr-index.h>
#include <asm/page.h>
#include <uapi/asm/debugreg.h>

#include "vcpu.h"
#include "../x86/vendor_ops.h"

/* Values after power-up that no header of the kernel has. */
#define DR7_RESET	0x400ULL

/* Of the debug registers: what <asm/debugreg.h> has not. */
#define DR6_FIXED	0xffff0ff0ULL	/* nothing has happened */
#define DR6_BD		BIT(13)		/* MOV DR while DR7.GD was set */
#define DR7_FIXED	0x400ULL
#define DR7_WRITABLE	0xffff2bffULL
#define DR7_GD		BIT(13)
#define DR7_ENABLED	0xff		/* breakpoints, locally or globally */
/* Of breakpoint @i: len and rw, zero if it is for execution; enabled. */
#define DR7_TYPE(dr7, i)	((dr7) >> (DR_CONTROL_SHIFT + \
					   (i) * DR_CONTROL_SIZE) & 0xf)
#define DR7_ON(dr7, i)		((dr7) >> (i) * DR_ENABLE_SIZE & 3)

#define PAT_RESET	0x0007040600070406ULL

static inline void reg_cache(struct vcpu *vcpu, enum vcpu_reg reg)
{
	if (unlikely(!(vcpu->regs_avail & BIT(reg)))) {
		vendor_call(cache_reg)(vcpu, reg);
		vcpu->regs_avail |= BIT(reg);
	}
}

static inline void reg_mark_dirty(struct vcpu *vcpu, enum vcpu_reg reg)
{
	vcpu->regs_avail |= BIT(reg);
	vcpu->regs_dirty |= BIT(reg);
}

static inline u64 reg_read(struct vcpu *vcpu, enum vcpu_reg reg)
{
	reg_cache(vcpu, reg);
	return vcpu->regs[reg];
}

static inline void reg_write(struct vcpu *vcpu, enum vcpu_reg reg, u64 val)
{
	vcpu->regs[reg] = val;
	reg_mark_dirty(vcpu, reg);
}

/* The pair that RDMSR, WRMSR, RDTSC and XSETBV pass 64 bits in. */
static inline void put_edx_eax(struct vcpu *vcpu, u64 val)
{
	reg_write(vcpu, REG_RAX, (u32)val);
	reg_write(vcpu, REG_RDX, val >> 32);
}

static inline u64 get_edx_eax(struct vcpu *vcpu)
{
	return (u32)vcpu->regs[REG_RAX] | vcpu->regs[REG_RDX] << 32;
}

static inline u64 vcpu_rip(struct vcpu *vcpu)
{
	return reg_read(vcpu, REG_RIP);
}

static inline u64 vcpu_rflags(struct vcpu *vcpu)
{
	return reg_read(vcpu, REG_RFLAGS);
}

static inline u64 vcpu_cr0(struct vcpu *vcpu)
{
	reg_cache(vcpu, REG_CR0);
	return vcpu->cr0;
}

static inline u64 vcpu_cr3(struct vcpu *vcpu)
{
	reg_cache(vcpu, REG_CR3);
	return vcpu->cr3;
}

static inline u64 vcpu_cr4(struct vcpu *vcpu)
{
	reg_cache(vcpu, REG_CR4);
	return vcpu->cr4;
}

/* May this be a linear address in 64-bit mode, with this CR4? */
static inline bool canonical(u64 cr4, u64 addr)
{
	return __is_canonical_address(addr, cr4 & X86_CR4_LA57 ? 57 : 48);
}

static inline bool vcpu_paging(struct vcpu *vcpu)
{
	return vcpu_cr0(vcpu) & X86_CR0_PG;
}

static inline bool vcpu_protected(struct vcpu *vcpu)
{
	return vcpu_cr0(vcpu) & X86_CR0_PE;
}

static inline bool vcpu_long_mode(struct vcpu *vcpu)
{
	return vcpu->efer & EFER_LMA;
}

/* In a 64-bit code segment. */
static inline bool vcpu_64bit(struct vcpu *vcpu)
{
	return vcpu_long_mode(vcpu) &&
	       vendor_call(get_cs_bits)(vcpu) & CS_BIT_L;
}

#endif
