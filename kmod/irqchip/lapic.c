// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC: life, reset, priorities, acceptance of vectors and EOI; by
 * Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller".
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "lapic.h"

#define LAPIC_REGS_SIZE		4096
#define LAPIC_DEFAULT_BASE	0xfee00000

/**
 * lapic_take_posted() - what was posted is in IRR from now on, enabled or not
 * @lapic: vcpu->mutex held, not in the guest; it has @posted
 */
bool lapic_take_posted(struct lapic *lapic)
{
	return posted_pending(lapic->posted) &&
	       posted_take(lapic->posted, lapic->regs + LAPIC_REG_IRR);
}

/* Out of line, as what follows of its kind: nothing is to be saved where there is none. */
static noinline int irr_top_posted(struct lapic *lapic)
{
	/* Taken here it is taken before the entry would, which tells the CPU. */
	if (lapic_take_posted(lapic) && lapic->virt)
		irq_host_notify(lapic->vcpu);
	return posted_top(lapic->regs + LAPIC_REG_IRR);
}

/*
 * The highest pending vector, -1: none. What was posted is among them. Words that are
 * found empty are not looked at again. Full barriers here and in lapic_set_irr(): either
 * the vector is seen here, or there that the word is thought to be empty. vcpu->mutex
 * held: of two that look at once, one may find nothing.
 */
static int irr_top(struct lapic *lapic)
{
	unsigned long words;

	if (unlikely(lapic->posted))
		return irr_top_posted(lapic);
	while ((words = READ_ONCE(lapic->irr_words))) {
		int i = __fls(words);
		u32 word = lapic_reg(lapic, LAPIC_REG_IRR + i * 16);

		if (word)
			return i * 32 + fls(word) - 1;
		clear_bit(i, &lapic->irr_words);
		smp_mb__after_atomic(); /* pairs with test_and_set_bit() there */
		if (lapic_reg(lapic, LAPIC_REG_IRR + i * 16))
			set_bit(i, &lapic->irr_words);
	}
	return -1;
}

/** x2apic_ldr() - the logical id that an x2APIC derives from its id */
u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

/* The id, version and logical id as they read in the present mode. */
static void lapic_identity(struct lapic *lapic)
{
	lapic_reg_set(lapic, LAPIC_REG_VERSION,
		      lapic->cmci ? LAPIC_VERSION_CMCI : LAPIC_VERSION_VALUE);
	if (lapic_is_x2apic(lapic)) {
		lapic_reg_set(lapic, LAPIC_REG_ID, lapic->id);
		lapic_reg_set(lapic, LAPIC_REG_LDR, x2apic_ldr(lapic->id));
	} else {
		lapic_reg_set(lapic, LAPIC_REG_ID, lapic->id << 24);
	}
}

static void lapic_reset_regs(struct lapic *lapic)
{
	u32 reg;

	if (lapic->posted)
		lapic_take_posted(lapic);	/* to be forgotten */
	/* Before IRR: a vector that comes after is not thought to be nowhere. */
	WRITE_ONCE(lapic->irr_words, 0);
	smp_mb(); /* pairs with test_and_set_bit() in lapic_set_irr() */
	memset(lapic->regs, 0, LAPIC_REGS_SIZE);
	lapic_reg_set(lapic, LAPIC_REG_DFR, ~0u);
	lapic_reg_set(lapic, LAPIC_REG_SVR, 0xff);
	lapic_for_each_lvt(lapic, reg)
		lapic_reg_set(lapic, reg, LAPIC_LVT_MASKED);
	/*
	 * Firmware would set up virtual wire mode; VMMs boot without it, and
	 * KVM's guests find LINT0 of the bootstrap processor open for the PIC.
	 */
	if (irq_host_is_bsp(lapic->vcpu))
		lapic_reg_set(lapic, LAPIC_REG_LVT0,
			      LAPIC_DM_EXTINT << LAPIC_LVT_MODE_SHIFT);
	lapic->isr_words = 0;
	lapic->isr_top = lapic->virt ? LAPIC_ISR_VIRT : -1;
	WRITE_ONCE(lapic->esr_pending, 0);
	lapic_identity(lapic);
}

/**
 * lapic_create() - the local APIC of a new vCPU, as after power-up
 * @vcpu: whose; not yet visible to others
 * @id: its x2APIC id; the low byte is the xAPIC id
 *
 * Return: the APIC or ERR_PTR(-ENOMEM).
 */
