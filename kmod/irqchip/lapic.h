/* SPDX-License-Identifier: GPL-2.0-only */
/* struct lapic, and what the local APIC's files share. */
#ifndef JOIST_IRQCHIP_LAPIC_H
#define JOIST_IRQCHIP_LAPIC_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/hrtimer.h>

#include "irqchip.h"
#include "host.h"
#include "lapic_regs.h"
#include "posted.h"

/**
 * struct lapic_timer - the APIC timer; one tick of its bus clock is 1 ns
 * @hrtimer: armed only while an interrupt is due
 * @pending: expired, vector not yet set pending: (a)
 * @in_cpu: the deadline is not @hrtimer's, but the CPU's while the guest runs
 * @running: an initial count was loaded and has not run out for good
 * @target: CLOCK_MONOTONIC ns at which the count reaches zero (next)
 * @divide: ticks of the bus clock per count: 1..128
 * @tsc_deadline: guest TSC; 0: disarmed
 *
 * All but @pending: the vCPU's mutex.
 */
struct lapic_timer {
	struct hrtimer hrtimer;
	int pending;
	bool in_cpu;
	bool running;
	u32 divide;
	s64 target;
	u64 tsc_deadline;
};

#define LAPIC_ISR_VIRT	(-2)	/* ISR itself has it */

/**
 * struct lapic - one local APIC
 *
 * Protection: (c) constant; (m) vcpu->mutex to write, others read racily (one
 * aligned word, READ_ONCE); (a) atomic.
 *
 * With @posted nobody but the vCPU's thread, or its CPU, changes IRR: others post. Unless
 * it is @irr_open: then others, CPUs among them, set it at any time and nothing is posted.
 * While @virt is set the CPU itself delivers what is in IRR, and keeps ISR: @isr_top is
 * LAPIC_ISR_VIRT. With @posted @irr_words says nothing, with @virt neither @isr_words.
 */
struct lapic {
	struct vcpu *vcpu;		/* (c) */
	struct vm *vm;			/* (c) */
	u32 id;				/* (c) x2APIC id; xAPIC shows its low byte */
	u64 base;			/* (m) IA32_APIC_BASE */
	u8 *regs;			/* register page: (m); IRR and TMR: (a) */
	struct posted_desc *posted;	/* (c) once the vCPU is visible; NULL: there is none */
	bool irr_open;			/* (c) as @posted */
	bool virt;			/* (m) the CPU virtualizes it */
	int isr_top;			/* (m) of what is in service; -1: none; LAPIC_ISR_VIRT */
	unsigned long isr_words;	/* (m) words of ISR that are not zero */
	unsigned long irr_words;	/* (a) words of IRR that may be not zero */
	unsigned long esr_pending;	/* (a) errors since ESR was last written */
	unsigned long events;		/* (a) LAPIC_EVENT_* */
	bool cmci;			/* (m) there is an LVT entry for it */
	u8 sipi_vector;			/* written before LAPIC_EVENT_SIPI is set */
	struct lapic_timer timer;
};

/**
 * struct lapic_msg - an interrupt message on its way to local APICs
 * @dest: destination id: 8 bits from xAPIC, IOAPIC and MSI, 32 from x2APIC
 * @vector: 0..255
 * @mode: enum lapic_delivery
 * @shorthand: enum lapic_shorthand
 * @logical: @dest is a logical id
 * @level: level-triggered
 * @assert: asserted; a level-triggered de-assert does nothing
 * @x2apic: an x2APIC sent it: @dest is a full 32-bit id
 * @redirect: MSI redirection hint: any one of the destinations will do
 */
struct lapic_msg {
	u32 dest;
	u8 vector;
	u8 mode;
	u8 shorthand;
	bool logical;
	bool level;
	bool assert;
	bool x2apic;
	bool redirect;
};

extern unsigned int lapic_min_period_us;

