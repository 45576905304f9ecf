// SPDX-License-Identifier: GPL-2.0-only
/* Segment, control, debug and model-specific registers; system instructions. */
#include "emulate_priv.h"

static int need_cpl0(struct emu_ctx *c)
{
	return c->emu->cpl ? emu_raise_error(c, VEC_GP, 0) : EMU_OK;
}

/* With UMIP, user mode may not see where the kernel's tables are. */
static int need_umip(struct emu_ctx *c)
{
	return c->emu->cr4 & EMU_CR4_UMIP ? need_cpl0(c) : EMU_OK;
}

static int host_system(struct emu_ctx *c, enum emu_system what, u64 *arg)
{
	if (!c->emu->ops->system)
		return EMU_UNHANDLED;
	return c->emu->ops->system(c->emu, what, arg);
}

/* To memory 16 bits, to a register the selector zero-extended. */
static int store_selector(struct emu_ctx *c, u16 selector)
{
	return rm_write(c, c->insn.mod == 3 ? c->size : 2, selector);
}

int em_mov_from_sreg(struct emu_ctx *c)
{
	return store_selector(c, emu_segment(c->emu, insn_ext(&c->insn))->selector);
}

int em_mov_to_sreg(struct emu_ctx *c)
{
	enum emu_seg seg = insn_ext(&c->insn);
	u64 selector;
	int rc = rm_read(c, 2, &selector);

	if (!rc)
		rc = c->emu->ops->load_segment(c->emu, seg, selector);
	if (!rc && seg == EMU_SS)
		c->emu->interrupt_shadow = true;
	return rc;
}

/* LES, LDS, LSS, LFS, LGS */
int em_load_pointer(struct emu_ctx *c)
{
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c);
	enum emu_seg to = c->insn.opcode & 7;
	u64 val, selector;
	int rc;

	if (c->insn.map == 0)
		to = c->insn.opcode == 0xc4 ? EMU_ES : EMU_DS;
	rc = mem_read_int(c, seg, off, c->size, &val);
	if (!rc)
		rc = mem_read_int(c, seg, (off + c->size) &
				  size_mask(c->insn.adsize), 2, &selector);
	if (!rc)
		rc = c->emu->ops->load_segment(c->emu, to, selector);
	if (!rc)
		reg_write(c, c->insn.reg, c->size, val);
	return rc;
}

/* SLDT, STR, LLDT, LTR; VERR and VERW are not for device memory. */
int em_group6(struct emu_ctx *c)
{
	unsigned int ext = insn_ext(&c->insn);
	u64 selector = 0;
	int rc;

	if (emu_real_segments(c->emu))
		return emu_raise(c, VEC_UD);
	switch (ext) {
	case 0:
	case 1:
		rc = need_umip(c);
		if (!rc)
			rc = host_system(c, ext ? EMU_SYS_STR : EMU_SYS_SLDT,
					 &selector);
		return rc ? rc : store_selector(c, selector);
	case 2:
	case 3:
		rc = need_cpl0(c);
		if (!rc)
			rc = rm_read(c, 2, &selector);
		return rc ? rc : host_system(c, ext == 3 ? EMU_SYS_LTR :
							   EMU_SYS_LLDT,
					     &selector);
	}
	return EMU_UNHANDLED;
}

static int store_table(struct emu_ctx *c, enum emu_dt dt)
{
	unsigned int size = emu_long(c->emu) ? 8 : 4;
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c), base;
	u16 limit;
	int rc;

	if (!c->emu->ops->read_dt)
		return EMU_UNHANDLED;
	rc = need_umip(c);
	if (!rc)
		rc = c->emu->ops->read_dt(c->emu, dt, &base, &limit);
	if (!rc)
		rc = mem_write_int(c, seg, off, 2, limit);
	if (!rc)
		rc = mem_write_int(c, seg, (off + 2) &
				   size_mask(c->insn.adsize), size, base);
	return rc;
}

/* A 16-bit operand size loads 24 bits of the base. */
static int load_table(struct emu_ctx *c, enum emu_dt dt)
{
	unsigned int size = emu_long(c->emu) ? 8 : 4;
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c), base, limit;
	int rc;

	if (!c->emu->ops->write_dt)
		return EMU_UNHANDLED;
	rc = need_cpl0(c);
	if (!rc)
		rc = mem_read_int(c, seg, off, 2, &limit);
	if (!rc)
		rc = mem_read_int(c, seg, (off + 2) &
				  size_mask(c->insn.adsize), size, &base);
	if (rc)
		return rc;
	if (size == 8) {
		if (!is_canonical(c->emu, base))
			return emu_raise_error(c, VEC_GP, 0);
	} else if (c->size == 2) {
		base &= 0xffffff;
	}
	return c->emu->ops->write_dt(c->emu, dt, base, limit);
}