struct lapic *lapic_create(struct vcpu *vcpu, u32 id)
{
	struct lapic *lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);

	if (!lapic)
		return ERR_PTR(-ENOMEM);
	/* A whole page: the CPUs' APIC virtualization wants its address. */
	lapic->regs = kzalloc(LAPIC_REGS_SIZE, GFP_KERNEL_ACCOUNT);
	if (!lapic->regs) {
		kfree(lapic);
		return ERR_PTR(-ENOMEM);
	}
	lapic->vcpu = vcpu;
	lapic->vm = irq_host_vm(vcpu);
	lapic->id = id;
	lapic_timer_init(lapic);
	lapic_reset(lapic, false);
	return lapic;
}

/** lapic_destroy() - nobody delivers to it any more; its timer is stopped */
void lapic_destroy(struct lapic *lapic)
{
	hrtimer_cancel(&lapic->timer.hrtimer);
	kfree(lapic->regs);
	kfree(lapic);
}

/**
 * lapic_reset() - power-up or INIT
 * @lapic: vcpu->mutex held
 * @init: INIT: IA32_APIC_BASE survives, and so do latched INIT and SIPI.
 *        Otherwise the base is the default one, xAPIC enabled
 */
void lapic_reset(struct lapic *lapic, bool init)
{
	if (!init) {
		WRITE_ONCE(lapic->base, LAPIC_DEFAULT_BASE | LAPIC_BASE_ENABLE |
			   (irq_host_is_bsp(lapic->vcpu) ? LAPIC_BASE_BSP : 0));
		WRITE_ONCE(lapic->events, 0);
	}
	lapic_timer_reset(lapic);
	lapic_reset_regs(lapic);
	irq_host_dest_changed(lapic->vcpu);
}

/**
 * lapic_set_base() - IA32_APIC_BASE was written
 * @lapic: vcpu->mutex held
 * @base: validated new value
 *
 * Disabling loses the registers' contents; entering x2APIC derives the
 * logical id and clears the ICR's high half, by the SDM's "x2APIC state
 * transitions".
 */
void lapic_set_base(struct lapic *lapic, u64 base)
{
	u64 old = lapic->base;
	bool was_x2apic = lapic_is_x2apic(lapic);

	WRITE_ONCE(lapic->base, base);
	if (old & LAPIC_BASE_ENABLE && !(base & LAPIC_BASE_ENABLE)) {
		lapic_timer_reset(lapic);
		lapic_reset_regs(lapic);
	} else if (was_x2apic != lapic_is_x2apic(lapic)) {
		lapic_reg_set(lapic, LAPIC_REG_ICR2, 0);
		if (was_x2apic)
			lapic_reg_set(lapic, LAPIC_REG_LDR, 0);
		lapic_identity(lapic);
	}
	if (lapic->posted)
		irq_host_virt_update(lapic->vcpu);
	irq_host_dest_changed(lapic->vcpu);
}

/* What is in service as far as priorities go, -1: nothing. @top: lapic->isr_top. */
static noinline int isr_top_virt(const struct lapic *lapic, int top)
{
	return top == LAPIC_ISR_VIRT ? posted_top(lapic->regs + LAPIC_REG_ISR) : -1;
}

static inline int isr_top(const struct lapic *lapic)
{
	int top = READ_ONCE(lapic->isr_top);

	return top < 0 ? isr_top_virt(lapic, top) : top;
}

/* A vector becomes pending where anybody sets IRR. */
static bool set_open(struct lapic *lapic, u8 vector)
{
	bool was = test_and_set_bit(vector & 31,
				    lapic_vec_word(lapic, LAPIC_REG_IRR, vector));

	/* Also if it was: a CPU sets it first, and has the target woken later. */
	irq_host_posted(lapic->vcpu);
	return !was;
}

/* A vector becomes pending where only the vCPU's own thread touches IRR. */
static noinline bool post(struct lapic *lapic, u8 vector)
{
	bool was = lapic_vec_test(lapic, LAPIC_REG_IRR, vector);

	if (lapic->irr_open)
		return set_open(lapic, vector);
	switch (posted_set(lapic->posted, vector)) {
	case POSTED_AGAIN:
		return false;
	case POSTED_NOTIFY:
		irq_host_posted(lapic->vcpu);
		break;
	case POSTED_SILENT:
		break;
	}
	return !was;
}

