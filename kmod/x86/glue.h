/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the emulator's glue; nobody else includes it. */
#ifndef JOIST_X86_GLUE_H
#define JOIST_X86_GLUE_H

#include "emulate.h"
#include "../core/vcpu.h"
#include "../mmu/walk.h"

/* What is left to do once the instruction's registers are committed. */
enum glue_after {
	GLUE_NOTHING,
	GLUE_HALT,
	GLUE_TPR_LOWERED,
	GLUE_LEAVE_SMM,
};

/* Walks of one kind are remembered apart from those of another. */
enum glue_walk {
	GLUE_WALK_FETCH,
	GLUE_WALK_READ,
	GLUE_WALK_WRITE,
	NR_GLUE_WALKS,
};

#define NR_CODE_PAGES	16	/* a power of two */

/**
 * struct code_page - where a page of the guest's code is, and why
 * @gfn: its linear address >> PAGE_SHIFT; ~0: nothing is remembered
 * @cr3: of the walk
 * @mode: what else it depends on: bits of CR0, CR4 and EFER, and who executes it
 * @slots_seq: of the memory slots that the addresses are from
 * @nr: of table entries on the way there, all 8 bytes
 * @entry_at: they are here in the VMM
 * @entry: and have these values, accessed bits set
 * @code: the page is here in the VMM
 */
struct code_page {
	u64 gfn;
	u64 cr3;
	u32 mode;
	u32 nr;
	u64 slots_seq;
	const u64 __user *entry_at[WALK_MAX_LEVELS];
	u64 entry[WALK_MAX_LEVELS];
	const void __user *code;
};

#define NR_MMIO_MOVES	8	/* a power of two */

/**
 * struct mmio_move - a plain move between a register and a device
 * @bytes: of the instruction, zero beyond it
 * @mask: ones for each of those
 * @gfn: the device's page, which is in no slot; INVALID_GFN: nothing is remembered
 * @slots_seq: of the memory slots that said so
 * @len: of the instruction
 * @reg: the register
 * @size: bytes that are accessed
 * @width: of the register, which a read sets; 4 clears the upper half
 * @write: to the device
 * @smm: in system management mode
 * @addressed: the following tell its address
 * @base: register or -1, and likewise @index, shifted by @scale
 * @disp: is added
 */
struct mmio_move {
	u64 bytes[2];
	u64 mask[2];
	gfn_t gfn;
	u64 slots_seq;
	u8 len;
	u8 reg;
	u8 size;
	u8 width;
	bool write;
	bool smm;
	bool addressed;
	s8 base;
	s8 index;
	u8 scale;
	s64 disp;
};

/**
 * struct glue - the emulator on a vCPU
 * @emu: first: what vcpu->emu points to
 * @vcpu: whose
 * @walk: the guest's paging mode, for the accesses of one instruction
 * @memo: the last walk of each kind
 * @code: pages of code that were read, by the low bits of their number
 * @moves: instructions on devices, by the low bits of their address
 * @move: the one that userspace answers
 * @err: -errno that made a callback give up, or 0
 * @exception_queued: the exception is with the vCPU already, not in emu.fault
 * @interpreting: an instruction that exits is to be done as an exit is
 * @exit_kind: what it exits for, EXIT_NONE: it does not
 * @after: see enum glue_after
 *
 * Protection: vcpu->mutex.
 */
struct glue {
	struct emu emu;
	struct vcpu *vcpu;
	struct walk_ctx walk;
	struct walk_memo memo[NR_GLUE_WALKS];
	struct code_page code[NR_CODE_PAGES];
	struct mmio_move moves[NR_MMIO_MOVES];
	struct mmio_move move;
	int err;
	bool exception_queued;
	bool interpreting;
	enum exit_kind exit_kind;
	enum glue_after after;
};

static inline struct glue *to_glue(struct emu *emu)
{
	return container_of(emu, struct glue, emu);
}

/* What a walk for the instruction being emulated has to know of who executes it. */
static inline u32 glue_user_access(struct emu *emu, u32 access)
{
	return emu->cpl == 3 ? access | WALK_USER : access;
}

/* The callback's way to fault. */
static inline int glue_fault(struct emu *emu, u8 vector, u32 error)
{
	emu->fault = (struct emu_fault) {
		.vector = vector,
		.has_error = true,
		.error = error,
	};
	return EMU_EXCEPTION;
}

/* glue.c; glue_insn_completed: the registers of an instruction are committed */
void glue_insn_completed(struct vcpu *vcpu, u64 old_rflags, u32 shadow);
int emulate_interpreted(struct vcpu *vcpu);	/* enum exit_result or -errno */
int emulate_event(struct vcpu *vcpu, const struct emu_event *ev);

/* glue_mem.c */
void glue_walk_init(struct glue *glue);
void glue_walk_begin(struct glue *glue);
int glue_translate(struct glue *glue, u64 lin, u32 access, gpa_t *gpa,
		   struct emu_fault *fault);
int glue_read(struct emu *emu, u64 lin, void *buf, unsigned int len);
int glue_write(struct emu *emu, u64 lin, const void *buf, unsigned int len);
int glue_write_probe(struct emu *emu, u64 lin, unsigned int len, bool *memory);
int glue_cmpxchg(struct emu *emu, u64 lin, void *old, const void *new,
		 unsigned int len);
/* The CPU's own accesses, to descriptor tables and the TSS. */
int glue_read_system(struct emu *emu, u64 lin, void *buf, unsigned int len);
int glue_write_system(struct emu *emu, u64 lin, const void *buf,
		      unsigned int len);

/* glue_code.c */
int glue_read_code(struct vcpu *vcpu, u64 lin, void *buf, unsigned int len);
int glue_write_code(struct vcpu *vcpu, u64 lin, const void *buf,
		    unsigned int len);
int glue_fetch(struct emu *emu, u64 lin, void *buf, unsigned int len);

/* glue_move.c */
void glue_move_learn(struct glue *glue, u64 rip);

/* glue_sys.c */
int glue_read_cr(struct emu *emu, unsigned int nr, u64 *val);
int glue_write_cr(struct emu *emu, unsigned int nr, u64 val);
int glue_read_msr(struct emu *emu, u32 index, u64 *val);
int glue_write_msr(struct emu *emu, u32 index, u64 val);
int glue_read_dr(struct emu *emu, unsigned int nr, u64 *val);
int glue_write_dr(struct emu *emu, unsigned int nr, u64 val);
int glue_read_dt(struct emu *emu, enum emu_dt dt, u64 *base, u16 *limit);
int glue_write_dt(struct emu *emu, enum emu_dt dt, u64 base, u16 limit);
int glue_system(struct emu *emu, enum emu_system what, u64 *arg);

/* glue_seg.c */
void glue_get_segment(struct emu *emu, enum emu_seg seg);
int glue_load_segment(struct emu *emu, enum emu_seg seg, u16 selector);
int glue_load_system_segment(struct emu *emu, bool tr, u16 selector);
int glue_io_allowed(struct emu *emu, u16 port, unsigned int len);

/* glue_sse.c */
void glue_sse_read(struct emu *emu, unsigned int reg, void *buf,
		   unsigned int len);
int glue_fpu(struct emu *emu, enum emu_fpu what, u16 *word);
void glue_sse_write(struct emu *emu, unsigned int reg, const void *buf,
		    unsigned int len);

#endif
