// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's synthetic debugger: registers that a guest's kernel debugger talks
 * through. The words are carried by userspace.
 */
#include "features.h"
#include "msr.h"
#include "x86.h"
#include "../core/vm.h"

#define OPTION_USE_HCALLS	BIT_ULL(2)

/* CPUID 0x40000082 EAX: the kernel may be debugged. */
#define DEBUG_KERNEL		BIT(1)

/** hv_debug_announced() - is there a debugger for this guest? */
bool hv_debug_announced(struct vcpu *vcpu)
{
	return vcpu->feat.hv[HV_DEBUG_A] & DEBUG_KERNEL;
}

/** hv_debug_by_hypercall() - has it been agreed to talk by hypercalls? */
bool hv_debug_by_hypercall(struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->hv.debug.options) & OPTION_USE_HCALLS;
}

static u64 *debug_reg(struct hv_debug *debug, u32 index)
{
	switch (index) {
	case HV_MSR_SYNDBG_CONTROL:
		return &debug->control;
	case HV_MSR_SYNDBG_STATUS:
		return &debug->status;
	case HV_MSR_SYNDBG_SEND:
		return &debug->send_page;
	case HV_MSR_SYNDBG_RECV:
		return &debug->recv_page;
	case HV_MSR_SYNDBG_PENDING:
		return &debug->pending_page;
	case HV_MSR_SYNDBG_OPTIONS:
		return &debug->options;
	}
	return NULL;
}

/**
 * hv_debug_get() - read an MSR
 * @vcpu: vCPU, hv.lock of its VM held
 * @msr: in: index, host; out: data
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int hv_debug_get(struct vcpu *vcpu, struct msr_access *msr)
{
	u64 *reg = debug_reg(&vcpu->vm->hv.debug, msr->index);

	if (!reg)
		return MSR_UNKNOWN;
	if (!msr->host && !hv_debug_announced(vcpu))
		return MSR_FAULT;
	msr->data = *reg;
	return 0;
}

/** hv_debug_set() - write one, likewise */
int hv_debug_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	u64 *reg = debug_reg(&vcpu->vm->hv.debug, msr->index);

	if (!reg)
		return MSR_UNKNOWN;
	if (!msr->host && !hv_debug_announced(vcpu))
		return MSR_FAULT;
	WRITE_ONCE(*reg, msr->data);
	if (!msr->host &&
	    (msr->index == HV_MSR_SYNDBG_CONTROL || msr->index == HV_MSR_SYNDBG_PENDING))
		hv_exit_request(vcpu, HV_EXIT_DEBUG, msr->index);
	return 0;
}

static int debug_complete(struct vcpu *vcpu)
{
	struct hv_vm *hv = &vcpu->vm->hv;

	mutex_lock(&hv->lock);
	hv->debug.status = READ_ONCE(vcpu->run->hyperv.u.syndbg.status);
	mutex_unlock(&hv->lock);
	return EXIT_RESUME;
}

/** hv_debug_exit() - tell userspace what the guest asks for; owner thread */
void hv_debug_exit(struct vcpu *vcpu)
{
	struct kvm_hyperv_exit *exit = &vcpu->run->hyperv;
	struct hv_vm *hv = &vcpu->vm->hv;

	memset(exit, 0, sizeof(*exit));
	exit->type = KVM_EXIT_HYPERV_SYNDBG;
	exit->u.syndbg.msr = vcpu->hv.exit_msr;
	mutex_lock(&hv->lock);
	exit->u.syndbg.control = hv->debug.control;
	exit->u.syndbg.status = hv->debug.status;
	exit->u.syndbg.send_page = hv->debug.send_page;
	exit->u.syndbg.recv_page = hv->debug.recv_page;
	exit->u.syndbg.pending_page = hv->debug.pending_page;
	mutex_unlock(&hv->lock);
	vcpu->run->exit_reason = KVM_EXIT_HYPERV;
	vcpu->io.complete = debug_complete;
}
