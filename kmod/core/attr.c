// SPDX-License-Identifier: GPL-2.0-only
/* Device attributes of the module and of vCPUs: small values by group and number. */
#include <linux/kvm.h>
#include <linux/uaccess.h>

#include "attr.h"
#include "vcpu.h"
#include "../x86/x86.h"

static_assert(sizeof(struct kvm_device_attr) == 24);

static bool is_tsc_offset(const struct kvm_device_attr *attr)
{
	return attr->group == KVM_VCPU_TSC_CTRL &&
	       attr->attr == KVM_VCPU_TSC_OFFSET && !attr->flags;
}

static u64 __user *attr_user(const struct kvm_device_attr *attr)
{
	return (u64 __user *)(unsigned long)attr->addr;
}

/**
 * attr_vcpu_has() - KVM_HAS_DEVICE_ATTR on a vCPU
 * @attr: kernel copy
 *
 * Return: 0 or -ENXIO.
 */
int attr_vcpu_has(const struct kvm_device_attr *attr)
{
	return is_tsc_offset(attr) ? 0 : -ENXIO;
}

/**
 * attr_vcpu_get() - KVM_GET_DEVICE_ATTR: guest TSC less host TSC
 * @vcpu: vcpu->mutex held
 * @attr: kernel copy; addr is the caller's
 *
 * Return: 0; -ENXIO: no such attribute; -EFAULT.
 */
int attr_vcpu_get(struct vcpu *vcpu, const struct kvm_device_attr *attr)
{
	if (!is_tsc_offset(attr))
		return -ENXIO;
	return put_user(vcpu->tsc_offset, attr_user(attr));
}

/** attr_vcpu_set() - KVM_SET_DEVICE_ATTR, likewise; @vcpu is loaded */
int attr_vcpu_set(struct vcpu *vcpu, const struct kvm_device_attr *attr)
{
	u64 offset;

	if (!is_tsc_offset(attr))
		return -ENXIO;
	if (get_user(offset, attr_user(attr)))
		return -EFAULT;
	tsc_set_offset(vcpu, offset);
	return 0;
}

static bool is_xcomp(const struct kvm_device_attr *attr)
{
	return !attr->group && attr->attr == KVM_X86_XCOMP_GUEST_SUPP &&
	       !attr->flags;
}

/** attr_dev_has() - KVM_HAS_DEVICE_ATTR on the device: 0 or -ENXIO */
int attr_dev_has(const struct kvm_device_attr *attr)
{
	return is_xcomp(attr) ? 0 : -ENXIO;
}

/**
 * attr_dev_get() - KVM_GET_DEVICE_ATTR on the device: the state components that
 * guests may be given
 * @attr: kernel copy
 *
 * Return: 0; -ENXIO: no such attribute; -EFAULT.
 */
int attr_dev_get(const struct kvm_device_attr *attr)
{
	if (!is_xcomp(attr))
		return -ENXIO;
	return put_user(fpu_guest_xcr0(), attr_user(attr));
}
