// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of an interrupt without an exit: while a bit in the guest's memory is
 * set, the guest may clear it instead of writing to its local APIC, which hears
 * of it at the next exit. That is offered only where nobody waits for the end:
 * one interrupt in service, edge-triggered, none pending, no pin of the IOAPIC.
 * Whatever changes that leaves REQ_EVENT, and the offer is looked at again.
 *
 * Where the memory cannot be reached an offer stands until it can: the guest may
 * take it then, and what is in service would never end if nobody looked.
 */
#include <linux/kvm_para.h>

#include "msr.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"
#include "../irqchip/lapic.h"

#define EOI_RESERVED	BIT(1)
#define EOI_ADDR	(~3ULL)

static gpa_t eoi_gpa(struct vcpu *vcpu)
{
	return vcpu->pv.eoi_msr & EOI_ADDR;
}

/* The bit is the lowest of its byte, and only this vCPU's thread writes it. */
static int eoi_bit_write(struct vcpu *vcpu, bool set)
{
	u8 byte;

	if (guest_read(vcpu->vm, eoi_gpa(vcpu), &byte, sizeof(byte)))
		return -EFAULT;
	byte = set ? byte | KVM_PV_EOI_MASK : byte & ~KVM_PV_EOI_MASK;
	return guest_write(vcpu->vm, eoi_gpa(vcpu), &byte, sizeof(byte));
}

/**
 * pv_eoi_sync() - the guest was left: has it taken the offer?
 * @vcpu: owner thread, in a read section of vm->srcu; the offer stands
 */
void pv_eoi_sync(struct vcpu *vcpu)
{
	u8 byte;

	if (guest_read(vcpu->vm, eoi_gpa(vcpu), &byte, sizeof(byte)) ||
	    byte & KVM_PV_EOI_MASK)
		return;
	vcpu->pv.eoi_offered = false;
	/* Another memory may say anything of what it has come to meanwhile. */
	if (lapic_highest_isr(vcpu->lapic) == vcpu->pv.eoi_vector)
		lapic_eoi(vcpu->lapic);
}

/**
 * pv_eoi_offer() - before an entry: offer it, or not any more
 * @vcpu: owner thread, in a read section of vm->srcu; the MSR is enabled
 */
void pv_eoi_offer(struct vcpu *vcpu)
{
	bool offer = irqchip_eoi_may_wait(vcpu);

	if (offer)
		vcpu->pv.eoi_vector = lapic_highest_isr(vcpu->lapic);
	if (offer != vcpu->pv.eoi_offered && !eoi_bit_write(vcpu, offer))
		vcpu->pv.eoi_offered = offer;
}

/**
 * pv_eoi_retract() - the vCPU goes where nobody knows of the offer
 * @vcpu: owner thread, in a read section of vm->srcu, pv_eoi_sync() done
 *
 * Nothing that waits depends on it: the guest tells its local APIC of the end, and
 * that raises what comes next.
 */
void pv_eoi_retract(struct vcpu *vcpu)
{
	if (vcpu->pv.eoi_offered && !eoi_bit_write(vcpu, false))
		vcpu->pv.eoi_offered = false;
}

/**
 * pv_eoi_msr_set() - MSR_KVM_PV_EOI_EN is written
 * @vcpu: loaded vCPU
 * @data: address and KVM_MSR_ENABLED
 *
 * Return: 0; MSR_FAULT: the reserved bit, no memory there, no local APIC.
 */
int pv_eoi_msr_set(struct vcpu *vcpu, u64 data)
{
	int idx = srcu_read_lock(&vcpu->vm->srcu);
	int ret = 0;

	if (data & EOI_RESERVED || (data && !vcpu->lapic) ||
	    (data & KVM_MSR_ENABLED && !pv_writable(vcpu, data & EOI_ADDR))) {
		ret = MSR_FAULT;
	} else {
		pv_eoi_retract(vcpu);
		vcpu->pv.eoi_offered = false;
		vcpu->pv.eoi_msr = data;
	}
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}
