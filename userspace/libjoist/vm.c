// SPDX-License-Identifier: GPL-2.0-only
/* ioctls of a VM: memory, interrupt controllers, routes, event descriptors. */
#include <sys/ioctl.h>

#include "ret.h"

int joist_set_tss_addr(int vm, u64 gpa)
{
	return ret_errno(ioctl(vm, KVM_SET_TSS_ADDR, gpa));
}

int joist_set_identity_map(int vm, u64 gpa)
{
	return ret_errno(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &gpa));
}

int joist_create_irqchip(int vm)
{
	return ret_errno(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
}

/**
 * joist_create_pit() - the interval timer in the kernel
 * @vm: VM with an interrupt controller
 * @flags: KVM_PIT_SPEAKER_DUMMY: port 0x61 is the kernel's too
 *
 * Return: 0 or -errno.
 */
int joist_create_pit(int vm, u32 flags)
{
	struct kvm_pit_config config = { .flags = flags };

	return ret_errno(ioctl(vm, KVM_CREATE_PIT2, &config));
}

int joist_set_memory(int vm, const struct kvm_userspace_memory_region *region)
{
	return ret_errno(ioctl(vm, KVM_SET_USER_MEMORY_REGION, region));
}

/* Replaces the whole table of interrupt routes. */
int joist_set_routing(int vm, const struct kvm_irq_routing *table)
{
	return ret_errno(ioctl(vm, KVM_SET_GSI_ROUTING, table));
}

int joist_irq_line(int vm, u32 gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	return ret_errno(ioctl(vm, KVM_IRQ_LINE, &line));
}

/* From now on (or no longer) a write to @fd raises @gsi. */
int joist_irqfd(int vm, int fd, u32 gsi, bool assign)
{
	struct kvm_irqfd args = {
		.fd = (u32)fd,
		.gsi = gsi,
		.flags = assign ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return ret_errno(ioctl(vm, KVM_IRQFD, &args));
}

/**
 * joist_irqfd_level() - likewise for a line that stays up until its cause has gone
 * @vm: VM
 * @fd: raises it
 * @resample: signalled when the guest has served it and the line is down: the cause is to be
 *            looked at again
 * @gsi: the line, which others may share
 * @assign: from now on, or no longer
 *
 * Return: 0 or -errno.
 */
int joist_irqfd_level(int vm, int fd, int resample, u32 gsi, bool assign)
{
	struct kvm_irqfd args = {
		.fd = (u32)fd,
		.gsi = gsi,
		.flags = KVM_IRQFD_FLAG_RESAMPLE | (assign ? 0 : KVM_IRQFD_FLAG_DEASSIGN),
		.resamplefd = (u32)resample,
	};

	return ret_errno(ioctl(vm, KVM_IRQFD, &args));
}

/* @type: KVM_DEV_TYPE_*. Return: a file descriptor the caller closes, or -errno. */
int joist_create_device(int vm, u32 type)
{
	struct kvm_create_device args = { .type = type };
	int err = ret_errno(ioctl(vm, KVM_CREATE_DEVICE, &args));

	return err < 0 ? err : (int)args.fd;
}

/* The hypervisor is told which VFIO groups the VM has, of the device KVM_DEV_TYPE_VFIO. */
int joist_vfio_group(int device, int group, bool add)
{
	int fd = group;
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = add ? KVM_DEV_VFIO_GROUP_ADD : KVM_DEV_VFIO_GROUP_DEL,
		.addr = (u64)(uintptr_t)&fd,
	};

	return ret_errno(ioctl(device, KVM_SET_DEVICE_ATTR, &attr));
}

int joist_ioeventfd(int vm, const struct kvm_ioeventfd *args)
{
	return ret_errno(ioctl(vm, KVM_IOEVENTFD, args));
}

int joist_create_vcpu(int vm, u32 id)
{
	return ret_errno(ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id));
}
