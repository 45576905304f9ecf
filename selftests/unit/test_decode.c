// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder against Zydis, on random and on structured
 * instructions in every mode; and by hand where Zydis has no say.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <Zydis/Zydis.h>

#include "x86/decode.h"

/* Instructions tried by each random test; JOIST_DECODE_RUNS sets another. */
#define DEFAULT_RUNS	2000000
#define MAX_REPORTS	20

struct mode {
	enum emu_mode mode;
	ZydisMachineMode machine;
	ZydisStackWidth stack;
	ZydisDecoder decoder;
};

#define MODE(m, z, bits) {						\
	.mode = EMU_MODE_##m, .machine = ZYDIS_MACHINE_MODE_##z,	\
	.stack = ZYDIS_STACK_WIDTH_##bits,				\
}

static struct mode modes[] = {
	MODE(LONG, LONG_64, 64), MODE(PROT32, LEGACY_32, 32),
	MODE(PROT16, LEGACY_16, 16), MODE(REAL, REAL_16, 16),
};

static u64 random_state;

static u32 random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 16;
}

static int setup(void **state)
{
	unsigned int i;

	random_state = 88172645463325252ULL;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ZydisDecoder *d = &modes[i].decoder;

		ZydisDecoderInit(d, modes[i].machine, modes[i].stack);
		/* Without MPX its opcodes are NOPs, as on all CPUs of today. */
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_KNC, ZYAN_FALSE);
	}
	return 0;
}

static long runs(void)
{
	const char *env = getenv("JOIST_DECODE_RUNS");

	return env ? atol(env) : DEFAULT_RUNS;
}

/* What the decoder does not know on purpose. */
static bool zydis_alone(const ZydisDecodedInstruction *z)
{
	if (z->encoding == ZYDIS_INSTRUCTION_ENCODING_XOP ||
	    z->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX)
		return true;
	/* Knights Corner's VEX branches */
	if (z->mnemonic == ZYDIS_MNEMONIC_JKZD ||
	    z->mnemonic == ZYDIS_MNEMONIC_JKNZD)
		return true;
	/* VIA PadLock */
	return z->opcode_map == ZYDIS_OPCODE_MAP_0F &&
	       (z->opcode & 0xfe) == 0xa6;
}

/*
 * Where the decoder tells no holes apart: a length is right whenever the CPU
 * has taken the instruction, and that is all that is asked of these.
 */
static bool decoder_looser(const struct insn *insn, enum emu_mode mode)
{
	if (insn->vex)
		return true;
	switch (insn->map) {
	case 0:
		if (insn->opcode >= 0xd8 && insn->opcode <= 0xdf)
			return true;			/* x87 aliases */
		return insn->opcode == 0x63 && mode == EMU_MODE_REAL;
	case 1:
		if (insn->opcode == 0x0f)		/* 3DNow! suffixes */
			return true;
		if (insn->opcode == 0x01)		/* prefixes of group 7 */
			return true;
		if (insn->lock)				/* AMD's CR8 */
			return insn->opcode == 0x20 || insn->opcode == 0x22;
		break;
	case 2:
		if (insn->opcode == 0xfc)		/* newer than Zydis */
			return true;
	}
	/* #UD by the mode, not by the encoding. */
	return mode == EMU_MODE_REAL && insn->map;
}

