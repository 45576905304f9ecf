// SPDX-License-Identifier: GPL-2.0-only
/* KVM_ENABLE_CAP: what a VMM turns on or changes for a VM or a vCPU. */
#include <linux/kvm.h>

#include "caps.h"
#include "dirty.h"
#include "dirty_ring.h"
#include "vcpu.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../irqchip/route.h"
#include "../x86/exits.h"
#include "../x86/quirk.h"
#include "../x86/x86.h"

static int enable_quirks(struct vm *vm, const struct kvm_enable_cap *cap)
{
	WRITE_ONCE(vm->disabled_quirks, cap->args[0]);
	return 0;
}

static int enable_quirks2(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)JOIST_QUIRKS)
		return -EINVAL;
	return enable_quirks(vm, cap);
}

/* Once, before there are vCPUs: their ids will be below. */
static int enable_max_vcpu_id(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (!cap->args[0] || cap->args[0] > JOIST_MAX_VCPU_ID)
		return -EINVAL;
	if (vm->max_vcpu_id == cap->args[0])
		return 0;
	if (vm->created_vcpus || vm->max_vcpu_id ||
	    vm->bsp_id > cap->args[0])
		return -EINVAL;
	vm->max_vcpu_id = cap->args[0];
	return 0;
}

static int enable_split_irqchip(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] > ROUTES_MAX)
		return -EINVAL;
	if (vm_has_lapic(vm))
		return -EEXIST;
	if (vm->created_vcpus)
		return -EINVAL;
	irqchip_create_split(vm, cap->args[0]);
	return 0;
}

static int enable_x2apic_api(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)JOIST_X2APIC_API)
		return -EINVAL;
	WRITE_ONCE(vm->x2apic_api, vm->x2apic_api | cap->args[0]);
	return 0;
}

static int enable_platform_info(struct vm *vm, const struct kvm_enable_cap *cap)
{
	WRITE_ONCE(vm->platform_info_hidden, !cap->args[0]);
	return 0;
}

static int enable_exception_payload(struct vm *vm,
				    const struct kvm_enable_cap *cap)
{
	WRITE_ONCE(vm->exception_payload, cap->args[0]);
	return 0;
}

static int enable_triple_fault_event(struct vm *vm,
				     const struct kvm_enable_cap *cap)
{
	WRITE_ONCE(vm->triple_fault_event, cap->args[0]);
	return 0;
}

static int enable_exit_on_failure(struct vm *vm,
				  const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~1ULL)
		return -EINVAL;
	WRITE_ONCE(vm->exit_on_emulation_failure, cap->args[0]);
	return 0;
}

/* Before there are vCPUs: they are made so. */
static int enable_disable_exits(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (vm->created_vcpus || cap->args[0] & ~(u64)exit_caps.optional)
		return -EINVAL;
	vm->disabled_exits |= cap->args[0];
	return 0;
}

static int enable_bus_lock_exit(struct vm *vm, const struct kvm_enable_cap *cap)
{
	u64 mode = cap->args[0];

	/* One of the two. */
	if (!exit_caps.bus_lock || vm->created_vcpus ||
	    (mode != KVM_BUS_LOCK_DETECTION_OFF &&
	     mode != KVM_BUS_LOCK_DETECTION_EXIT))
		return -EINVAL;
	vm->bus_lock_exit = mode == KVM_BUS_LOCK_DETECTION_EXIT;
	return 0;
}

/* The window in the upper half, what to do about it in the lower. */
static int enable_notify_exit(struct vm *vm, const struct kvm_enable_cap *cap)
{
	u32 flags = lower_32_bits(cap->args[0]);

	if (!exit_caps.notify || vm->created_vcpus ||
	    !(flags & KVM_X86_NOTIFY_VMEXIT_ENABLED) ||
	    flags & ~(KVM_X86_NOTIFY_VMEXIT_ENABLED |
		      KVM_X86_NOTIFY_VMEXIT_USER))
		return -EINVAL;
	vm->notify_window = upper_32_bits(cap->args[0]);
	vm->notify_flags = flags;
	return 0;
}

static int enable_exit_hypercall(struct vm *vm,
				 const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)JOIST_HYPERCALL_EXITS)
		return -EINVAL;
	WRITE_ONCE(vm->hypercall_exits, cap->args[0]);
	return 0;
}

static int enable_user_space_msr(struct vm *vm,
				 const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)JOIST_MSR_EXITS)
		return -EINVAL;
	WRITE_ONCE(vm->user_space_msr, cap->args[0]);
	return 0;
}

static int enable_manual_protect(struct vm *vm,
				 const struct kvm_enable_cap *cap)
{
	return dirty_manual_enable(vm, cap->args[0]);
}

static int enable_dirty_ring(struct vm *vm, const struct kvm_enable_cap *cap)
{
	return dirty_ring_enable(vm, cap->args[0]);
}

