// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's registers as the VMM sees them: get and set, whole. */
#include <linux/kvm.h>
#include <linux/overflow.h>

#include "regs.h"
#include "state.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../x86/x86.h"

static_assert(sizeof(struct kvm_regs) == 18 * 8);
static_assert(sizeof(struct kvm_sync_regs) <= SYNC_REGS_SIZE_BYTES);
static_assert(offsetof(struct kvm_regs, r8) == 8 * 8);

/* struct kvm_regs has another order than instructions do. */
static const u8 regs_order[NR_REGS_STORED] = {
	REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RSP, REG_RBP,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_RIP, REG_RFLAGS,
};

/** state_get_regs() - KVM_GET_REGS */
void state_get_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	u64 *out = &regs->rax;
	int i;

	for (i = 0; i < ARRAY_SIZE(regs_order); i++)
		out[i] = reg_read(vcpu, regs_order[i]);
}

/** state_set_regs() - KVM_SET_REGS; a pending exception is forgotten */
void state_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs)
{
	const u64 *in = &regs->rax;
	int i;

	for (i = 0; i < ARRAY_SIZE(regs_order); i++)
		reg_write(vcpu, regs_order[i], in[i]);
	reg_write(vcpu, REG_RFLAGS, regs->rflags | X86_EFLAGS_FIXED);
	vcpu->exception.pending = false;
	vcpu_request(vcpu, REQ_EVENT);
}

/* struct kvm_sregs starts with these, in this order. */
static const u8 sregs_order[NR_VCPU_SREGS] = {
	VCPU_SREG_CS, VCPU_SREG_DS, VCPU_SREG_ES, VCPU_SREG_FS, VCPU_SREG_GS,
	VCPU_SREG_SS, VCPU_SREG_TR, VCPU_SREG_LDTR,
};

static_assert(offsetof(struct kvm_sregs, ldt) == 7 * sizeof(struct kvm_segment));

/** state_get_sregs() - KVM_GET_SREGS */
void state_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	struct kvm_segment *seg = &sregs->cs;
	int i;

	memset(sregs, 0, sizeof(*sregs));
	for (i = 0; i < ARRAY_SIZE(sregs_order); i++)
		vendor_call(get_segment)(vcpu, &seg[i], sregs_order[i]);
	vendor_call(get_dt)(vcpu, &sregs->gdt, VCPU_GDT);
	vendor_call(get_dt)(vcpu, &sregs->idt, VCPU_IDT);
	sregs->cr0 = vcpu_cr0(vcpu);
	sregs->cr2 = vcpu->cr2;
	sregs->cr3 = vcpu_cr3(vcpu);
	sregs->cr4 = vcpu_cr4(vcpu);
	sregs->cr8 = cr8_read(vcpu);
	sregs->efer = vcpu->efer;
	sregs->apic_base = vcpu->apic_base;
	if (vcpu->interrupt.injected && !vcpu->interrupt.soft)
		__set_bit(vcpu->interrupt.vector,
			  (unsigned long *)sregs->interrupt_bitmap);
}

/* The one interrupt that was on its way, when there is no controller here. */
static void sregs_set_interrupt(struct vcpu *vcpu,
				const struct kvm_sregs *sregs)
{
	unsigned int vector;

	vector = find_first_bit((const unsigned long *)sregs->interrupt_bitmap,
				KVM_NR_INTERRUPTS);
	if (vector >= KVM_NR_INTERRUPTS)
		return;
	vcpu->interrupt.injected = true;
	vcpu->interrupt.soft = false;
	vcpu->interrupt.vector = vector;
}

/* @pdptrs: NULL: as memory has them. */
static int sregs_set(struct vcpu *vcpu, const struct kvm_sregs *sregs,
		     const u64 *pdptrs)
{
	const struct kvm_segment *seg = &sregs->cs;
	int i, err;

	err = cr_set_sregs(vcpu, sregs, pdptrs);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(sregs_order); i++)
		vendor_call(set_segment)(vcpu, &seg[i], sregs_order[i]);
	vendor_call(set_dt)(vcpu, &sregs->gdt, VCPU_GDT);
	vendor_call(set_dt)(vcpu, &sregs->idt, VCPU_IDT);
	vcpu->cr2 = sregs->cr2;
	cr8_write(vcpu, sregs->cr8);
	sregs_set_interrupt(vcpu, sregs);
	/* A boot processor that is set to its reset vector starts there. */
	if (vcpu->id == vcpu->vm->bsp_id &&
	    vcpu->mp_state == KVM_MP_STATE_UNINITIALIZED)
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * state_set_sregs() - KVM_SET_SREGS
 * @vcpu: vcpu->mutex held, loaded
 * @sregs: kernel copy
 *
 * Return: 0, or -EINVAL with nothing changed: the control registers or the
 * APIC base are not a state the CPU can be in.
 */
int state_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return sregs_set(vcpu, sregs, NULL);
}

/* Both structures start with the same. */
#define SREGS_COMMON	offsetofend(struct kvm_sregs, apic_base)

static_assert(offsetof(struct kvm_sregs2, apic_base) ==
	      offsetof(struct kvm_sregs, apic_base));
static_assert(offsetof(struct kvm_sregs2, flags) == SREGS_COMMON);

