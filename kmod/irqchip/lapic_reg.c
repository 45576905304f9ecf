// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers as software sees them: the xAPIC page, the x2APIC
 * MSRs, and the state that userspace saves and restores.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "lapic.h"
#include "../x86/msr.h"

#define REG_BIT(reg)	BIT_ULL((reg) >> 4)

/* Both modes; ISR, TMR and IRR are the 24 words between SVR and ESR. */
#define READABLE_COMMON	(REG_BIT(LAPIC_REG_ID) | REG_BIT(LAPIC_REG_VERSION) | \
			 REG_BIT(LAPIC_REG_TPR) | REG_BIT(LAPIC_REG_PPR) |    \
			 REG_BIT(LAPIC_REG_LDR) | REG_BIT(LAPIC_REG_SVR) |    \
			 GENMASK_ULL(0x27, 0x10) | REG_BIT(LAPIC_REG_ESR) |   \
			 REG_BIT(LAPIC_REG_ICR) |			      \
			 GENMASK_ULL(0x37, 0x32) | REG_BIT(LAPIC_REG_TMICT) | \
			 REG_BIT(LAPIC_REG_TMCCT) | REG_BIT(LAPIC_REG_TDCR))
#define READABLE_XAPIC	(READABLE_COMMON | REG_BIT(LAPIC_REG_APR) |	      \
			 REG_BIT(LAPIC_REG_RRD) | REG_BIT(LAPIC_REG_EOI) |    \
			 REG_BIT(LAPIC_REG_DFR) | REG_BIT(LAPIC_REG_ICR2))
#define WRITABLE_COMMON	(REG_BIT(LAPIC_REG_TPR) | REG_BIT(LAPIC_REG_EOI) |    \
			 REG_BIT(LAPIC_REG_SVR) | REG_BIT(LAPIC_REG_ESR) |    \
			 REG_BIT(LAPIC_REG_ICR) |			      \
			 GENMASK_ULL(0x37, 0x32) | REG_BIT(LAPIC_REG_TMICT) | \
			 REG_BIT(LAPIC_REG_TDCR))
#define WRITABLE_XAPIC	(WRITABLE_COMMON | REG_BIT(LAPIC_REG_LDR) |	      \
			 REG_BIT(LAPIC_REG_DFR) | REG_BIT(LAPIC_REG_ICR2))
#define WRITABLE_X2APIC	(WRITABLE_COMMON | REG_BIT(LAPIC_REG_SELF_IPI))

static bool reg_in(const struct lapic *lapic, u32 reg, u64 set)
{
	if (reg == LAPIC_REG_LVT_CMCI)
		return lapic->cmci;
	return reg < 0x400 && set & REG_BIT(reg);
}

/**
 * lapic_lvt_mask() - the bits of an LVT register that software may set
 * @lapic: any
 * @reg: LAPIC_REG_LVT*
 */
u32 lapic_lvt_mask(const struct lapic *lapic, u32 reg)
{
	u32 mask = LAPIC_ICR_VECTOR | LAPIC_LVT_MASKED;

	switch (reg) {
	case LAPIC_REG_LVTT:
		mask |= BIT(LAPIC_LVT_TIMER_SHIFT);
		if (irq_host_tsc_deadline(lapic->vcpu))
			mask |= LAPIC_LVT_TIMER_MODE;
		break;
	case LAPIC_REG_LVT0:
	case LAPIC_REG_LVT1:
		mask |= LAPIC_LVT_POLARITY | LAPIC_LVT_LEVEL;
		fallthrough;
	case LAPIC_REG_LVT_CMCI:
	case LAPIC_REG_LVT_THERMAL:
	case LAPIC_REG_LVT_PERF:
		mask |= 7 << LAPIC_LVT_MODE_SHIFT;
		break;
	}
	return mask;
}

