// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against this machine's CPU: the same instruction with the same
 * registers and memory runs on both, in 64-bit user mode.
 *
 * The CPU's run needs no assembly: an INT3 enters a signal handler, which
 * puts the test's registers into the signal frame and returns into a page of
 * INT3s that holds the instruction. Whatever comes next traps again, with all
 * registers in the new frame.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include <Zydis/Zydis.h>

#include "x86/decode.h"
#include "emu_env.h"

/* Trials of each test; JOIST_EMULATE_RUNS sets another number. */
#define DEFAULT_RUNS	20000
#define MAX_REPORTS	5

/* Below 4 GiB, so that 32-bit addresses reach it. Nothing is around it. */
#define AREA		0x20000000UL
#define CODE_SIZE	0x1000UL
#define DATA		(AREA + CODE_SIZE)
#define DATA_SIZE	0x2000UL
#define AREA_SIZE	(CODE_SIZE + DATA_SIZE)
#define CODE_AT		(AREA + 0x800)

#define FLAGS_SEEN	(FL_STATUS | FL_DF)
#define OSZAPC		FL_STATUS

static u8 *code;		/* writable alias of the code page */
static u8 shadow[AREA_SIZE];	/* the emulator's memory */
static u8 image[DATA_SIZE];	/* what both start with */
static ZydisDecoder decoder;

/* xsave layout of the signal frame */
#define FP_XMM		160
#define FP_SW_MAGIC	464
#define FP_XSTATE_BV	512
#define FP_YMM		576
#define FP_SIZE		(FP_YMM + 256)
#define FP_MAGIC	0x46505853

struct cpu_state {
	u64 regs[16];
	u64 rip;
	u64 rflags;
	u8 xmm[16][32];
};

static struct {
	int phase;
	int signal;
	struct cpu_state in, out;
	gregset_t host;
	u8 host_fp[FP_SIZE];
	bool has_ymm;
} native;

