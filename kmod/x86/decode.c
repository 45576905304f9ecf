// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder: prefixes, opcode, ModRM, displacement, immediates,
 * by the tables of decode_table.c.
 */
#include "decode.h"
#include "decode_table.h"

/* The bytes under decoding; once @err is set nothing more is taken. */
struct cursor {
	const u8 *bytes;
	unsigned int len;
	unsigned int pos;
	int err;
};

/* Take @n bytes, little endian. */
static u64 take(struct cursor *c, unsigned int n)
{
	u64 val = 0;
	unsigned int i;

	if (c->err)
		return 0;
	if (c->pos + n > INSN_MAX_LEN) {
		c->err = DECODE_TOO_LONG;
		return 0;
	}
	if (c->pos + n > c->len) {
		c->err = DECODE_MORE;
		return 0;
	}
	for (i = 0; i < n; i++)
		val |= (u64)c->bytes[c->pos + i] << (8 * i);
	c->pos += n;
	return val;
}

static s64 take_signed(struct cursor *c, unsigned int n)
{
	u64 val = take(c, n);

	switch (n) {
	case 1:
		return (s8)val;
	case 2:
		return (s16)val;
	case 4:
		return (s32)val;
	default:
		return val;
	}
}

static bool in_long(enum emu_mode mode)
{
	return mode == EMU_MODE_LONG;
}

static unsigned int default_size(enum emu_mode mode)
{
	return mode == EMU_MODE_LONG || mode == EMU_MODE_PROT32 ? 4 : 2;
}

/*
 * In long mode the ES, CS, SS and DS overrides do nothing, not even undo an
 * earlier FS or GS.
 */
static void segment_prefix(struct insn *insn, enum emu_mode mode, u8 byte)
{
	switch (byte) {
	case 0x64:
		insn->seg = EMU_FS;
		break;
	case 0x65:
		insn->seg = EMU_GS;
		break;
	default:
		if (!in_long(mode))
			insn->seg = (byte >> 3) & 3;
	}
}

/* Consume prefixes; returns the opcode byte that ends them. */
static u8 decode_prefixes(struct cursor *c, struct insn *insn,
			  enum emu_mode mode)
{
	for (;;) {
		u8 byte = take(c, 1);

		if (c->err)
			return 0;
		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			segment_prefix(insn, mode, byte);
			break;
		case 0x66:
			insn->opsize_prefix = true;
			break;
		case 0x67:
			insn->adsize = 0;	/* resolved when they end */
			break;
		case 0xf0:
			insn->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			insn->rep = byte;
			break;
		case 0x40 ... 0x4f:
			if (!in_long(mode))
				return byte;
			/* Counts only if the opcode follows at once. */
			insn->rex = byte;
			continue;
		default:
			return byte;
		}
		insn->rex = 0;
	}
}

static unsigned int address_size(enum emu_mode mode, bool prefix)
{
	if (in_long(mode))
		return prefix ? 4 : 8;
	return prefix ? 6 - default_size(mode) : default_size(mode);
}

static unsigned int operand_size(const struct insn *insn, enum emu_mode mode,
				 u32 attr)
{
	unsigned int size = default_size(mode);

	if (in_long(mode)) {
		if ((attr & OP_F64) || (insn->rex & 8))
			return 8;
		if (insn->opsize_prefix)
			return 2;
		return attr & OP_D64 ? 8 : 4;
	}
	return insn->opsize_prefix ? 6 - size : size;
}