static void report(const char *what, const struct mode *m, const u8 *bytes,
		   int len, ZyanStatus status, const ZydisDecodedInstruction *z)
{
	static unsigned int reports;
	unsigned int i;

	if (reports++ >= MAX_REPORTS)
		return;
	fprintf(stderr, "# %s: mode %d length %d, Zydis %s length %d:", what,
		m->mode, len, ZYAN_SUCCESS(status) ?
		ZydisMnemonicGetString(z->mnemonic) : "refuses",
		ZYAN_SUCCESS(status) ? z->length : 0);
	for (i = 0; i < INSN_MAX_LEN; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fputc('\n', stderr);
}

static int register_number(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? -1 : ZydisRegisterGetId(reg);
}

/* The fields of a memory operand that ModRM encodes. */
static const char *check_memory(const struct insn *insn,
				const ZydisDecodedOperand *op)
{
	if (op->mem.base == ZYDIS_REGISTER_RIP ||
	    op->mem.base == ZYDIS_REGISTER_EIP)
		return insn->rip_relative ? NULL : "not RIP-relative";
	if (insn->rip_relative)
		return "RIP-relative";
	/*
	 * Base 5 with mod 0 is no base whatever REX.B says; Zydis 4.0 sees R13D
	 * there (test_emulate.c asks the CPU).
	 */
	if (register_number(op->mem.base) != insn->base &&
	    !(insn->base < 0 && op->mem.base == ZYDIS_REGISTER_R13D))
		return "base";
	if (register_number(op->mem.index) != insn->index)
		return "index";
	if (op->mem.index != ZYDIS_REGISTER_NONE &&
	    op->mem.scale != 1 << insn->scale)
		return "scale";
	return NULL;
}

static const char *check_operands(const struct insn *insn,
				  const ZydisDecodedInstruction *z,
				  const ZydisDecodedOperand *ops)
{
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < z->operand_count_visible && !wrong; i++) {
		const ZydisDecodedOperand *op = &ops[i];

		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
			wrong = check_memory(insn, op);
		if (op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		    ZydisRegisterGetClass(op->reg.value) !=
		    ZYDIS_REGCLASS_GPR64)
			continue;
		if (op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG &&
		    register_number(op->reg.value) != insn->reg)
			wrong = "reg";
		if (op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM &&
		    register_number(op->reg.value) != insn->rm)
			wrong = "rm";
	}
	return wrong;
}

/* Integer instructions whose operand size Zydis reports plainly. */
static bool plain_size(const struct insn *insn)
{
	u8 op = insn->opcode;

	if (insn->map == 0)
		return op < 0x62 || (op >= 0x68 && op < 0x8c) ||
		       (op >= 0xc0 && op < 0xc4) || op == 0xc7 ||
		       op == 0xe8 || op == 0xe9 || op == 0xf7;
	return insn->map == 1 && ((op >= 0x40 && op < 0x50) ||
				  (op >= 0x80 && op < 0x90) || op == 0xaf ||
				  op == 0xb1 || op == 0xc1);
}

static const char *check_fields(const struct insn *insn,
				const ZydisDecodedInstruction *z,
				const ZydisDecodedOperand *ops)
{
	bool legacy = z->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
	const char *wrong;

	if (z->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW)
		return NULL;
	if (insn->opcode != z->opcode)
		return "opcode";
	if (z->raw.disp.size && insn->disp != z->raw.disp.value)
		return "displacement";
	if (!insn->vex != legacy)
		return "VEX";
	if (insn->vex)
		return NULL;
	if ((z->attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0 && !insn->has_modrm)
		return "ModRM";
	if (!!(z->attributes & ZYDIS_ATTRIB_HAS_LOCK) != insn->lock)
		return "lock";
	/* ENCLS and kin are always 32 bits wide to Zydis. */
	if (z->address_width != 8 * insn->adsize &&
	    !(insn->map == 1 && insn->opcode == 0x01))
		return "address size";
	if (z->raw.imm[0].size && z->raw.imm[0].size < 64 &&
	    (insn->imm ^ z->raw.imm[0].value.s) &
	    ((1ULL << z->raw.imm[0].size) - 1))
		return "immediate";
	if (plain_size(insn) && z->operand_width != 8 &&
	    z->operand_width != 8 * insn->opsize)
		return "operand size";
	wrong = check_operands(insn, z, ops);
	return wrong;
}

/* Returns false, and says why, where decoder and Zydis differ. */
static bool compare(const struct mode *m, const u8 *bytes)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	struct insn insn;
	const char *wrong = NULL;
	ZyanStatus status;
	int len;

	len = decode_insn(&insn, m->mode, bytes, INSN_MAX_LEN);
	status = ZydisDecoderDecodeFull(&m->decoder, bytes, INSN_MAX_LEN, &z,
					ops);
	if (ZYAN_SUCCESS(status)) {
		if (zydis_alone(&z))
			return true;
		wrong = len != z.length ? "length" :
					  check_fields(&insn, &z, ops);
	} else if (len > 0 && !decoder_looser(&insn, m->mode)) {
		wrong = "accepted";
	}
	if (wrong)
		report(wrong, m, bytes, len, status, &z);
	return !wrong;
}

