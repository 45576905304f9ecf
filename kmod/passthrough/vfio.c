// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device KVM_DEV_TYPE_VFIO: the VMM says which files of VFIO's its guest's devices
 * belong to. What follows from it is whether DMA is coherent with the CPUs' caches.
 *
 * VFIO is never told of the VM (vfio_file_set_kvm()): only drivers of mediated devices ask,
 * and take the pointer for a struct kvm of KVM's. They find none, and refuse to be opened.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio.h"
#include "../core/admin.h"
#include "../core/device.h"
#include "../core/netlink.h"
#include "../core/vm.h"

static_assert(sizeof(struct kvm_device_attr) == 24);

static struct assigned *assigned_find(struct vm *vm, const struct file *file)
{
	struct assigned *a;

	list_for_each_entry(a, &vm->assigned, node)
		if (a->file == file)
			return a;
	return NULL;
}

/* A container may have got others meanwhile: each is asked again. */
static void coherency_update(struct vm *vm)
{
	bool no_snoop = false;
	struct assigned *a;

	list_for_each_entry(a, &vm->assigned, node) {
		WRITE_ONCE(a->no_snoop, !compat_vfio_file_coherent(a->file));
		no_snoop |= a->no_snoop;
	}
	mmu_set_noncoherent(vm, no_snoop);
}

static void assigned_take(struct vm *vm, struct assigned *a)
{
	mutex_lock(&registry_lock);
	list_del(&a->node);
	event_assigned(vm, a, JOIST_CMD_DEVICE_REMOVED);
	mutex_unlock(&registry_lock);
	vm->nr_assigned--;
	fput(a->file);
	kfree(a);
}

static int assigned_add(struct vm *vm, struct file *file)
{
	struct assigned *a;

	if (!compat_vfio_file_valid(file))
		return -EINVAL;
	if (assigned_find(vm, file))
		return -EEXIST;
	if (vm->nr_assigned == ASSIGNED_MAX)
		return -ENOSPC;
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	a->file = get_file(file);
	a->no_snoop = !compat_vfio_file_coherent(file);
	compat_vfio_members(file, &a->members);
	mutex_lock(&registry_lock);
	list_add_tail(&a->node, &vm->assigned);
	event_assigned(vm, a, JOIST_CMD_DEVICE_ADDED);
	mutex_unlock(&registry_lock);
	vm->nr_assigned++;
	coherency_update(vm);
	return 0;
}

static int assigned_remove(struct vm *vm, struct file *file)
{
	struct assigned *a = assigned_find(vm, file);

	if (!a)
		return -ENOENT;
	assigned_take(vm, a);
	coherency_update(vm);
	return 0;
}

static int vfio_has(const struct kvm_device_attr *attr)
{
	if (attr->group != KVM_DEV_VFIO_GROUP || attr->flags)
		return -ENXIO;
	switch (attr->attr) {
	case KVM_DEV_VFIO_GROUP_ADD:
	case KVM_DEV_VFIO_GROUP_DEL:
		return 0;
	}
	return -ENXIO;
}

/* KVM_DEV_VFIO_FILE, its younger name, has the same numbers. */
static int vfio_set(struct vm_device *dev, const struct kvm_device_attr *attr)
{
	struct vm *vm = dev->vm;
	struct file *file;
	int err;
	s32 fd;

	lockdep_assert_held(&vm->lock);
	err = vfio_has(attr);
	if (err)
		return err;
	if (get_user(fd, (s32 __user *)(unsigned long)attr->addr))
		return -EFAULT;
	file = fget(fd);
	if (!file)
		return -EBADF;
	err = attr->attr == KVM_DEV_VFIO_GROUP_ADD ? assigned_add(vm, file) :
						     assigned_remove(vm, file);
	fput(file);
	return err;
}

static struct vm_device *vfio_create(struct vm *vm)
{
	struct vm_device *dev;

	if (vm->vfio)
		return ERR_PTR(-EBUSY);
	dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	vm->vfio = dev;
	return dev;
}

/* With the device go its files: nobody else says which the VM has. */
static void vfio_destroy(struct vm_device *dev)
{
	struct assigned *a, *next;
	struct vm *vm = dev->vm;

	list_for_each_entry_safe(a, next, &vm->assigned, node)
		assigned_take(vm, a);
	coherency_update(vm);
	vm->vfio = NULL;
	kfree(dev);
}

const struct vm_device_ops vfio_device_ops = {
	.name = "joist-vfio",
	.create = vfio_create,
	.destroy = vfio_destroy,
	.has = vfio_has,
	.set = vfio_set,
};
