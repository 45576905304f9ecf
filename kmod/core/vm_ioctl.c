// SPDX-License-Identifier: GPL-2.0-only
/* The VM's file: what a VMM asks of a whole VM. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "caps.h"
#include "device.h"
#include "dirty.h"
#include "dirty_ring.h"
#include "eventfd.h"
#include "ioctl.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"
#include "../compat/kvm_abi.h"
#include "../irqchip/irqchip.h"
#include "../irqchip/route.h"
#include "../x86/msr.h"
#include "../x86/x86.h"

#define NR_MMU_PAGES_MIN	20	/* as KVM */

/* vm->lock held: a free place for a vCPU of this id; 0 or -errno. */
static int vcpu_reserve(struct vm *vm, u32 id, u32 *idx)
{
	if (vm->created_vcpus >= JOIST_MAX_VCPUS)
		return -EINVAL;
	if (vm_vcpu_by_id(vm, id))
		return -EEXIST;
	/* As clone(2) says of RLIMIT_NPROC. */
	if (!registry_vcpu_allowed(vm, vm->created_vcpus + 1))
		return -EAGAIN;
	*idx = vm->created_vcpus;
	return xa_reserve(&vm->vcpus, *idx, GFP_KERNEL_ACCOUNT);
}

/* vm->lock held. */
static void vcpu_publish(struct vm *vm, struct vcpu *vcpu)
{
	xa_store(&vm->vcpus, vcpu->idx, vcpu, GFP_KERNEL_ACCOUNT);
	vm->created_vcpus++;
	/* A vCPU that is counted can be found: pairs with vm_for_each_vcpu(). */
	smp_wmb();
	atomic_inc(&vm->online_vcpus);
	vcpu_admin_publish(vcpu);
}

static long vm_create_vcpu(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;
	struct vcpu *vcpu;
	struct file *file;
	int fd, err;
	u32 idx;

	if (raw >= (vm->max_vcpu_id ?: JOIST_MAX_VCPU_ID))
		return -EINVAL;
	err = vcpu_reserve(vm, raw, &idx);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = fd;
		goto out_reserved;
	}
	vcpu = vcpu_create(vm, raw, idx);
	if (IS_ERR(vcpu)) {
		err = PTR_ERR(vcpu);
		goto out_fd;
	}
	file = vcpu_file(vcpu);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out_vcpu;
	}
	/* The file holds the VM, with which the vCPU will be destroyed. */
	vm_get(vm);
	vcpu_publish(vm, vcpu);
	fd_install(fd, file);
	return fd;

out_vcpu:
	vcpu_destroy(vcpu);
out_fd:
	put_unused_fd(fd);
out_reserved:
	xa_release(&vm->vcpus, idx);
	return err;
}

static long vm_check_extension(void *obj, void *arg, unsigned long raw)
{
	return caps_check(obj, raw);
}

static long vm_enable_cap(void *obj, void *arg, unsigned long raw)
{
	return caps_enable(obj, arg);
}

static long vm_set_memory(void *obj, void *arg, unsigned long raw)
{
	return memslot_set(obj, arg);
}

/* What it adds is guest_memfd: without its flag the rest means nothing. */
static long vm_set_memory2(void *obj, void *arg, unsigned long raw)
{
	const struct kvm_userspace_memory_region2 *mem2 = arg;
	const struct kvm_userspace_memory_region mem = {
		.slot = mem2->slot,
		.flags = mem2->flags,
		.guest_phys_addr = mem2->guest_phys_addr,
		.memory_size = mem2->memory_size,
		.userspace_addr = mem2->userspace_addr,
	};

	return memslot_set(obj, &mem);
}

static long vm_get_dirty_log(void *obj, void *arg, unsigned long raw)
{
	return dirty_log_get(obj, arg);
}

static long vm_clear_dirty_log(void *obj, void *arg, unsigned long raw)
{
	return dirty_log_clear(obj, arg);
}

static long vm_reset_dirty_rings(void *obj, void *arg, unsigned long raw)
{
	return dirty_rings_reset(obj);
}

static long vm_set_tss_addr(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;

	/* Three pages below 4 GiB. */
	if (raw > 0xffffd000UL || !PAGE_ALIGNED(raw))
		return -EINVAL;
	vm->tss_addr = raw;
	return 0;
}

static long vm_set_identity_map(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;
	u64 addr = *(u64 *)arg;

	if (vm->created_vcpus)
		return -EINVAL;
	vm->identity_map_addr = addr ?: JOIST_IDENTITY_MAP_DEFAULT;
	return 0;
}

static long vm_set_boot_cpu_id(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;

	if (vm->created_vcpus)
		return -EBUSY;
	if (raw >= JOIST_MAX_VCPU_ID)
		return -EINVAL;
	vm->bsp_id = raw;
	return 0;
}

/*
 * A bound on pages of shadow tables. Nested tables cannot grow beyond what their
 * slots ask for, and have no bound in KVM either.
 */
static long vm_set_nr_mmu_pages(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;

	if (raw < NR_MMU_PAGES_MIN || raw > U32_MAX)
		return -EINVAL;
	vm->nr_mmu_pages = raw;
	return 0;
}

