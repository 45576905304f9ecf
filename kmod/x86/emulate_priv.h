/* SPDX-License-Identifier: GPL-2.0-only */
/* What the emulator's own files share. Not for others. */
#ifndef JOIST_X86_EMULATE_PRIV_H
#define JOIST_X86_EMULATE_PRIV_H

#include <linux/bits.h>

#include "decode.h"
#include "emulate.h"

/* A locked exchange lost its race: compute again. Never leaves emu_run(). */
#define EMU_LOST	100

/* RFLAGS, CR0, CR4, EFER bits that instructions ask for. */
#define FL_CF		BIT(0)
#define FL_FIXED	BIT(1)
#define FL_PF		BIT(2)
#define FL_AF		BIT(4)
#define FL_ZF		BIT(6)
#define FL_SF		BIT(7)
#define FL_TF		BIT(8)
#define FL_IF		BIT(9)
#define FL_DF		BIT(10)
#define FL_OF		BIT(11)
#define FL_IOPL		(BIT(12) | BIT(13))
#define FL_NT		BIT(14)
#define FL_RF		BIT(16)
#define FL_VM		BIT(17)
#define FL_AC		BIT(18)
#define FL_VIF		BIT(19)
#define FL_VIP		BIT(20)
#define FL_ID		BIT(21)
#define FL_STATUS	(FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

#define EMU_CR0_PE	BIT(0)
#define EMU_CR0_MP	BIT(1)
#define EMU_CR0_EM	BIT(2)
#define EMU_CR0_TS	BIT(3)
#define EMU_EFER_LMA	BIT(10)
#define EMU_CR4_VME	BIT(0)
#define EMU_CR4_PVI	BIT(1)
#define EMU_CR4_TSD	BIT(2)
#define EMU_CR4_PCE	BIT(8)
#define EMU_CR4_OSFXSR	BIT(9)
#define EMU_CR4_UMIP	BIT(11)
#define EMU_CR4_LA57	BIT(12)
#define EMU_CR4_OSXSAVE	BIT(18)

enum {
	VEC_DE = 0, VEC_BR = 5, VEC_UD = 6, VEC_NM = 7, VEC_NP = 11, VEC_SS = 12,
	VEC_GP = 13, VEC_MF = 16,
};

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/**
 * struct emu_ctx - one instruction under way
 * @emu: what it runs on; registers are changed in place and put back by
 *       emu_run() unless the result is EMU_OK
 * @insn: decoded
 * @size: of the operands, in bytes
 * @next_rip: where the next instruction is; handlers of branches change it
 */
struct emu_ctx {
	struct emu *emu;
	struct insn insn;
	unsigned int size;
	u64 next_rip;
};

typedef int (*emu_handler)(struct emu_ctx *c);

static inline bool emu_long(const struct emu *emu)
{
	return emu->mode == EMU_MODE_LONG;
}

/* Real or VM86 mode: segments are base = selector << 4 without attributes. */
static inline bool emu_real_segments(const struct emu *emu)
{
	return emu->mode == EMU_MODE_REAL || emu->mode == EMU_MODE_VM86;
}

/* A segment register: most instructions in long mode need none. */
static inline const struct emu_segment *emu_segment(struct emu *emu,
						    enum emu_seg seg)
{
	if (!(emu->seg_known & BIT(seg))) {
		emu->ops->get_segment(emu, seg);
		emu->seg_known |= BIT(seg);
	}
	return &emu->seg[seg];
}

static inline u64 size_mask(unsigned int size)
{
	return ~0ULL >> (64 - 8 * size);
}

static inline u64 sign_bit(unsigned int size)
{
	return 1ULL << (8 * size - 1);
}

static inline s64 sign_extend_from(u64 val, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (s64)(val << shift) >> shift;
}

/* ModRM.reg as an opcode extension. */
static inline unsigned int insn_ext(const struct insn *insn)
{
	return insn->modrm >> 3 & 7;
}