static u32 lapic_read(struct lapic *lapic, u32 reg)
{
	switch (reg) {
	case LAPIC_REG_PPR:
		return lapic_ppr(lapic);
	case LAPIC_REG_TMCCT:
		return lapic_timer_count(lapic);
	}
	return lapic_reg(lapic, reg);
}

static void write_lvt(struct lapic *lapic, u32 reg, u32 val)
{
	val &= lapic_lvt_mask(lapic, reg);
	if (!lapic_sw_enabled(lapic))
		val |= LAPIC_LVT_MASKED;
	if (reg == LAPIC_REG_LVTT) {
		lapic_timer_write_lvtt(lapic, val);
		return;
	}
	lapic_reg_set(lapic, reg, val);
	/* The PIC may get through to this processor now. */
	if (reg == LAPIC_REG_LVT0)
		irq_host_notify(lapic->vcpu);
}

static void write_svr(struct lapic *lapic, u32 val)
{
	u32 reg;

	lapic_reg_set(lapic, LAPIC_REG_SVR, val & LAPIC_SVR_VALID);
	irq_host_dest_changed(lapic->vcpu);
	if (val & LAPIC_SVR_ENABLE)
		return;
	lapic_for_each_lvt(lapic, reg)
		lapic_reg_set(lapic, reg,
			      lapic_reg(lapic, reg) | LAPIC_LVT_MASKED);
	lapic_timer_update(lapic);
}

/* A register that is writable in the present mode; @val has been checked. */
static void lapic_write(struct lapic *lapic, u32 reg, u32 val)
{
	switch (reg) {
	case LAPIC_REG_TPR:
		lapic_set_tpr(lapic, val);
		break;
	case LAPIC_REG_EOI:
		lapic_eoi(lapic);
		break;
	case LAPIC_REG_LDR:
		lapic_reg_set(lapic, reg, val & 0xff000000);
		irq_host_dest_changed(lapic->vcpu);
		break;
	case LAPIC_REG_DFR:
		lapic_reg_set(lapic, reg, val | 0x0fffffff);
		irq_host_dest_changed(lapic->vcpu);
		break;
	case LAPIC_REG_SVR:
		write_svr(lapic, val);
		break;
	case LAPIC_REG_ESR:
		lapic_reg_set(lapic, reg, xchg(&lapic->esr_pending, 0));
		break;
	case LAPIC_REG_ICR:
		val &= ~LAPIC_ICR_BUSY;
		lapic_reg_set(lapic, reg, val);
		lapic_send_icr(lapic, val, lapic_reg(lapic, LAPIC_REG_ICR2));
		break;
	case LAPIC_REG_ICR2:
		lapic_reg_set(lapic, reg, val & 0xff000000);
		break;
	case LAPIC_REG_TMICT:
		lapic_timer_write_tmict(lapic, val);
		break;
	case LAPIC_REG_TDCR:
		lapic_timer_write_tdcr(lapic, val & 0xb);
		break;
	case LAPIC_REG_SELF_IPI:
		lapic_send_self_ipi(lapic, val);
		break;
	default:
		write_lvt(lapic, reg, val);
	}
}

/**
 * lapic_reads_plain() - is a register's MSR read as it stands in the register page?
 * @lapic: any, in x2APIC mode
 * @reg: multiple of 16
 *
 * Not a register that changes by itself, or is two there. PPR the CPU keeps.
 */
bool lapic_reads_plain(const struct lapic *lapic, u32 reg)
{
	return reg != LAPIC_REG_TMCCT && reg != LAPIC_REG_ICR &&
	       reg != LAPIC_REG_LVT_CMCI && reg_in(lapic, reg, READABLE_COMMON);
}

/**
 * lapic_virtual_write() - the CPU has written a register in the page
 * @lapic: vcpu->mutex held
 * @reg: which; what a bare register would do with it is left to be done
 */