static int enable_halt_poll(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] > U32_MAX)
		return -EINVAL;
	WRITE_ONCE(vm->halt_poll_ns, cap->args[0]);
	smp_store_release(&vm->halt_poll_set, true); /* for halt_poll_limit() */
	return 0;
}

static int enable_pv_enforced(struct vcpu *vcpu,
			      const struct kvm_enable_cap *cap)
{
	vcpu->pv_enforced = cap->args[0];
	return 0;
}

static int enable_hv_enforced(struct vcpu *vcpu,
			      const struct kvm_enable_cap *cap)
{
	vcpu->hv.enforced = cap->args[0];
	return 0;
}

static int enable_hv_synic(struct vcpu *vcpu, const struct kvm_enable_cap *cap)
{
	return hv_synic_enable(vcpu, false);
}

/* Its argument has no meaning yet, so that it can have one. */
static int enable_hv_synic2(struct vcpu *vcpu, const struct kvm_enable_cap *cap)
{
	return cap->args[0] ? -EINVAL : hv_synic_enable(vcpu, true);
}

/**
 * struct cap_row - a capability that can be enabled
 * @cap: KVM_CAP_*
 * @enable: vm->lock held; 0, -EINVAL or another -errno
 */
struct cap_row {
	u32 cap;
	int (*enable)(struct vm *vm, const struct kvm_enable_cap *cap);
};

static const struct cap_row vm_caps[] = {
	{ KVM_CAP_DISABLE_QUIRKS, enable_quirks },
	{ KVM_CAP_DISABLE_QUIRKS2, enable_quirks2 },
	{ KVM_CAP_MAX_VCPU_ID, enable_max_vcpu_id },
	{ KVM_CAP_SPLIT_IRQCHIP, enable_split_irqchip },
	{ KVM_CAP_X2APIC_API, enable_x2apic_api },
	{ KVM_CAP_X86_USER_SPACE_MSR, enable_user_space_msr },
	{ KVM_CAP_MSR_PLATFORM_INFO, enable_platform_info },
	{ KVM_CAP_HALT_POLL, enable_halt_poll },
	{ KVM_CAP_EXCEPTION_PAYLOAD, enable_exception_payload },
	{ KVM_CAP_X86_TRIPLE_FAULT_EVENT, enable_triple_fault_event },
	{ KVM_CAP_EXIT_ON_EMULATION_FAILURE, enable_exit_on_failure },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, enable_manual_protect },
	{ KVM_CAP_DIRTY_LOG_RING, enable_dirty_ring },
	{ KVM_CAP_DIRTY_LOG_RING_ACQ_REL, enable_dirty_ring },
	{ KVM_CAP_EXIT_HYPERCALL, enable_exit_hypercall },
	{ KVM_CAP_X86_DISABLE_EXITS, enable_disable_exits },
	{ KVM_CAP_X86_BUS_LOCK_EXIT, enable_bus_lock_exit },
	{ KVM_CAP_X86_NOTIFY_VMEXIT, enable_notify_exit },
};

/* Likewise of a vCPU: vcpu->mutex held. */
static const struct {
	u32 cap;
	int (*enable)(struct vcpu *vcpu, const struct kvm_enable_cap *cap);
} vcpu_caps[] = {
	{ KVM_CAP_ENFORCE_PV_FEATURE_CPUID, enable_pv_enforced },
	{ KVM_CAP_HYPERV_ENFORCE_CPUID, enable_hv_enforced },
	{ KVM_CAP_HYPERV_SYNIC, enable_hv_synic },
	{ KVM_CAP_HYPERV_SYNIC2, enable_hv_synic2 },
};

/**
 * caps_enable() - KVM_ENABLE_CAP on a VM
 * @vm: vm->lock held
 * @cap: kernel copy
 *
 * Return: 0; -EINVAL: flags, not a capability that can be enabled, arguments,
 * or too late for it.
 */
int caps_enable(struct vm *vm, const struct kvm_enable_cap *cap)
{
	int i;

	lockdep_assert_held(&vm->lock);
	if (cap->flags)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(vm_caps); i++)
		if (vm_caps[i].cap == cap->cap)
			return vm_caps[i].enable(vm, cap);
	return -EINVAL;
}

/**
 * caps_enable_vcpu() - KVM_ENABLE_CAP on a vCPU
 * @vcpu: vcpu->mutex held
 * @cap: kernel copy
 *
 * Return: as caps_enable().
 */
int caps_enable_vcpu(struct vcpu *vcpu, const struct kvm_enable_cap *cap)
{
	int i;

	lockdep_assert_held(&vcpu->mutex);
	if (cap->flags)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(vcpu_caps); i++)
		if (vcpu_caps[i].cap == cap->cap)
			return vcpu_caps[i].enable(vcpu, cap);
	return -EINVAL;
}