/* The register in the low three bits of the opcode. */
static inline unsigned int insn_opreg(const struct insn *insn)
{
	return (insn->opcode & 7) | (insn->rex & 1) << 3;
}

static inline void set_flag(struct emu *emu, u64 flag, bool on)
{
	if (on)
		emu->rflags |= flag;
	else
		emu->rflags &= ~flag;
}

/* emulate_mem.c */
int emu_raise(struct emu_ctx *c, u8 vector);
int emu_raise_error(struct emu_ctx *c, u8 vector, u32 error);
u64 reg_read(struct emu_ctx *c, unsigned int nr, unsigned int size);
void reg_write(struct emu_ctx *c, unsigned int nr, unsigned int size, u64 val);
u64 mem_offset(struct emu_ctx *c);
enum emu_seg mem_segment(struct emu_ctx *c);
bool is_canonical(struct emu *emu, u64 addr);
int mem_linear(struct emu_ctx *c, enum emu_seg seg, u64 off, unsigned int size,
	       bool write, u64 *lin);
int mem_read(struct emu_ctx *c, enum emu_seg seg, u64 off, void *buf,
	     unsigned int size);
int mem_write(struct emu_ctx *c, enum emu_seg seg, u64 off, const void *buf,
	      unsigned int size);
int mem_read_int(struct emu_ctx *c, enum emu_seg seg, u64 off,
		 unsigned int size, u64 *val);
int mem_write_int(struct emu_ctx *c, enum emu_seg seg, u64 off,
		  unsigned int size, u64 val);
int rm_read(struct emu_ctx *c, unsigned int size, u64 *val);
int rm_write(struct emu_ctx *c, unsigned int size, u64 val);
int mem_exchange(struct emu_ctx *c, enum emu_seg seg, u64 off,
		 unsigned int size, const void *old, const void *new);
int rm_commit(struct emu_ctx *c, unsigned int size, u64 old, u64 val);

/* emulate_alu.c */
u64 alu_add(struct emu *emu, u64 a, u64 b, bool carry, unsigned int size);
u64 alu_sub(struct emu *emu, u64 a, u64 b, bool borrow, unsigned int size);
void flags_logic(struct emu *emu, u64 res, unsigned int size);
bool flags_cond(const struct emu *emu, unsigned int cc);
int em_arith(struct emu_ctx *c);
int em_arith_imm(struct emu_ctx *c);
int em_test(struct emu_ctx *c);
int em_test_imm(struct emu_ctx *c);
int em_incdec_reg(struct emu_ctx *c);
int em_group3(struct emu_ctx *c);
int em_group4(struct emu_ctx *c);
int em_cmpxchg(struct emu_ctx *c);
int em_cmpxchg_wide(struct emu_ctx *c);
int em_xadd(struct emu_ctx *c);
int em_flag_op(struct emu_ctx *c);
int em_lahf(struct emu_ctx *c);
int em_sahf(struct emu_ctx *c);

/* emulate_mul.c */
int em_mul(struct emu_ctx *c, u64 src);
int em_imul(struct emu_ctx *c, u64 src);
int em_div(struct emu_ctx *c, u64 src);
int em_idiv(struct emu_ctx *c, u64 src);
int em_imul_reg(struct emu_ctx *c);
int em_imul_imm(struct emu_ctx *c);
int em_aam(struct emu_ctx *c);
int em_aad(struct emu_ctx *c);
int em_daa(struct emu_ctx *c);
int em_aaa(struct emu_ctx *c);

/* emulate_bit.c */
int em_shift(struct emu_ctx *c);
int em_shift_double(struct emu_ctx *c);
int em_bt(struct emu_ctx *c);
int em_bit_scan(struct emu_ctx *c);
int em_popcnt(struct emu_ctx *c);