void lapic_virtual_write(struct lapic *lapic, u32 reg)
{
	if (reg_in(lapic, reg, lapic_is_x2apic(lapic) ? WRITABLE_X2APIC :
							WRITABLE_XAPIC))
		lapic_write(lapic, reg, lapic_reg(lapic, reg));
}

/**
 * lapic_mmio_read() - a load from the xAPIC page
 * @lapic: vcpu->mutex held
 * @offset: in the page
 * @len: bytes, 1..8
 * @val: filled in; what the SDM leaves undefined reads as zeros
 *
 * Return: false: there is no xAPIC page now.
 */
bool lapic_mmio_read(struct lapic *lapic, u32 offset, int len, void *val)
{
	u32 reg = offset & ~0xfu, in = offset & 0xf, data;

	if (!lapic_hw_enabled(lapic) || lapic_is_x2apic(lapic))
		return false;
	memset(val, 0, len);
	if (!reg_in(lapic, reg, READABLE_XAPIC)) {
		lapic_error(lapic, LAPIC_ESR_REGISTER);
		return true;
	}
	if (in + len > sizeof(data))
		return true;
	if (reg == LAPIC_REG_TPR)
		irq_host_tpr_access(lapic->vcpu, false);
	data = lapic_read(lapic, reg);
	memcpy(val, (u8 *)&data + in, len);
	return true;
}

/**
 * lapic_mmio_write() - a store to the xAPIC page
 * @lapic: vcpu->mutex held
 * @offset: in the page
 * @len: bytes, 1..8; what is not an aligned 32-bit store is dropped
 * @val: what is stored
 *
 * Return: false: there is no xAPIC page now.
 */
bool lapic_mmio_write(struct lapic *lapic, u32 offset, int len, const void *val)
{
	u32 data;

	if (!lapic_hw_enabled(lapic) || lapic_is_x2apic(lapic))
		return false;
	if (len != sizeof(data) || offset & 0xf)
		return true;
	if (reg_in(lapic, offset, WRITABLE_XAPIC)) {
		memcpy(&data, val, sizeof(data));
		if (offset == LAPIC_REG_TPR)
			irq_host_tpr_access(lapic->vcpu, true);
		lapic_write(lapic, offset, data);
	} else if (!reg_in(lapic, offset, READABLE_XAPIC)) {
		lapic_error(lapic, LAPIC_ESR_REGISTER);
	}
	return true;
}

/* Bits of an x2APIC register that must be written as zero; ICR is apart. */
static u64 x2apic_reserved(struct lapic *lapic, u32 reg)
{
	switch (reg) {
	case LAPIC_REG_EOI:
	case LAPIC_REG_ESR:
		return ~0ULL;
	case LAPIC_REG_TPR:
	case LAPIC_REG_SELF_IPI:
		return ~0xffULL;
	case LAPIC_REG_SVR:
		return ~(u64)LAPIC_SVR_VALID;
	case LAPIC_REG_TMICT:
		return ~0xffffffffULL;
	case LAPIC_REG_TDCR:
		return ~0xbULL;
	}
	/* Read-only bits of the LVT may be written back as they were read. */
	return ~(u64)(lapic_lvt_mask(lapic, reg) | LAPIC_LVT_PENDING |
		      (reg == LAPIC_REG_LVT0 || reg == LAPIC_REG_LVT1 ?
		       LAPIC_LVT_REMOTE_IRR : 0));
}

/**
 * lapic_msr_read() - RDMSR in the x2APIC range
 * @lapic: vcpu->mutex held
 * @msr: 0x800..0x8ff
 * @val: filled in
 *
 * Return: 0 or MSR_FAULT.
 */
int lapic_msr_read(struct lapic *lapic, u32 msr, u64 *val)
{
	u32 reg = (msr - X2APIC_MSR_BASE) << 4;

	if (msr < X2APIC_MSR_BASE || msr > X2APIC_MSR_LAST ||
	    !lapic_is_x2apic(lapic) || !reg_in(lapic, reg, READABLE_COMMON))
		return MSR_FAULT;
	*val = lapic_read(lapic, reg);
	if (reg == LAPIC_REG_ICR)
		*val |= (u64)lapic_reg(lapic, LAPIC_REG_ICR2) << 32;
	return 0;
}

