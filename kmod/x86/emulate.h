/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction emulator. Pure: it knows nothing of the host; everything
 * outside the register file is reached through struct emu_ops, so the same
 * file builds in the module and in a userspace unit test.
 */
#ifndef JOIST_X86_EMULATE_H
#define JOIST_X86_EMULATE_H

#include "../core/types.h"

struct emu;

/**
 * enum emu_result - outcome of emulating one instruction (or one iteration)
 * @EMU_OK: done; registers, RIP and RFLAGS in struct emu are to be committed
 * @EMU_EXCEPTION: the instruction faults; emu->fault says how; commit nothing
 * @EMU_IO: a callback needs userspace first; commit nothing, emulate again
 *          once the data is there (reads are then answered by the callback)
 * @EMU_RETRY: nothing to emulate (the page came back); re-enter the guest
 * @EMU_UNHANDLED: not an instruction this emulator knows; commit nothing
 */
enum emu_result {
	EMU_OK,
	EMU_EXCEPTION,
	EMU_IO,
	EMU_RETRY,
	EMU_UNHANDLED,
};

enum emu_mode {
	EMU_MODE_REAL,		/* 16-bit, no protection */
	EMU_MODE_VM86,
	EMU_MODE_PROT16,
	EMU_MODE_PROT32,
	EMU_MODE_LONG,		/* 64-bit code segment */
};

/* Register numbers as instructions encode them. */
#define EMU_NR_REGS	16
enum emu_seg { EMU_ES, EMU_CS, EMU_SS, EMU_DS, EMU_FS, EMU_GS, EMU_NR_SEGS };

struct emu_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2;		/* for #PF */
};

struct emu_segment {
	u64 base;
	u32 limit;		/* in bytes, granularity applied */
	u16 selector;
	bool writable;
	bool execute_only;	/* a code segment that may not be read */
	bool expand_down;
	bool big;		/* D/B: of SS, a 32-bit stack pointer */
	bool unusable;
};

enum emu_dt { EMU_GDT, EMU_IDT };

/*
 * Instructions whose whole effect is the host's, with their argument. CPL and
 * operand checks are done; registers are read and written in emu->regs.
 */
enum emu_system {
	EMU_SYS_HLT,
	EMU_SYS_CPUID,
	EMU_SYS_RDTSC,
	EMU_SYS_RDTSCP,
	EMU_SYS_RDPMC,
	EMU_SYS_INVD,
	EMU_SYS_WBINVD,
	EMU_SYS_INVLPG,		/* in: linear address */
	EMU_SYS_XGETBV,
	EMU_SYS_XSETBV,
	EMU_SYS_HYPERCALL,	/* VMCALL or VMMCALL */
	EMU_SYS_MONITOR,
	EMU_SYS_MWAIT,
	EMU_SYS_SWAPGS,
	EMU_SYS_LLDT,		/* in: selector */
	EMU_SYS_LTR,
	EMU_SYS_SLDT,		/* out: selector */
	EMU_SYS_STR,
	EMU_SYS_RSM,		/* at any CPL; loads all registers, RIP too */
};

/* x87 instructions that are emulated; their argument is a control or status word.
 * CR0 was checked.
 */
enum emu_fpu {
	EMU_FPU_INIT,
	EMU_FPU_CLEAR_EXCEPTIONS,
	EMU_FPU_STORE_STATUS,	/* out */
	EMU_FPU_STORE_CONTROL,
	EMU_FPU_LOAD_CONTROL,	/* in */
};

/**
 * struct emu_ops - what the emulator needs from its host
 *
 * Every callback returns an enum emu_result; on EMU_EXCEPTION it has filled
 * emu->fault. Addresses are linear (segment base added, canonical checked by
 * the emulator). Reads and writes may touch device memory; an access that
 * crosses a page is the callback's business. @len is in bytes.
 *
 * @fetch: read @len instruction bytes of one page at @lin
 * @read: read @len bytes (1, 2, 4, 8, 16, 32)
 * @write: write @len bytes; on a device the write may be posted, EMU_OK
 * @compare_exchange: atomically replace @old by @new if equal; *@old receives
 *                    what was there; success is judged by comparing; device
 *                    memory: a write alone, @old stays
 * @pio_in: one IN of @len (1, 2, 4) from @port into *@val
 * @pio_out: one OUT
 * @read_cr: control register @nr (0, 2, 3, 4, 8)
 * @write_cr: likewise, with all the architecture's checks
 * @read_msr: by index
 * @write_msr: by index, guest-initiated rules
 * @load_segment: validate @selector and load the hidden part, also into
 *                emu->seg[]; base = selector << 4 in real and VM86 mode. For
 *                CS: same-privilege code segments only, everything else is
 *                EMU_UNHANDLED or the fault. Always the last step that can fail
 *
 * @get_segment: fill in emu->seg[@seg], which is not in emu->seg_known: asked
 *               when an instruction first needs it. NULL if all are known
 *
 * @pio_in_string: likewise for INS to @lin, after which up to @count - 1 more of
 *                 the same follow, to ascending addresses of one page; NULL:
 *                 pio_in
 *
 * NULL is allowed for those below: such instructions are then EMU_UNHANDLED.
 * @io_allowed: the TSS's I/O bitmap lets @len ports from @port pass; asked
 *              when CPL > IOPL or in VM86 mode (NULL: #GP)
 * @read_dr: debug register @nr, with the DR7.GD and CR4.DE checks
 * @write_dr: likewise
 * @read_dt: GDTR or IDTR
 * @write_dt: likewise; @base is canonical
 * @system: do @what; @arg as enum emu_system says
 * @fpu: likewise; @word as enum emu_fpu says
 */
