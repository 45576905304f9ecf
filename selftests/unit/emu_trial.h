/* SPDX-License-Identifier: GPL-2.0-only */
/* Random instructions that the emulator and the CPU can both run. */
#ifndef JOIST_UNIT_EMU_TRIAL_H
#define JOIST_UNIT_EMU_TRIAL_H

#include <Zydis/Zydis.h>

#include "emu_env.h"
#include "emu_native.h"
#include "x86/decode.h"

/* Flags that a trial chooses and compares. */
#define FLAGS_SEEN	(FL_STATUS | FL_DF)

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

/* What a set's instructions need to be given. */
enum trial_kind {
	TRIAL_ARITHMETIC, TRIAL_BITS, TRIAL_MOVE, TRIAL_STRING, TRIAL_STACK,
	TRIAL_BRANCH, TRIAL_PRIVILEGED, TRIAL_VECTOR,
};

struct family_set {
	enum trial_kind kind;
	const struct family *rows;
	unsigned int nr;
};

struct trial {
	u8 bytes[16];
	enum trial_kind kind;
	const struct family *family;
	ZydisDecodedInstruction z;
	struct insn insn;
	struct cpu_state in;
	unsigned int len;
	u32 undefined;
	bool illegal;		/* LOCK where it is not allowed */
};

extern u8 image[DATA_SIZE];	/* the data both start with, of the last trial */

void trial_setup(void);
bool make_trial(struct trial *t, const struct family_set *set);

#endif
