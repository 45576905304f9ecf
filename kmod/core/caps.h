/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JOIST_CORE_CAPS_H
#define JOIST_CORE_CAPS_H

struct kvm_enable_cap;
struct vcpu;
struct vm;

/* KVM_MSR_EXIT_REASON_* that a VMM can ask for. */
#define JOIST_MSR_EXITS	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | \
			 KVM_MSR_EXIT_REASON_FILTER)

/* KVM_X2APIC_API_*, all there are. */
#define JOIST_X2APIC_API	(KVM_X2APIC_API_USE_32BIT_IDS |		\
				 KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

int caps_check(struct vm *vm, unsigned long cap);
int caps_enable_vcpu(struct vcpu *vcpu, const struct kvm_enable_cap *cap);
int caps_enable(struct vm *vm, const struct kvm_enable_cap *cap);

#endif
