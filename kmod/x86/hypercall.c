// SPDX-License-Identifier: GPL-2.0-only
/* KVM's hypercalls: what a guest's kernel asks for when its vCPUs are not CPUs. */
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <asm/apicdef.h>

#include "x86.h"
#include "../compat/kvm_abi.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

/* What the guest passes, cut to its mode's width. */
struct hypercall {
	u64 nr;
	u64 arg[4];
};

/* No result yet: userspace has it. No hypercall returns it. */
#define CALL_USERSPACE	1000000L

/* KVM_HC_MAP_GPA_RANGE's attributes: page size, and encrypted or not. */
#define MAP_GPA_ATTRS	(GENMASK(3, 0) | KVM_MAP_GPA_RANGE_ENC_STAT(1))

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

/* Userspace decides who sees these pages of the guest. */
static long call_map_gpa(const struct hypercall *call)
{
	u64 gpa = call->arg[0], pages = call->arg[1];
	u64 first = gpa >> PAGE_SHIFT;

	if (!PAGE_ALIGNED(gpa) || first + pages <= first ||
	    call->arg[2] & ~MAP_GPA_ATTRS)
		return -KVM_EINVAL;
	return CALL_USERSPACE;
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
	case KVM_HC_MAP_GPA_RANGE:
		if (!pv_has(vcpu, KVM_FEATURE_HC_MAP_GPA_RANGE) ||
		    !(READ_ONCE(vcpu->vm->hypercall_exits) & BIT(call->nr)))
			break;
		return call_map_gpa(call);
	}
	return -KVM_ENOSYS;
}

static void call_read(struct vcpu *vcpu, u64 nr, bool wide,
		      struct hypercall *call)
{
	u64 mask = wide ? U64_MAX : U32_MAX;

	call->nr = nr & mask;
	call->arg[0] = vcpu->regs[REG_RBX] & mask;
	call->arg[1] = vcpu->regs[REG_RCX] & mask;
	call->arg[2] = vcpu->regs[REG_RDX] & mask;
	call->arg[3] = vcpu->regs[REG_RSI] & mask;
}

static long call_do(struct vcpu *vcpu, const struct hypercall *call, bool wide)
{
	if (vendor_call(get_cpl)(vcpu))
		return -KVM_EPERM;
	return hypercall(vcpu, call, wide);
}

/**
 * pv_hypercall_result() - do a hypercall
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @rax: in: its number; out: its result
 *
 * Return: false: only userspace could, and has not been asked.
 */
bool pv_hypercall_result(struct vcpu *vcpu, u64 *rax)
{
	bool wide = vcpu_64bit(vcpu);
	struct hypercall call;
	long ret;

	call_read(vcpu, *rax, wide, &call);
	ret = call_do(vcpu, &call, wide);
	if (ret == CALL_USERSPACE)
		return false;
	*rax = wide ? (u64)ret : (u32)ret;
	return true;
}

static int call_return(struct vcpu *vcpu, u64 ret, bool wide)
{
	reg_write(vcpu, REG_RAX, wide ? ret : (u32)ret);
	return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
}

static int call_answered(struct vcpu *vcpu)
{
	return call_return(vcpu, READ_ONCE(vcpu->run->hypercall.ret),
			   vcpu_64bit(vcpu));
}

static int call_userspace(struct vcpu *vcpu, const struct hypercall *call,
			  bool wide)
{
	struct kvm_run *run = vcpu->run;

	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = call->nr;
	memcpy(run->hypercall.args, call->arg, 3 * sizeof(call->arg[0]));
	compat_hypercall_mode(run, wide);
	run->exit_reason = KVM_EXIT_HYPERCALL;
	vcpu->io.complete = call_answered;
	return EXIT_USERSPACE;
}

/**
 * pv_hypercall() - VMCALL or VMMCALL: number in RAX, result in RAX
 * @vcpu: loaded vCPU
 *
 * Return: enum exit_result or -errno.
 */
int pv_hypercall(struct vcpu *vcpu)
{
	bool wide = vcpu_64bit(vcpu);
	struct hypercall call;
	long ret;

	if (hv_hypercalls(vcpu))
		return hv_hypercall(vcpu);
	call_read(vcpu, vcpu->regs[REG_RAX], wide, &call);
	ret = call_do(vcpu, &call, wide);
	if (ret == CALL_USERSPACE)
		return call_userspace(vcpu, &call, wide);
	return call_return(vcpu, ret, wide);
}
