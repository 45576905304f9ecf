// SPDX-License-Identifier: GPL-2.0-only
/* KVM's hypercalls: what a guest's kernel asks for when its vCPUs are not CPUs. */
#include <linux/kvm_para.h>
#include <asm/apicdef.h>

#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

/* What the guest passes, cut to its mode's width. */
struct hypercall {
	u64 nr;
	u64 arg[4];
};

/* Whoever waits for a lock that is free now: it wakes, or does not fall asleep. */
static long call_kick(struct vcpu *vcpu, const struct hypercall *call)
{
	struct vcpu *target = vm_vcpu_by_id(vcpu->vm, call->arg[1]);

	if (!target)
		return -KVM_EINVAL;
	WRITE_ONCE(target->pv_unhalted, true);
	vcpu_wake(target);
	return 0;
}

/* One message to each processor in a bitmap that starts at an APIC id. */
static long call_send_ipi(struct vcpu *vcpu, const struct hypercall *call,
			  bool wide)
{
	unsigned int bits = wide ? 64 : 32, i;
	u32 icr = call->arg[3];
	struct lapic_msg msg = {
		.vector = icr & APIC_VECTOR_MASK,
		.mode = icr >> LAPIC_ICR_MODE_SHIFT & 7,
		.assert = true,
		.x2apic = true,
	};
	long sent = 0;

	if (call->arg[2] >= JOIST_MAX_VCPU_ID ||
	    (msg.mode != LAPIC_DM_FIXED && msg.mode != LAPIC_DM_NMI) ||
	    (msg.mode == LAPIC_DM_FIXED && msg.vector < 16))
		return -KVM_EINVAL;
	for (i = 0; i < 2 * bits; i++) {
		if (!(call->arg[i / bits] >> (i % bits) & 1))
			continue;
		msg.dest = (u32)call->arg[2] + i;
		if (lapic_deliver(vcpu->vm, NULL, &msg) > 0)
			sent++;
	}
	return sent;
}

/* The guest sent an IPI to a processor that is not running and waits for it. */
static long call_yield(struct vcpu *vcpu, const struct hypercall *call)
{
	struct vcpu *target = vm_vcpu_by_id(vcpu->vm, call->arg[0]);

	if (target && target != vcpu)
		vcpu_yield_to(vcpu, target);
	return 0;
}

static long hypercall(struct vcpu *vcpu, const struct hypercall *call, bool wide)
{
	switch (call->nr) {
	case KVM_HC_VAPIC_POLL_IRQ:
		return 0;
	case KVM_HC_KICK_CPU:
		if (!pv_has(vcpu, KVM_FEATURE_PV_UNHALT) || !vcpu->lapic)
			break;
		return call_kick(vcpu, call);
	case KVM_HC_SEND_IPI:
		if (!pv_has(vcpu, KVM_FEATURE_PV_SEND_IPI) || !vcpu->lapic)
			break;
		return call_send_ipi(vcpu, call, wide);
	case KVM_HC_SCHED_YIELD:
		if (!pv_has(vcpu, KVM_FEATURE_PV_SCHED_YIELD))
			break;
		return call_yield(vcpu, call);
	}
	return -KVM_ENOSYS;
}

/**
 * pv_hypercall_result() - do a hypercall
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @nr: number, from RAX
 *
 * Return: the guest's RAX.
 */
u64 pv_hypercall_result(struct vcpu *vcpu, u64 nr)
{
	bool wide = vcpu_64bit(vcpu);
	struct hypercall call = {
		.nr = nr,
		.arg = {
			vcpu->regs[REG_RBX], vcpu->regs[REG_RCX],
			vcpu->regs[REG_RDX], vcpu->regs[REG_RSI],
		},
	};
	long ret;
	int i;

	if (!wide) {
		call.nr = (u32)nr;
		for (i = 0; i < ARRAY_SIZE(call.arg); i++)
			call.arg[i] = (u32)call.arg[i];
	}
	if (vendor_call(get_cpl)(vcpu))
		ret = -KVM_EPERM;
	else
		ret = hypercall(vcpu, &call, wide);
	return wide ? (u64)ret : (u32)ret;
}

/**
 * pv_hypercall() - VMCALL or VMMCALL: number in RAX, result in RAX
 * @vcpu: loaded vCPU
 *
 * Return: enum exit_result or -errno.
 */
int pv_hypercall(struct vcpu *vcpu)
{
	if (hv_hypercalls(vcpu))
		return hv_hypercall(vcpu);
	reg_write(vcpu, REG_RAX,
		  pv_hypercall_result(vcpu, vcpu->regs[REG_RAX]));
	return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
}