/* Where the signal frame keeps the registers as instructions number them. */
static const u8 greg_of[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void frame_load(ucontext_t *uc, const struct cpu_state *s)
{
	u8 *fp = (u8 *)uc->uc_mcontext.fpregs;
	unsigned int i;

	for (i = 0; i < 16; i++)
		uc->uc_mcontext.gregs[greg_of[i]] = s->regs[i];
	uc->uc_mcontext.gregs[REG_RIP] = s->rip;
	uc->uc_mcontext.gregs[REG_EFL] = s->rflags;
	for (i = 0; i < 16; i++) {
		memcpy(fp + FP_XMM + 16 * i, s->xmm[i], 16);
		if (native.has_ymm)
			memcpy(fp + FP_YMM + 16 * i, s->xmm[i] + 16, 16);
	}
	if (native.has_ymm)
		*(u64 *)(fp + FP_XSTATE_BV) |= 7;
}

static void frame_save(const ucontext_t *uc, struct cpu_state *s)
{
	const u8 *fp = (const u8 *)uc->uc_mcontext.fpregs;
	u64 present = native.has_ymm ? *(const u64 *)(fp + FP_XSTATE_BV) : 2;
	unsigned int i;

	for (i = 0; i < 16; i++)
		s->regs[i] = uc->uc_mcontext.gregs[greg_of[i]];
	s->rip = uc->uc_mcontext.gregs[REG_RIP];
	s->rflags = uc->uc_mcontext.gregs[REG_EFL];
	memset(s->xmm, 0, sizeof(s->xmm));
	for (i = 0; i < 16; i++) {
		if (present & 2)
			memcpy(s->xmm[i], fp + FP_XMM + 16 * i, 16);
		if (present & 4)
			memcpy(s->xmm[i] + 16, fp + FP_YMM + 16 * i, 16);
	}
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u8 *fp = (u8 *)uc->uc_mcontext.fpregs;

	switch (native.phase) {
	case 0:
		memcpy(native.host, uc->uc_mcontext.gregs, sizeof(gregset_t));
		native.has_ymm = *(u32 *)(fp + FP_SW_MAGIC) == FP_MAGIC &&
				 __builtin_cpu_supports("avx");
		memcpy(native.host_fp, fp, native.has_ymm ? FP_SIZE : 512);
		frame_load(uc, &native.in);
		native.phase = 1;
		break;
	case 1:
		native.signal = sig;
		frame_save(uc, &native.out);
		memcpy(uc->uc_mcontext.gregs, native.host, sizeof(gregset_t));
		memcpy(fp, native.host_fp, native.has_ymm ? FP_SIZE : 512);
		native.phase = 2;
		break;
	default:
		signal(sig, SIG_DFL);	/* a fault of the test's own */
	}
}

static void run_native(void)
{
	native.phase = 0;
	asm volatile("int3" : : : "memory");
	native.phase = 3;
}

/* For each test anew: cmocka sets handlers of its own around it. */
static void take_signals(void)
{
	static const int signals[] = {
		SIGSEGV, SIGTRAP, SIGILL, SIGFPE, SIGBUS,
	};
	struct sigaction sa = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

static int setup(void **state)
{
	static u8 stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	void *p;
	int fd;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
	fd = memfd_create("code", 0);
	if (fd < 0 || ftruncate(fd, CODE_SIZE))
		return -1;
	code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = mmap((void *)AREA, CODE_SIZE, PROT_READ | PROT_EXEC,
		 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	close(fd);
	if (code == MAP_FAILED || p != (void *)AREA)
		return -1;
	p = mmap((void *)DATA, DATA_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != (void *)DATA)
		return -1;
	native.phase = 3;
	return sigaltstack(&ss, NULL);
}

static u64 random_state = 88172645463325252ULL;

static u64 random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 below(u32 n)
{
	return (random_u64() >> 32) % n;
}

static u64 data_address(void)
{
	return DATA + 0x400 + below(DATA_SIZE - 0x800);
}

static u64 random_value(void)
{
	static const u64 edges[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff, 0xffffffff80000000,
	};

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return below(256);
	default:
		return random_u64();
	}
}

/**
 * struct family - opcodes under test
 * @map: opcode map
 * @first: of a range
 * @last: of it
 * @undefined: flags that the architecture leaves undefined
 */
struct family {
	u8 map;
	u8 first;
	u8 last;
	u32 undefined;
};

static const struct family arithmetic[] = {
	{ 0, 0x00, 0x05 }, { 0, 0x08, 0x0d, FL_AF }, { 0, 0x10, 0x15 },
	{ 0, 0x18, 0x1d }, { 0, 0x20, 0x25, FL_AF }, { 0, 0x28, 0x2d },
	{ 0, 0x30, 0x35, FL_AF }, { 0, 0x38, 0x3d },
	{ 0, 0x80, 0x81, FL_AF }, { 0, 0x83, 0x83, FL_AF },
	{ 0, 0x80, 0x81, FL_AF }, { 0, 0x83, 0x83, FL_AF },
	{ 0, 0x84, 0x85, FL_AF }, { 0, 0xa8, 0xa9, FL_AF },
	{ 0, 0xf6, 0xf7 }, { 0, 0xf6, 0xf7 }, { 0, 0xfe, 0xff },
	{ 0, 0x69, 0x69, FL_SF | FL_ZF | FL_AF | FL_PF },
	{ 0, 0x6b, 0x6b, FL_SF | FL_ZF | FL_AF | FL_PF },
	{ 1, 0xaf, 0xaf, FL_SF | FL_ZF | FL_AF | FL_PF },
	{ 1, 0xb0, 0xb1 }, { 1, 0xc0, 0xc1 }, { 1, 0xc7, 0xc7 },
	{ 0, 0xf5, 0xf5 }, { 0, 0xf8, 0xf9 }, { 0, 0xfc, 0xfd },
	{ 0, 0x9e, 0x9f },
};

static const struct family bits[] = {
	{ 0, 0xc0, 0xc1, FL_AF }, { 0, 0xd0, 0xd3, FL_AF },
	{ 1, 0xa4, 0xa5, FL_AF }, { 1, 0xac, 0xad, FL_AF },
	{ 1, 0xa3, 0xa3, FL_OF | FL_SF | FL_AF | FL_PF },
	{ 1, 0xab, 0xab, FL_OF | FL_SF | FL_AF | FL_PF },
	{ 1, 0xb3, 0xb3, FL_OF | FL_SF | FL_AF | FL_PF },
	{ 1, 0xba, 0xbb, FL_OF | FL_SF | FL_AF | FL_PF },
	{ 1, 0xbc, 0xbd, OSZAPC & ~FL_ZF }, { 1, 0xb8, 0xb8 },
};

static const struct family moves[] = {
	{ 0, 0x63, 0x63 }, { 0, 0x86, 0x8c }, { 0, 0x8d, 0x8d },
	{ 0, 0x90, 0x99 }, { 0, 0xa0, 0xa3 }, { 0, 0xb0, 0xbf },
	{ 0, 0xc6, 0xc7 }, { 0, 0xd7, 0xd7 }, { 1, 0x40, 0x4f },
	{ 1, 0x90, 0x9f }, { 1, 0xb6, 0xb7 }, { 1, 0xbe, 0xbf },
	{ 1, 0xc3, 0xc3 }, { 1, 0xc8, 0xcf }, { 1, 0x1f, 0x1f },
	{ 2, 0xf0, 0xf1 },
};

static const struct family strings[] = {
	{ 0, 0xa4, 0xa7 }, { 0, 0xaa, 0xaf },
};

static const struct family stack[] = {
	{ 0, 0x50, 0x5f }, { 0, 0x68, 0x68 }, { 0, 0x6a, 0x6a },
	{ 0, 0x8f, 0x8f }, { 0, 0x9c, 0x9d }, { 0, 0xc8, 0xc9 },
	{ 0, 0xff, 0xff }, { 1, 0xa0, 0xa0 }, { 1, 0xa8, 0xa8 },
};

static const struct family branches[] = {
	{ 0, 0x70, 0x7f }, { 1, 0x80, 0x8f }, { 0, 0xe0, 0xe3 },
	{ 0, 0xe8, 0xe9 }, { 0, 0xeb, 0xeb }, { 0, 0xc2, 0xc3 },
	{ 0, 0xff, 0xff },
};

static const struct family privileged[] = {
	{ 0, 0x6c, 0x6f }, { 0, 0xe4, 0xe7 }, { 0, 0xec, 0xef },
	{ 0, 0xf4, 0xf4 }, { 0, 0xfa, 0xfb }, { 1, 0x06, 0x06 },
	{ 1, 0x08, 0x09 }, { 1, 0x20, 0x23 }, { 1, 0x30, 0x30 },
	{ 1, 0x32, 0x32 },
};

static const struct family vectors[] = {
	{ 1, 0x10, 0x13 }, { 1, 0x16, 0x17 }, { 1, 0x28, 0x29 },
	{ 1, 0x2b, 0x2b }, { 1, 0x6e, 0x6f }, { 1, 0x7e, 0x7f },
	{ 1, 0xd6, 0xd6 }, { 1, 0xe7, 0xe7 }, { 1, 0xf0, 0xf0 },
	{ 2, 0x2a, 0x2a },
};

struct trial {
	u8 bytes[16];
	const struct family *family;
	ZydisDecodedInstruction z;
	struct insn insn;
	struct cpu_state in;
	unsigned int len;
	u32 undefined;
	bool illegal;		/* LOCK where it is not allowed */
};

static unsigned int put_vex(u8 *bytes, unsigned int map)
{
	u64 r = random_u64();
	unsigned int n = 0;
	u8 vvvv = r & 7 ? 0x78 : (r >> 4) & 0x78;
	u8 tail = (r >> 16 & 7) | vvvv;		/* L, pp */

	if (map == 1 && (r & 0x100000)) {
		bytes[n++] = 0xc5;
		bytes[n++] = (r >> 24 & 0x80) | tail;
		return n;
	}
	bytes[n++] = 0xc4;
	bytes[n++] = (r >> 24 & 0xe0) | map;
	bytes[n++] = (r >> 32 & 0x80) | tail;
	return n;
}

static unsigned int put_prefixes(u8 *bytes, bool vector)
{
	static const u8 legacy[] = { 0x2e, 0x36, 0x3e, 0x26, 0xf2, 0xf3 };
	unsigned int n = 0;

	if (!below(4))
		bytes[n++] = 0x66;
	if (!below(8))
		bytes[n++] = 0x67;
	if (!below(12))
		bytes[n++] = 0xf0;
	if (!below(vector ? 2 : 6))
		bytes[n++] = legacy[below(ARRAY_SIZE(legacy))];
	if (below(3))
		bytes[n++] = 0x40 | below(16);
	return n;
}

static void put_opcode(struct trial *t)
{
	const struct family *f = t->family;
	bool vector = f >= vectors && f < vectors + ARRAY_SIZE(vectors);
	unsigned int n;

	if (vector && native.has_ymm && below(2)) {
		n = put_vex(t->bytes, f->map);
	} else {
		n = put_prefixes(t->bytes, vector);
		if (f->map)
			t->bytes[n++] = 0x0f;
		if (f->map == 2)
			t->bytes[n++] = 0x38;
	}
	t->bytes[n++] = f->first + below(f->last - f->first + 1);
	while (n < sizeof(t->bytes))
		t->bytes[n++] = random_u64();
}

/* Is this one of those that the harness can run? */
static bool runnable(struct trial *t)
{
	const struct insn *insn = &t->insn;
	unsigned int ext = insn->modrm >> 3 & 7;
	u8 op = insn->opcode;

	if (insn->map == 2 && !insn->vex && op != 0x2a)
		return insn->rep != 0xf2;	/* CRC32 */
	if (insn->vex || insn->map == 2)
		return true;
	if (insn->map == 1) {
		if (op == 0xc7)
			return ext == 1 && insn->mod != 3;
		if (op == 0xbc && insn->rep == 0xf3)
			return __builtin_cpu_supports("bmi");
		if (op == 0xbd && insn->rep == 0xf3)
			return __builtin_cpu_supports("lzcnt");
		/* 16 bits: AMD and Intel differ in what follows a 66. */
		if (op >= 0x80 && op <= 0x8f)
			return !insn->opsize_prefix;
		return true;
	}
	switch (op) {
	case 0xc6 ... 0xc7:
		return ext == 0;
	case 0x63:		/* 16 bits: AMD reads 32 */
		return insn->opsize != 2;
	case 0xff:
		if (t->family >= branches &&
		    t->family < branches + ARRAY_SIZE(branches))
			return (ext == 2 || ext == 4) && !insn->opsize_prefix;
		if (t->family >= stack &&
		    t->family < stack + ARRAY_SIZE(stack))
			return ext == 6;
		return ext < 2;
	case 0x70 ... 0x7f:
	case 0xc2 ... 0xc3:
		return !insn->opsize_prefix;
	case 0xe0 ... 0xe1:
		/* On this AMD CPU a REP prefix decides LOOPE or LOOPNE. */
		return !insn->rep && !insn->opsize_prefix;
	case 0xe2 ... 0xe3:
	case 0xe8 ... 0xe9:
	case 0xeb:
		return !insn->opsize_prefix;
	}
	return true;
}

static void patch(struct trial *t, unsigned int at, unsigned int bits, u64 val)
{
	memcpy(t->bytes + at, &val, bits / 8);
}

/* Width of the data a memory operand holds, at most. */
#define OPERAND_MAX	32

static u64 address_mask(const struct trial *t)
{
	return t->insn.adsize == 8 ? ~0ULL : 0xffffffff;
}

static u64 effective_address(const struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 ea = insn->disp;

	if (insn->base >= 0)
		ea += t->in.regs[insn->base];
	if (insn->index >= 0)
		ea += t->in.regs[insn->index] << insn->scale;
	if (insn->rip_relative)
		ea += CODE_AT + t->len;
	return ea & address_mask(t);
}

static bool is_bit_offset(const struct insn *insn)
{
	return insn->map == 1 && (insn->opcode == 0xa3 ||
				  insn->opcode == 0xab ||
				  insn->opcode == 0xb3 ||
				  insn->opcode == 0xbb);
}

/* Choose registers or displacement such that the operand is in the data. */
static bool place_operand(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 target = data_address(), ea;

	/* At the end, to run out of the page; or aligned. */
	if (!below(16))
		target = DATA + DATA_SIZE - 1 - below(16);
	else if (below(2))
		target &= ~31ULL;
	if (insn->base < 0 && insn->index < 0) {
		u64 disp = target;

		if (insn->rip_relative)
			disp -= CODE_AT + t->len;
		patch(t, t->z.raw.disp.offset, t->z.raw.disp.size, disp);
		t->insn.disp = disp;
	} else if (insn->index < 0) {
		t->in.regs[insn->base] = target - insn->disp;
	} else {
		if (insn->base == insn->index)
			return false;
		t->in.regs[insn->index] = (s64)below(512) - 256;
		if (insn->base >= 0) {
			t->in.regs[insn->base] = target - insn->disp -
				(t->in.regs[insn->index] << insn->scale);
		} else {
			t->in.regs[insn->index] =
				(target - insn->disp) >> insn->scale;
		}
	}
	if (is_bit_offset(insn))
		t->in.regs[insn->reg] =
			(t->in.regs[insn->reg] & 0xfff) - 0x800;
	/* An address that is not canonical reaches nothing of the host's. */
	if (!below(32) && insn->base >= 0 && insn->adsize == 8 &&
	    insn->base != insn->reg)
		t->in.regs[insn->base] ^= 1ULL << (48 + below(15));

	ea = effective_address(t);
	if (is_bit_offset(insn)) {
		s64 nr = t->in.regs[insn->reg];

		if (insn->opsize == 2)
			nr = (s16)nr;
		ea += (nr >> 3) & ~(s64)(insn->opsize - 1);
	}
	if ((ea >> 47) != 0 && (ea >> 47) != 0x1ffff)
		return true;
	return ea >= DATA && ea < DATA + DATA_SIZE;
}

/* Not within the instruction itself, nor at it: that would never end. */
static u64 code_address(void)
{
	u64 at = AREA + 0x100 + below(CODE_SIZE - 0x200);

	return at - CODE_AT < 16 ? at + 16 : at;
}

static void store(u64 at, u64 val, unsigned int size)
{
	if (at >= DATA && at + size <= DATA + DATA_SIZE)
		memcpy(image + (at - DATA), &val, size);
}

/* Branches stay within the page of INT3s. */
static bool place_branch(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u8 op = insn->opcode;

	if (insn->map == 0 && op == 0xff) {
		if (insn->mod == 3) {
			t->in.regs[insn->rm] = code_address();
			return insn->rm != R_SP;
		}
		store(effective_address(t), code_address(), 8);
	} else if (insn->map == 0 && (op == 0xc2 || op == 0xc3)) {
		store(t->in.regs[R_SP], code_address(), 8);
	} else if (t->z.raw.imm[0].size == 32) {
		patch(t, t->z.raw.imm[0].offset, 32,
		      code_address() - CODE_AT - t->len);
	} else if (t->z.raw.imm[0].size == 8 && insn->imm < 0) {
		patch(t, t->z.raw.imm[0].offset, 8, insn->imm - 16 < -128 ?
		      insn->imm : insn->imm - 16);
	}
	return true;
}

static bool in_families(const struct trial *t, const struct family *f,
			unsigned int n)
{
	return t->family >= f && t->family < f + n;
}

/* What only some instructions have by way of operands and undefined flags. */
static void place_special(struct trial *t)
{
	const struct insn *insn = &t->insn;
	u64 *regs = t->in.regs;

	if (in_families(t, strings, ARRAY_SIZE(strings))) {
		regs[R_SI] = data_address();
		regs[R_DI] = below(4) ? data_address() : regs[R_SI];
		regs[R_CX] = below(9);
	}
	if (insn->map == 0 && insn->opcode == 0xd7)
		regs[R_BX] = data_address();
	if (insn->map == 0 && insn->opcode == 0x9d) {
		u64 flags = random_u64() & ~(FL_TF | FL_AC | FL_NT | FL_RF);

		store(regs[R_SP], flags & 0xffffffff, 8);
	}
	if (insn->map == 0 && insn->opcode >= 0xc8 && insn->opcode <= 0xc9)
		regs[R_BP] = data_address();
	/*
	 * ENTER: the CPU also probes where the stack pointer ends; and the
	 * frame pointers that it copies do not overlap what it pushes.
	 */
	if (insn->map == 0 && insn->opcode == 0xc8) {
		patch(t, t->z.raw.imm[0].offset, 16, below(0x200));
		regs[R_BP] = regs[R_SP] + 0x100 + below(0x100);
	}
	/* CMPXCHG: be equal now and then. */
	if (insn->map == 1 && (insn->opcode == 0xb0 || insn->opcode == 0xb1) &&
	    below(2)) {
		if (insn->mod == 3)
			regs[R_AX] = regs[insn->rm];
		else
			store(effective_address(t), regs[R_AX], 8);
	}
	if (insn->map == 1 && insn->opcode == 0xc7 && below(2)) {
		unsigned int half = insn->opsize == 8 ? 8 : 4;

		store(effective_address(t), regs[R_AX], half);
		store(effective_address(t) + half, regs[R_DX], half);
	}
}

static u32 shift_count(const struct trial *t)
{
	const struct insn *insn = &t->insn;
	u32 count = t->in.regs[R_CX];

	if (insn->map == 0 && insn->opcode < 0xd0)
		count = insn->imm;
	else if (insn->map == 0 && insn->opcode < 0xd2)
		count = 1;
	else if (insn->map == 1 && !(insn->opcode & 1))
		count = insn->imm;
	return count & (insn->opsize == 8 &&
			(insn->map || (insn->opcode & 1)) ? 63 : 31);
}

/* Flags and results that are undefined by the operands' values. */
static bool undefined_by_value(struct trial *t)
{
	const struct insn *insn = &t->insn;
	unsigned int ext = insn->modrm >> 3 & 7;
	unsigned int size = insn->opsize;
	u32 count;

	if (in_families(t, bits, 4)) {
		if (insn->map == 0 && !(insn->opcode & 1))
			size = 1;
		count = shift_count(t);
		if (!count)
			t->undefined = 0;
		if (insn->map == 0 && ext < 4)
			t->undefined = 0;
		if (count > 1)
			t->undefined |= FL_OF;
		if (insn->map == 0 && ext >= 4 && count >= 8 * size)
			t->undefined |= FL_CF;
		/* SHLD, SHRD beyond 16 bits: all is undefined */
		if (insn->map == 1 && size == 2 && count > 16)
			return true;
	}
	if (insn->map == 0 && (insn->opcode & 0xfe) == 0xf6) {
		if (ext < 2)
			t->undefined = FL_AF;
		else if (ext >= 6)
			t->undefined = OSZAPC;
		else if (ext >= 4)
			t->undefined = FL_SF | FL_ZF | FL_AF | FL_PF;
	}
	/* AF of the immediate forms is undefined for logic alone. */
	if (insn->map == 0 && insn->opcode >= 0x80 && insn->opcode <= 0x83 &&
	    ext != 1 && ext != 4 && ext != 6)
		t->undefined = 0;
	/* TZCNT, LZCNT: CF is defined */
	if (insn->map == 1 && (insn->opcode & 0xfe) == 0xbc &&
	    insn->rep == 0xf3)
		t->undefined = OSZAPC & ~(FL_ZF | FL_CF);
	/* BSWAP of 16 bits */
	return insn->map == 1 && insn->opcode >= 0xc8 && size == 2;
}

static bool make_trial(struct trial *t, const struct family *f, unsigned int n)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZyanStatus status;
	unsigned int i;
	u8 *p;

	memset(t, 0, sizeof(*t));
	t->family = &f[below(n)];
	t->undefined = t->family->undefined;
	put_opcode(t);

	for (i = 0; i < 16; i++)
		t->in.regs[i] = random_value();
	t->in.regs[R_SP] = data_address();
	t->in.rip = CODE_AT;
	/* ID and others that user mode cannot choose are as they are. */
	t->in.rflags = (__builtin_ia32_readeflags_u64() & ~FLAGS_SEEN) |
		       (random_u64() & FLAGS_SEEN);
	for (p = (u8 *)t->in.xmm; p < (u8 *)(t->in.xmm + 16); p++)
		*p = native.has_ymm || ((p - (u8 *)t->in.xmm) & 16) == 0 ?
			random_u64() : 0;
	for (i = 0; i < DATA_SIZE; i += 8) {
		u64 val = random_value();

		memcpy(image + i, &val, 8);
	}

	status = ZydisDecoderDecodeFull(&decoder, t->bytes, 15, &t->z, ops);
	if (status == ZYDIS_STATUS_ILLEGAL_LOCK) {
		/* 8F is XOP for the most part, whose #UD may be something else. */
		if (!t->family->map && t->family->first == 0x8f)
			return false;
		t->illegal = true;
		t->len = 15;
		return true;
	}
	if (!ZYAN_SUCCESS(status))
		return false;
	if (decode_insn(&t->insn, EMU_MODE_LONG, t->bytes, 15) != t->z.length)
		return false;
	t->len = t->z.length;
	if (!runnable(t))
		return false;
	if ((t->insn.has_modrm && t->insn.mod != 3 && t->insn.opcode != 0x8d) ||
	    (t->insn.map == 0 && t->insn.opcode >= 0xa0 &&
	     t->insn.opcode <= 0xa3)) {
		if (!place_operand(t))
			return false;
	}
	place_special(t);
	if (in_families(t, branches, ARRAY_SIZE(branches)) && !place_branch(t))
		return false;
	/* RSP as a base may have left the data: the stack would be the host's. */
	if ((in_families(t, stack, ARRAY_SIZE(stack)) ||
	     in_families(t, branches, ARRAY_SIZE(branches))) &&
	    (t->in.regs[R_SP] < DATA ||
	     t->in.regs[R_SP] >= DATA + DATA_SIZE))
		return false;
	/* Undone by the rest? */
	if (t->insn.has_modrm && t->insn.mod != 3 && t->insn.opcode != 0x8d) {
		u64 ea = effective_address(t);

		if (ea < 0x800000000000 &&
		    (ea < DATA - 0x200 || ea >= DATA + DATA_SIZE))
			return false;
	}
	decode_insn(&t->insn, EMU_MODE_LONG, t->bytes, 15);
	return !undefined_by_value(t);
}

static u16 selector(enum emu_seg seg)
{
	u16 val = 0;

	switch (seg) {
	case EMU_ES:
		asm("mov %%es, %0" : "=r" (val));
		break;
	case EMU_CS:
		asm("mov %%cs, %0" : "=r" (val));
		break;
	case EMU_SS:
		asm("mov %%ss, %0" : "=r" (val));
		break;
	case EMU_DS:
		asm("mov %%ds, %0" : "=r" (val));
		break;
	case EMU_FS:
		asm("mov %%fs, %0" : "=r" (val));
		break;
	default:
		asm("mov %%gs, %0" : "=r" (val));
	}
	return val;
}

static int run_emulator(struct emu_env *env, const struct trial *t)
{
	unsigned int i, tries;
	int rc;

	memcpy(shadow, code, CODE_SIZE);
	memcpy(shadow + CODE_SIZE, image, DATA_SIZE);
	emu_env_init(env, EMU_MODE_LONG, shadow, AREA, AREA_SIZE);
	env->writable = DATA;
	env->emu.cpl = 3;
	for (i = 0; i < EMU_NR_SEGS; i++)
		env->emu.seg[i].selector = selector(i);
	memcpy(env->emu.regs, t->in.regs, sizeof(t->in.regs));
	memcpy(env->xmm, t->in.xmm, sizeof(env->xmm));
	env->emu.rip = t->in.rip;
	env->emu.rflags = t->in.rflags;
	/* A string stays until it is done. */
	for (tries = 0; tries < 64; tries++) {
		rc = emu_run(&env->emu);
		env->emu.insn_len = 0;
		if (rc != EMU_OK || env->emu.rip != t->in.rip)
			break;
	}
	return rc;
}

/* The signal that Linux makes of an exception. */
static bool signal_matches(int sig, const struct emu_fault *fault)
{
	switch (fault->vector) {
	case 0:
		return sig == SIGFPE;
	case 6:
		return sig == SIGILL;
	case 12:
		return sig == SIGBUS || sig == SIGSEGV;
	case 13:
	case 14:
		return sig == SIGSEGV || sig == SIGBUS;
	}
	return false;
}

static const char *differs(const struct emu_env *env, const struct trial *t,
			   int rc)
{
	const struct cpu_state *out = &native.out;
	static char buf[64];
	u64 flags = FLAGS_SEEN & ~t->undefined;
	unsigned int i;

	if (rc == EMU_EXCEPTION) {
		if (native.signal == SIGTRAP)
			return "the emulator faults";
		return signal_matches(native.signal, &env->emu.fault) ? NULL :
			"another fault";
	}
	if (rc != EMU_OK)
		return emu_result_name(rc);
	if (native.signal != SIGTRAP)
		return "the CPU faults";
	/* INT3 itself has been executed. */
	if (env->emu.rip != out->rip - 1)
		return "rip";
	for (i = 0; i < 16; i++) {
		if (env->emu.regs[i] == out->regs[i])
			continue;
		snprintf(buf, sizeof(buf), "r%u %llx, CPU %llx", i,
			 (unsigned long long)env->emu.regs[i],
			 (unsigned long long)out->regs[i]);
		return buf;
	}
	if ((env->emu.rflags ^ out->rflags) & flags) {
		snprintf(buf, sizeof(buf), "flags %llx, CPU %llx",
			 (unsigned long long)env->emu.rflags,
			 (unsigned long long)out->rflags);
		return buf;
	}
	for (i = 0; i < DATA_SIZE; i++) {
		if (shadow[CODE_SIZE + i] == ((u8 *)DATA)[i])
			continue;
		snprintf(buf, sizeof(buf), "memory %lx %02x, CPU %02x",
			 DATA + i, shadow[CODE_SIZE + i], ((u8 *)DATA)[i]);
		return buf;
	}
	for (i = 0; i < 16; i++)
		if (memcmp(env->xmm[i], out->xmm[i], native.has_ymm ? 32 : 16))
			return "vector register";
	if (env->read_after_write && !t->insn.rep)
		return "read after write";
	return NULL;
}

static void report(const struct trial *t, const char *what)
{
	unsigned int i;

	fprintf(stderr, "# %s:", what);
	for (i = 0; i < t->len; i++)
		fprintf(stderr, " %02x", t->bytes[i]);
	fprintf(stderr, " (%s) signal %d, flags %llx\n#  ", t->illegal ? "LOCK" :
		ZydisMnemonicGetString(t->z.mnemonic), native.signal,
		(unsigned long long)t->in.rflags);
	for (i = 0; i < 16; i++)
		fprintf(stderr, " %llx", (unsigned long long)t->in.regs[i]);
	fputc('\n', stderr);
}

/*
 * Some virtualized kernels take a trap of user mode with a stack pointer that
 * is not canonical for another fault.
 */
static bool stack_canonical(const struct cpu_state *in,
			    const struct emu_env *env)
{
	u64 before = in->regs[R_SP], after = env->emu.regs[R_SP];

	return (s64)(before << 16) >> 16 == (s64)before &&
	       (s64)(after << 16) >> 16 == (s64)after;
}

static void run_trials(const struct family *f, unsigned int n)
{
	const char *env_runs = getenv("JOIST_EMULATE_RUNS");
	long runs = env_runs ? atol(env_runs) : DEFAULT_RUNS;
	long i, done = 0, faults = 0, bad = 0;
	struct emu_env env;
	struct trial t;

	take_signals();
	for (i = 0; i < runs; i++) {
		const char *what;
		int rc;

		if (!make_trial(&t, f, n))
			continue;
		memset(code, 0xcc, CODE_SIZE);
		memcpy(code + (CODE_AT - AREA), t.bytes, t.len);
		rc = run_emulator(&env, &t);
		if (!stack_canonical(&t.in, &env))
			continue;
		/* Register forms of vector moves are not the emulator's. */
		if (rc == EMU_UNHANDLED &&
		    in_families(&t, vectors, ARRAY_SIZE(vectors)))
			continue;
		memcpy((void *)DATA, image, DATA_SIZE);
		native.in = t.in;
		run_native();
		done++;
		faults += native.signal != SIGTRAP;
		what = differs(&env, &t, rc);
		if (!what)
			continue;
		if (bad++ < MAX_REPORTS)
			report(&t, what);
	}
	fprintf(stderr, "# %ld of %ld trials run, %ld faults\n", done, runs,
		faults);
	assert_int_equal(bad, 0);
	assert_true(done > runs / 10);
}

static void test_arithmetic(void **state)
{
	run_trials(arithmetic, ARRAY_SIZE(arithmetic));
}

static void test_bits(void **state)
{
	run_trials(bits, ARRAY_SIZE(bits));
}

static void test_moves(void **state)
{
	run_trials(moves, ARRAY_SIZE(moves));
}

static void test_strings(void **state)
{
	run_trials(strings, ARRAY_SIZE(strings));
}

static void test_stack(void **state)
{
	run_trials(stack, ARRAY_SIZE(stack));
}

static void test_branches(void **state)
{
	run_trials(branches, ARRAY_SIZE(branches));
}

static void test_privileged(void **state)
{
	run_trials(privileged, ARRAY_SIZE(privileged));
}

static void test_vectors(void **state)
{
	run_trials(vectors, ARRAY_SIZE(vectors));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