static const u8 prefixes[] = {
	0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65,
	0x40, 0x41, 0x42, 0x44, 0x48, 0x4f,
};

static unsigned int random_prefixes(u8 *bytes)
{
	unsigned int n = random_u32() % 4, i;

	if (random_u32() % 64 == 0)
		n = random_u32() % 13;
	for (i = 0; i < n; i++)
		bytes[i] = prefixes[random_u32() % ARRAY_SIZE(prefixes)];
	return n;
}

static void random_bytes(u8 *bytes, unsigned int from)
{
	for (; from < INSN_MAX_LEN; from++)
		bytes[from] = random_u32();
}

static void run_random(unsigned int (*start)(u8 *bytes))
{
	u8 bytes[INSN_MAX_LEN];
	long i, n = runs(), bad = 0;

	for (i = 0; i < n; i++) {
		random_bytes(bytes, start(bytes));
		bad += !compare(&modes[i % ARRAY_SIZE(modes)], bytes);
	}
	assert_int_equal(bad, 0);
}

static unsigned int start_anything(u8 *bytes)
{
	return 0;
}

static unsigned int start_one_byte(u8 *bytes)
{
	return random_prefixes(bytes);
}

static unsigned int start_0f(u8 *bytes)
{
	unsigned int n = random_prefixes(bytes);

	bytes[n++] = 0x0f;
	return n;
}

static unsigned int start_0f38_0f3a(u8 *bytes)
{
	unsigned int n = start_0f(bytes);

	bytes[n++] = random_u32() & 1 ? 0x38 : 0x3a;
	return n;
}

static unsigned int start_vector(u8 *bytes)
{
	static const u8 escape[] = { 0xc4, 0xc5, 0x62, 0xc4, 0x62 };
	unsigned int n = random_u32() % 8 ? 0 : random_prefixes(bytes);

	bytes[n] = escape[random_u32() % ARRAY_SIZE(escape)];
	if (bytes[n++] == 0xc5)
		return n;
	/* A map that exists, most of the time. */
	bytes[n++] = (random_u32() & 0xe0) | (1 + random_u32() % 3) |
		     (random_u32() % 16 ? 0 : random_u32() & 0x1f);
	return n;
}

static void test_random_anything(void **state)
{
	run_random(start_anything);
}

static void test_random_one_byte(void **state)
{
	run_random(start_one_byte);
}

static void test_random_0f(void **state)
{
	run_random(start_0f);
}

static void test_random_0f38_0f3a(void **state)
{
	run_random(start_0f38_0f3a);
}

static void test_random_vector(void **state)
{
	run_random(start_vector);
}

/* Each opcode of the first two maps with each ModRM byte, in each mode. */
static void test_every_opcode_modrm(void **state)
{
	static const u8 lead[][2] = {
		{ 0 }, { 1, 0x66 }, { 1, 0xf2 }, { 1, 0xf3 }, { 1, 0x67 },
		{ 1, 0xf0 }, { 1, 0x48 },
	};
	u8 bytes[INSN_MAX_LEN];
	unsigned int mode, p, i, bad = 0;

	for (mode = 0; mode < ARRAY_SIZE(modes); mode++)
		for (p = 0; p < ARRAY_SIZE(lead); p++)
			for (i = 0; i < 0x20000; i++) {
				unsigned int n = lead[p][0];

				bytes[0] = lead[p][1];
				if (i >> 16)
					bytes[n++] = 0x0f;
				bytes[n++] = i >> 8;
				bytes[n++] = i;
				random_bytes(bytes, n);
				bad += !compare(&modes[mode], bytes);
			}
	assert_int_equal(bad, 0);
}