/* emulate_data.c */
int em_mov_rm_reg(struct emu_ctx *c);
int em_mov_reg_rm(struct emu_ctx *c);
int em_mov_rm_imm(struct emu_ctx *c);
int em_mov_reg_imm(struct emu_ctx *c);
int em_mov_offset(struct emu_ctx *c);
int em_movx(struct emu_ctx *c);
int em_movsxd(struct emu_ctx *c);
int em_movbe(struct emu_ctx *c);
int em_lea(struct emu_ctx *c);
int em_xchg(struct emu_ctx *c);
int em_xchg_acc(struct emu_ctx *c);
int em_bswap(struct emu_ctx *c);
int em_cbw(struct emu_ctx *c);
int em_cwd(struct emu_ctx *c);
int em_xlat(struct emu_ctx *c);
int em_setcc(struct emu_ctx *c);
int em_cmov(struct emu_ctx *c);
int em_salc(struct emu_ctx *c);
int em_nop_rm(struct emu_ctx *c);

/* emulate_stack.c */
int stack_push(struct emu_ctx *c, unsigned int size, u64 val);
int stack_pop(struct emu_ctx *c, unsigned int size, u64 *val);
int stack_peek(struct emu_ctx *c, unsigned int skip, unsigned int size,
	       u64 *val);
void stack_adjust(struct emu_ctx *c, u64 by);
int write_flags(struct emu_ctx *c, unsigned int size, u64 val);
int em_push_reg(struct emu_ctx *c);
int em_pop_reg(struct emu_ctx *c);
int em_push_imm(struct emu_ctx *c);
int em_push_rm(struct emu_ctx *c);
int em_pop_rm(struct emu_ctx *c);
int em_push_seg(struct emu_ctx *c);
int em_pop_seg(struct emu_ctx *c);
int em_pusha(struct emu_ctx *c);
int em_popa(struct emu_ctx *c);
int em_pushf(struct emu_ctx *c);
int em_popf(struct emu_ctx *c);
int em_enter(struct emu_ctx *c);
int em_leave(struct emu_ctx *c);

/* emulate_flow.c */
int branch_far(struct emu_ctx *c, u16 selector, u64 rip);
bool same_privilege(const struct emu *emu, u16 selector);
int em_jcc(struct emu_ctx *c);
int em_jmp_rel(struct emu_ctx *c);
int em_call_rel(struct emu_ctx *c);
int em_loop(struct emu_ctx *c);
int em_ret(struct emu_ctx *c);
int em_ret_far(struct emu_ctx *c);
int em_far_direct(struct emu_ctx *c);
int em_group5(struct emu_ctx *c);

/* emulate_event.c */
int em_iret(struct emu_ctx *c);
int em_int(struct emu_ctx *c);

/* emulate_fpu.c */
int em_fpu(struct emu_ctx *c);
int em_fwait(struct emu_ctx *c);

/* emulate_string.c */
int em_movs(struct emu_ctx *c);
int em_cmps(struct emu_ctx *c);
int em_stos(struct emu_ctx *c);
int em_lods(struct emu_ctx *c);
int em_scas(struct emu_ctx *c);
int em_ins(struct emu_ctx *c);
int em_outs(struct emu_ctx *c);
int em_in(struct emu_ctx *c);
int em_out(struct emu_ctx *c);

/* emulate_sys.c */
int em_mov_from_sreg(struct emu_ctx *c);
int em_mov_to_sreg(struct emu_ctx *c);
int em_load_pointer(struct emu_ctx *c);
int em_group6(struct emu_ctx *c);
int em_group7(struct emu_ctx *c);
int em_clts(struct emu_ctx *c);
int em_mov_cr(struct emu_ctx *c);
int em_mov_dr(struct emu_ctx *c);
int em_msr(struct emu_ctx *c);
int em_cli_sti(struct emu_ctx *c);
int em_system(struct emu_ctx *c);
int em_bound(struct emu_ctx *c);
int em_lar(struct emu_ctx *c);
int em_undefined(struct emu_ctx *c);

/* emulate_simd.c */
int em_simd(struct emu_ctx *c);

#endif
