// SPDX-License-Identifier: GPL-2.0-only
/* System registers and instructions for the emulator. */
#include <asm/msr.h>
#include <asm/trapnr.h>

#include "cpuid.h"
#include "glue.h"
#include "msr.h"
#include "x86.h"
#include "../core/regs.h"

/** glue_read_cr() - control register @nr */
int glue_read_cr(struct emu *emu, unsigned int nr, u64 *val)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;

	switch (nr) {
	case 0:
		*val = vcpu_cr0(vcpu);
		return EMU_OK;
	case 2:
		*val = vcpu->cr2;
		return EMU_OK;
	case 3:
		*val = vcpu_cr3(vcpu);
		return EMU_OK;
	case 4:
		*val = vcpu_cr4(vcpu);
		return EMU_OK;
	case 8:
		*val = cr8_read(vcpu);
		return EMU_OK;
	}
	return EMU_UNHANDLED;
}

static int write_cr8(struct glue *glue, u64 val)
{
	struct vcpu *vcpu = glue->vcpu;
	u64 old = cr8_read(vcpu);
	int err = cr8_write(vcpu, val);

	if (!err && !vcpu->lapic && val < old)
		glue->after = GLUE_TPR_LOWERED;
	return err;
}

/** glue_write_cr() - control register @nr, with the architecture's checks */
int glue_write_cr(struct emu *emu, unsigned int nr, u64 val)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	int err;

	switch (nr) {
	case 0:
		err = cr0_write(vcpu, val);
		break;
	case 2:
		vcpu->cr2 = val;
		return EMU_OK;
	case 3:
		err = cr3_write(vcpu, val);
		break;
	case 4:
		err = cr4_write(vcpu, val);
		break;
	case 8:
		err = write_cr8(to_glue(emu), val);
		break;
	default:
		return EMU_UNHANDLED;
	}
	return err ? glue_fault(emu, X86_TRAP_GP, 0) : EMU_OK;
}

/* True: the instruction is done as the exit it is when a CPU meets it. */
static bool leave_to_exit(struct emu *emu, enum exit_kind kind)
{
	struct glue *glue = to_glue(emu);

	if (!glue->interpreting || kind == EXIT_NONE)
		return false;
	glue->exit_kind = kind;
	return true;
}

/** glue_read_msr() - RDMSR */
int glue_read_msr(struct emu *emu, u32 index, u64 *val)
{
	struct msr_access msr = { .index = index };

	if (leave_to_exit(emu, EXIT_RDMSR))
		return EMU_UNHANDLED;
	if (msr_guest_get(to_glue(emu)->vcpu, &msr))
		return glue_fault(emu, X86_TRAP_GP, 0);
	*val = msr.data;
	return EMU_OK;
}

/** glue_write_msr() - WRMSR */
int glue_write_msr(struct emu *emu, u32 index, u64 val)
{
	struct msr_access msr = { .index = index, .data = val };

	if (leave_to_exit(emu, EXIT_WRMSR))
		return EMU_UNHANDLED;
	if (msr_guest_set(to_glue(emu)->vcpu, &msr))
		return glue_fault(emu, X86_TRAP_GP, 0);
	return EMU_OK;
}

/** glue_read_dr() - MOV from a debug register */
int glue_read_dr(struct emu *emu, unsigned int nr, u64 *val)
{
	struct glue *glue = to_glue(emu);

	if (!dr_read(glue->vcpu, nr, val))
		return EMU_OK;
	glue->exception_queued = true;
	return EMU_EXCEPTION;
}

/** glue_write_dr() - MOV to a debug register */
int glue_write_dr(struct emu *emu, unsigned int nr, u64 val)
{
	struct glue *glue = to_glue(emu);

	if (!dr_write(glue->vcpu, nr, val))
		return EMU_OK;
	glue->exception_queued = true;
	return EMU_EXCEPTION;
}

static enum vcpu_dt to_dt(enum emu_dt dt)
{
	return dt == EMU_GDT ? VCPU_GDT : VCPU_IDT;
}

/** glue_read_dt() - SGDT, SIDT */
int glue_read_dt(struct emu *emu, enum emu_dt dt, u64 *base, u16 *limit)
{
	struct kvm_dtable table;

	vendor_call(get_dt)(to_glue(emu)->vcpu, &table, to_dt(dt));
	*base = table.base;
	*limit = table.limit;
	return EMU_OK;
}

/** glue_write_dt() - LGDT, LIDT */
int glue_write_dt(struct emu *emu, enum emu_dt dt, u64 base, u16 limit)
{
	struct kvm_dtable table = { .base = base, .limit = limit };

	vendor_call(set_dt)(to_glue(emu)->vcpu, &table, to_dt(dt));
	return EMU_OK;
}

static void set_edx_eax(struct emu *emu, u64 val)
{
	emu->regs[REG_RAX] = (u32)val;
	emu->regs[REG_RDX] = val >> 32;
}

static int do_cpuid(struct emu *emu)
{
	struct cpuid_values out;

	cpuid_guest(to_glue(emu)->vcpu, (u32)emu->regs[REG_RAX],
		    (u32)emu->regs[REG_RCX], &out);
	emu->regs[REG_RAX] = out.eax;
	emu->regs[REG_RBX] = out.ebx;
	emu->regs[REG_RCX] = out.ecx;
	emu->regs[REG_RDX] = out.edx;
	return EMU_OK;
}

