/* SPDX-License-Identifier: GPL-2.0-only */
/* Device attributes. */
#ifndef JOIST_CORE_ATTR_H
#define JOIST_CORE_ATTR_H

struct kvm_device_attr;
struct vcpu;

int attr_vcpu_has(const struct kvm_device_attr *attr);
int attr_vcpu_get(struct vcpu *vcpu, const struct kvm_device_attr *attr);
int attr_vcpu_set(struct vcpu *vcpu, const struct kvm_device_attr *attr);
int attr_dev_has(const struct kvm_device_attr *attr);
int attr_dev_get(const struct kvm_device_attr *attr);

#endif
