// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that are answered at once, between an exit and the next entry with
 * interrupts still off: what they ask for is in the vCPU.
 */
#include <linux/kvm_para.h>

#include "hot.h"
#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"

static bool hot_cpuid(struct vcpu *vcpu)
{
	if (unlikely(vcpu->misc_features & MSR_MISC_FEATURES_ENABLES_CPUID_FAULT))
		return false;
	cpuid_exit(vcpu);
	return true;
}

static bool msrs_filtered(struct vcpu *vcpu)
{
	return unlikely(rcu_access_pointer(vcpu->vm->msr_filter));
}

/* Registers that are a field of the vCPU. */
static bool plain_msr(u32 index)
{
	return index == MSR_MTRRcap || index == MSR_IA32_CR_PAT;
}

/* Of the local APIC, and nobody waits to hear of it. */
static bool hot_lapic_msr(struct vcpu *vcpu, const struct msr_access *msr)
{
	if (!vcpu->lapic || unlikely(vcpu->pv.eoi_offered))
		return false;
	if (msr->index == MSR_IA32_TSC_DEADLINE)
		return lapic_tsc_deadline_hot(vcpu->lapic, msr->data);
	return lapic_msr_write_hot(vcpu->lapic, msr->index, msr->data);
}

static noinline bool hot_rdmsr(struct vcpu *vcpu)
{
	struct msr_access msr = { .index = vcpu->regs[REG_RCX] };

	if (msrs_filtered(vcpu) || !plain_msr(msr.index) || msr_get(vcpu, &msr))
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

	if (msrs_filtered(vcpu))
		return false;
	if (plain_msr(msr.index))
		return !msr_set(vcpu, &msr);
	return hot_lapic_msr(vcpu, &msr);
}

/* Numbers past the last are nobody's but Hyper-V's; the others are pv_hypercall()'s. */
static bool hot_hypercall(struct vcpu *vcpu)
{
	if (vcpu->regs[REG_RAX] <= KVM_HC_MAP_GPA_RANGE || vcpu->feat.hyperv ||
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
