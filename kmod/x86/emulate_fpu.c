// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware and kernels ask of the x87 before they use it: is it there, and in
 * what state?
 */
#include "emulate_priv.h"

#define STATUS_ES	BIT(7)	/* an exception waits to be raised */

static int fpu_call(struct emu_ctx *c, enum emu_fpu what, u16 *word)
{
	if (!c->emu->ops->fpu)
		return EMU_UNHANDLED;
	return c->emu->ops->fpu(c->emu, what, word);
}

/* Instructions that wait raise what an earlier one has left. */
static int fpu_wait(struct emu_ctx *c)
{
	u16 status;
	int rc = fpu_call(c, EMU_FPU_STORE_STATUS, &status);

	if (rc || !(status & STATUS_ES))
		return rc;
	return emu_raise(c, VEC_MF);
}

int em_fwait(struct emu_ctx *c)
{
	u64 both = EMU_CR0_MP | EMU_CR0_TS;

	if ((c->emu->cr0 & both) == both)
		return emu_raise(c, VEC_NM);
	return fpu_wait(c);
}

static int store_word(struct emu_ctx *c, enum emu_fpu what)
{
	u16 word;
	int rc = fpu_call(c, what, &word);

	return rc ? rc : rm_write(c, 2, word);
}

static int load_control(struct emu_ctx *c)
{
	u64 val;
	u16 word;
	int rc = fpu_wait(c);

	if (!rc)
		rc = rm_read(c, 2, &val);
	word = val;
	return rc ? rc : fpu_call(c, EMU_FPU_LOAD_CONTROL, &word);
}

/* FNINIT, FNCLEX, FNSTSW, FNSTCW, FLDCW */
int em_fpu(struct emu_ctx *c)
{
	unsigned int ext = insn_ext(&c->insn);
	bool reg = c->insn.mod == 3;
	u16 word;
	int rc;

	if (c->emu->cr0 & (EMU_CR0_EM | EMU_CR0_TS))
		return emu_raise(c, VEC_NM);
	switch (c->insn.opcode) {
	case 0xd9:
		if (!reg && ext == 5)
			return load_control(c);
		if (!reg && ext == 7)
			return store_word(c, EMU_FPU_STORE_CONTROL);
		break;
	case 0xdb:
		if (c->insn.modrm == 0xe2)
			return fpu_call(c, EMU_FPU_CLEAR_EXCEPTIONS, NULL);
		if (c->insn.modrm == 0xe3)
			return fpu_call(c, EMU_FPU_INIT, NULL);
		break;
	case 0xdd:
		if (!reg && ext == 7)
			return store_word(c, EMU_FPU_STORE_STATUS);
		break;
	case 0xdf:
		if (c->insn.modrm != 0xe0)
			break;
		rc = fpu_call(c, EMU_FPU_STORE_STATUS, &word);
		if (!rc)
			reg_write(c, RAX, 2, word);
		return rc;
	}
	return EMU_UNHANDLED;
}