/**
 * lapic_msr_write() - WRMSR in the x2APIC range
 * @lapic: vcpu->mutex held
 * @msr: 0x800..0x8ff
 * @val: value
 *
 * Return: 0 or MSR_FAULT.
 */
int lapic_msr_write(struct lapic *lapic, u32 msr, u64 val)
{
	u32 reg = (msr - X2APIC_MSR_BASE) << 4;

	if (msr < X2APIC_MSR_BASE || msr > X2APIC_MSR_LAST ||
	    !lapic_is_x2apic(lapic) || !reg_in(lapic, reg, WRITABLE_X2APIC))
		return MSR_FAULT;
	if (reg == LAPIC_REG_ICR) {
		if (val & X2APIC_ICR_RESERVED)
			return MSR_FAULT;
		lapic_reg_set(lapic, LAPIC_REG_ICR2, val >> 32);
	} else if (val & x2apic_reserved(lapic, reg)) {
		return MSR_FAULT;
	}
	lapic_write(lapic, reg, val);
	return 0;
}

/* To one APIC: others take a look at each. An INIT or NMI is no hot matter. */
static bool icr_hot(u64 icr)
{
	u32 shorthand = icr >> LAPIC_ICR_SHORT_SHIFT & 3;

	if ((icr >> LAPIC_ICR_MODE_SHIFT & 7) != LAPIC_DM_FIXED)
		return false;
	return shorthand == LAPIC_SHORT_SELF ||
	       (shorthand == LAPIC_SHORT_NONE && !(icr & LAPIC_ICR_LOGICAL) &&
		icr >> 32 != X2APIC_BROADCAST);
}

/**
 * lapic_msr_write_hot() - WRMSR in the x2APIC range, where it is soon done
 * @lapic: vcpu->mutex held
 * @msr: any
 * @val: value
 *
 * The end of an interrupt that nobody waits to hear of, an interrupt for one
 * processor. Context: any.
 *
 * Return: false: nothing was done, lapic_msr_write() is to be asked.
 */
bool lapic_msr_write_hot(struct lapic *lapic, u32 msr, u64 val)
{
	switch (msr) {
	case X2APIC_MSR_BASE + (LAPIC_REG_EOI >> 4):
		return lapic_is_x2apic(lapic) && !val && lapic_eoi_hot(lapic);
	case X2APIC_MSR_BASE + (LAPIC_REG_ICR >> 4):
		if (!icr_hot(val))
			return false;
		break;
	case X2APIC_MSR_BASE + (LAPIC_REG_SELF_IPI >> 4):
		break;
	default:
		return false;
	}
	return !lapic_msr_write(lapic, msr, val);
}

static bool full_ids(struct lapic *lapic)
{
	return irq_host_x2apic_api(lapic->vm) & KVM_X2APIC_API_USE_32BIT_IDS;
}

static u32 state_get(const struct kvm_lapic_state *state, u32 reg)
{
	u32 val;

	memcpy(&val, state->regs + reg, sizeof(val));
	return val;
}

static void state_set(struct kvm_lapic_state *state, u32 reg, u32 val)
{
	memcpy(state->regs + reg, &val, sizeof(val));
}

/**
 * lapic_get_state() - KVM_GET_LAPIC
 * @lapic: vcpu->mutex held
 * @state: filled in; the id's format is as userspace chose by
 *         KVM_CAP_X2APIC_API
 *
 * Return: 0.
 */
