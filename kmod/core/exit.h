/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The neutral exit: the vendor's exit.c only decodes what the CPU reported
 * into struct exit; core/exit.c decides what is to be done.
 */
#ifndef JOIST_CORE_EXIT_H
#define JOIST_CORE_EXIT_H

#include "types.h"

struct vcpu;

/* One row per kind: name for tables, tracing and statistics. */
#define EXIT_KINDS(X)							\
	X(NONE, "none")			/* nothing is to be done about it */ \
	X(INTR, "interrupt")		/* host interrupt: already taken */ \
	X(NMI, "nmi")			/* host NMI: already taken */	\
	X(IRQ_WINDOW, "irq-window")					\
	X(NMI_WINDOW, "nmi-window")					\
	X(CPUID, "cpuid")						\
	X(HLT, "hlt")							\
	X(PAUSE, "pause")						\
	X(INVD, "invd")							\
	X(WBINVD, "wbinvd")						\
	X(INVLPG, "invlpg")						\
	X(RDPMC, "rdpmc")						\
	X(RDTSC, "rdtsc")						\
	X(RDTSCP, "rdtscp")						\
	X(MONITOR, "monitor")						\
	X(MWAIT, "mwait")						\
	X(XSETBV, "xsetbv")						\
	X(HYPERCALL, "hypercall")					\
	X(RDMSR, "rdmsr")						\
	X(WRMSR, "wrmsr")						\
	X(PIO, "pio")							\
	X(CR, "cr")							\
	X(DR, "dr")							\
	X(PAGE_FAULT, "page-fault")	/* nested: EPT violation, NPF */ \
	X(EXCEPTION, "exception")					\
	X(UNDEFINED, "undefined")	/* guest gets #UD */		\
	X(STEP, "step")			/* monitor trap: an instruction is over */ \
	X(TASK_SWITCH, "task-switch")					\
	X(TPR_BELOW, "tpr-below")					\
	X(APIC, "apic")			/* virtualized: an EOI, a register was written */ \
	X(SMI, "smi")							\
	X(RSM, "rsm")			/* in SMM or out of it */	\
	X(TRIPLE_FAULT, "triple-fault")					\
	X(BUS_LOCK, "bus-lock")		/* that alone: see vcpu->bus_lock */ \
	X(NOTIFY, "notify")		/* no event could come in for long */ \
	X(PREEMPT_TIMER, "preemption-timer")				\
	X(LOG_FULL, "log-full")		/* of written pages: already taken */ \
	X(ENTRY_FAILED, "entry-failed")	/* guest state refused */	\
	X(UNKNOWN, "unknown")

enum exit_kind {
#define X(name, str) EXIT_##name,
	EXIT_KINDS(X)
#undef X
	NR_EXIT_KINDS,
};

/* Access of a nested page fault, neutral. */
#define PF_WRITE	BIT(0)
#define PF_EXEC		BIT(1)
#define PF_USER		BIT(2)
#define PF_PRESENT	BIT(3)	/* a translation was there but did not allow it */
#define PF_WALK		BIT(4)	/* raised while walking the guest's own tables */
#define PF_FINAL	BIT(5)	/* raised by the access itself, after that walk */

/**
 * struct exit - why the guest stopped, in no vendor's terms
 * @kind: which of the union's members is valid
 * @insn_len: bytes to skip when the instruction is completed by the core;
 *            0: the CPU did not say, decode it
 * @hw_reason: the vendor's own exit code, for reports
 * @hw_info1: exit qualification / EXITINFO1, for reports
 * @hw_info2: guest physical address / EXITINFO2, for reports
 * @insn: instruction bytes where the CPU supplies them (decode assists)
 * @insn_bytes: how many of @insn are valid
 *
 * Filled and consumed by the vCPU's own thread.
 */
struct exit {
	enum exit_kind kind;
	u8 insn_len;
	u32 hw_reason;
	u64 hw_info1;
	u64 hw_info2;
	union {
		struct {
			u16 port;
			u8 size;	/* 1, 2, 4 bytes */
			bool in;
			bool string;	/* INS/OUTS: goes to the emulator */
		} pio;
		struct {
			u8 nr;		/* CR or DR number */
			u8 reg;		/* GPR number */
			bool write;
			enum { CR_MOV, CR_CLTS, CR_LMSW } op;
			u16 lmsw;
			bool decode;	/* vendor has no details: emulate it */
		} cr;
		struct {
			gpa_t gpa;
			u32 access;	/* PF_* */
		} fault;
		struct {
			u8 vector;
			bool has_error;
			u32 error;
			u64 payload;	/* #PF address, #DB pending DR6 bits */
		} exc;
		struct {
			u16 selector;
			u8 reason;
		} task;
		struct {
			bool invalid;	/* the guest's state is lost */
		} notify;
		struct {
			enum {
				APIC_EXIT_EOI,	/* of a vector whose end somebody hears of */
				APIC_EXIT_WRITE,	/* of a register, in the page */
				APIC_EXIT_WAKE,	/* ICR was, and IRR; not all of them run */
			} op;
			u8 vector;
			u16 reg;
		} apic;
		struct {
			u64 hw_code;	/* of the failed entry */
		} fail;
		gva_t invlpg;
	};
	u8 insn[15];
	u8 insn_bytes;
};

/*
 * What a handler says. Never overlaps -errno.
 */
enum exit_result {
	EXIT_USERSPACE = 0,	/* run page filled in: return to the VMM */
	EXIT_RESUME = 1,	/* enter the guest again */
};

int exit_handle(struct vcpu *vcpu);
int exit_shutdown(struct vcpu *vcpu);
int exit_internal_error(struct vcpu *vcpu, u32 suberror);
const char *exit_kind_name(enum exit_kind kind);

#endif
