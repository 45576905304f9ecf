// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's synthetic interrupt controller: sixteen sources per virtual processor,
 * each with a vector of its local APIC, a slot for a message and flags for events.
 * Userspace writes messages and flags; the timers' messages are written here.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/hyperv-tlfs.h>

#include "msr.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

#define SINT_VECTOR		0xff
#define SINT_MASKED		BIT_ULL(16)
#define SINT_AUTO_EOI		BIT_ULL(17)
#define SINT_POLLING		BIT_ULL(18)
#define SINT_FIRST_VECTOR	16

#define SYNIC_VERSION		1
#define SYNIC_ENABLE		BIT_ULL(0)

#define MSG_SLOT		256
#define MSG_PENDING		BIT(0)	/* flags: another waits for the slot */

/* A message's slot, but for its payload. */
struct msg_header {
	u32 type;
	u8 size;
	u8 flags;
	u8 reserved[2];
	u64 sender;
};

static_assert(sizeof(struct msg_header) == 16);

/**
 * hv_synic_enable() - KVM_CAP_HYPERV_SYNIC, KVM_CAP_HYPERV_SYNIC2
 * @vcpu: vcpu->mutex held
 * @keep_pages: the second: the guest's pages are not cleared
 *
 * Return: 0; -EINVAL: it has no local APIC; -ENOMEM.
 */
int hv_synic_enable(struct vcpu *vcpu, bool keep_pages)
{
	struct hv_synic *synic = vcpu->hv.synic;
	int i;

	if (!vcpu->lapic)
		return -EINVAL;
	if (synic) {
		synic->keep_pages = keep_pages;
		return 0;
	}
	synic = kzalloc(sizeof(*synic), GFP_KERNEL_ACCOUNT);
	if (!synic)
		return -ENOMEM;
	synic->keep_pages = keep_pages;
	for (i = 0; i < HV_SINTS; i++)
		synic->sint[i] = SINT_MASKED;
	hv_timers_init(vcpu, synic);
	/* Pairs with the acquire in hv_synic_of(). */
	smp_store_release(&vcpu->hv.synic, synic);
	return 0;
}

/**
 * hv_synic_get() - read an MSR
 * @vcpu: vCPU, its mutex held
 * @msr: in: index, host; out: data
 *
 * Return: 0, or MSR_FAULT: it is not enabled, which only the guest minds.
 */
int hv_synic_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct hv_synic *synic = vcpu->hv.synic;

	if (!synic) {
		msr->data = 0;
		return msr->host ? 0 : MSR_FAULT;
	}
	switch (msr->index) {
	case HV_X64_MSR_SCONTROL:
		msr->data = synic->control;
		return 0;
	case HV_X64_MSR_SVERSION:
		msr->data = SYNIC_VERSION;
		return 0;
	case HV_X64_MSR_SIEFP:
		msr->data = synic->evt_page;
		return 0;
	case HV_X64_MSR_SIMP:
		msr->data = synic->msg_page;
		return 0;
	case HV_X64_MSR_EOM:
		msr->data = 0;
		return 0;
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		msr->data = synic->sint[msr->index - HV_X64_MSR_SINT0];
		return 0;
	}
	return MSR_FAULT;
}

static int page_clear(struct vm *vm, gpa_t gpa)
{
	return guest_write(vm, gpa, page_address(ZERO_PAGE(0)), PAGE_SIZE);
}

/* Where userspace finds the page, and the guest its messages or flags. */
static int page_set(struct vcpu *vcpu, u64 *page, const struct msr_access *msr)
{
	if (msr->data & HV_PAGE_ENABLE && !msr->host &&
	    !vcpu->hv.synic->keep_pages &&
	    page_clear(vcpu->vm, msr->data & HV_PAGE_ADDR))
		return MSR_FAULT;
	*page = msr->data;
	return 0;
}

static void auto_eoi_update(struct hv_synic *synic)
{
	int i;

	bitmap_zero(synic->auto_eoi, 256);
	for (i = 0; i < HV_SINTS; i++)
		if (synic->sint[i] & SINT_AUTO_EOI)
			__set_bit(synic->sint[i] & SINT_VECTOR,
				  synic->auto_eoi);
}

static int sint_set(struct vcpu *vcpu, unsigned int nr,
		    const struct msr_access *msr)
{
	struct hv_synic *synic = vcpu->hv.synic;

	if ((msr->data & SINT_VECTOR) < SINT_FIRST_VECTOR && !msr->host &&
	    !(msr->data & (SINT_MASKED | SINT_POLLING)))
		return MSR_FAULT;
	WRITE_ONCE(synic->sint[nr], msr->data);
	auto_eoi_update(synic);
	vcpu_request(vcpu, REQ_APICV);
	return 0;
}

/**
 * hv_synic_set() - write an MSR
 * @vcpu: loaded vCPU, its mutex held, in a read section of vm->srcu
 * @msr: index, data, host
 *
 * Return: 0 or MSR_FAULT.
 */