static long vm_get_nr_mmu_pages(void *obj, void *arg, unsigned long raw)
{
	return ((struct vm *)obj)->nr_mmu_pages;
}

static long vm_create_irqchip(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;

	if (vm_has_lapic(vm))
		return -EEXIST;
	if (vm->created_vcpus)
		return -EINVAL;
	return irqchip_create(vm);
}

static long vm_irq_line(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;
	const struct kvm_irq_level *line = arg;

	if (!vm_has_lapic(vm))
		return -ENXIO;
	irqchip_set_line(vm, line->irq, !!line->level, IRQ_SOURCE_USERSPACE);
	return 0;
}

static long vm_irq_line_status(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;
	struct kvm_irq_level *line = arg;

	if (!vm_has_lapic(vm))
		return -ENXIO;
	line->status = irqchip_set_line(vm, line->irq, !!line->level,
					IRQ_SOURCE_USERSPACE);
	return 0;
}

static long vm_signal_msi(void *obj, void *arg, unsigned long raw)
{
	struct vm *vm = obj;

	if (!vm_has_lapic(vm))
		return -EINVAL;
	return irqchip_signal_msi(vm, arg);
}

static long vm_get_irqchip(void *obj, void *arg, unsigned long raw)
{
	return vm_has_ioapic(obj) ? irqchip_get(obj, arg) : -ENXIO;
}

static long vm_set_irqchip(void *obj, void *arg, unsigned long raw)
{
	return vm_has_ioapic(obj) ? irqchip_set(obj, arg) : -ENXIO;
}

static long vm_create_pit(void *obj, void *arg, unsigned long raw)
{
	static const struct kvm_pit_config none;

	return irqchip_create_pit(obj, &none);
}

static long vm_create_pit2(void *obj, void *arg, unsigned long raw)
{
	return irqchip_create_pit(obj, arg);
}

static long vm_get_pit2(void *obj, void *arg, unsigned long raw)
{
	return irqchip_get_pit(obj, arg);
}

static long vm_set_pit2(void *obj, void *arg, unsigned long raw)
{
	return irqchip_set_pit(obj, arg);
}

static long vm_reinject(void *obj, void *arg, unsigned long raw)
{
	struct kvm_reinject_control control;

	if (copy_from_user(&control, (void __user *)raw, sizeof(control)))
		return -EFAULT;
	return irqchip_pit_reinject(obj, &control);
}

static long vm_set_gsi_routing(void *obj, void *arg, unsigned long raw)
{
	struct kvm_irq_routing __user *user = (void __user *)raw;
	struct kvm_irq_routing_entry *entries = NULL;
	struct kvm_irq_routing head;
	struct vm *vm = obj;
	long err;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!vm_has_lapic(vm) || head.nr > ROUTES_MAX || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_user(user->entries,
				       array_size(sizeof(*entries), head.nr));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	err = irqchip_set_routing(vm, entries, head.nr);
	kvfree(entries);
	return err;
}

static long vm_irqfd(void *obj, void *arg, unsigned long raw)
{
	return irqfd_ioctl(obj, arg);
}

static long vm_ioeventfd(void *obj, void *arg, unsigned long raw)
{
	return ioeventfd_ioctl(obj, arg);
}

static long vm_register_coalesced(void *obj, void *arg, unsigned long raw)
{
	return coalesced_register(obj, arg);
}

static long vm_unregister_coalesced(void *obj, void *arg, unsigned long raw)
{
	return coalesced_unregister(obj, arg);
}

static long vm_get_clock(void *obj, void *arg, unsigned long raw)
{
	pv_clock_get(obj, arg);
	return 0;
}

static long vm_set_clock(void *obj, void *arg, unsigned long raw)
{
	return pv_clock_set(obj, arg);
}

static long vm_set_msr_filter(void *obj, void *arg, unsigned long raw)
{
	return msr_filter_set(obj, arg);
}

static long vm_set_tsc_khz(void *obj, void *arg, unsigned long raw)
{
	return raw > U32_MAX ? -EINVAL : tsc_vm_set_khz(obj, raw);
}

static long vm_get_tsc_khz(void *obj, void *arg, unsigned long raw)
{
	return ((struct vm *)obj)->tsc_khz;
}

static long vm_get_stats_fd(void *obj, void *arg, unsigned long raw)
{
	return stats_fd(obj, NULL);
}

static long vm_create_device(void *obj, void *arg, unsigned long raw)
{
	struct kvm_create_device __user *user = (void __user *)raw;

	return device_create(obj, arg, &user->fd);
}

