/* SPDX-License-Identifier: GPL-2.0-only */
/* The input of a fuzzer of devices: a hostile guest's program. */
#ifndef FUZZ_PROG_H
#define FUZZ_PROG_H

#include <stdio.h>

#include "libjoist/types.h"

/**
 * struct insn - one thing that the guest does, or that happens to it
 * @op: enum op, any other number likewise: modulo
 * @a: as guest.c says for each, like the others
 *
 * All of one size: what a mutation shifts stays an instruction.
 */
struct insn {
	u8 op;
	u8 a;
	u16 b;
	u32 c;
	u64 d;
};

static_assert(sizeof(struct insn) == 16, "the form of the corpus");

#define INSNS_MAX	256

/* New ones come last: the corpus stays what it was. The first is what the VM is like. */
enum op {
	OP_OPTIONS, OP_OUT, OP_IN, OP_READ, OP_WRITE, OP_BAR_READ, OP_BAR_WRITE,
	OP_CFG_READ, OP_CFG_WRITE, OP_SETUP, OP_QUEUE, OP_STATUS, OP_DESC, OP_AVAIL,
	OP_CHAIN, OP_RING, OP_FILL, OP_DATA, OP_NOTIFY, OP_STEP, OP_TIME, OP_EVENT,
	OP_PREEMPT, OP_EXIT, OP_MSIX, OP_FWCFG,
	NR_OPS
};

extern const char *const op_names[NR_OPS];

int prog_assemble(FILE *in, FILE *out, const char *name);
void prog_print(const struct insn *insn, size_t nr, FILE *out);

#endif