struct emu_ops {
	int (*fetch)(struct emu *emu, u64 lin, void *buf, unsigned int len);
	int (*read)(struct emu *emu, u64 lin, void *buf, unsigned int len);
	int (*write)(struct emu *emu, u64 lin, const void *buf,
		     unsigned int len);
	int (*compare_exchange)(struct emu *emu, u64 lin, void *old,
				const void *new, unsigned int len);
	int (*pio_in)(struct emu *emu, u16 port, void *val, unsigned int len);
	int (*pio_out)(struct emu *emu, u16 port, const void *val,
		       unsigned int len);
	int (*read_cr)(struct emu *emu, unsigned int nr, u64 *val);
	int (*write_cr)(struct emu *emu, unsigned int nr, u64 val);
	int (*read_msr)(struct emu *emu, u32 index, u64 *val);
	int (*write_msr)(struct emu *emu, u32 index, u64 val);
	int (*load_segment)(struct emu *emu, enum emu_seg seg, u16 selector);
	void (*get_segment)(struct emu *emu, enum emu_seg seg);
	int (*pio_in_string)(struct emu *emu, u16 port, void *val,
			     unsigned int len, u64 lin, unsigned int count);

	int (*io_allowed)(struct emu *emu, u16 port, unsigned int len);
	int (*read_dr)(struct emu *emu, unsigned int nr, u64 *val);
	int (*write_dr)(struct emu *emu, unsigned int nr, u64 val);
	int (*read_dt)(struct emu *emu, enum emu_dt dt, u64 *base, u16 *limit);
	int (*write_dt)(struct emu *emu, enum emu_dt dt, u64 base, u16 limit);
	int (*system)(struct emu *emu, enum emu_system what, u64 *arg);
	int (*fpu)(struct emu *emu, enum emu_fpu what, u16 *word);
};

/**
 * struct emu - one emulation, on the stack or in the vCPU
 * @ops: the host's side
 * @regs: in and out: the 16 of the host's that are RAX RCX RDX RBX RSP RBP RSI
 *        RDI R8..R15; changed in place
 * @saved: those as they were, while an instruction is under way
 * @rip: in: of the instruction; out: of the next one (or the same, when a
 *       REP string has iterations left)
 * @rflags: in and out
 * @seg: in: the segments that @seg_known has; emu_segment() is for reading
 * @seg_known: one bit for each of @seg
 * @mode: in
 * @cpl: in: 0..3
 * @cr0: in, for PE/TS/EM checks
 * @cr4: in
 * @efer: in
 * @fault: out on EMU_EXCEPTION
 * @insn: bytes fetched so far, for reports
 * @insn_len: how many are valid in @insn; a caller that has them already
 *            (decode assists) presets them
 * @interrupt_shadow: out: STI or MOV/POP SS blocks interrupts for one
 * @iret: out: an IRET was done: NMIs are no longer blocked
 * @interrupted: out: INT n, INT3 or INTO was done: it makes no single-step trap
 * @two_reads: out, before the first access: it reads two operands that have
 *             nothing to do with each other
 * @sse_read: read an XMM (16 bytes) or YMM (32) register for vector moves to
 *            device memory; NULL: such instructions are EMU_UNHANDLED
 * @sse_write: likewise; 16 bytes leave the rest of the register as it was, 32
 *             clear what is above them
 */
struct emu {
	const struct emu_ops *ops;
	u64 *regs;
	u64 saved[EMU_NR_REGS];
	u64 rip;
	u64 rflags;
	struct emu_segment seg[EMU_NR_SEGS];
	u8 seg_known;
	u8 cpl;
	enum emu_mode mode;
	u64 cr0;
	u64 cr4;
	u64 efer;
	struct emu_fault fault;
	u8 insn[15];
	u8 insn_len;
	bool interrupt_shadow;
	bool iret;
	bool interrupted;
	bool two_reads;
	void (*sse_read)(struct emu *emu, unsigned int reg, void *buf,
			 unsigned int len);
	void (*sse_write)(struct emu *emu, unsigned int reg, const void *buf,
			  unsigned int len);
};

/**
 * struct emu_event - an interrupt or exception to be delivered
 * @vector: 0..255
 * @soft: raised by an instruction: INT n, INT3, INTO
 * @has_error: protected mode pushes an error code
 * @error: that code
 * @len: of the instruction it returns behind, 0: it returns to that
 */
struct emu_event {
	u8 vector;
	bool soft;
	bool has_error;
	u32 error;
	u8 len;
};

int emu_run(struct emu *emu);
int emu_deliver(struct emu *emu, const struct emu_event *ev);
const char *emu_result_name(int result);

#endif
