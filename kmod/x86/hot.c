// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that are answered at once, between an exit and the next entry with
 * interrupts still off: what they ask for is in the vCPU.
 */
#include <linux/kvm_para.h>

#include "hot.h"
#include "hyperv.h"
#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"

static bool hot_cpuid(struct vcpu *vcpu)
{
	if (unlikely(vcpu->misc_features & MSR_MISC_FEATURES_ENABLES_CPUID_FAULT))
		return false;
	cpuid_exit(vcpu);
	return true;
}

/* Registers that are a field of the vCPU, and the VMM filters none. */
static bool hot_msr(struct vcpu *vcpu, u32 index)
{
	if (unlikely(rcu_access_pointer(vcpu->vm->msr_filter)))
		return false;
	switch (index) {
	case MSR_MTRRcap:
	case MSR_IA32_CR_PAT:
		return true;
	}
	return false;
}

static noinline bool hot_rdmsr(struct vcpu *vcpu)
{
	struct msr_access msr = { .index = vcpu->regs[REG_RCX] };

	if (!hot_msr(vcpu, msr.index) || msr_get(vcpu, &msr))
		return false;
	vcpu->regs[REG_RAX] = (u32)msr.data;
	vcpu->regs[REG_RDX] = msr.data >> 32;
	return true;
}

static noinline bool hot_wrmsr(struct vcpu *vcpu)
{
	struct msr_access msr = {
		.index = vcpu->regs[REG_RCX],
		.data = get_edx_eax(vcpu),
	};

	return hot_msr(vcpu, msr.index) && !msr_set(vcpu, &msr);
}

/* Numbers past the last are nobody's; the others are pv_hypercall()'s. */
static bool hot_hypercall(struct vcpu *vcpu)
{
	if (vcpu->regs[REG_RAX] <= KVM_HC_MAP_GPA_RANGE || hv_hypercalls(vcpu) ||
	    vendor_call(get_cpl)(vcpu) || !vcpu_64bit(vcpu))
		return false;
	vcpu->regs[REG_RAX] = -KVM_ENOSYS;
	return true;
}

/**
 * hot_exit() - do what an exit asks for, where nothing stands in the way
 * @vcpu: its guest has just exited; nothing is to be injected, no debugger steps
 * @kind: what for
 *
 * The instruction is not skipped. Context: interrupts off.
 *
 * Return: false: nothing has been done, the exit is exit_handle()'s.
 */
bool hot_exit(struct vcpu *vcpu, enum exit_kind kind)
{
	switch (kind) {
	case EXIT_CPUID:
		return hot_cpuid(vcpu);
	case EXIT_RDMSR:
		return hot_rdmsr(vcpu);
	case EXIT_WRMSR:
		return hot_wrmsr(vcpu);
	case EXIT_HYPERCALL:
		return hot_hypercall(vcpu);
	default:
		return false;
	}
}