/* With fewer bytes than the instruction has, it asks for more. */
static void test_more(void **state)
{
	u8 bytes[INSN_MAX_LEN];
	struct insn insn;
	long i, n = runs() / 8;
	int len, cut;

	for (i = 0; i < n; i++) {
		enum emu_mode mode = modes[i % ARRAY_SIZE(modes)].mode;
		u8 *exact;

		random_bytes(bytes, i & 4 ? start_one_byte(bytes) :
					    start_0f(bytes));
		len = decode_insn(&insn, mode, bytes, sizeof(bytes));
		if (len <= 0)
			continue;
		/* From the heap, so that ASan sees a byte too many. */
		for (cut = 0; cut < len; cut++) {
			exact = malloc(cut ?: 1);
			memcpy(exact, bytes, cut);
			assert_int_equal(decode_insn(&insn, mode, exact, cut),
					 DECODE_MORE);
			free(exact);
		}
		exact = malloc(len);
		memcpy(exact, bytes, len);
		assert_int_equal(decode_insn(&insn, mode, exact, len), len);
		free(exact);
	}
}

#define BYTES(...)	((const u8[INSN_MAX_LEN + 1]) { __VA_ARGS__ })

static int decode_long(const u8 *bytes, unsigned int len)
{
	struct insn insn;

	return decode_insn(&insn, EMU_MODE_LONG, bytes, len);
}

static void test_limit(void **state)
{
	u8 bytes[16];

	/* 14 prefixes and NOP are 15 bytes; one more is too many. */
	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0x90;
	assert_int_equal(decode_long(bytes, 15), 15);
	bytes[14] = 0x66;
	bytes[15] = 0x90;
	assert_int_equal(decode_long(bytes, 16), DECODE_TOO_LONG);
	assert_int_equal(decode_long(bytes, 15), DECODE_TOO_LONG);
	assert_int_equal(decode_long(bytes, 14), DECODE_MORE);
	/* The limit is met in the immediate. */
	bytes[10] = 0x81;
	bytes[11] = 0xc0;
	assert_int_equal(decode_long(bytes, 15), 14);
	bytes[10] = 0x66;
	bytes[11] = 0x66;
	bytes[12] = 0x81;
	bytes[13] = 0xc0;
	assert_int_equal(decode_long(bytes, 16), DECODE_TOO_LONG);
}

/* What SVM intercepts, with prefixes that do nothing. */
static void test_intercepted(void **state)
{
	static const struct {
		u8 len;
		u8 bytes[8];
	} rows[] = {
		{ 2, { 0x0f, 0xa2 } },			/* CPUID */
		{ 2, { 0x0f, 0x32 } },			/* RDMSR */
		{ 2, { 0x0f, 0x30 } },			/* WRMSR */
		{ 3, { 0x0f, 0x01, 0xd9 } },		/* VMMCALL */
		{ 3, { 0x0f, 0x01, 0xc1 } },		/* VMCALL */
		{ 3, { 0x0f, 0x01, 0xd1 } },		/* XSETBV */
		{ 3, { 0x0f, 0x01, 0xf9 } },		/* RDTSCP */
		{ 3, { 0x0f, 0x01, 0xc8 } },		/* MONITOR */
		{ 3, { 0x0f, 0x01, 0xc9 } },		/* MWAIT */
		{ 1, { 0xf4 } },			/* HLT */
		{ 1, { 0x90 } },			/* NOP, PAUSE */
		{ 2, { 0x0f, 0x31 } },			/* RDTSC */
		{ 2, { 0x0f, 0x33 } },			/* RDPMC */
		{ 2, { 0x0f, 0x08 } },			/* INVD */
		{ 2, { 0x0f, 0x09 } },			/* WBINVD */
		{ 2, { 0x0f, 0x06 } },			/* CLTS */
		{ 2, { 0xe4, 0x10 } },			/* IN, OUT */
		{ 2, { 0xe7, 0x10 } },
		{ 1, { 0xec } },
		{ 1, { 0xef } },
		{ 1, { 0x6c } },			/* INS, OUTS */
		{ 1, { 0x6f } },
		{ 3, { 0x0f, 0x01, 0x38 } },		/* INVLPG (RAX) */
		{ 3, { 0x0f, 0x20, 0xc0 } },		/* MOV RAX, CR0 */
		{ 3, { 0x0f, 0x22, 0x04 } },		/* mod is ignored */
		{ 3, { 0x0f, 0x22, 0x9d } },
		{ 3, { 0x0f, 0x23, 0xfb } },		/* MOV DR7, RBX */
		{ 3, { 0x0f, 0x21, 0x35 } },
		{ 3, { 0x0f, 0x01, 0xf0 } },		/* LMSW AX */
	};
	static const u8 lead[] = { 0x66, 0xf3, 0xf2, 0x2e, 0x64, 0x48 };
	u8 bytes[INSN_MAX_LEN];
	unsigned int i, n, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (n = 0; n <= ARRAY_SIZE(lead); n++) {
			memset(bytes, 0, sizeof(bytes));
			for (k = 0; k < n; k++)
				bytes[k] = lead[(k + i) % ARRAY_SIZE(lead)];
			memcpy(bytes + n, rows[i].bytes, rows[i].len);
			assert_int_equal(decode_long(bytes, n + rows[i].len),
					 n + rows[i].len);
		}
}