static inline u32 lapic_reg(const struct lapic *lapic, u32 reg)
{
	return READ_ONCE(*(u32 *)(lapic->regs + reg));
}

static inline void lapic_reg_set(struct lapic *lapic, u32 reg, u32 val)
{
	WRITE_ONCE(*(u32 *)(lapic->regs + reg), val);
}

/* The word of a 256-bit register that holds @vector; the bit is vector & 31. */
static inline unsigned long *lapic_vec_word(struct lapic *lapic, u32 reg,
					    u8 vector)
{
	return (unsigned long *)(lapic->regs + reg + (vector >> 5) * 16);
}

static inline bool lapic_vec_test(const struct lapic *lapic, u32 reg, u8 vector)
{
	return lapic_reg(lapic, reg + (vector >> 5) * 16) & BIT(vector & 31);
}

static inline bool lapic_hw_enabled(const struct lapic *lapic)
{
	return READ_ONCE(lapic->base) & LAPIC_BASE_ENABLE;
}

static inline bool lapic_sw_enabled(const struct lapic *lapic)
{
	return lapic_reg(lapic, LAPIC_REG_SVR) & LAPIC_SVR_ENABLE;
}

static inline bool lapic_is_x2apic(const struct lapic *lapic)
{
	return (READ_ONCE(lapic->base) &
		(LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)) ==
	       (LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE);
}

/* The LVT entries, in order; lapic_lvt_next() passes the gap after CMCI's. */
static inline u32 lapic_lvt_first(const struct lapic *lapic)
{
	return lapic->cmci ? LAPIC_REG_LVT_CMCI : LAPIC_REG_LVTT;
}

static inline u32 lapic_lvt_next(u32 reg)
{
	return reg == LAPIC_REG_LVT_CMCI ? LAPIC_REG_LVTT : reg + 16;
}

#define lapic_for_each_lvt(lapic, reg)					\
	for ((reg) = lapic_lvt_first(lapic); (reg) <= LAPIC_REG_LVT_ERROR; \
	     (reg) = lapic_lvt_next(reg))

/* lapic.c */
bool lapic_set_irr(struct lapic *lapic, u8 vector, bool level);
int lapic_next_irq(struct lapic *lapic);
void lapic_ack(struct lapic *lapic, u8 vector);
void lapic_eoi(struct lapic *lapic);
bool lapic_eoi_hot(struct lapic *lapic);
int lapic_lazy_vector(struct lapic *lapic);
u8 lapic_ppr(const struct lapic *lapic);
void lapic_error(struct lapic *lapic, unsigned long bits);
void lapic_local_deliver(struct lapic *lapic, u32 lvt);
bool lapic_accepts_pic(const struct lapic *lapic);
void lapic_vectors_replaced(struct lapic *lapic);
u32 x2apic_ldr(u32 id);

/* lapic_reg.c: registers as software sees them */
bool lapic_reads_plain(const struct lapic *lapic, u32 reg);
u32 lapic_lvt_mask(const struct lapic *lapic, u32 reg);

/* lapic_ipi.c: messages between local APICs */
int lapic_deliver(struct vm *vm, struct lapic *source,
		  const struct lapic_msg *msg);
struct lapic *lapic_single_target(struct vm *vm, const struct lapic_msg *msg);
void lapic_send_icr(struct lapic *lapic, u32 icr, u32 icr2);
void lapic_send_self_ipi(struct lapic *lapic, u8 vector);

/* lapic_timer.c */
void lapic_timer_init(struct lapic *lapic);
void lapic_timer_reset(struct lapic *lapic);
void lapic_timer_write_lvtt(struct lapic *lapic, u32 val);
void lapic_timer_write_tmict(struct lapic *lapic, u32 count);
void lapic_timer_write_tdcr(struct lapic *lapic, u32 val);
u32 lapic_timer_count(struct lapic *lapic);
void lapic_timer_restore(struct lapic *lapic, u32 count);
u64 lapic_least_period(void);

#endif