/** state_get_sregs2() - KVM_GET_SREGS2 */
void state_get_sregs2(struct vcpu *vcpu, struct kvm_sregs2 *sregs2)
{
	struct kvm_sregs sregs;

	state_get_sregs(vcpu, &sregs);
	memcpy(sregs2, &sregs, SREGS_COMMON);
	sregs2->flags = 0;
	memset(sregs2->pdptrs, 0, sizeof(sregs2->pdptrs));
	if (cr_get_pdptrs(vcpu, sregs2->pdptrs))
		sregs2->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
}

/**
 * state_set_sregs2() - KVM_SET_SREGS2
 * @vcpu: vcpu->mutex held, loaded
 * @sregs2: kernel copy
 *
 * Return: as state_set_sregs(); -EINVAL, too: an unknown flag, PDPTEs without PAE
 * paging or with reserved bits.
 */
int state_set_sregs2(struct vcpu *vcpu, const struct kvm_sregs2 *sregs2)
{
	struct kvm_sregs sregs = {};

	if (sregs2->flags & ~(u64)KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return -EINVAL;
	memcpy(&sregs, sregs2, SREGS_COMMON);
	return sregs_set(vcpu, &sregs, sregs2->flags ? sregs2->pdptrs : NULL);
}

/** state_get_debugregs() - KVM_GET_DEBUGREGS */
void state_get_debugregs(struct vcpu *vcpu, struct kvm_debugregs *regs)
{
	memset(regs, 0, sizeof(*regs));
	memcpy(regs->db, vcpu->dr, sizeof(regs->db));
	regs->dr6 = vcpu->dr6;
	regs->dr7 = vcpu->dr7;
}

/** state_set_debugregs() - KVM_SET_DEBUGREGS; -EINVAL: reserved bits */
int state_set_debugregs(struct vcpu *vcpu, const struct kvm_debugregs *regs)
{
	if (regs->flags || upper_32_bits(regs->dr6) || upper_32_bits(regs->dr7))
		return -EINVAL;
	memcpy(vcpu->dr, regs->db, sizeof(vcpu->dr));
	vcpu->dr6 = regs->dr6;
	vcpu->dr7 = regs->dr7;
	guest_debug_update_dr7(vcpu);
	return 0;
}

/** state_get_mp_state() - KVM_GET_MP_STATE; INIT and SIPI are taken first */
void state_get_mp_state(struct vcpu *vcpu, struct kvm_mp_state *mp)
{
	mp->mp_state = vcpu->mp_state;
}

/** state_set_mp_state() - KVM_SET_MP_STATE; -EINVAL: not a state of this VM */
int state_set_mp_state(struct vcpu *vcpu, const struct kvm_mp_state *mp)
{
	switch (mp->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_HALTED:
		/* Only a controller in the kernel can wake it from these. */
		if (!vcpu->lapic)
			return -EINVAL;
		/* INIT is latched in SMM. */
		if (vcpu->smm && mp->mp_state == KVM_MP_STATE_INIT_RECEIVED)
			return -EINVAL;
		break;
	case KVM_MP_STATE_SIPI_RECEIVED:
		if (!vcpu->lapic || vcpu->smm)
			return -EINVAL;
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		vcpu_request(vcpu, REQ_INIT_SIPI);
		return 0;
	default:
		return -EINVAL;
	}
	vcpu->mp_state = mp->mp_state;
	vcpu->halted_masked = false;
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

static int sync_sregs_in(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	/* The VMM can still write there: what is checked is what is used. */
	memcpy(&sregs, &vcpu->run->s.regs.sregs, sizeof(sregs));
	barrier_data(&sregs);
	return state_set_sregs(vcpu, &sregs);
}

static int sync_events_in(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	memcpy(&events, &vcpu->run->s.regs.events, sizeof(events));
	barrier_data(&events);
	return events_set(vcpu, &events);
}

/**
 * state_sync_in() - KVM_CAP_SYNC_REGS: take over what the VMM changed in the run
 * page
 * @vcpu: vcpu->mutex held, loaded, about to run
 *
 * Return: 0, or -EINVAL: sets that are not there, or as KVM_SET_SREGS and
 * KVM_SET_VCPU_EVENTS.
 */
int state_sync_in(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);

	if ((READ_ONCE(run->kvm_valid_regs) | dirty) & ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (likely(!dirty))
		return 0;
	if (dirty & KVM_SYNC_X86_REGS)
		state_set_regs(vcpu, &run->s.regs.regs);
	if (dirty & KVM_SYNC_X86_SREGS && sync_sregs_in(vcpu))
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_EVENTS && sync_events_in(vcpu))
		return -EINVAL;
	run->kvm_dirty_regs = 0;
	return 0;
}

/** state_sync_out() - and show it what it asked for, after the run */
void state_sync_out(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 wanted = READ_ONCE(run->kvm_valid_regs);

	if (wanted & KVM_SYNC_X86_REGS)
		state_get_regs(vcpu, &run->s.regs.regs);
	if (wanted & KVM_SYNC_X86_SREGS)
		state_get_sregs(vcpu, &run->s.regs.sregs);
	if (wanted & KVM_SYNC_X86_EVENTS)
		events_get(vcpu, &run->s.regs.events);
}
