/* SPDX-License-Identifier: GPL-2.0-only */
/* One instruction, in any form, at any place, executed again and again. */
#ifndef JOIST_SELFTESTS_SITE_H
#define JOIST_SELFTESTS_SITE_H

#include <string.h>

#include "test.h"

#define SITE_LOOPS	4

/* The port of an exit that is the instruction's own. */
#define SITE_PORT	0x90

struct site_insn {
	uint8_t len;
	uint8_t bytes[15];
};

#define SITE_INSN(...)	{						\
	sizeof((uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ } }

/* RAX, RCX, RDX from R12, R13, R14. */
#define SITE_BEFORE	9
/* ... then the instruction; RSI counts up, RBP down; DONE. */
#define SITE_AFTER	10

/* A loop around @insn, which is at @at. */
static inline void site_place(uint8_t *at, const struct site_insn *insn)
{
	static const uint8_t before[SITE_BEFORE] = {
		0x4c, 0x89, 0xe0, 0x4c, 0x89, 0xe9, 0x4c, 0x89, 0xf2,
	};
	uint8_t after[SITE_AFTER] = {
		0x48, 0xff, 0xc6, 0x48, 0xff, 0xcd, 0x75,
		-(SITE_BEFORE + insn->len + 8), 0xe6, 0xe4,
	};

	memcpy(at - SITE_BEFORE, before, sizeof(before));
	memcpy(at, insn->bytes, insn->len);
	memcpy(at + insn->len, after, sizeof(after));
}

/* What was told of the last exit is over: 0 or -1. */
static inline int site_finish(struct test_vm *vm)
{
	int ret;

	vm->run[0]->immediate_exit = 1;
	ret = vcpu_run(vm, 0);
	vm->run[0]->immediate_exit = 0;
	return ret == -EINTR ? 0 : -1;
}

static inline void site_begin(struct kvm_regs *regs, uint64_t va)
{
	regs->rip = va - SITE_BEFORE;
	regs->rsp = GPA_STACK;
	regs->rflags = 0x3002;		/* user programs do DONE, too */
	regs->rbp = SITE_LOOPS;
	regs->rsi = 0;
}

/* From @va on to DONE with R12 to R14 as in @regs, which get what is then: 0 or -1. */
static inline int site_run(struct test_vm *vm, uint64_t va, struct kvm_regs *regs)
{
	site_begin(regs, va);
	if (xioctl(vm->vcpu[0], KVM_SET_REGS, regs) || vcpu_done(vm, 0) ||
	    site_finish(vm) || xioctl(vm->vcpu[0], KVM_GET_REGS, regs))
		return -1;
	return regs->rsi == SITE_LOOPS ? 0 : -1;
}

#endif