int lapic_get_state(struct lapic *lapic, struct kvm_lapic_state *state)
{
	/* An expiry on its way is part of the state: as a pending vector. */
	lapic_timer_inject(lapic);
	if (lapic->posted && lapic_take_posted(lapic))
		irq_host_notify(lapic->vcpu);
	memcpy(state->regs, lapic->regs, sizeof(state->regs));
	if (lapic_is_x2apic(lapic) && !full_ids(lapic))
		state_set(state, LAPIC_REG_ID, lapic->id << 24);
	state_set(state, LAPIC_REG_PPR, lapic_ppr(lapic));
	state_set(state, LAPIC_REG_TMCCT, lapic_timer_count(lapic));
	return 0;
}

/* The id is the vCPU's own: it cannot be changed here. */
static bool state_id_valid(struct lapic *lapic,
			   const struct kvm_lapic_state *state)
{
	u32 id = state_get(state, LAPIC_REG_ID);

	if (lapic_is_x2apic(lapic) && full_ids(lapic))
		return id == lapic->id;
	return id >> 24 == (lapic->id & 0xff);
}

/**
 * lapic_set_state() - KVM_SET_LAPIC
 * @lapic: vcpu->mutex held; IA32_APIC_BASE was set before
 * @state: to take over; reserved bits are dropped
 *
 * Return: 0, -EINVAL: the id is another vCPU's.
 */
int lapic_set_state(struct lapic *lapic, const struct kvm_lapic_state *state)
{
	bool x2apic = lapic_is_x2apic(lapic);
	u32 reg;
	int i;

	if (!state_id_valid(lapic, state))
		return -EINVAL;
	lapic_timer_reset(lapic);
	if (lapic->posted)
		lapic_take_posted(lapic);	/* to be replaced */
	lapic_reg_set(lapic, LAPIC_REG_TPR, state_get(state, LAPIC_REG_TPR) &
		      0xff);
	lapic_reg_set(lapic, LAPIC_REG_SVR, state_get(state, LAPIC_REG_SVR) &
		      LAPIC_SVR_VALID);
	if (!x2apic)
		lapic_reg_set(lapic, LAPIC_REG_LDR,
			      state_get(state, LAPIC_REG_LDR) & 0xff000000);
	lapic_reg_set(lapic, LAPIC_REG_DFR,
		      state_get(state, LAPIC_REG_DFR) | 0x0fffffff);
	lapic_reg_set(lapic, LAPIC_REG_ESR,
		      state_get(state, LAPIC_REG_ESR) & 0xff);
	lapic_reg_set(lapic, LAPIC_REG_ICR,
		      state_get(state, LAPIC_REG_ICR) & ~LAPIC_ICR_BUSY);
	lapic_reg_set(lapic, LAPIC_REG_ICR2, state_get(state, LAPIC_REG_ICR2) &
		      (x2apic ? ~0u : 0xff000000));
	lapic_for_each_lvt(lapic, reg)
		lapic_reg_set(lapic, reg, state_get(state, reg) &
			      (lapic_lvt_mask(lapic, reg) |
			       /* CPUID may be set later than this. */
			       (reg == LAPIC_REG_LVTT ? LAPIC_LVT_TIMER_MODE :
				0)));
	/* Vectors below 16 are kept, and have no priority to be delivered by. */
	for (i = 0; i < 8 * 16; i += 16)
		for (reg = LAPIC_REG_ISR; reg <= LAPIC_REG_IRR; reg += 0x80)
			lapic_reg_set(lapic, reg + i, state_get(state, reg + i));
	lapic_vectors_replaced(lapic);
	lapic_reg_set(lapic, LAPIC_REG_TMICT, state_get(state, LAPIC_REG_TMICT));
	lapic_reg_set(lapic, LAPIC_REG_TDCR,
		      state_get(state, LAPIC_REG_TDCR) & 0xb);
	lapic_timer_restore(lapic, state_get(state, LAPIC_REG_TMCCT));
	irq_host_notify(lapic->vcpu);
	irq_host_dest_changed(lapic->vcpu);
	return 0;
}
