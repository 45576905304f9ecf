// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vector moves between memory and registers: what memcpy() and frame-buffer
 * code use on device memory. SSE and VEX forms.
 */
#include <linux/string.h>

#include "emulate_priv.h"

enum simd_part {
	SIMD_WHOLE,	/* a load clears what it does not fill */
	SIMD_LOW,	/* the low half; a load keeps the other */
	SIMD_HIGH,
};

/**
 * struct simd_move - one vector move
 * @bytes: in memory; 0: as long as the vector
 * @store: register to memory
 * @aligned: #GP unless the address is aligned to the size
 * @part: of the register
 */
struct simd_move {
	u8 bytes;
	bool store;
	bool aligned;
	enum simd_part part;
};

enum { PP_NONE, PP_66, PP_F3, PP_F2 };

static unsigned int mandatory_prefix(const struct insn *insn)
{
	if (insn->rep)
		return insn->rep == 0xf3 ? PP_F3 : PP_F2;
	return insn->opsize_prefix ? PP_66 : PP_NONE;
}

/* What the instruction moves; false: not one that we know. */
static bool simd_classify(const struct insn *insn, struct simd_move *m)
{
	unsigned int pp = mandatory_prefix(insn);

	*m = (struct simd_move) { .store = insn->opcode & 1 };
	if (insn->map == 2) {				/* MOVNTDQA */
		m->aligned = true;
		return insn->opcode == 0x2a && pp == PP_66;
	}
	switch (insn->opcode) {
	case 0x10 ... 0x11:			/* MOVUPS, MOVUPD, MOVSS, MOVSD */
		m->bytes = pp == PP_F3 ? 4 : pp == PP_F2 ? 8 : 0;
		return true;
	case 0x12 ... 0x13:			/* MOVLPS, MOVLPD */
	case 0x16 ... 0x17:			/* MOVHPS, MOVHPD */
		m->bytes = 8;
		m->part = insn->opcode & 4 ? SIMD_HIGH : SIMD_LOW;
		return pp <= PP_66;
	case 0x28 ... 0x29:			/* MOVAPS, MOVAPD */
	case 0x2b:				/* MOVNTPS, MOVNTPD */
		m->aligned = true;
		return pp <= PP_66;
	case 0x6e:				/* MOVD, MOVQ */
		m->bytes = insn->opsize == 8 ? 8 : 4;
		return pp == PP_66;
	case 0x7e:
		m->store = pp == PP_66;
		m->bytes = pp == PP_F3 || insn->opsize == 8 ? 8 : 4;
		return pp == PP_66 || pp == PP_F3;
	case 0x6f:				/* MOVDQA, MOVDQU */
	case 0x7f:
		m->store = insn->opcode == 0x7f;
		m->aligned = pp == PP_66;
		return pp == PP_66 || pp == PP_F3;
	case 0xd6:				/* MOVQ */
		m->store = true;
		m->bytes = 8;
		return pp == PP_66;
	case 0xe7:				/* MOVNTDQ */
		m->aligned = true;
		return pp == PP_66;
	case 0xf0:				/* LDDQU */
		return pp == PP_F2;
	}
	return false;
}

/* May vector instructions run at all? */
static int simd_enabled(struct emu_ctx *c)
{
	struct emu *emu = c->emu;

	if (c->insn.vex) {
		if (!(emu->cr4 & EMU_CR4_OSXSAVE))
			return emu_raise(c, VEC_UD);
	} else if ((emu->cr0 & EMU_CR0_EM) || !(emu->cr4 & EMU_CR4_OSFXSR)) {
		return emu_raise(c, VEC_UD);
	}
	return emu->cr0 & EMU_CR0_TS ? emu_raise(c, VEC_NM) : EMU_OK;
}

static int simd_store(struct emu_ctx *c, const struct simd_move *m, u64 off)
{
	u8 buf[32];

	c->emu->sse_read(c->emu, c->insn.reg, buf, m->bytes == 32 ? 32 : 16);
	return mem_write(c, mem_segment(c), off,
			 m->part == SIMD_HIGH ? buf + 8 : buf, m->bytes);
}

static int simd_load(struct emu_ctx *c, const struct simd_move *m, u64 off)
{
	struct emu *emu = c->emu;
	u8 buf[32] = {}, data[32];
	int rc = mem_read(c, mem_segment(c), off, data, m->bytes);

	if (rc)
		return rc;
	if (m->part != SIMD_WHOLE)
		emu->sse_read(emu, c->insn.vex ? c->insn.vvvv : c->insn.reg,
			      buf, 16);
	memcpy(m->part == SIMD_HIGH ? buf + 8 : buf, data, m->bytes);
	emu->sse_write(emu, c->insn.reg, buf, c->insn.vex ? 32 : 16);
	return EMU_OK;
}

int em_simd(struct emu_ctx *c)
{
	bool merges;
	struct simd_move m;
	u64 off, lin;
	int rc;

	if (c->insn.mod == 3 || !c->insn.has_modrm ||
	    !simd_classify(&c->insn, &m) ||
	    !c->emu->sse_read || !c->emu->sse_write)
		return EMU_UNHANDLED;
	/* The second source is unused but by loads of one half. */
	merges = m.part != SIMD_WHOLE && !m.store;
	if (c->insn.vex && c->insn.vvvv && !merges)
		return emu_raise(c, VEC_UD);
	if (c->insn.vl && (m.part != SIMD_WHOLE ||
			   (m.bytes && c->insn.opcode > 0x11)))
		return emu_raise(c, VEC_UD);
	rc = simd_enabled(c);
	if (rc)
		return rc;

	if (!m.bytes)
		m.bytes = c->insn.vl ? 32 : 16;
	off = mem_offset(c);
	rc = mem_linear(c, mem_segment(c), off, m.bytes, m.store, &lin);
	if (rc)
		return rc;
	if (m.aligned && (lin & (m.bytes - 1)))
		return emu_raise_error(c, VEC_GP, 0);
	return m.store ? simd_store(c, &m, off) : simd_load(c, &m, off);
}