static int undefined(struct emu *emu)
{
	emu->fault = (struct emu_fault) { .vector = X86_TRAP_UD };
	return EMU_EXCEPTION;
}

static int do_rdtsc(struct emu *emu, bool aux)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;

	if (aux && !vcpu->feat.rdtscp)
		return undefined(emu);
	set_edx_eax(emu, tsc_guest(vcpu, rdtsc()));
	if (aux)
		emu->regs[REG_RCX] = (u32)vcpu->tsc_aux;
	return EMU_OK;
}

static int do_xgetbv(struct emu *emu)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;

	if (!(vcpu_cr4(vcpu) & X86_CR4_OSXSAVE))
		return undefined(emu);
	if ((u32)emu->regs[REG_RCX] == 1)
		return EMU_UNHANDLED;	/* components in use: hardware knows */
	if (emu->regs[REG_RCX])
		return glue_fault(emu, X86_TRAP_GP, 0);
	set_edx_eax(emu, vcpu->xcr0);
	return EMU_OK;
}

static int do_xsetbv(struct emu *emu)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	u64 val = (u32)emu->regs[REG_RAX] | emu->regs[REG_RDX] << 32;

	if (!(vcpu_cr4(vcpu) & X86_CR4_OSXSAVE))
		return undefined(emu);
	if (xcr_write(vcpu, (u32)emu->regs[REG_RCX], val))
		return glue_fault(emu, X86_TRAP_GP, 0);
	return EMU_OK;
}

static int do_swapgs(struct emu *emu)
{
	struct vcpu *vcpu = to_glue(emu)->vcpu;
	struct msr_access gs = { .index = MSR_GS_BASE };
	struct msr_access kernel = { .index = MSR_KERNEL_GS_BASE };

	if (msr_get(vcpu, &gs) || msr_get(vcpu, &kernel))
		return EMU_UNHANDLED;
	swap(gs.data, kernel.data);
	if (msr_set(vcpu, &gs) || msr_set(vcpu, &kernel))
		return EMU_UNHANDLED;
	return EMU_OK;
}

static int do_store_selector(struct emu *emu, enum vcpu_sreg sreg, u64 *arg)
{
	struct kvm_segment s;

	vendor_call(get_segment)(to_glue(emu)->vcpu, &s, sreg);
	*arg = s.selector;
	return EMU_OK;
}

static enum exit_kind system_exit(enum emu_system what)
{
	switch (what) {
	case EMU_SYS_HLT:
		return EXIT_HLT;
	case EMU_SYS_CPUID:
		return EXIT_CPUID;
	case EMU_SYS_HYPERCALL:
		return EXIT_HYPERCALL;
	case EMU_SYS_MONITOR:
		return EXIT_MONITOR;
	case EMU_SYS_MWAIT:
		return EXIT_MWAIT;
	default:
		return EXIT_NONE;
	}
}

/**
 * glue_system() - instructions that the emulator leaves to its host
 * @emu: the instruction; CPL was checked
 * @what: which
 * @arg: as enum emu_system says
 *
 * Return: enum emu_result.
 */
int glue_system(struct emu *emu, enum emu_system what, u64 *arg)
{
	struct glue *glue = to_glue(emu);

	if (leave_to_exit(emu, system_exit(what)))
		return EMU_UNHANDLED;
	switch (what) {
	case EMU_SYS_HLT:
		glue->after = GLUE_HALT;
		return EMU_OK;
	case EMU_SYS_CPUID:
		return do_cpuid(emu);
	case EMU_SYS_RDTSC:
		return do_rdtsc(emu, false);
	case EMU_SYS_RDTSCP:
		return do_rdtsc(emu, true);
	case EMU_SYS_RDPMC:
		return glue_fault(emu, X86_TRAP_GP, 0);
	case EMU_SYS_INVLPG:
		vcpu_request(glue->vcpu, REQ_TLB_FLUSH_GUEST);
		return EMU_OK;
	case EMU_SYS_XGETBV:
		return do_xgetbv(emu);
	case EMU_SYS_XSETBV:
		return do_xsetbv(emu);
	case EMU_SYS_HYPERCALL:
		/* They exit, and need more than a result: not through here. */
		if (hv_hypercalls(glue->vcpu) ||
		    !pv_hypercall_result(glue->vcpu, &emu->regs[REG_RAX]))
			return undefined(emu);
		return EMU_OK;
	case EMU_SYS_SWAPGS:
		return do_swapgs(emu);
	case EMU_SYS_LLDT:
		return glue_load_system_segment(emu, false, *arg);
	case EMU_SYS_LTR:
		return glue_load_system_segment(emu, true, *arg);
	case EMU_SYS_SLDT:
		return do_store_selector(emu, VCPU_SREG_LDTR, arg);
	case EMU_SYS_STR:
		return do_store_selector(emu, VCPU_SREG_TR, arg);
	case EMU_SYS_RSM:
		if (!glue->vcpu->smm)
			return undefined(emu);
		glue->after = GLUE_LEAVE_SMM;
		return EMU_OK;
	case EMU_SYS_INVD:
	case EMU_SYS_WBINVD:
		wbinvd_guest(glue->vcpu);
		return EMU_OK;
	case EMU_SYS_MONITOR:
	case EMU_SYS_MWAIT:	/* no features say they are there: no wait */
		return EMU_OK;
	}
	return EMU_UNHANDLED;
}