/**
 * lapic_set_irr() - a vector becomes pending
 * @lapic: any
 * @vector: 16..255
 * @level: level-triggered: its EOI is broadcast
 *
 * Return: false: it was pending already. Context: any.
 */
bool lapic_set_irr(struct lapic *lapic, u8 vector, bool level)
{
	unsigned int bit = vector & 31;
	bool was;

	if (level != lapic_vec_test(lapic, LAPIC_REG_TMR, vector)) {
		if (level)
			set_bit(bit, lapic_vec_word(lapic, LAPIC_REG_TMR,
						    vector));
		else
			clear_bit(bit, lapic_vec_word(lapic, LAPIC_REG_TMR,
						      vector));
	}
	if (unlikely(lapic->posted))
		return post(lapic, vector);
	was = test_and_set_bit(bit, lapic_vec_word(lapic, LAPIC_REG_IRR, vector));
	/* Whoever was first may not have come so far. */
	if (!test_bit(vector >> 5, &lapic->irr_words))
		set_bit(vector >> 5, &lapic->irr_words);
	if (was)
		return false;
	irq_host_notify(lapic->vcpu);
	return true;
}

static inline u8 ppr(u8 tpr, int isr)
{
	return (tpr & 0xf0) >= (isr & 0xf0) ? tpr : isr & 0xf0;
}

static noinline u8 ppr_virt(const struct lapic *lapic, u8 tpr)
{
	return ppr(tpr, max(isr_top(lapic), 0));
}

/** lapic_ppr() - the processor priority: of the task or of what is in service */
u8 lapic_ppr(const struct lapic *lapic)
{
	u8 tpr = lapic_reg(lapic, LAPIC_REG_TPR);
	int isr = READ_ONCE(lapic->isr_top);

	if (isr >= 0)
		return ppr(tpr, isr);
	return isr == LAPIC_ISR_VIRT ? ppr_virt(lapic, tpr) : tpr;
}

/** lapic_next_irq() - the vector that would be delivered now, -1: none */
int lapic_next_irq(struct lapic *lapic)
{
	int vector;

	if (!lapic_hw_enabled(lapic))
		return -1;
	vector = irr_top(lapic);
	if (vector < 0 || (vector & 0xf0) <= (lapic_ppr(lapic) & 0xf0))
		return -1;
	return vector;
}

int lapic_highest_irr(struct lapic *lapic)
{
	return lapic_hw_enabled(lapic) ? irr_top(lapic) : -1;
}

/** lapic_highest_isr() - the vector in service that counts, -1: none */
int lapic_highest_isr(struct lapic *lapic)
{
	return isr_top(lapic);
}

/**
 * lapic_ack() - a vector goes from pending to in service
 * @lapic: vcpu->mutex held
 * @vector: from lapic_next_irq()
 */
void lapic_ack(struct lapic *lapic, u8 vector)
{
	u32 isr = LAPIC_REG_ISR + (vector >> 5) * 16;

	clear_bit(vector & 31, lapic_vec_word(lapic, LAPIC_REG_IRR, vector));
	lapic_reg_set(lapic, isr, lapic_reg(lapic, isr) | BIT(vector & 31));
	lapic->isr_words |= BIT(vector >> 5);
	if (vector > lapic->isr_top)
		WRITE_ONCE(lapic->isr_top, vector);
}

/* What is left in service. */
static void isr_top_update(struct lapic *lapic)
{
	int top = -1;

	while (lapic->isr_words) {
		int i = __fls(lapic->isr_words);
		u32 word = lapic_reg(lapic, LAPIC_REG_ISR + i * 16);

		if (word) {
			top = i * 32 + fls(word) - 1;
			break;
		}
		lapic->isr_words &= ~BIT(i);
	}
	WRITE_ONCE(lapic->isr_top, top);
}

/** lapic_vectors_replaced() - IRR and ISR were; vcpu->mutex held */
void lapic_vectors_replaced(struct lapic *lapic)
{
	int i;

	if (lapic->virt) {
		WRITE_ONCE(lapic->isr_top, LAPIC_ISR_VIRT);
		return;
	}
	lapic->isr_words = 0;
	for (i = 0; i < 8; i++)
		if (lapic_reg(lapic, LAPIC_REG_ISR + i * 16))
			lapic->isr_words |= BIT(i);
	isr_top_update(lapic);
	WRITE_ONCE(lapic->irr_words, GENMASK(7, 0));
}