static int em_smsw(struct emu_ctx *c)
{
	u64 cr0;
	int rc = need_umip(c);

	if (!rc)
		rc = c->emu->ops->read_cr(c->emu, 0, &cr0);
	return rc ? rc : rm_write(c, c->insn.mod == 3 ? c->size : 2, cr0);
}

/* Loads PE, MP, EM and TS, but cannot clear PE. */
static int em_lmsw(struct emu_ctx *c)
{
	u64 cr0, msw;
	int rc = need_cpl0(c);

	if (!rc)
		rc = rm_read(c, 2, &msw);
	if (!rc)
		rc = c->emu->ops->read_cr(c->emu, 0, &cr0);
	if (rc)
		return rc;
	cr0 = (cr0 & ~0xeULL) | (msw & 0xf);
	return c->emu->ops->write_cr(c->emu, 0, cr0);
}

/* Any address will do: one that is not canonical invalidates nothing. */
static int em_invlpg(struct emu_ctx *c)
{
	enum emu_seg seg = mem_segment(c);
	u64 lin = mem_offset(c);
	int rc = need_cpl0(c);

	if (rc)
		return rc;
	if (!emu_long(c->emu))
		lin = (u32)(lin + emu_segment(c->emu, seg)->base);
	else if (seg == EMU_FS || seg == EMU_GS)
		lin += emu_segment(c->emu, seg)->base;
	return host_system(c, EMU_SYS_INVLPG, &lin);
}

static int em_xcr(struct emu_ctx *c, bool set)
{
	int rc;

	if (!(c->emu->cr4 & EMU_CR4_OSXSAVE))
		return emu_raise(c, VEC_UD);
	if (!set)
		return host_system(c, EMU_SYS_XGETBV, NULL);
	rc = need_cpl0(c);
	return rc ? rc : host_system(c, EMU_SYS_XSETBV, NULL);
}

static int em_tsc(struct emu_ctx *c, enum emu_system what)
{
	int rc = c->emu->cr4 & EMU_CR4_TSD ? need_cpl0(c) : EMU_OK;

	return rc ? rc : host_system(c, what, NULL);
}

/* CLAC and STAC */
static int em_ac(struct emu_ctx *c)
{
	if (c->emu->cpl)
		return emu_raise(c, VEC_UD);
	set_flag(c->emu, FL_AC, c->insn.modrm & 1);
	return EMU_OK;
}

static int group7_reg(struct emu_ctx *c)
{
	if (c->insn.rep || c->insn.opsize_prefix)
		return EMU_UNHANDLED;
	switch (c->insn.modrm) {
	case 0xc1:
	case 0xd9:
		return host_system(c, EMU_SYS_HYPERCALL, NULL);
	case 0xc8:
	case 0xc9:
		if (c->emu->cpl)
			return emu_raise(c, VEC_UD);
		return host_system(c, c->insn.modrm & 1 ? EMU_SYS_MWAIT :
							  EMU_SYS_MONITOR,
				   NULL);
	case 0xca:
	case 0xcb:
		return em_ac(c);
	case 0xd0:
	case 0xd1:
		return em_xcr(c, c->insn.modrm & 1);
	case 0xf8:
		return need_cpl0(c) ?: host_system(c, EMU_SYS_SWAPGS, NULL);
	case 0xf9:
		return em_tsc(c, EMU_SYS_RDTSCP);
	}
	return EMU_UNHANDLED;
}

int em_group7(struct emu_ctx *c)
{
	unsigned int ext = insn_ext(&c->insn);

	if (ext == 4)
		return em_smsw(c);
	if (ext == 6)
		return em_lmsw(c);
	if (c->insn.mod == 3)
		return group7_reg(c);
	switch (ext) {
	case 0:
	case 1:
		return store_table(c, ext ? EMU_IDT : EMU_GDT);
	case 2:
	case 3:
		return load_table(c, ext == 3 ? EMU_IDT : EMU_GDT);
	case 7:
		return em_invlpg(c);
	}
	return EMU_UNHANDLED;
}

int em_clts(struct emu_ctx *c)
{
	u64 cr0;
	int rc = need_cpl0(c);

	if (!rc)
		rc = c->emu->ops->read_cr(c->emu, 0, &cr0);
	return rc ? rc : c->emu->ops->write_cr(c->emu, 0, cr0 & ~EMU_CR0_TS);
}

/* Operands are as wide as the mode, whatever prefixes say. */
int em_mov_cr(struct emu_ctx *c)
{
	unsigned int size = emu_long(c->emu) ? 8 : 4;
	unsigned int nr = c->insn.lock ? 8 : c->insn.reg;
	u64 val;
	int rc = need_cpl0(c);

	if (rc)
		return rc;
	if (c->insn.opcode & 2)
		return c->emu->ops->write_cr(c->emu, nr,
					     reg_read(c, c->insn.rm, size));
	rc = c->emu->ops->read_cr(c->emu, nr, &val);
	if (!rc)
		reg_write(c, c->insn.rm, size, val);
	return rc;
}

