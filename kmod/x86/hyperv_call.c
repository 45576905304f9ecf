// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's hypercalls: what a guest asks of other virtual processors is done here,
 * messages and events go to userspace.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/mm.h>
#include <asm/hyperv-tlfs.h>
#include <asm/trapnr.h>

#include "features.h"
#include "glue.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

#define CALL_UNDEFINED		(-1)	/* the guest gets #UD */
#define CALL_USERSPACE		(-2)	/* the VMM does it */

/* All but codes, and what the specification leaves free. */
#define CALL_RESERVED							\
	(GENMASK_ULL(31, 27) | GENMASK_ULL(47, 44) | GENMASK_ULL(63, 60))

#define CALL_BANKS		64	/* sets of 64 processors, at most */
#define CALL_HEADER_WORDS	4	/* before them, at most */
#define CALL_MAX_WORDS		(CALL_HEADER_WORDS + CALL_BANKS)
#define CALL_REG_WORDS		2	/* of a fast call's input: RDX and R8 */
#define CALL_XMM_REGS		6	/* and these, if announced */
#define XMM_WORDS		2

#define IPI_FIRST_VECTOR	0x10
#define IPI_LAST_VECTOR		0xff

/**
 * struct hv_call - a hypercall
 * @control: as passed
 * @in: input: address, or the first word of a fast call
 * @out: output: address, or the second
 * @code: what is asked for
 * @fast: the input is in registers
 * @banks: words of the header's variable part
 * @reps: elements of the list
 * @rep_start: first that is not done yet
 */
struct hv_call {
	u64 control;
	u64 in;
	u64 out;
	u16 code;
	bool fast;
	u16 banks;
	u16 reps;
	u16 rep_start;
};

/* Processors by index; those in no bank are not meant. */
struct vp_set {
	u64 format;
	u64 valid;
	u64 bank[CALL_BANKS];
};

/**
 * hv_hypercalls() - are this guest's hypercalls Hyper-V's?
 * @vcpu: vCPU, its mutex held
 *
 * From when the guest has said what it is; before, they are KVM's.
 */
bool hv_hypercalls(struct vcpu *vcpu)
{
	return vcpu->feat.hyperv && READ_ONCE(vcpu->vm->hv.guest_os_id);
}

static u64 reg_pair(struct vcpu *vcpu, enum vcpu_reg high, enum vcpu_reg low)
{
	return vcpu->regs[high] << 32 | (u32)vcpu->regs[low];
}

static void call_read(struct vcpu *vcpu, struct hv_call *call)
{
	if (vcpu_64bit(vcpu)) {
		call->control = vcpu->regs[REG_RCX];
		call->in = vcpu->regs[REG_RDX];
		call->out = vcpu->regs[REG_R8];
	} else {
		call->control = reg_pair(vcpu, REG_RDX, REG_RAX);
		call->in = reg_pair(vcpu, REG_RBX, REG_RCX);
		call->out = reg_pair(vcpu, REG_RDI, REG_RSI);
	}
	call->code = call->control;
	call->fast = call->control & HV_HYPERCALL_FAST_BIT;
	call->banks = call->control >> 17 & 0x3ff;
	call->reps = call->control >> 32 & 0xfff;
	call->rep_start = call->control >> 48 & 0xfff;
}

static void call_return(struct vcpu *vcpu, u64 result)
{
	if (vcpu_64bit(vcpu)) {
		reg_write(vcpu, REG_RAX, result);
		return;
	}
	reg_write(vcpu, REG_RAX, (u32)result);
	reg_write(vcpu, REG_RDX, result >> 32);
}

