// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction emulator: fetch, decode, and the tables that say which
 * function does which opcode. The functions are in emulate_*.c.
 */
#include <linux/string.h>

#include "emulate_priv.h"

/* Tries of a locked instruction before the guest runs in between. */
#define EMU_LOCK_TRIES	8

/**
 * struct emu_row - who does an opcode
 * @fn: handler, NULL when this emulator does not know it
 * @byte: the even opcode has byte operands, the odd one has not
 */
struct emu_row {
	emu_handler fn;
	bool byte;
};

#define ROW(f)		{ .fn = (f) }
#define ROW_B(f)	{ .fn = (f), .byte = true }

static const struct emu_row map_one[256] = {
	[0x00 ... 0x05] = ROW_B(em_arith), [0x06] = ROW(em_push_seg),
	[0x07] = ROW(em_pop_seg),
	[0x08 ... 0x0d] = ROW_B(em_arith), [0x0e] = ROW(em_push_seg),
	[0x10 ... 0x15] = ROW_B(em_arith), [0x16] = ROW(em_push_seg),
	[0x17] = ROW(em_pop_seg),
	[0x18 ... 0x1d] = ROW_B(em_arith), [0x1e] = ROW(em_push_seg),
	[0x1f] = ROW(em_pop_seg),
	[0x20 ... 0x25] = ROW_B(em_arith), [0x27] = ROW(em_daa),
	[0x28 ... 0x2d] = ROW_B(em_arith), [0x2f] = ROW(em_daa),
	[0x30 ... 0x35] = ROW_B(em_arith), [0x37] = ROW(em_aaa),
	[0x38 ... 0x3d] = ROW_B(em_arith), [0x3f] = ROW(em_aaa),
	[0x40 ... 0x4f] = ROW(em_incdec_reg),
	[0x50 ... 0x57] = ROW(em_push_reg),
	[0x58 ... 0x5f] = ROW(em_pop_reg),
	[0x60] = ROW(em_pusha), [0x61] = ROW(em_popa),
	[0x62] = ROW(em_bound), [0x63] = ROW(em_movsxd),
	[0x68] = ROW(em_push_imm), [0x69] = ROW(em_imul_imm),
	[0x6a] = ROW(em_push_imm), [0x6b] = ROW(em_imul_imm),
	[0x6c ... 0x6d] = ROW_B(em_ins), [0x6e ... 0x6f] = ROW_B(em_outs),
	[0x70 ... 0x7f] = ROW(em_jcc),
	[0x80 ... 0x83] = ROW_B(em_arith_imm),
	[0x84 ... 0x85] = ROW_B(em_test), [0x86 ... 0x87] = ROW_B(em_xchg),
	[0x88 ... 0x89] = ROW_B(em_mov_rm_reg),
	[0x8a ... 0x8b] = ROW_B(em_mov_reg_rm),
	[0x8c] = ROW(em_mov_from_sreg), [0x8d] = ROW(em_lea),
	[0x8e] = ROW(em_mov_to_sreg), [0x8f] = ROW(em_pop_rm),
	[0x90 ... 0x97] = ROW(em_xchg_acc),
	[0x98] = ROW(em_cbw), [0x99] = ROW(em_cwd),
	[0x9a] = ROW(em_far_direct), [0x9b] = ROW(em_fwait),
	[0x9c] = ROW(em_pushf), [0x9d] = ROW(em_popf),
	[0x9e] = ROW(em_sahf), [0x9f] = ROW(em_lahf),
	[0xa0 ... 0xa3] = ROW_B(em_mov_offset),
	[0xa4 ... 0xa5] = ROW_B(em_movs), [0xa6 ... 0xa7] = ROW_B(em_cmps),
	[0xa8 ... 0xa9] = ROW_B(em_test_imm),
	[0xaa ... 0xab] = ROW_B(em_stos), [0xac ... 0xad] = ROW_B(em_lods),
	[0xae ... 0xaf] = ROW_B(em_scas),
	[0xb0 ... 0xbf] = ROW(em_mov_reg_imm),
	[0xc0 ... 0xc1] = ROW_B(em_shift),
	[0xc2 ... 0xc3] = ROW(em_ret),
	[0xc4 ... 0xc5] = ROW(em_load_pointer),
	[0xc6 ... 0xc7] = ROW_B(em_mov_rm_imm),
	[0xc8] = ROW(em_enter), [0xc9] = ROW(em_leave),
	[0xca ... 0xcb] = ROW(em_ret_far),
	[0xcc ... 0xce] = ROW(em_int), [0xcf] = ROW(em_iret),
	[0xd0 ... 0xd3] = ROW_B(em_shift),
	[0xd4] = ROW(em_aam), [0xd5] = ROW(em_aad),
	[0xd6] = ROW(em_salc), [0xd7] = ROW(em_xlat),
	[0xd9] = ROW(em_fpu), [0xdb] = ROW(em_fpu), [0xdd] = ROW(em_fpu),
	[0xdf] = ROW(em_fpu),
	[0xe0 ... 0xe3] = ROW(em_loop),
	[0xe4 ... 0xe5] = ROW_B(em_in), [0xe6 ... 0xe7] = ROW_B(em_out),
	[0xe8] = ROW(em_call_rel), [0xe9] = ROW(em_jmp_rel),
	[0xea] = ROW(em_far_direct), [0xeb] = ROW(em_jmp_rel),
	[0xec ... 0xed] = ROW_B(em_in), [0xee ... 0xef] = ROW_B(em_out),
	[0xf1] = ROW(em_int), [0xf4] = ROW(em_system), [0xf5] = ROW(em_flag_op),
	[0xf6 ... 0xf7] = ROW_B(em_group3),
	[0xf8 ... 0xf9] = ROW(em_flag_op), [0xfa ... 0xfb] = ROW(em_cli_sti),
	[0xfc ... 0xfd] = ROW(em_flag_op),
	[0xfe] = ROW_B(em_group4), [0xff] = ROW(em_group5),
};

