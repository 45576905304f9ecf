// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of a vCPU: run, registers, CPUID, MSRs. */
#include <sys/ioctl.h>

#include "ret.h"

/**
 * joist_run() - KVM_RUN
 * @vcpu: vCPU of the calling thread
 *
 * Return: 0: the run page says why the guest stopped; -EINTR: a signal or
 * immediate_exit; another -errno.
 */
int joist_run(int vcpu)
{
	return ret_errno(ioctl(vcpu, KVM_RUN, 0));
}

int joist_nmi(int vcpu)
{
	return ret_errno(ioctl(vcpu, KVM_NMI, 0));
}

int joist_set_cpuid(int vcpu, const struct kvm_cpuid2 *cpuid)
{
	return ret_errno(ioctl(vcpu, KVM_SET_CPUID2, cpuid));
}

int joist_get_regs(int vcpu, struct kvm_regs *regs)
{
	return ret_errno(ioctl(vcpu, KVM_GET_REGS, regs));
}

int joist_set_regs(int vcpu, const struct kvm_regs *regs)
{
	return ret_errno(ioctl(vcpu, KVM_SET_REGS, regs));
}

int joist_get_sregs(int vcpu, struct kvm_sregs *sregs)
{
	return ret_errno(ioctl(vcpu, KVM_GET_SREGS, sregs));
}

int joist_set_sregs(int vcpu, const struct kvm_sregs *sregs)
{
	return ret_errno(ioctl(vcpu, KVM_SET_SREGS, sregs));
}

int joist_get_events(int vcpu, struct kvm_vcpu_events *events)
{
	return ret_errno(ioctl(vcpu, KVM_GET_VCPU_EVENTS, events));
}

/* Return: how many of the list were set, or -errno. */
int joist_set_msrs(int vcpu, const struct kvm_msrs *msrs)
{
	return ret_errno(ioctl(vcpu, KVM_SET_MSRS, msrs));
}