/* Does the guest's CPUID allow it? */
static bool call_allowed(struct vcpu *vcpu, u16 code)
{
	u32 spins = vcpu->feat.hv[HV_ADVICE_B];

	switch (code) {
	case HVCALL_POST_MESSAGE:
		return hv_has(vcpu, HV_FEAT_B, HV_POST_MESSAGES);
	case HVCALL_SIGNAL_EVENT:
		return hv_has(vcpu, HV_FEAT_B, HV_SIGNAL_EVENTS);
	case HVCALL_POST_DEBUG_DATA:
	case HVCALL_RETRIEVE_DEBUG_DATA:
	case HVCALL_RESET_DEBUG_SESSION:
		return !hv_debug_announced(vcpu) ||
		       hv_has(vcpu, HV_FEAT_B, HV_DEBUGGING);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX:
		if (!hv_has(vcpu, HV_ADVICE_A,
			    HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
			return false;
		fallthrough;
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST:
		return hv_has(vcpu, HV_ADVICE_A,
			      HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED);
	case HVCALL_SEND_IPI_EX:
		if (!hv_has(vcpu, HV_ADVICE_A,
			    HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
			return false;
		fallthrough;
	case HVCALL_SEND_IPI:
		return hv_has(vcpu, HV_ADVICE_A, HV_X64_CLUSTER_IPI_RECOMMENDED);
	case HVCALL_NOTIFY_LONG_SPIN_WAIT:
		return !vcpu->hv.enforced || (spins && spins != U32_MAX);
	}
	return true;
}

/* Those whose input may go on in the XMM registers. */
static bool call_takes_xmm(u16 code)
{
	switch (code) {
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX:
	case HVCALL_SEND_IPI_EX:
		return true;
	}
	return false;
}

/* @n words of the input, from the first. HV_STATUS_*. */
static int call_input(struct vcpu *vcpu, const struct hv_call *call, u64 *words,
		      unsigned int n)
{
	u64 regs[CALL_REG_WORDS + CALL_XMM_REGS * XMM_WORDS] = {
		call->in, call->out,
	};
	unsigned int i;

	if (!call->fast) {
		if (call->in & 7 ||
		    offset_in_page(call->in) + n * sizeof(u64) > PAGE_SIZE)
			return HV_STATUS_INVALID_ALIGNMENT;
		if (space_read(vcpu->vm, vcpu_space(vcpu), call->in, words,
			       n * sizeof(u64)))
			return HV_STATUS_INVALID_HYPERCALL_INPUT;
		return HV_STATUS_SUCCESS;
	}
	if (n > ARRAY_SIZE(regs) ||
	    (n > CALL_REG_WORDS && !call_takes_xmm(call->code)))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	for (i = 0; CALL_REG_WORDS + i * XMM_WORDS < n; i++)
		glue_sse_read(NULL, i, &regs[CALL_REG_WORDS + i * XMM_WORDS],
			      XMM_WORDS * sizeof(u64));
	memcpy(words, regs, n * sizeof(u64));
	return HV_STATUS_SUCCESS;
}

/* A header of @header words that ends in a set's format and valid banks, and the
 * banks. HV_STATUS_*.
 */
static int call_input_vpset(struct vcpu *vcpu, const struct hv_call *call,
			    u64 *words, unsigned int header,
			    struct vp_set *set)
{
	unsigned int n = header + call->banks;
	int status;

	if (call->banks > CALL_BANKS)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	status = call_input(vcpu, call, words, n);
	if (status)
		return status;
	set->format = words[header - 2];
	set->valid = words[header - 1];
	if (set->format == HV_GENERIC_SET_ALL)
		return HV_STATUS_SUCCESS;
	if (set->format != HV_GENERIC_SET_SPARSE_4K ||
	    call->banks != hweight64(set->valid))
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	memcpy(set->bank, words + header, call->banks * sizeof(u64));
	return HV_STATUS_SUCCESS;
}

/* @n words, of which the last is a mask of the first 64 processors. HV_STATUS_*. */
static int call_input_first64(struct vcpu *vcpu, const struct hv_call *call,
			      u64 *words, unsigned int n, struct vp_set *set)
{
	int status;

	if (call->banks)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	status = call_input(vcpu, call, words, n);
	if (status)
		return status;
	set->format = HV_GENERIC_SET_SPARSE_4K;
	set->valid = BIT_ULL(0);
	set->bank[0] = words[n - 1];
	return HV_STATUS_SUCCESS;
}

static bool vpset_has(const struct vp_set *set, u32 vp)
{
	u32 bank = vp / 64;

	if (set->format == HV_GENERIC_SET_ALL)
		return true;
	if (bank >= CALL_BANKS || !(set->valid & BIT_ULL(bank)))
		return false;
	return set->bank[hweight64(set->valid & (BIT_ULL(bank) - 1))] &
	       BIT_ULL(vp % 64);
}

/* Of one space only, of a list of addresses only: all of it goes. */
static int flush(struct vcpu *vcpu, const struct vp_set *set)
{
	DECLARE_BITMAP(targets, JOIST_MAX_VCPUS);
	struct vm *vm = vcpu->vm;
	struct vcpu *target;
	u32 i;

	bitmap_zero(targets, JOIST_MAX_VCPUS);
	vm_for_each_vcpu(vm, target, i)
		if (vpset_has(set, READ_ONCE(target->hv.vp_index)))
			__set_bit(i, targets);
	vm_request_some_wait(vm, REQ_TLB_FLUSH_GUEST, targets);
	return HV_STATUS_SUCCESS;
}

static int call_flush(struct vcpu *vcpu, const struct hv_call *call)
{
	struct vp_set set;
	u64 words[3];		/* address space, flags, processors */
	int status;

	status = call_input_first64(vcpu, call, words, ARRAY_SIZE(words), &set);
	if (status)
		return status;
	if (words[1] & HV_FLUSH_ALL_PROCESSORS)
		set.format = HV_GENERIC_SET_ALL;
	return flush(vcpu, &set);
}

static int call_flush_ex(struct vcpu *vcpu, const struct hv_call *call)
{
	u64 words[CALL_MAX_WORDS];	/* address space, flags, format, valid, banks */
	struct vp_set set;
	int status;

	status = call_input_vpset(vcpu, call, words, 4, &set);
	if (status)
		return status;
	if (words[1] & HV_FLUSH_ALL_PROCESSORS)
		set.format = HV_GENERIC_SET_ALL;
	return flush(vcpu, &set);
}

static int send_ipi(struct vcpu *vcpu, u64 vector, const struct vp_set *set)
{
	struct lapic_msg msg = {
		.mode = LAPIC_DM_FIXED,
		.shorthand = LAPIC_SHORT_SELF,
		.assert = true,
	};
	struct vcpu *target;
	u32 i;

	/* Above the vector: another trust level, of which there are none. */
	if (!vcpu->lapic || vector < IPI_FIRST_VECTOR || vector > IPI_LAST_VECTOR)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	msg.vector = vector;
	vm_for_each_vcpu(vcpu->vm, target, i)
		if (vpset_has(set, READ_ONCE(target->hv.vp_index)))
			lapic_deliver(vcpu->vm, target->lapic, &msg);
	return HV_STATUS_SUCCESS;
}

static int call_send_ipi(struct vcpu *vcpu, const struct hv_call *call)
{
	struct vp_set set;
	u64 words[2];		/* vector, processors */
	int status;

	status = call_input_first64(vcpu, call, words, ARRAY_SIZE(words), &set);
	if (status)
		return status;
	return send_ipi(vcpu, words[0], &set);
}

static int call_send_ipi_ex(struct vcpu *vcpu, const struct hv_call *call)
{
	u64 words[CALL_MAX_WORDS];	/* vector, format, valid, banks */
	struct vp_set set;
	int status;

	status = call_input_vpset(vcpu, call, words, 3, &set);
	if (status)
		return status;
	/* Sent to nobody, the vector does not matter. */
	if (set.format != HV_GENERIC_SET_ALL && !set.valid)
		return HV_STATUS_SUCCESS;
	return send_ipi(vcpu, words[0], &set);
}

static int call_debug(struct vcpu *vcpu)
{
	if (!hv_debug_announced(vcpu))
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	return hv_debug_by_hypercall(vcpu) ? CALL_USERSPACE :
	       HV_STATUS_OPERATION_DENIED;
}

/* HV_STATUS_* or CALL_*. */
static int call_do(struct vcpu *vcpu, const struct hv_call *call)
{
	bool list = call->code == HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST ||
		    call->code == HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX;

	if (call->control & CALL_RESERVED)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	if (!call_allowed(vcpu, call->code))
		return HV_STATUS_ACCESS_DENIED;
	if (call->fast && call_takes_xmm(call->code) &&
	    !hv_has(vcpu, HV_FEAT_D, HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE))
		return CALL_UNDEFINED;
	/* A list has elements, all else has none. */
	if (list ? call->rep_start >= call->reps : call->reps || call->rep_start)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	switch (call->code) {
	case HVCALL_NOTIFY_LONG_SPIN_WAIT:
		vcpu_yield(vcpu);
		return HV_STATUS_SUCCESS;
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST:
		return call_flush(vcpu, call);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX:
		return call_flush_ex(vcpu, call);
	case HVCALL_SEND_IPI:
		return call_send_ipi(vcpu, call);
	case HVCALL_SEND_IPI_EX:
		return call_send_ipi_ex(vcpu, call);
	case HVCALL_POST_MESSAGE:
	case HVCALL_SIGNAL_EVENT:
		/* Userspace answers through the SynIC, or does not expect it. */
		return vcpu->hv.synic ? CALL_USERSPACE :
		       HV_STATUS_INVALID_HYPERCALL_INPUT;
	case HVCALL_POST_DEBUG_DATA:
	case HVCALL_RETRIEVE_DEBUG_DATA:
	case HVCALL_RESET_DEBUG_SESSION:
		return call_debug(vcpu);
	}
	return HV_STATUS_INVALID_HYPERCALL_CODE;
}

static int call_complete(struct vcpu *vcpu)
{
	call_return(vcpu, READ_ONCE(vcpu->run->hyperv.u.hcall.result));
	return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
}

static int call_userspace(struct vcpu *vcpu, const struct hv_call *call)
{
	struct kvm_hyperv_exit *exit = &vcpu->run->hyperv;

	memset(exit, 0, sizeof(*exit));
	exit->type = KVM_EXIT_HYPERV_HCALL;
	exit->u.hcall.input = call->control;
	exit->u.hcall.params[0] = call->in;
	exit->u.hcall.params[1] = call->out;
	vcpu->run->exit_reason = KVM_EXIT_HYPERV;
	vcpu->io.complete = call_complete;
	return EXIT_USERSPACE;
}

/**
 * hv_hypercall() - VMCALL or VMMCALL, of a guest of Hyper-V's
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 *
 * Return: enum exit_result or -errno.
 */
int hv_hypercall(struct vcpu *vcpu)
{
	struct hv_call call;
	u64 result;
	int status;

	if (vendor_call(get_cpl)(vcpu) || !(vcpu_cr0(vcpu) & X86_CR0_PE)) {
		exception_queue(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	call_read(vcpu, &call);
	status = call_do(vcpu, &call);
	if (status == CALL_USERSPACE)
		return call_userspace(vcpu, &call);
	if (status == CALL_UNDEFINED) {
		exception_queue(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	result = status;
	if (!status)
		result |= (u64)call.reps << HV_HYPERCALL_REP_COMP_OFFSET;
	call_return(vcpu, result);
	return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
}
