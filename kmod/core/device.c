// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CREATE_DEVICE, and the files of what it makes. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"
#include "vm.h"
#include "../passthrough/vfio.h"

static_assert(sizeof(struct kvm_create_device) == 12);

static long device_set_attr(void *obj, void *arg, unsigned long raw)
{
	struct vm_device *dev = obj;

	return dev->ops->set(dev, arg);
}

/* No type has one to be read. */
static long device_get_attr(void *obj, void *arg, unsigned long raw)
{
	return -EPERM;
}

static long device_has_attr(void *obj, void *arg, unsigned long raw)
{
	struct vm_device *dev = obj;

	return dev->ops->has(arg);
}

static const struct ioctl_row device_ioctls[] = {
	{ KVM_SET_DEVICE_ATTR, IOCTL_IN, device_set_attr },
	{ KVM_GET_DEVICE_ATTR, IOCTL_IN, device_get_attr },
	{ KVM_HAS_DEVICE_ATTR, IOCTL_IN, device_has_attr },
};

static long device_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm_device *dev = file->private_data;
	const struct ioctl_row *row;
	struct vm *vm = dev->vm;
	long ret;

	if (vm->mm != current->mm)
		return -EIO;
	row = ioctl_find(device_ioctls, ARRAY_SIZE(device_ioctls), cmd);
	if (!row)
		return -ENOTTY;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	ret = ioctl_call(row, dev, arg);
	mutex_unlock(&vm->lock);
	return ret;
}

static int device_file_release(struct inode *inode, struct file *file)
{
	struct vm_device *dev = file->private_data;
	struct vm *vm = dev->vm;

	mutex_lock(&vm->lock);
	dev->ops->destroy(dev);
	mutex_unlock(&vm->lock);
	vm_put(vm);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.release = device_file_release,
	.unlocked_ioctl = device_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* A device with its file; the caller's number for it is told to @user. */
static long device_make(struct vm *vm, const struct vm_device_ops *ops, u32 __user *user)
{
	struct vm_device *dev;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	dev = ops->create(vm);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto out_fd;
	}
	dev->vm = vm;
	dev->ops = ops;
	file = anon_inode_getfile(ops->name, &device_fops, dev, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_device;
	}
	vm_get(vm);
	/* From here on it is the file's to undo it. */
	if (put_user(fd, user)) {
		fput(file);
		err = -EFAULT;
		goto out_fd;
	}
	fd_install(fd, file);
	return 0;

out_device:
	ops->destroy(dev);
out_fd:
	put_unused_fd(fd);
	return err;
}

/**
 * device_create() - KVM_CREATE_DEVICE
 * @vm: vm->lock held
 * @what: kernel copy
 * @fd: the caller's, for the number of the device's file
 *
 * Return: 0; -ENODEV: a type that is not there; -EINVAL: unknown flags; -EBUSY: the VM has
 * one; -EMFILE, -ENFILE, -ENOMEM, -EFAULT.
 */
long device_create(struct vm *vm, const struct kvm_create_device *what, u32 __user *fd)
{
	lockdep_assert_held(&vm->lock);
	if (what->type != KVM_DEV_TYPE_VFIO)
		return -ENODEV;
	if (what->flags & ~KVM_CREATE_DEVICE_TEST)
		return -EINVAL;
	if (what->flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	return device_make(vm, &vfio_device_ops, fd);
}