static const struct emu_row map_0f[256] = {
	[0x00] = ROW(em_group6), [0x01] = ROW(em_group7),
	[0x02 ... 0x03] = ROW(em_lar), [0x06] = ROW(em_clts),
	[0x08 ... 0x09] = ROW(em_system), [0x0b] = ROW(em_undefined),
	[0x0d] = ROW(em_nop_rm),
	[0x10 ... 0x13] = ROW(em_simd), [0x16 ... 0x17] = ROW(em_simd),
	[0x18 ... 0x1f] = ROW(em_nop_rm),
	[0x20] = ROW(em_mov_cr), [0x21] = ROW(em_mov_dr),
	[0x22] = ROW(em_mov_cr), [0x23] = ROW(em_mov_dr),
	[0x28 ... 0x29] = ROW(em_simd), [0x2b] = ROW(em_simd),
	[0x30] = ROW(em_msr), [0x31] = ROW(em_system), [0x32] = ROW(em_msr),
	[0x33] = ROW(em_system),
	[0x40 ... 0x4f] = ROW(em_cmov),
	[0x6e ... 0x6f] = ROW(em_simd), [0x7e ... 0x7f] = ROW(em_simd),
	[0x80 ... 0x8f] = ROW(em_jcc),
	[0x90 ... 0x9f] = ROW(em_setcc),
	[0xa0] = ROW(em_push_seg), [0xa1] = ROW(em_pop_seg),
	[0xa2] = ROW(em_system), [0xa3] = ROW(em_bt),
	[0xa4 ... 0xa5] = ROW(em_shift_double),
	[0xa8] = ROW(em_push_seg), [0xa9] = ROW(em_pop_seg),
	[0xaa] = ROW(em_system),			/* RSM */
	[0xab] = ROW(em_bt), [0xac ... 0xad] = ROW(em_shift_double),
	[0xaf] = ROW(em_imul_reg),
	[0xb0 ... 0xb1] = ROW_B(em_cmpxchg),
	[0xb2] = ROW(em_load_pointer), [0xb3] = ROW(em_bt),
	[0xb4 ... 0xb5] = ROW(em_load_pointer),
	[0xb6 ... 0xb7] = ROW(em_movx), [0xb8] = ROW(em_popcnt),
	[0xb9] = ROW(em_undefined),
	[0xba ... 0xbb] = ROW(em_bt), [0xbc ... 0xbd] = ROW(em_bit_scan),
	[0xbe ... 0xbf] = ROW(em_movx),
	[0xc0 ... 0xc1] = ROW_B(em_xadd),
	[0xc3] = ROW(em_mov_rm_reg),		/* MOVNTI */
	[0xc7] = ROW(em_cmpxchg_wide),
	[0xc8 ... 0xcf] = ROW(em_bswap),
	[0xd6] = ROW(em_simd), [0xe7] = ROW(em_simd), [0xf0] = ROW(em_simd),
	[0xff] = ROW(em_undefined),
};