int em_mov_dr(struct emu_ctx *c)
{
	unsigned int size = emu_long(c->emu) ? 8 : 4;
	u64 val;
	int rc;

	if (!c->emu->ops->read_dr || !c->emu->ops->write_dr)
		return EMU_UNHANDLED;
	rc = need_cpl0(c);
	if (rc)
		return rc;
	if (c->insn.opcode & 2)
		return c->emu->ops->write_dr(c->emu, c->insn.reg,
					     reg_read(c, c->insn.rm, size));
	rc = c->emu->ops->read_dr(c->emu, c->insn.reg, &val);
	if (!rc)
		reg_write(c, c->insn.rm, size, val);
	return rc;
}

/* WRMSR and RDMSR */
int em_msr(struct emu_ctx *c)
{
	u64 *regs = c->emu->regs;
	u32 index = regs[RCX];
	u64 val;
	int rc = need_cpl0(c);

	if (rc)
		return rc;
	if (c->insn.opcode == 0x30) {
		val = (u32)regs[RAX] | regs[RDX] << 32;
		return c->emu->ops->write_msr(c->emu, index, val);
	}
	rc = c->emu->ops->read_msr(c->emu, index, &val);
	if (!rc) {
		regs[RAX] = (u32)val;
		regs[RDX] = val >> 32;
	}
	return rc;
}

/* The flag that CLI and STI change here: IF, or VIF where a monitor has IF. */
static int interrupt_flag(struct emu_ctx *c, u64 *flag)
{
	struct emu *emu = c->emu;
	unsigned int iopl = (emu->rflags & FL_IOPL) >> 12;
	bool virtual = emu->cr4 & EMU_CR4_PVI;

	*flag = FL_IF;
	if (emu->mode == EMU_MODE_REAL || emu->cpl <= iopl)
		return EMU_OK;
	if (emu->mode == EMU_MODE_VM86)
		virtual = emu->cr4 & EMU_CR4_VME;
	*flag = FL_VIF;
	if (!virtual || emu->cpl < 3)
		return emu_raise_error(c, VEC_GP, 0);
	if (c->insn.opcode == 0xfb && (emu->rflags & FL_VIP))
		return emu_raise_error(c, VEC_GP, 0);
	return EMU_OK;
}

int em_cli_sti(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	bool set = c->insn.opcode == 0xfb;
	u64 flag;
	int rc = interrupt_flag(c, &flag);

	if (rc)
		return rc;
	emu->interrupt_shadow = set && flag == FL_IF && !(emu->rflags & FL_IF);
	set_flag(emu, flag, set);
	return EMU_OK;
}

int em_system(struct emu_ctx *c)
{
	switch (c->insn.opcode) {
	case 0x08:
		return need_cpl0(c) ?: host_system(c, EMU_SYS_INVD, NULL);
	case 0x09:
		return need_cpl0(c) ?: host_system(c, EMU_SYS_WBINVD, NULL);
	case 0x31:
		return em_tsc(c, EMU_SYS_RDTSC);
	case 0x33:
		if (!(c->emu->cr4 & EMU_CR4_PCE) && c->emu->cpl)
			return emu_raise_error(c, VEC_GP, 0);
		return host_system(c, EMU_SYS_RDPMC, NULL);
	case 0xa2:
		return host_system(c, EMU_SYS_CPUID, NULL);
	case 0xaa:
		return host_system(c, EMU_SYS_RSM, NULL);
	}
	return need_cpl0(c) ?: host_system(c, EMU_SYS_HLT, NULL);
}

int em_bound(struct emu_ctx *c)
{
	enum emu_seg seg = mem_segment(c);
	u64 off = mem_offset(c), low, high;
	s64 index = sign_extend_from(reg_read(c, c->insn.reg, c->size),
				     c->size);
	int rc;

	rc = mem_read_int(c, seg, off, c->size, &low);
	if (!rc)
		rc = mem_read_int(c, seg, (off + c->size) &
				  size_mask(c->insn.adsize), c->size, &high);
	if (rc)
		return rc;
	if (index < sign_extend_from(low, c->size) ||
	    index > sign_extend_from(high, c->size))
		return emu_raise(c, VEC_BR);
	return EMU_OK;
}

/* LAR, LSL: of protected mode, where they are not for device memory. */
int em_lar(struct emu_ctx *c)
{
	return emu_real_segments(c->emu) ? emu_raise(c, VEC_UD) : EMU_UNHANDLED;
}

/* UD0, UD1, UD2 */
int em_undefined(struct emu_ctx *c)
{
	return emu_raise(c, VEC_UD);
}
