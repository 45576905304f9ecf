// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC's physical APIC ID table and exits. Pure: no host state.
 *
 * A CPU whose guest writes ICR sets the vector in IRR of each target's register page, and
 * then looks at the target's entry: if that runs it rings the doorbell of the CPU it runs
 * on, else the writer exits. An entry is valid while its APIC takes fixed interrupts, and
 * says "runs" only while the CPU virtualizes it.
 */
#include <asm/svm.h>

#include "avic_table.h"
#include "../core/exit.h"
#include "../irqchip/lapic.h"

#define ENTRY_ID	AVIC_PHYSICAL_ID_ENTRY_HOST_PHYSICAL_ID_MASK
#define ENTRY_PAGE	AVIC_PHYSICAL_ID_ENTRY_BACKING_PAGE_MASK
#define ENTRY_RUNS	AVIC_PHYSICAL_ID_ENTRY_IS_RUNNING_MASK
#define ENTRY_VALID	AVIC_PHYSICAL_ID_ENTRY_VALID_MASK

#define ACCESS_WRITE	BIT_ULL(32)	/* of exit_info_1 */

/**
 * avic_entry_init() - a vCPU's entry: not valid, does not run
 * @entry: nobody's yet
 * @regs: register page, as the CPU takes addresses
 */
void avic_entry_init(u64 *entry, hpa_t regs)
{
	WRITE_ONCE(*entry, regs & ENTRY_PAGE);
}

/** avic_entry_takes() - its APIC takes fixed interrupts, or does not */
void avic_entry_takes(u64 *entry, bool takes)
{
	word_change(entry, takes ? 0 : ENTRY_VALID, takes ? ENTRY_VALID : 0);
}

/**
 * avic_entry_enter() - it runs: who sends it an interrupt rings the doorbell
 * @entry: its thread is on that CPU
 * @apic_id: of the CPU
 */
void avic_entry_enter(u64 *entry, u32 apic_id)
{
	word_change(entry, ENTRY_ID, ENTRY_RUNS | (apic_id & ENTRY_ID));
}

/**
 * avic_entry_leave() - it does not run: who sends it an interrupt exits, and wakes it
 * @entry: its thread leaves that CPU
 * @lapic: whose
 * @sleeps: until an interrupt comes
 *
 * Return: one came, @sleeps, and nobody wakes it for that.
 */
bool avic_entry_leave(u64 *entry, struct lapic *lapic, bool sleeps)
{
	word_change(entry, ENTRY_RUNS, 0);
	/*
	 * Either a sender sees that, or its vector is seen here. It rang a doorbell that
	 * nobody heard.
	 */
	smp_mb__after_atomic();
	return sleeps && lapic_next_irq(lapic) >= 0;
}

/** avic_reads_pass() - is the register at @reg read without an exit? */
bool avic_reads_pass(const struct lapic *lapic, u32 reg)
{
	/* Whether the CPU keeps PPR in the page, nobody has tried. */
	return reg != LAPIC_REG_PPR && lapic_reads_plain(lapic, reg);
}

/**
 * avic_writes_pass() - is the register at @reg written without an exit?
 * @reg: multiple of 16
 * @eois_heard: somebody waits for the end of edge-triggered interrupts, which do not exit
 */
bool avic_writes_pass(u32 reg, bool eois_heard)
{
	return reg == LAPIC_REG_TPR || reg == LAPIC_REG_ICR ||
	       (reg == LAPIC_REG_EOI && !eois_heard);
}

/**
 * avic_decode_ipi() - ICR was written, and something is left to be done
 * @e: filled in
 * @lapic: of the sender; its ICR becomes what was written
 * @info1: exit_info_1: ICR
 * @info2: exit_info_2: why
 *
 * Of the reasons but the second the CPU is not known to have set anybody's IRR: it is
 * sent by software, which wakes also those where the vector is pending already.
 */
void avic_decode_ipi(struct exit *e, struct lapic *lapic, u64 info1, u64 info2)
{
	lapic_reg_set(lapic, LAPIC_REG_ICR2, info1 >> 32);
	lapic_reg_set(lapic, LAPIC_REG_ICR, info1 & ~LAPIC_ICR_BUSY);
	e->kind = EXIT_APIC;
	e->apic.op = APIC_EXIT_WRITE;
	e->apic.reg = LAPIC_REG_ICR;
	if (info2 >> 32 == AVIC_IPI_FAILURE_TARGET_NOT_RUNNING)
		e->apic.op = APIC_EXIT_WAKE;
}

/* The write is in the page, and RIP behind the instruction: a trap. Others are faults. */
static bool traps(u32 reg)
{
	switch (reg) {
	case LAPIC_REG_ID:
	case LAPIC_REG_EOI:
	case LAPIC_REG_RRD:
	case LAPIC_REG_LDR:
	case LAPIC_REG_DFR:
	case LAPIC_REG_SVR:
	case LAPIC_REG_ESR:
	case LAPIC_REG_ICR:
	case LAPIC_REG_LVTT ... LAPIC_REG_TMICT:
	case LAPIC_REG_TDCR:
		return true;
	}
	return false;
}

/**
 * avic_decode_access() - a register was accessed that the CPU does not virtualize
 * @e: filled in
 * @lapic: whose; in x2APIC mode
 * @info1: exit_info_1: which, and how
 * @info2: exit_info_2: of an EOI: the vector
 *
 * But for the end of level-triggered interrupts this is not expected: the MSRs' exits
 * come before.
 */
void avic_decode_access(struct exit *e, const struct lapic *lapic, u64 info1, u64 info2)
{
	u32 reg = info1 & AVIC_UNACCEL_ACCESS_OFFSET_MASK;
	u8 vector = info2;

	if (!(info1 & ACCESS_WRITE)) {
		e->kind = EXIT_RDMSR;
		return;
	}
	if (!traps(reg)) {
		e->kind = EXIT_WRMSR;
		return;
	}
	e->kind = EXIT_APIC;
	e->apic.op = APIC_EXIT_WRITE;
	e->apic.reg = reg;
	/* If it is in service no more, all that is left is to tell of its end. */
	if (reg == LAPIC_REG_EOI && vector >= 16 &&
	    !lapic_vec_test(lapic, LAPIC_REG_ISR, vector)) {
		e->apic.op = APIC_EXIT_EOI;
		e->apic.vector = vector;
	}
}
