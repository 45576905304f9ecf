/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices of a VM that have a file: KVM_CREATE_DEVICE. */
#ifndef JOIST_CORE_DEVICE_H
#define JOIST_CORE_DEVICE_H

#include <linux/types.h>

struct kvm_create_device;
struct kvm_device_attr;
struct vm;
struct vm_device;

/**
 * struct vm_device_ops - a type of such devices; vm->lock is held
 * @name: of its files
 * @create: the device, or ERR_PTR()
 * @destroy: nobody has its file any more
 * @has: KVM_HAS_DEVICE_ATTR; 0 or -ENXIO
 * @set: KVM_SET_DEVICE_ATTR; 0 or -errno, -ENXIO: no such attribute
 */
struct vm_device_ops {
	const char *name;
	struct vm_device *(*create)(struct vm *vm);
	void (*destroy)(struct vm_device *dev);
	int (*has)(const struct kvm_device_attr *attr);
	int (*set)(struct vm_device *dev, const struct kvm_device_attr *attr);
};

/**
 * struct vm_device - what its file stands for: first in the type's own structure
 * @vm: whose; a reference while the file is there
 * @ops: its type
 */
struct vm_device {
	struct vm *vm;
	const struct vm_device_ops *ops;
};

long device_create(struct vm *vm, const struct kvm_create_device *what, u32 __user *fd);

#endif