static emu_handler find_handler(struct emu_ctx *c)
{
	const struct insn *insn = &c->insn;
	const struct emu_row *row;

	c->size = insn->opsize;
	if (insn->vex)
		return insn->vex < 4 && insn->map <= 2 ? em_simd : NULL;
	switch (insn->map) {
	case 0:
		row = &map_one[insn->opcode];
		break;
	case 1:
		row = &map_0f[insn->opcode];
		break;
	case 2:
		if ((insn->opcode & 0xfe) == 0xf0 && insn->rep != 0xf2)
			return em_movbe;
		return insn->opcode == 0x2a ? em_simd : NULL;
	default:
		return NULL;
	}
	if (row->byte && !(insn->opcode & 1))
		c->size = 1;
	return row->fn;
}

/* Fetch up to the end of the page, or @want bytes over it. */
static int fetch_more(struct emu_ctx *c, unsigned int want)
{
	struct emu *emu = c->emu;
	const struct emu_segment *cs;
	u64 off = emu->rip + emu->insn_len;
	u64 lin = off;
	int rc;

	if (emu_long(emu)) {
		if (!is_canonical(emu, off))
			return emu_raise_error(c, VEC_GP, 0);
	} else {
		cs = emu_segment(emu, EMU_CS);
		if (off > cs->limit)
			return emu_raise_error(c, VEC_GP, 0);
		if (want > (u64)cs->limit - off + 1)
			want = cs->limit - off + 1;
		lin = (u32)(cs->base + off);
	}
	if (want > 0x1000 - (lin & 0xfff))
		want = 0x1000 - (lin & 0xfff);
	rc = emu->ops->fetch(emu, lin, emu->insn + emu->insn_len, want);
	if (rc == EMU_OK)
		emu->insn_len += want;
	return rc;
}

static int fetch_and_decode(struct emu_ctx *c)
{
	struct emu *emu = c->emu;
	int len = DECODE_MORE;
	int rc;

	if (emu->insn_len > INSN_MAX_LEN)
		return EMU_UNHANDLED;
	/* What the caller gave may end within the instruction. */
	if (emu->insn_len)
		len = decode_insn(&c->insn, emu->mode, emu->insn, emu->insn_len);
	while (len == DECODE_MORE) {
		rc = fetch_more(c, INSN_MAX_LEN - emu->insn_len);
		if (rc != EMU_OK)
			return rc;
		len = decode_insn(&c->insn, emu->mode, emu->insn, emu->insn_len);
	}
	if (len == DECODE_INVALID)
		return emu_raise(c, VEC_UD);
	if (len == DECODE_TOO_LONG)
		return emu_raise_error(c, VEC_GP, 0);
	c->next_rip = emu->rip + len;
	/* In 16-bit code too: a limit beyond 64 KiB lets it run there. */
	if (!emu_long(emu))
		c->next_rip = (u32)c->next_rip;
	return EMU_OK;
}

/**
 * emu_run() - emulate the instruction at RIP, or one iteration of a string
 * @emu: filled in by the caller; see struct emu
 *
 * All of an instruction's reads come before its first write, so a run that
 * ends in EMU_IO is simply started again. Unless the result is EMU_OK,
 * registers, RIP and RFLAGS are as they were.
 *
 * Return: an enum emu_result.
 */
int emu_run(struct emu *emu)
{
	struct emu_ctx c;
	unsigned int tries;
	u64 next, rflags;
	emu_handler fn;
	int rc;

	c.emu = emu;
	emu->interrupt_shadow = false;
	emu->iret = false;
	emu->interrupted = false;
	emu->two_reads = false;
	rc = fetch_and_decode(&c);
	if (rc != EMU_OK)
		return rc;
	fn = find_handler(&c);
	if (!fn)
		return EMU_UNHANDLED;

	next = c.next_rip;
	rflags = emu->rflags;
	memcpy(emu->saved, emu->regs, sizeof(emu->saved));
	for (tries = 0; tries < EMU_LOCK_TRIES; tries++) {
		c.next_rip = next;
		emu->rflags &= ~FL_RF;
		rc = fn(&c);
		if (rc == EMU_OK) {
			emu->rip = c.next_rip;
			return EMU_OK;
		}
		memcpy(emu->regs, emu->saved, sizeof(emu->saved));
		emu->rflags = rflags;
		emu->interrupt_shadow = false;
		if (rc != EMU_LOST)
			return rc;
	}
	return EMU_RETRY;
}

/**
 * emu_result_name() - an enum emu_result in words, for reports
 * @result: one
 *
 * Return: a constant string.
 */
const char *emu_result_name(int result)
{
	switch (result) {
	case EMU_OK:
		return "ok";
	case EMU_EXCEPTION:
		return "exception";
	case EMU_IO:
		return "io";
	case EMU_RETRY:
		return "retry";
	case EMU_UNHANDLED:
		return "unhandled";
	}
	return "unknown";
}
