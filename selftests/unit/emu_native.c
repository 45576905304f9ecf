// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions on this machine's CPU, in 64-bit user mode.
 *
 * It needs no assembly: an INT3 enters a signal handler, which puts the test's
 * registers into the signal frame and returns into a page of INT3s that holds
 * the instruction. Whatever comes next traps again, with all registers in the
 * new frame.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "emu_native.h"

/* xsave layout of the signal frame */
#define FP_XMM		160
#define FP_SW_MAGIC	464
#define FP_XSTATE_BV	512
#define FP_YMM		576
#define FP_SIZE		(FP_YMM + 256)
#define FP_MAGIC	0x46505853

struct native native;
static u8 *code;		/* writable alias of the code page */

static struct {
	int phase;
	gregset_t regs;
	u8 fp[FP_SIZE];
} host;

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

	switch (host.phase) {
	case 0:
		memcpy(host.regs, uc->uc_mcontext.gregs, sizeof(gregset_t));
		native.has_ymm = *(u32 *)(fp + FP_SW_MAGIC) == FP_MAGIC &&
				 __builtin_cpu_supports("avx");
		memcpy(host.fp, fp, native.has_ymm ? FP_SIZE : 512);
		frame_load(uc, &native.in);
		host.phase = 1;
		break;
	case 1:
		native.signal = sig;
		frame_save(uc, &native.out);
		memcpy(uc->uc_mcontext.gregs, host.regs, sizeof(gregset_t));
		memcpy(fp, host.fp, native.has_ymm ? FP_SIZE : 512);
		host.phase = 2;
		break;
	default:
		signal(sig, SIG_DFL);	/* a fault of the test's own */
	}
}

/**
 * native_run() - execute native.in on the CPU, up to the next trap
 * @bytes: the instruction, put at CODE_AT; nothing but INT3 is around it
 * @len: how many bytes
 *
 * Memory at DATA is what the caller made it; native.out and native.signal
 * say how it went.
 */
void native_run(const u8 *bytes, unsigned int len)
{
	memset(code, 0xcc, CODE_SIZE);
	memcpy(code + (CODE_AT - AREA), bytes, len);
	host.phase = 0;
	asm volatile("int3" : : : "memory");
	host.phase = 3;
}

/* For each test anew: cmocka sets handlers of its own around it. */
void native_take_signals(void)
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

/** native_setup() - the code page, the data, a stack for signals; 0 or -1 */
int native_setup(void)
{
	static u8 stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	void *p;
	int fd;

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
	host.phase = 3;
	return sigaltstack(&ss, NULL);
}