/* More may be deliverable than before. */
static void lapic_recheck(struct lapic *lapic)
{
	if (lapic_next_irq(lapic) >= 0)
		irq_host_notify(lapic->vcpu);
}

/* Posted interrupts' CPUs have a copy: update_tpr. */
static noinline void isr_end_virt(struct lapic *lapic)
{
	if (!lapic->irr_open)
		irq_host_notify(lapic->vcpu);
}

static inline void isr_end(struct lapic *lapic, int vector)
{
	u32 isr = LAPIC_REG_ISR + (vector >> 5) * 16;

	lapic_reg_set(lapic, isr, lapic_reg(lapic, isr) & ~BIT(vector & 31));
	if (unlikely(lapic->virt))
		isr_end_virt(lapic);
	else
		isr_top_update(lapic);
}

/* Who waits for the end of @vector hears of it. */
static void eoi_broadcast(struct lapic *lapic, u8 vector)
{
	bool level = lapic_vec_test(lapic, LAPIC_REG_TMR, vector);

	if (!level ||
	    !(lapic_reg(lapic, LAPIC_REG_SVR) & LAPIC_SVR_NO_BROADCAST))
		irq_host_eoi(lapic->vcpu, vector, level);
}

/** lapic_eoi_virtual() - the CPU itself has ended one; vcpu->mutex held */
void lapic_eoi_virtual(struct lapic *lapic, u8 vector)
{
	eoi_broadcast(lapic, vector);
}

/**
 * lapic_set_virt() - from now on the CPU keeps ISR and delivers, or does not
 * @lapic: vcpu->mutex held; it has @posted
 * @virt: it does
 */
void lapic_set_virt(struct lapic *lapic, bool virt)
{
	WRITE_ONCE(lapic->virt, virt);
	lapic_vectors_replaced(lapic);
	irq_host_notify(lapic->vcpu);
}

/**
 * lapic_eoi() - end of the highest interrupt in service
 * @lapic: vcpu->mutex held
 */
void lapic_eoi(struct lapic *lapic)
{
	int vector = isr_top(lapic);

	if (vector < 0)
		return;
	isr_end(lapic, vector);
	eoi_broadcast(lapic, vector);
	lapic_recheck(lapic);
}

/**
 * lapic_eoi_hot() - likewise, if it concerns this APIC alone
 * @lapic: vcpu->mutex held
 *
 * Context: any. Return: false: nothing was done.
 */
bool lapic_eoi_hot(struct lapic *lapic)
{
	int vector = isr_top(lapic);

	if (vector < 0)
		return true;
	if (lapic_vec_test(lapic, LAPIC_REG_TMR, vector) ||
	    irq_host_eoi_heard(lapic->vcpu, vector))
		return false;
	isr_end(lapic, vector);
	lapic_recheck(lapic);
	return true;
}

/**
 * lapic_lazy_vector() - the interrupt whose end may be told late
 * @lapic: vcpu->mutex held
 *
 * Return: the vector, if it alone is in service, edge-triggered, and none is
 * pending; otherwise -1. Where the CPU takes the end without an exit there is nothing
 * to be won.
 */
int lapic_lazy_vector(struct lapic *lapic)
{
	int vector = lapic->isr_top, word = vector >> 5;

	if (vector < 0 || lapic_vec_test(lapic, LAPIC_REG_TMR, vector) ||
	    irr_top(lapic) >= 0 || lapic->isr_words & ~BIT(word) ||
	    lapic_reg(lapic, LAPIC_REG_ISR + word * 16) != BIT(vector & 31))
		return -1;
	return vector;
}

/**
 * lapic_set_tpr() - the task priority changes
 * @lapic: vcpu->mutex held
 * @tpr: new value
 */
void lapic_set_tpr(struct lapic *lapic, u8 tpr)
{
	u8 old = lapic_reg(lapic, LAPIC_REG_TPR);

	lapic_reg_set(lapic, LAPIC_REG_TPR, tpr);
	if (tpr < old)
		lapic_recheck(lapic);
	else if (tpr > old && irr_top(lapic) >= 0)
		irq_host_notify(lapic->vcpu);	/* update_tpr: it may be held back now */
}