static void test_lock(void **state)
{
	/* LOCK ADD [RAX], EAX; and with a register; CMP; MOV; NOP */
	assert_int_equal(decode_long(BYTES(0xf0, 0x01, 0x00), 3), 3);
	assert_int_equal(decode_long(BYTES(0xf0, 0x01, 0xc0), 3),
			 DECODE_INVALID);
	assert_int_equal(decode_long(BYTES(0xf0, 0x39, 0x00), 3),
			 DECODE_INVALID);
	assert_int_equal(decode_long(BYTES(0xf0, 0x83, 0x38, 1), 4),
			 DECODE_INVALID);
	assert_int_equal(decode_long(BYTES(0xf0, 0x89, 0x00), 3),
			 DECODE_INVALID);
	assert_int_equal(decode_long(BYTES(0xf0, 0x90), 2), DECODE_INVALID);
	assert_int_equal(decode_long(BYTES(0xf0, 0x0f, 0xba, 0x28, 1), 5), 5);
	assert_int_equal(decode_long(BYTES(0xf0, 0x0f, 0xba, 0x20, 1), 5),
			 DECODE_INVALID);
}

static void test_rex_position(void **state)
{
	struct insn insn;

	/* REX.W before 66 is void; after it, it wins. */
	assert_int_equal(decode_insn(&insn, EMU_MODE_LONG,
				     BYTES(0x48, 0x66, 0x89, 0x00), 4), 4);
	assert_int_equal(insn.opsize, 2);
	assert_int_equal(insn.rex, 0);
	assert_int_equal(decode_insn(&insn, EMU_MODE_LONG,
				     BYTES(0x66, 0x48, 0x89, 0x00), 4), 4);
	assert_int_equal(insn.opsize, 8);
}

static void test_vex_fields(void **state)
{
	struct insn insn;

	/* VMOVDQU YMM9, [R8]; VMOVUPS [RAX], XMM1 */
	assert_int_equal(decode_insn(&insn, EMU_MODE_LONG,
				     BYTES(0xc4, 0x41, 0x7e, 0x6f, 0x08), 5),
			 5);
	assert_int_equal(insn.vex, 3);
	assert_int_equal(insn.reg, 9);
	assert_int_equal(insn.base, 8);
	assert_int_equal(insn.vl, 1);
	assert_int_equal(insn.rep, 0xf3);
	assert_int_equal(insn.vvvv, 0);
	assert_int_equal(decode_insn(&insn, EMU_MODE_LONG,
				     BYTES(0xc5, 0xf8, 0x11, 0x08), 4), 4);
	assert_int_equal(insn.vex, 2);
	assert_int_equal(insn.reg, 1);
	assert_int_equal(insn.vl, 0);
	/* LES in 32-bit code, VEX only with a register-like ModRM. */
	assert_int_equal(decode_insn(&insn, EMU_MODE_PROT32,
				     BYTES(0xc4, 0x01), 2), 2);
	assert_int_equal(insn.vex, 0);
	assert_int_equal(decode_insn(&insn, EMU_MODE_REAL,
				     BYTES(0xc5, 0xf8, 0x77), 3),
			 DECODE_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_anything),
		cmocka_unit_test(test_random_one_byte),
		cmocka_unit_test(test_random_0f),
		cmocka_unit_test(test_random_0f38_0f3a),
		cmocka_unit_test(test_random_vector),
		cmocka_unit_test(test_every_opcode_modrm),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_intercepted),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_rex_position),
		cmocka_unit_test(test_vex_fields),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
