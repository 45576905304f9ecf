// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against this machine's CPU: the same instruction with the same
 * registers and memory runs on both, in 64-bit user mode.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emu_env.h"
#include "emu_native.h"
#include "emu_trial.h"

/* Trials of each test; JOIST_EMULATE_RUNS sets another number. */
#define DEFAULT_RUNS	20000
#define MAX_REPORTS	5

static u8 shadow[AREA_SIZE];	/* the emulator's memory */

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
	{ 1, 0xbc, 0xbd, FL_STATUS & ~FL_ZF }, { 1, 0xb8, 0xb8 },
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

static int setup(void **state)
{
	trial_setup();
	return native_setup();
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

	memset(shadow, 0xcc, CODE_SIZE);
	memcpy(shadow + (CODE_AT - AREA), t->bytes, t->len);
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

static void run_trials(enum trial_kind kind, const struct family *rows,
		       unsigned int nr)
{
	const struct family_set set = { kind, rows, nr };
	const char *env_runs = getenv("JOIST_EMULATE_RUNS");
	long runs = env_runs ? atol(env_runs) : DEFAULT_RUNS;
	long i, done = 0, faults = 0, bad = 0;
	struct emu_env env;
	struct trial t;

	native_take_signals();
	for (i = 0; i < runs; i++) {
		const char *what;
		int rc;

		if (!make_trial(&t, &set))
			continue;
		rc = run_emulator(&env, &t);
		if (!stack_canonical(&t.in, &env))
			continue;
		/* Register forms of vector moves are not the emulator's. */
		if (rc == EMU_UNHANDLED && kind == TRIAL_VECTOR)
			continue;
		memcpy((void *)DATA, image, DATA_SIZE);
		native.in = t.in;
		native_run(t.bytes, t.len);
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
	run_trials(TRIAL_ARITHMETIC, arithmetic, ARRAY_SIZE(arithmetic));
}

static void test_bits(void **state)
{
	run_trials(TRIAL_BITS, bits, ARRAY_SIZE(bits));
}

static void test_moves(void **state)
{
	run_trials(TRIAL_MOVE, moves, ARRAY_SIZE(moves));
}

static void test_strings(void **state)
{
	run_trials(TRIAL_STRING, strings, ARRAY_SIZE(strings));
}

static void test_stack(void **state)
{
	run_trials(TRIAL_STACK, stack, ARRAY_SIZE(stack));
}

static void test_branches(void **state)
{
	run_trials(TRIAL_BRANCH, branches, ARRAY_SIZE(branches));
}

static void test_privileged(void **state)
{
	run_trials(TRIAL_PRIVILEGED, privileged, ARRAY_SIZE(privileged));
}

static void test_vectors(void **state)
{
	run_trials(TRIAL_VECTOR, vectors, ARRAY_SIZE(vectors));
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
