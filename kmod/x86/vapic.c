// SPDX-License-Identifier: GPL-2.0-only
/*
 * The task priority of guests that write it all the time and were made before
 * CPUs had a shadow of it: a VMM has the accesses reported, patches the guest to
 * use a word of its memory instead, and names that word here.
 */
#include <linux/errno.h>
#include <linux/kvm.h>

#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

/* The word: task priority, class in service, zero, highest vector pending. */
#define VAPIC_ISR_SHIFT	8
#define VAPIC_IRR_SHIFT	24

static_assert(sizeof(struct kvm_tpr_access_ctl) == 40);
static_assert(sizeof(struct kvm_vapic_addr) == 8);

/**
 * vapic_set_reporting() - KVM_TPR_ACCESS_REPORTING
 * @vcpu: vcpu->mutex held
 * @ctl: kernel copy
 *
 * Return: 0, -EINVAL: flags, or no local APIC here.
 */
int vapic_set_reporting(struct vcpu *vcpu, const struct kvm_tpr_access_ctl *ctl)
{
	if (ctl->flags || !vcpu->lapic)
		return -EINVAL;
	vcpu->vapic.reporting = ctl->enabled;
	return 0;
}

/**
 * vapic_set_addr() - KVM_SET_VAPIC_ADDR
 * @vcpu: vcpu->mutex held, in a read section of vm->srcu
 * @gpa: of the word; 0: there is none any more
 *
 * Return: 0, -EINVAL: no memory there, or no local APIC here.
 */
int vapic_set_addr(struct vcpu *vcpu, gpa_t gpa)
{
	u32 word;

	if (!vcpu->lapic)
		return -EINVAL;
	if (gpa && space_read(vcpu->vm, SPACE_NORMAL, gpa, &word, sizeof(word)))
		return -EINVAL;
	vcpu->vapic.gpa = gpa;
	vcpu_request(vcpu, REQ_APICV);
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * vapic_tpr_accessed() - the guest's instruction accesses the TPR's register
 * @vcpu: owner thread, loaded
 * @write: or reads it
 *
 * If the VMM wants to know, KVM_RUN returns after the instruction.
 */
void vapic_tpr_accessed(struct vcpu *vcpu, bool write)
{
	if (write && vcpu->vapic.gpa)
		vcpu_request(vcpu, REQ_EVENT);	/* the word follows */
	if (!vcpu->vapic.reporting)
		return;
	vcpu->vapic.rip = vcpu_rip(vcpu);
	vcpu->vapic.is_write = write;
	vcpu_request(vcpu, REQ_TPR_ACCESS);
}

/**
 * vapic_after_exit() - take the priority that the guest has set
 * @vcpu: owner thread, in a read section of vm->srcu; vapic.gpa is set
 *
 * Only what differs from what was told is the guest's doing: it may as well have
 * written CR8, without an exit. Memory that is gone changes nothing.
 */
void vapic_after_exit(struct vcpu *vcpu)
{
	u32 word;
	u8 tpr;

	if (space_read(vcpu->vm, SPACE_NORMAL, vcpu->vapic.gpa, &word,
		       sizeof(word)))
		return;
	tpr = word;
	if (tpr != vcpu->vapic.told) {
		vcpu->vapic.told = tpr;
		lapic_set_tpr(vcpu->lapic, tpr);
	} else if (lapic_get_tpr(vcpu->lapic) != tpr) {
		vcpu_request(vcpu, REQ_EVENT);	/* the word follows */
	}
}

/**
 * vapic_before_entry() - tell the guest what it could be interrupted by
 * @vcpu: likewise
 */
void vapic_before_entry(struct vcpu *vcpu)
{
	int isr = max(lapic_highest_isr(vcpu->lapic), 0);
	int irr = max(lapic_highest_irr(vcpu->lapic), 0);
	u8 tpr = lapic_get_tpr(vcpu->lapic);
	u32 word = tpr | (isr & 0xf0) << VAPIC_ISR_SHIFT |
		   (u32)irr << VAPIC_IRR_SHIFT;

	if (!space_write(vcpu->vm, SPACE_NORMAL, vcpu->vapic.gpa, &word,
			 sizeof(word)))
		vcpu->vapic.told = tpr;
}