static const struct ioctl_row vm_ioctls[] = {
	{ KVM_CREATE_VCPU, IOCTL_VALUE | IOCTL_LOCK, vm_create_vcpu },
	{ KVM_CHECK_EXTENSION, IOCTL_VALUE, vm_check_extension },
	{ KVM_ENABLE_CAP, IOCTL_IN | IOCTL_LOCK, vm_enable_cap },
	{ KVM_SET_USER_MEMORY_REGION, IOCTL_IN, vm_set_memory },
	{ KVM_SET_USER_MEMORY_REGION2, IOCTL_IN, vm_set_memory2 },
	{ KVM_GET_DIRTY_LOG, IOCTL_IN, vm_get_dirty_log },
	{ KVM_CLEAR_DIRTY_LOG, IOCTL_IN, vm_clear_dirty_log },
	{ KVM_RESET_DIRTY_RINGS, IOCTL_VALUE, vm_reset_dirty_rings },
	{ KVM_SET_TSS_ADDR, IOCTL_VALUE | IOCTL_LOCK, vm_set_tss_addr },
	{ KVM_SET_IDENTITY_MAP_ADDR, IOCTL_IN | IOCTL_LOCK, vm_set_identity_map },
	{ KVM_SET_BOOT_CPU_ID, IOCTL_VALUE | IOCTL_LOCK, vm_set_boot_cpu_id },
	{ KVM_SET_NR_MMU_PAGES, IOCTL_VALUE | IOCTL_LOCK, vm_set_nr_mmu_pages },
	{ KVM_GET_NR_MMU_PAGES, IOCTL_VALUE | IOCTL_LOCK, vm_get_nr_mmu_pages },
	{ KVM_CREATE_IRQCHIP, IOCTL_VALUE | IOCTL_LOCK, vm_create_irqchip },
	{ KVM_IRQ_LINE, IOCTL_IN, vm_irq_line },
	{ KVM_IRQ_LINE_STATUS, IOCTL_IN | IOCTL_OUT, vm_irq_line_status },
	{ KVM_SIGNAL_MSI, IOCTL_IN, vm_signal_msi },
	{ KVM_GET_IRQCHIP, IOCTL_IN | IOCTL_OUT | IOCTL_LOCK, vm_get_irqchip },
	/* Defined as _IOR, though it is read from the caller. */
	{ KVM_SET_IRQCHIP, IOCTL_IN | IOCTL_LOCK, vm_set_irqchip },
	{ KVM_CREATE_PIT, IOCTL_VALUE | IOCTL_LOCK, vm_create_pit },
	{ KVM_CREATE_PIT2, IOCTL_IN | IOCTL_LOCK, vm_create_pit2 },
	{ KVM_GET_PIT2, IOCTL_OUT | IOCTL_LOCK, vm_get_pit2 },
	{ KVM_SET_PIT2, IOCTL_IN | IOCTL_LOCK, vm_set_pit2 },
	/* Defined as _IO, with a structure all the same. */
	{ KVM_REINJECT_CONTROL, IOCTL_USER | IOCTL_LOCK, vm_reinject },
	{ KVM_SET_GSI_ROUTING, IOCTL_USER, vm_set_gsi_routing },
	{ KVM_IRQFD, IOCTL_IN, vm_irqfd },
	{ KVM_IOEVENTFD, IOCTL_IN, vm_ioeventfd },
	/* What it gives back is written before the file is there. */
	{ KVM_CREATE_DEVICE, IOCTL_IN | IOCTL_LOCK, vm_create_device },
	{ KVM_REGISTER_COALESCED_MMIO, IOCTL_IN, vm_register_coalesced },
	{ KVM_UNREGISTER_COALESCED_MMIO, IOCTL_IN, vm_unregister_coalesced },
	{ KVM_GET_CLOCK, IOCTL_OUT, vm_get_clock },
	{ KVM_SET_CLOCK, IOCTL_IN, vm_set_clock },
	{ KVM_X86_SET_MSR_FILTER, IOCTL_IN | IOCTL_LOCK, vm_set_msr_filter },
	{ KVM_SET_TSC_KHZ, IOCTL_VALUE | IOCTL_LOCK, vm_set_tsc_khz },
	{ KVM_GET_TSC_KHZ, IOCTL_VALUE | IOCTL_LOCK, vm_get_tsc_khz },
	{ KVM_GET_STATS_FD, IOCTL_VALUE, vm_get_stats_fd },
};

static long vm_file_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct vm *vm = file->private_data;
	const struct ioctl_row *row;
	long ret;

	/* A VM answers only the process that made it. */
	if (vm->mm != current->mm)
		return -EIO;
	row = ioctl_find(vm_ioctls, ARRAY_SIZE(vm_ioctls), cmd);
	if (!row)
		return -ENOTTY;
	if (!(row->flags & IOCTL_LOCK))
		return ioctl_call(row, vm, arg);
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	ret = ioctl_call(row, vm, arg);
	mutex_unlock(&vm->lock);
	return ret;
}

static int vm_file_release(struct inode *inode, struct file *file)
{
	struct vm *vm = file->private_data;

	irqfd_release(vm);
	vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_file_release,
	.unlocked_ioctl = vm_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/**
 * vm_create_fd() - KVM_CREATE_VM
 *
 * Return: a file descriptor or -errno of vm_create().
 */
int vm_create_fd(void)
{
	struct vm *vm = vm_create();
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("joist-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		vm_put(vm);
	return fd;
}