/** lapic_get_tpr() - the task priority register */
u8 lapic_get_tpr(struct lapic *lapic)
{
	return lapic_reg(lapic, LAPIC_REG_TPR);
}

u64 lapic_get_cr8(struct lapic *lapic)
{
	return lapic_reg(lapic, LAPIC_REG_TPR) >> 4;
}

void lapic_set_cr8(struct lapic *lapic, u64 cr8)
{
	lapic_set_tpr(lapic, (cr8 & 0xf) << 4);
}

/**
 * lapic_error() - an error is recorded and, if the LVT says so, reported
 * @lapic: any
 * @bits: LAPIC_ESR_*
 *
 * Context: any.
 */
void lapic_error(struct lapic *lapic, unsigned long bits)
{
	u32 lvt = lapic_reg(lapic, LAPIC_REG_LVT_ERROR);

	set_bit(__ffs(bits), &lapic->esr_pending);
	if (lvt & LAPIC_LVT_MASKED)
		return;
	if ((lvt & 0xff) < 16)
		set_bit(__ffs(LAPIC_ESR_RECV_ILLEGAL), &lapic->esr_pending);
	else
		lapic_set_irr(lapic, lvt & 0xff, false);
}

/**
 * lapic_local_deliver() - a local source fires
 * @lapic: any
 * @lvt: its LVT register
 *
 * Context: any.
 */
void lapic_local_deliver(struct lapic *lapic, u32 lvt)
{
	u32 val = lapic_reg(lapic, lvt);
	u8 vector = val;

	if (!lapic_hw_enabled(lapic) || val & LAPIC_LVT_MASKED)
		return;
	switch (val >> LAPIC_LVT_MODE_SHIFT & 7) {
	case LAPIC_DM_FIXED:
		if (vector < 16)
			lapic_error(lapic, LAPIC_ESR_RECV_ILLEGAL);
		else
			lapic_set_irr(lapic, vector, false);
		break;
	case LAPIC_DM_NMI:
		irq_host_nmi(lapic->vcpu);
		break;
	case LAPIC_DM_SMI:
		irq_host_smi(lapic->vcpu);
		break;
	}
}

/**
 * lapic_set_cmci() - the processor signals corrected machine checks, or not
 * @lapic: vcpu->mutex held
 * @cmci: there is an LVT entry for them; masked
 */
void lapic_set_cmci(struct lapic *lapic, bool cmci)
{
	lapic->cmci = cmci;
	lapic_reg_set(lapic, LAPIC_REG_LVT_CMCI, cmci ? LAPIC_LVT_MASKED : 0);
	lapic_identity(lapic);
}

/** lapic_cmci() - a machine check was recorded that no exception tells of */
void lapic_cmci(struct lapic *lapic)
{
	if (lapic->cmci)
		lapic_local_deliver(lapic, LAPIC_REG_LVT_CMCI);
}

/**
 * lapic_accepts_pic() - does the PIC's output reach this processor?
 * @lapic: any
 *
 * Through LINT0 as ExtINT; with the APIC globally disabled LINT0 is the
 * bootstrap processor's INTR pin. Context: any.
 */
bool lapic_accepts_pic(const struct lapic *lapic)
{
	u32 lvt0;

	if (!lapic_hw_enabled(lapic))
		return irq_host_is_bsp(lapic->vcpu);
	lvt0 = lapic_reg(lapic, LAPIC_REG_LVT0);
	return !(lvt0 & LAPIC_LVT_MASKED) &&
	       (lvt0 >> LAPIC_LVT_MODE_SHIFT & 7) == LAPIC_DM_EXTINT;
}

bool lapic_in_mmio(struct lapic *lapic, gpa_t gpa)
{
	u64 base = lapic->base;

	return (base & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2APIC)) ==
	       LAPIC_BASE_ENABLE && (gpa & ~0xfffULL) == (base & LAPIC_BASE_ADDR);
}

bool lapic_x2apic(struct lapic *lapic)
{
	return lapic_is_x2apic(lapic);
}

/* Globally, by IA32_APIC_BASE. */
bool lapic_enabled(struct lapic *lapic)
{
	return lapic_hw_enabled(lapic);
}