int hv_synic_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct hv_synic *synic = vcpu->hv.synic;
	int ret = 0;

	/* A VMM that restores all it saved has nothing to restore here. */
	if (!synic)
		return msr->host && !msr->data ? 0 : MSR_FAULT;
	switch (msr->index) {
	case HV_X64_MSR_SCONTROL:
		synic->control = msr->data;
		break;
	case HV_X64_MSR_SVERSION:
		return msr->host ? 0 : MSR_FAULT;
	case HV_X64_MSR_SIEFP:
		ret = page_set(vcpu, &synic->evt_page, msr);
		break;
	case HV_X64_MSR_SIMP:
		ret = page_set(vcpu, &synic->msg_page, msr);
		break;
	case HV_X64_MSR_EOM:
		hv_timers_slot_free(vcpu);
		return 0;
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		return sint_set(vcpu, msr->index - HV_X64_MSR_SINT0, msr);
	default:
		return MSR_FAULT;
	}
	if (!ret && !msr->host)
		hv_exit_request(vcpu, HV_EXIT_SYNIC, msr->index);
	return ret;
}

/** hv_synic_exit() - tell userspace of the pages; owner thread */
void hv_synic_exit(struct vcpu *vcpu)
{
	struct kvm_hyperv_exit *exit = &vcpu->run->hyperv;
	struct hv_synic *synic = vcpu->hv.synic;

	memset(exit, 0, sizeof(*exit));
	exit->type = KVM_EXIT_HYPERV_SYNIC;
	exit->u.synic.msr = vcpu->hv.exit_msr;
	exit->u.synic.control = synic->control;
	exit->u.synic.evt_page = synic->evt_page;
	exit->u.synic.msg_page = synic->msg_page;
	vcpu->run->exit_reason = KVM_EXIT_HYPERV;
}

/** hv_synic_auto_eoi() - is this vector over as soon as it is taken? */
bool hv_synic_auto_eoi(struct vcpu *vcpu, u8 vector)
{
	struct hv_synic *synic = vcpu->hv.synic;

	return unlikely(synic) && test_bit(vector, synic->auto_eoi);
}

/** hv_synic_any_auto_eoi() - are there such vectors at all? */
bool hv_synic_any_auto_eoi(struct vcpu *vcpu)
{
	struct hv_synic *synic = vcpu->hv.synic;

	return unlikely(synic) && !bitmap_empty(synic->auto_eoi, 256);
}

/* >0: taken, 0: it was pending already, <0: masked. */
static int sint_raise(struct vcpu *vcpu, struct hv_synic *synic,
		      unsigned int nr)
{
	u64 sint = READ_ONCE(synic->sint[nr]);
	struct lapic_msg msg = {
		.mode = LAPIC_DM_FIXED,
		.shorthand = LAPIC_SHORT_SELF,
		.vector = sint & SINT_VECTOR,
		.assert = true,
	};

	if (sint & (SINT_MASKED | SINT_POLLING))
		return -1;
	return lapic_deliver(vcpu->vm, vcpu->lapic, &msg);
}

/**
 * hv_synic_set_line() - a routed line goes up: a source of a virtual processor
 * @vm: whose
 * @vp_index: its VP_INDEX
 * @sint: below HV_SINTS
 *
 * Context: any, interrupts off included.
 *
 * Return: as irqchip_set_line().
 */
int hv_synic_set_line(struct vm *vm, u32 vp_index, u32 sint)
{
	struct vcpu *vcpu = hv_vcpu_by_index(vm, vp_index);
	struct hv_synic *synic = vcpu ? hv_synic_of(&vcpu->hv) : NULL;

	return synic ? sint_raise(vcpu, synic, sint) : -1;
}

/* Ask the guest to write EOM when it has read what is in the slot. True: it has
 * read it by now.
 */
static bool slot_wait(struct vm *vm, gpa_t slot, struct msg_header *head)
{
	u8 flags = head->flags | MSG_PENDING;

	if (guest_write(vm, slot + offsetof(struct msg_header, flags), &flags,
			sizeof(flags)))
		return false;
	smp_mb();	/* the guest frees the slot, then looks at the flag */
	return !guest_read(vm, slot, &head->type, sizeof(head->type)) &&
	       head->type == HVMSG_NONE;
}

/**
 * hv_synic_message() - put a message into a slot and raise its source
 * @vcpu: owner thread, in a read section of vm->srcu, with a SynIC
 * @sint: which slot
 * @payload: what
 * @size: bytes of it
 * @type: HVMSG_*
 *
 * Return: 0: done, or there is no page for it; -EAGAIN: the slot is taken, the
 * guest will write EOM.
 */
int hv_synic_message(struct vcpu *vcpu, unsigned int sint, const void *payload,
		     u8 size, u32 type)
{
	struct hv_synic *synic = vcpu->hv.synic;
	struct msg_header head, new = { .size = size };
	struct vm *vm = vcpu->vm;
	gpa_t slot;

	if (!(synic->control & SYNIC_ENABLE) ||
	    !(synic->msg_page & HV_PAGE_ENABLE))
		return 0;
	slot = (synic->msg_page & HV_PAGE_ADDR) + sint * MSG_SLOT;
	if (guest_read(vm, slot, &head, sizeof(head)))
		return 0;
	if (head.type != HVMSG_NONE && !slot_wait(vm, slot, &head))
		return -EAGAIN;
	if (guest_write(vm, slot + sizeof(new), payload, size) ||
	    guest_write(vm, slot, &new, sizeof(new)))
		return 0;
	smp_wmb();	/* the type says that the rest is there */
	guest_write(vm, slot, &type, sizeof(type));
	sint_raise(vcpu, synic, sint);
	return 0;
}