/* Registers of the 16-bit addressing forms, by ModRM.rm. */
static const s8 base16[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
static const s8 index16[8] = { 6, 7, 6, 7, -1, -1, -1, -1 };

static void decode_address16(struct cursor *c, struct insn *insn, u8 rm)
{
	if (insn->mod == 0 && rm == 6) {
		insn->disp = take_signed(c, 2);
		return;
	}
	insn->base = base16[rm];
	insn->index = index16[rm];
	if (insn->mod)
		insn->disp = take_signed(c, insn->mod);
}

static void decode_address(struct cursor *c, struct insn *insn,
			   enum emu_mode mode, u8 rm)
{
	bool disp32 = insn->mod == 2;

	if (rm == 4) {
		u8 sib = take(c, 1);

		insn->scale = sib >> 6;
		insn->index = (sib >> 3 & 7) | (insn->rex & 2) << 2;
		if (insn->index == 4)
			insn->index = -1;
		if ((sib & 7) == 5 && insn->mod == 0)
			disp32 = true;
		else
			insn->base = (sib & 7) | (insn->rex & 1) << 3;
	} else if (rm == 5 && insn->mod == 0) {
		disp32 = true;
		insn->rip_relative = in_long(mode);
	} else {
		insn->base = rm | (insn->rex & 1) << 3;
	}
	if (disp32)
		insn->disp = take_signed(c, 4);
	else if (insn->mod == 1)
		insn->disp = take_signed(c, 1);
}

static void decode_modrm(struct cursor *c, struct insn *insn,
			 enum emu_mode mode, u32 attr)
{
	u8 modrm = take(c, 1);

	insn->has_modrm = true;
	insn->modrm = modrm;
	insn->mod = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | (insn->rex & 4) << 1;
	insn->rm = (modrm & 7) | (insn->rex & 1) << 3;
	if (attr & OP_NOSIB)
		insn->mod = 3;
	if (insn->mod == 3)
		return;
	if (insn->adsize == 2)
		decode_address16(c, insn, modrm & 7);
	else
		decode_address(c, insn, mode, modrm & 7);
}

static void decode_immediate(struct cursor *c, struct insn *insn,
			     enum emu_mode mode, u32 attr)
{
	unsigned int size_z = insn->opsize == 2 ? 2 : 4;

	switch (attr & OP_IMM_MASK) {
	case OP_IB:
	case OP_JB:
		insn->imm = take_signed(c, 1);
		break;
	case OP_IW:
		insn->imm = take(c, 2);
		break;
	case OP_IZ:
		insn->imm = take_signed(c, size_z);
		break;
	case OP_IV:
		insn->imm = take_signed(c, insn->opsize);
		break;
	case OP_JZ:
		insn->imm = take_signed(c, in_long(mode) ? 4 : size_z);
		break;
	case OP_OFFS:
		insn->disp = take_signed(c, insn->adsize);
		break;
	case OP_FAR:
		insn->imm = take(c, size_z);
		insn->imm2 = take(c, 2);
		break;
	case OP_ENTER:
		insn->imm = take(c, 2);
		insn->imm2 = take(c, 1);
		break;
	case OP_IBIB:
		insn->imm = take_signed(c, 1);
		insn->imm2 = take(c, 1);
		break;
	}
}

/* Groups of the one-byte map. Returns the row as ModRM.reg refines it. */
static u32 group_one(const struct insn *insn, u32 attr)
{
	u8 reg = insn->modrm >> 3 & 7;
	bool is_reg = insn->mod == 3;

	switch (insn->opcode) {
	case 0x80 ... 0x83:
		return reg == 7 ? attr : attr | OP_LOCK;
	case 0x8c:
		return reg > 5 ? OP_BAD : attr;
	case 0x8e:
		return reg > 5 || reg == EMU_CS ? OP_BAD : attr;
	case 0x8f:			/* others: XOP, which we do not know */
		return reg ? OP_BAD : attr;
	case 0xc6:			/* XABORT */
	case 0xc7:			/* XBEGIN */
		return reg == 0 || insn->modrm == 0xf8 ? attr : OP_BAD;
	case 0xf6:
		if (reg < 2)
			return attr | OP_IB;
		return reg < 4 ? attr | OP_LOCK : attr;
	case 0xf7:
		if (reg < 2)
			return attr | OP_IZ;
		return reg < 4 ? attr | OP_LOCK : attr;
	case 0xfe:
		return reg < 2 ? attr | OP_LOCK : OP_BAD;
	case 0xff:
		switch (reg) {
		case 0 ... 1:
			return attr | OP_LOCK;
		case 2:
		case 4:
			return attr | OP_F64;
		case 3:
		case 5:
			return is_reg ? OP_BAD : attr;
		case 6:
			return attr | OP_D64;
		}
		return OP_BAD;
	}
	return attr;			/* x87: holes are not told apart */
}

/* Register forms of 0F 01 that exist with some prefix, by ModRM - 0xc0. */
#define GRP7_REG_FORMS							\
	(0x7fULL | 0xff00ULL |		/* VMX, PCONFIG; MONITOR, ENCLS */ \
	 0xf30000ULL | 0xff000000ULL |	/* XGETBV..ENCLU; SVM */	\
	 0xff00000000ULL |		/* SMSW */			\
	 0xf70000000000ULL |		/* SERIALIZE, WRPKRU and kin */	\
	 0xff000000000000ULL |		/* LMSW */			\
	 0xff00000000000000ULL)		/* SWAPGS, RDTSCP .. TLBSYNC */

static u32 group_7(const struct insn *insn, enum emu_mode mode, u32 attr)
{
	if (insn->mod != 3) {
		if ((insn->modrm >> 3 & 7) == 5 && insn->rep != 0xf3)
			return OP_BAD;			/* RSTORSSP */
		return attr;
	}
	if (!(GRP7_REG_FORMS >> (insn->modrm - 0xc0) & 1))
		return OP_BAD;
	if (insn->modrm == 0xf8 && !in_long(mode))	/* SWAPGS */
		return OP_BAD;
	return attr;
}

static u32 group_15(const struct insn *insn, enum emu_mode mode, u32 attr)
{
	u8 reg = insn->modrm >> 3 & 7;

	if (insn->mod != 3) {
		if (insn->rep == 0xf3)			/* PTWRITE, CLRSSBSY */
			return reg == 4 || reg == 6 ? attr : OP_BAD;
		if (insn->rep)
			return OP_BAD;
		if (insn->opsize_prefix)		/* CLWB, CLFLUSHOPT */
			return reg >= 6 ? attr : OP_BAD;
		return attr;
	}
	switch (insn->rep) {
	case 0xf3:
		if (reg < 4)				/* RDFSBASE and kin */
			return in_long(mode) ? attr : OP_BAD;
		return reg < 7 ? attr : OP_BAD;
	case 0xf2:
		return reg == 6 ? attr : OP_BAD;	/* UMWAIT */
	}
	if (insn->opsize_prefix)
		return reg == 6 ? attr : OP_BAD;	/* TPAUSE */
	return reg >= 5 ? attr : OP_BAD;		/* fences */
}

static u32 group_9(const struct insn *insn, enum emu_mode mode, u32 attr)
{
	u8 reg = insn->modrm >> 3 & 7;

	if (insn->mod == 3) {			/* RDRAND, RDSEED, RDPID */
		if (reg < 6 || insn->rep == 0xf2)
			return OP_BAD;
		if (reg == 6 && insn->rep)	/* SENDUIPI */
			return in_long(mode) ? attr : OP_BAD;
		return attr;
	}
	switch (reg) {
	case 1:
		return attr | OP_LOCK;
	case 3 ... 5:				/* XRSTORS, XSAVEC, XSAVES */
	case 7:					/* VMPTRST */
		return insn->rep || insn->opsize_prefix ? OP_BAD : attr;
	case 6:					/* VMPTRLD, VMCLEAR, VMXON */
		return insn->rep == 0xf2 ? OP_BAD : attr;
	}
	return OP_BAD;
}

/* Only some shifts by an immediate exist: 71, 72 and 73 less the dq ones. */
static u32 group_shift(const struct insn *insn, u32 attr)
{
	u8 reg = insn->modrm >> 3 & 7;

	if (reg == 2 || reg == 6)
		return attr;
	if (reg == 4)
		return insn->opcode == 0x73 ? OP_BAD : attr;
	if (insn->opcode == 0x73 && insn->opsize_prefix && (reg & 3) == 3)
		return attr;
	return OP_BAD;
}

static u32 group_0f(const struct insn *insn, enum emu_mode mode, u32 attr)
{
	u8 reg = insn->modrm >> 3 & 7;
	bool is_reg = insn->mod == 3;

	switch (insn->opcode) {
	case 0x00:
		return reg > 5 ? OP_BAD : attr;
	case 0x01:
		return group_7(insn, mode, attr);
	case 0x12:				/* MOVHLPS, MOVLHPS have no prefix */
	case 0x16:
		return is_reg && insn->opsize_prefix && !insn->rep ?
			OP_BAD : attr;
	case 0x20:
	case 0x22:
		/* LOCK stands for CR8 outside long mode (AMD). */
		if (insn->reg != 8 && (reg == 1 || reg > 4 || insn->reg > 8))
			return OP_BAD;
		return attr;
	case 0x21:
	case 0x23:
		return insn->reg > 7 ? OP_BAD : attr;
	case 0x71 ... 0x73:
		return group_shift(insn, attr);
	case 0x78:
		if (insn->rep == 0xf2)
			return is_reg ? attr | OP_IBIB : OP_BAD;
		if (insn->opsize_prefix)
			return is_reg && !reg ? attr | OP_IBIB : OP_BAD;
		return attr | OP_F64;
	case 0x79:
		if (insn->rep || insn->opsize_prefix)
			return is_reg ? attr : OP_BAD;
		return attr | OP_F64;
	case 0xae:
		return group_15(insn, mode, attr);
	case 0xba:
		if (reg < 4)
			return OP_BAD;
		return reg > 4 ? attr | OP_LOCK : attr;
	case 0xc7:
		return group_9(insn, mode, attr);
	case 0xd6:				/* MOVDQ2Q, MOVQ2DQ */
		return insn->rep && !is_reg ? OP_BAD : attr;
	}
	return attr;
}

static u32 group_0f38(const struct insn *insn, u32 attr)
{
	bool is_mem = insn->mod != 3;
	bool ok = true;

	switch (insn->opcode) {
	case 0xd8:				/* AESENCWIDE128KL and kin */
		ok = (insn->modrm >> 3 & 7) < 4;
		break;
	case 0xdd ... 0xdf:			/* AES; Key Locker from memory */
		ok = is_mem || !insn->rep;
		break;
	case 0xf6:				/* WRSS; ADCX, ADOX */
		ok = is_mem || insn->rep || insn->opsize_prefix;
		break;
	case 0xf0 ... 0xf1:			/* MOVBE; CRC32 */
		ok = is_mem || insn->rep == 0xf2;
		break;
	}
	return ok ? attr : OP_BAD;
}

static u32 decode_group(const struct insn *insn, enum emu_mode mode, u32 attr)
{
	switch (insn->map) {
	case 0:
		return group_one(insn, attr);
	case 1:
		return group_0f(insn, mode, attr);
	case 2:
		return group_0f38(insn, attr);
	default:				/* HRESET */
		return insn->modrm == 0xc0 ? attr : OP_BAD;
	}
}

/* Find the legacy opcode's map and row; zero in the later maps is a hole. */
static u32 decode_opcode(struct cursor *c, struct insn *insn, u8 byte)
{
	insn->opcode = byte;
	if (byte != 0x0f)
		return decode_map_one[byte];

	byte = take(c, 1);
	insn->opcode = byte;
	insn->map = 1;
	if (byte == 0x38) {
		insn->map = 2;
		insn->opcode = take(c, 1);
		return decode_map_0f38[insn->opcode] ?: OP_BAD;
	}
	if (byte == 0x3a) {
		insn->map = 3;
		insn->opcode = take(c, 1);
		return decode_map_0f3a[insn->opcode] ?: OP_BAD;
	}
	return decode_map_0f[byte];
}

static bool prefix_allowed(const struct insn *insn, u32 attr)
{
	if (!(attr & OP_PP))
		return true;
	if (insn->rep)
		return attr & (insn->rep == 0xf3 ? OP_F3 : OP_F2);
	return attr & (insn->opsize_prefix ? OP_66 : OP_NP);
}

static bool lock_allowed(const struct insn *insn, u32 attr)
{
	if (insn->map == 1 && (insn->opcode == 0x20 || insn->opcode == 0x22))
		return insn->reg == 0;
	return (attr & OP_LOCK) && insn->mod != 3;
}

static int decode_legacy(struct cursor *c, struct insn *insn,
			 enum emu_mode mode, u8 byte)
{
	u32 attr = decode_opcode(c, insn, byte);

	if (c->err)
		return c->err;
	if (attr & (in_long(mode) ? OP_BAD | OP_N64 : OP_BAD | OP_O64))
		return DECODE_INVALID;
	if (attr & OP_M)
		decode_modrm(c, insn, mode, attr);
	if (c->err)
		return c->err;
	if (attr & OP_GRP)
		attr = decode_group(insn, mode, attr);
	if ((attr & OP_BAD) || !prefix_allowed(insn, attr) ||
	    ((attr & OP_MEM) && insn->mod == 3) ||
	    ((attr & OP_REG) && insn->mod != 3) ||
	    (insn->lock && !lock_allowed(insn, attr)))
		return DECODE_INVALID;
	insn->opsize = operand_size(insn, mode, attr);
	decode_immediate(c, insn, mode, attr);
	return c->err;
}

/* Has the vector opcode an immediate byte? */
static bool vector_has_imm(const struct insn *insn)
{
	if (insn->map == 3)
		return true;
	if (insn->map != 1)
		return false;
	switch (insn->opcode) {
	case 0x70 ... 0x73:
	case 0xc2:
	case 0xc4 ... 0xc6:
		return true;
	}
	return false;
}

/* What VEX.pp and EVEX.pp stand for. */
static void vector_prefix(struct insn *insn, u8 pp)
{
	insn->opsize_prefix = pp == 1;
	if (pp >= 2)
		insn->rep = pp == 2 ? 0xf3 : 0xf2;
}

static int decode_vector(struct cursor *c, struct insn *insn,
			 enum emu_mode mode)
{
	if (!in_long(mode)) {
		insn->rex &= 8;
		insn->vvvv &= 7;
	}
	insn->opcode = take(c, 1);
	insn->opsize = insn->rex & 8 ? 8 : 4;
	/* VZEROUPPER and VZEROALL alone have no ModRM. */
	if (insn->vex == 4 || insn->map != 1 || insn->opcode != 0x77)
		decode_modrm(c, insn, mode, 0);
	if (vector_has_imm(insn))
		insn->imm = take_signed(c, 1);
	return c->err;
}

static int decode_vex(struct cursor *c, struct insn *insn, enum emu_mode mode,
		      u8 byte)
{
	u8 p0 = take(c, 1);
	u8 p1 = p0;

	insn->map = 1;
	insn->vex = 2;
	insn->rex = ~p0 >> 5 & 4;			/* R */
	if (byte == 0xc4) {
		p1 = take(c, 1);
		insn->vex = 3;
		insn->rex = (~p0 >> 5 & 7) | (p1 >> 4 & 8);	/* R X B, W */
		insn->map = p0 & 0x1f;
		if (!insn->map || insn->map > 3)
			return c->err ? c->err : DECODE_INVALID;
	}
	insn->vvvv = ~p1 >> 3 & 15;
	insn->vl = p1 >> 2 & 1;
	vector_prefix(insn, p1 & 3);
	return decode_vector(c, insn, mode);
}

static int decode_evex(struct cursor *c, struct insn *insn, enum emu_mode mode)
{
	u8 p0 = take(c, 1), p1 = take(c, 1), p2 = take(c, 1);

	if (c->err)
		return c->err;
	insn->vex = 4;
	insn->map = p0 & 7;
	if ((p0 & 8) || !(p1 & 4) || !(BIT(insn->map) & 0x6e))
		return DECODE_INVALID;
	insn->rex = (~p0 >> 5 & 7) | (p1 >> 4 & 8);
	insn->vvvv = ~p1 >> 3 & 15;
	insn->vl = p2 >> 5 & 3;
	vector_prefix(insn, p1 & 3);
	return decode_vector(c, insn, mode);
}

/*
 * C4, C5 and 62 are VEX and EVEX in long mode, and in protected mode where
 * LES, LDS and BOUND would have a register operand.
 */
static bool is_vector(const struct cursor *c, enum emu_mode mode, u8 byte)
{
	if (byte != 0xc4 && byte != 0xc5 && byte != 0x62)
		return false;
	if (in_long(mode))
		return true;
	if (mode == EMU_MODE_REAL || mode == EMU_MODE_VM86)
		return false;
	return c->pos < c->len && c->bytes[c->pos] >= 0xc0;
}

/**
 * decode_insn() - decode one instruction
 * @insn: out; valid only when the result is positive
 * @mode: of the code segment and the CPU
 * @bytes: of the instruction and what follows
 * @len: how many bytes are at @bytes; more than 15 are not looked at
 *
 * Branches with a 66 prefix in long mode are decoded as Intel's CPUs do.
 *
 * Return: length in bytes, or DECODE_MORE, DECODE_INVALID, DECODE_TOO_LONG.
 */
int decode_insn(struct insn *insn, enum emu_mode mode, const u8 *bytes,
		unsigned int len)
{
	struct cursor c = { .bytes = bytes, .len = len };
	int err;
	u8 byte;

	*insn = (struct insn) {
		.seg = EMU_NR_SEGS, .base = -1, .index = -1, .adsize = 1,
	};
	byte = decode_prefixes(&c, insn, mode);
	if (c.err)
		return c.err;
	insn->adsize = address_size(mode, !insn->adsize);

	if (is_vector(&c, mode, byte)) {
		if (insn->lock || insn->rep || insn->opsize_prefix || insn->rex)
			return DECODE_INVALID;
		err = byte == 0x62 ? decode_evex(&c, insn, mode) :
				     decode_vex(&c, insn, mode, byte);
	} else {
		err = decode_legacy(&c, insn, mode, byte);
	}
	if (err)
		return err;
	insn->len = c.pos;
	return c.pos;
}
