/* SPDX-License-Identifier: GPL-2.0-only */
/* A debugger's steps on a CPU that has RFLAGS.TF for them and nothing else. */
#ifndef JOIST_X86_STEP_H
#define JOIST_X86_STEP_H

#include "decode.h"

struct exit;
struct vcpu;

/* Opcodes: one byte, or two that begin with 0x0f. */
#define OP_POP_SS	0x17
#define OP_MOV_SREG	0x8e
#define OP_PUSHF	0x9c
#define OP_POPF		0x9d
#define OP_INT3		0xcc
#define OP_INT		0xcd
#define OP_INTO		0xce
#define OP_IRET		0xcf
#define OP_STI		0xfb
#define OP_SYSCALL	0x105
#define OP_SYSRET	0x107
#define OP_OTHER	0xffff

/**
 * enum step_way - how to step over an instruction
 * @STEP_RUN: the CPU executes it
 * @STEP_EMULATE: there it would show TF, or put the trap off
 * @STEP_INT: INT n, which would push TF: an event as others
 */
enum step_way { STEP_RUN, STEP_EMULATE, STEP_INT };

unsigned int step_opcode(const struct insn *insn);
enum step_way step_look(struct vcpu *vcpu, struct insn *insn);
void step_enter(struct vcpu *vcpu, bool event);
bool step_unmask(struct vcpu *vcpu, u64 mask);
void step_exit(struct vcpu *vcpu, bool delivered);
void step_decode(struct vcpu *vcpu, struct exit *e, bool own);

#endif
