// SPDX-License-Identifier: GPL-2.0-only
/* /dev/joist, and /dev/kvm by request: the door. What is asked of no VM in particular. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "attr.h"
#include "caps.h"
#include "chardev.h"
#include "ioctl.h"
#include "vcpu.h"
#include "vm.h"
#include "../x86/cpuid.h"
#include "../x86/mce.h"
#include "../x86/msr.h"

static long dev_get_api_version(void *obj, void *arg, unsigned long raw)
{
	return raw ? -EINVAL : KVM_API_VERSION;
}

static long dev_create_vm(void *obj, void *arg, unsigned long raw)
{
	/* The type is for other architectures. */
	return raw ? -EINVAL : vm_create_fd();
}

static long dev_check_extension(void *obj, void *arg, unsigned long raw)
{
	return caps_check(NULL, raw);
}

static long dev_get_vcpu_mmap_size(void *obj, void *arg, unsigned long raw)
{
	return raw ? -EINVAL : VCPU_MMAP_PAGES * PAGE_SIZE;
}

static long dev_get_msr_index_list(void *obj, void *arg, unsigned long raw)
{
	return msr_list((void __user *)raw, false);
}

static long dev_get_msr_feature_list(void *obj, void *arg, unsigned long raw)
{
	return msr_list((void __user *)raw, true);
}

static long dev_get_msrs(void *obj, void *arg, unsigned long raw)
{
	return msr_get_many(NULL, (void __user *)raw);
}

static long dev_get_supported_cpuid(void *obj, void *arg, unsigned long raw)
{
	return cpuid_get_supported((void __user *)raw);
}

static long dev_get_emulated_cpuid(void *obj, void *arg, unsigned long raw)
{
	return cpuid_get_emulated((void __user *)raw);
}

static long dev_get_hv_cpuid(void *obj, void *arg, unsigned long raw)
{
	return hv_cpuid_get(NULL, (void __user *)raw);
}

static long dev_get_mce_cap(void *obj, void *arg, unsigned long raw)
{
	*(u64 *)arg = MCE_CAPS;
	return 0;
}

static long dev_has_attr(void *obj, void *arg, unsigned long raw)
{
	return attr_dev_has(arg);
}

static long dev_get_attr(void *obj, void *arg, unsigned long raw)
{
	return attr_dev_get(arg);
}

static const struct ioctl_row dev_ioctls[] = {
	{ KVM_GET_API_VERSION, IOCTL_VALUE, dev_get_api_version },
	{ KVM_CREATE_VM, IOCTL_VALUE, dev_create_vm },
	{ KVM_CHECK_EXTENSION, IOCTL_VALUE, dev_check_extension },
	{ KVM_GET_VCPU_MMAP_SIZE, IOCTL_VALUE, dev_get_vcpu_mmap_size },
	{ KVM_GET_MSR_INDEX_LIST, IOCTL_USER, dev_get_msr_index_list },
	{ KVM_GET_MSR_FEATURE_INDEX_LIST, IOCTL_USER, dev_get_msr_feature_list },
	{ KVM_GET_MSRS, IOCTL_USER, dev_get_msrs },
	{ KVM_X86_GET_MCE_CAP_SUPPORTED, IOCTL_OUT, dev_get_mce_cap },
	{ KVM_HAS_DEVICE_ATTR, IOCTL_IN, dev_has_attr },
	{ KVM_GET_DEVICE_ATTR, IOCTL_IN, dev_get_attr },
	{ KVM_GET_SUPPORTED_CPUID, IOCTL_USER, dev_get_supported_cpuid },
	{ KVM_GET_EMULATED_CPUID, IOCTL_USER, dev_get_emulated_cpuid },
	{ KVM_GET_SUPPORTED_HV_CPUID, IOCTL_USER, dev_get_hv_cpuid },
};

static long chardev_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	const struct ioctl_row *row;

	row = ioctl_find(dev_ioctls, ARRAY_SIZE(dev_ioctls), cmd);
	return row ? ioctl_call(row, NULL, arg) : -ENOTTY;
}

static const struct file_operations chardev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice joist_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "joist",
	.mode = 0660,
	.fops = &chardev_fops,
};

/* For programs with KVM's path in them. Its mode is KVM's own. */
static struct miscdevice kvm_device = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &chardev_fops,
};

static bool kvm_dev;
module_param(kvm_dev, bool, 0444);
MODULE_PARM_DESC(kvm_dev, "serve /dev/kvm too; kvm must not be loaded");

static int kvm_device_register(void)
{
	int err = misc_register(&kvm_device);

	if (err == -EBUSY)
		pr_err("/dev/kvm is held by kvm: rmmod kvm_intel kvm_amd kvm, or load without kvm_dev=1\n");
	return err;
}

/**
 * chardev_register() - from now on anyone with the right may make VMs
 *
 * Return: 0; -EBUSY: /dev/kvm is asked for and another has it; -errno of
 * misc_register().
 */
int chardev_register(void)
{
	int err = misc_register(&joist_device);

	if (err || !kvm_dev)
		return err;
	err = kvm_device_register();
	if (err)
		misc_deregister(&joist_device);
	return err;
}

/** chardev_unregister() - no file is open: the module's count said so */
void chardev_unregister(void)
{
	if (kvm_dev)
		misc_deregister(&kvm_device);
	misc_deregister(&joist_device);
}
