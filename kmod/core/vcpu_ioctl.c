// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU's file: KVM_RUN, the mapping of the run page, and its state. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "attr.h"
#include "caps.h"
#include "ioctl.h"
#include "regs.h"
#include "run.h"
#include "state.h"
#include "stats.h"
#include "vm.h"
#include "../irqchip/irqchip.h"
#include "../mmu/walk.h"
#include "../x86/cpuid.h"
#include "../x86/mce.h"
#include "../x86/msr.h"
#include "../x86/x86.h"

static long vcpu_get_regs(void *obj, void *arg, unsigned long raw)
{
	state_get_regs(obj, arg);
	return 0;
}

static long vcpu_set_regs(void *obj, void *arg, unsigned long raw)
{
	state_set_regs(obj, arg);
	return 0;
}

static long vcpu_get_sregs(void *obj, void *arg, unsigned long raw)
{
	state_get_sregs(obj, arg);
	return 0;
}

static long vcpu_set_sregs(void *obj, void *arg, unsigned long raw)
{
	return state_set_sregs(obj, arg);
}

static long vcpu_get_sregs2(void *obj, void *arg, unsigned long raw)
{
	state_get_sregs2(obj, arg);
	return 0;
}

static long vcpu_set_sregs2(void *obj, void *arg, unsigned long raw)
{
	return state_set_sregs2(obj, arg);
}

static long vcpu_get_debugregs(void *obj, void *arg, unsigned long raw)
{
	state_get_debugregs(obj, arg);
	return 0;
}

static long vcpu_set_debugregs(void *obj, void *arg, unsigned long raw)
{
	return state_set_debugregs(obj, arg);
}

static long vcpu_set_guest_debug(void *obj, void *arg, unsigned long raw)
{
	return guest_debug_set(obj, arg);
}

static long vcpu_get_mp_state(void *obj, void *arg, unsigned long raw)
{
	state_get_mp_state(obj, arg);
	return 0;
}

static long vcpu_set_mp_state(void *obj, void *arg, unsigned long raw)
{
	return state_set_mp_state(obj, arg);
}

static long vcpu_get_events(void *obj, void *arg, unsigned long raw)
{
	events_get(obj, arg);
	return 0;
}

static long vcpu_set_events(void *obj, void *arg, unsigned long raw)
{
	return events_set(obj, arg);
}

static long vcpu_get_fpu(void *obj, void *arg, unsigned long raw)
{
	fpu_get(obj, arg);
	return 0;
}

static long vcpu_set_fpu(void *obj, void *arg, unsigned long raw)
{
	return fpu_set(obj, arg);
}

static long vcpu_get_xsave(void *obj, void *arg, unsigned long raw)
{
	fpu_get_xsave(obj, arg, sizeof(struct kvm_xsave));
	return 0;
}

static long vcpu_set_xsave(void *obj, void *arg, unsigned long raw)
{
	return fpu_set_xsave(obj, arg);
}

static long vcpu_get_xcrs(void *obj, void *arg, unsigned long raw)
{
	fpu_get_xcrs(obj, arg);
	return 0;
}

static long vcpu_set_xcrs(void *obj, void *arg, unsigned long raw)
{
	return fpu_set_xcrs(obj, arg);
}

static long vcpu_get_msrs(void *obj, void *arg, unsigned long raw)
{
	return msr_get_many(obj, (void __user *)raw);
}

static long vcpu_set_msrs(void *obj, void *arg, unsigned long raw)
{
	return msr_set_many(obj, (void __user *)raw);
}

static long vcpu_set_cpuid(void *obj, void *arg, unsigned long raw)
{
	return cpuid_set_old(obj, (void __user *)raw);
}

static long vcpu_set_cpuid2(void *obj, void *arg, unsigned long raw)
{
	return cpuid_set(obj, (void __user *)raw);
}

static long vcpu_get_cpuid2(void *obj, void *arg, unsigned long raw)
{
	return cpuid_get(obj, (void __user *)raw);
}

static long vcpu_get_hv_cpuid(void *obj, void *arg, unsigned long raw)
{
	return hv_cpuid_get(obj, (void __user *)raw);
}

static long vcpu_get_lapic(void *obj, void *arg, unsigned long raw)
{
	struct vcpu *vcpu = obj;

	return vcpu->lapic ? lapic_get_state(vcpu->lapic, arg) : -EINVAL;
}

static long vcpu_set_lapic(void *obj, void *arg, unsigned long raw)
{
	struct vcpu *vcpu = obj;

	return vcpu->lapic ? lapic_set_state(vcpu->lapic, arg) : -EINVAL;
}

static long vcpu_interrupt(void *obj, void *arg, unsigned long raw)
{
	const struct kvm_interrupt *irq = arg;
	struct vcpu *vcpu = obj;

	if (irq->irq >= KVM_NR_INTERRUPTS)
		return -EINVAL;
	if (vm_has_ioapic(vcpu->vm))
		return -ENXIO;
	return irq_queue_user(vcpu, irq->irq);
}

static long vcpu_nmi(void *obj, void *arg, unsigned long raw)
{
	struct vcpu *vcpu = obj;

	atomic_inc(&vcpu->nmi_queued);
	vcpu_request(vcpu, REQ_NMI);
	return 0;
}

static long vcpu_smi(void *obj, void *arg, unsigned long raw)
{
	vcpu_request(obj, REQ_SMI);
	return 0;
}

static long vcpu_set_tsc_khz(void *obj, void *arg, unsigned long raw)
{
	return raw > U32_MAX ? -EINVAL : tsc_set_khz(obj, raw);
}

static long vcpu_get_tsc_khz(void *obj, void *arg, unsigned long raw)
{
	struct vcpu *vcpu = obj;

	return vcpu->tsc_khz;
}

static long vcpu_kvmclock_ctrl(void *obj, void *arg, unsigned long raw)
{
	return pv_clock_paused(obj);
}

static long vcpu_translate(void *obj, void *arg, unsigned long raw)
{
	struct kvm_translation *tr = arg;
	struct vcpu *vcpu = obj;
	int idx = srcu_read_lock(&vcpu->vm->srcu);
	gpa_t gpa = vcpu_translate_linear(vcpu, tr->linear_address);

	srcu_read_unlock(&vcpu->vm->srcu, idx);
	tr->physical_address = gpa;
	tr->valid = gpa != INVALID_GPA;
	tr->writeable = 1;
	tr->usermode = 0;
	return 0;
}

static long vcpu_set_signal_mask(void *obj, void *arg, unsigned long raw)
{
	struct kvm_signal_mask __user *user = (void __user *)raw;
	struct kvm_signal_mask mask;
	struct vcpu *vcpu = obj;
	sigset_t sigset;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&mask, user, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(sigset))
		return -EINVAL;
	if (copy_from_user(&sigset, user->sigset, sizeof(sigset)))
		return -EFAULT;
	sigdelsetmask(&sigset, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = sigset;
	vcpu->sigset_active = true;
	return 0;
}

static long vcpu_setup_mce(void *obj, void *arg, unsigned long raw)
{
	return mce_set_cap(obj, *(u64 *)arg);
}

static long vcpu_set_mce(void *obj, void *arg, unsigned long raw)
{
	return mce_inject(obj, arg);
}

static long vcpu_tpr_reporting(void *obj, void *arg, unsigned long raw)
{
	return vapic_set_reporting(obj, arg);
}

static long vcpu_set_vapic_addr(void *obj, void *arg, unsigned long raw)
{
	const struct kvm_vapic_addr *addr = arg;

	return vapic_set_addr(obj, addr->vapic_addr);
}

static long vcpu_has_attr(void *obj, void *arg, unsigned long raw)
{
	return attr_vcpu_has(arg);
}

static long vcpu_get_attr(void *obj, void *arg, unsigned long raw)
{
	return attr_vcpu_get(obj, arg);
}

static long vcpu_set_attr(void *obj, void *arg, unsigned long raw)
{
	return attr_vcpu_set(obj, arg);
}

static long vcpu_enable_cap(void *obj, void *arg, unsigned long raw)
{
	return caps_enable_vcpu(obj, arg);
}

static long vcpu_get_stats_fd(void *obj, void *arg, unsigned long raw)
{
	struct vcpu *vcpu = obj;

	return stats_fd(vcpu->vm, vcpu);
}

static const struct ioctl_row vcpu_ioctls[] = {
	{ KVM_GET_REGS, IOCTL_OUT, vcpu_get_regs },
	{ KVM_SET_REGS, IOCTL_IN, vcpu_set_regs },
	{ KVM_GET_SREGS, IOCTL_OUT, vcpu_get_sregs },
	{ KVM_SET_SREGS, IOCTL_IN, vcpu_set_sregs },
	{ KVM_GET_SREGS2, IOCTL_OUT, vcpu_get_sregs2 },
	{ KVM_SET_SREGS2, IOCTL_IN, vcpu_set_sregs2 },
	{ KVM_GET_FPU, IOCTL_OUT, vcpu_get_fpu },
	{ KVM_SET_FPU, IOCTL_IN, vcpu_set_fpu },
	{ KVM_GET_XSAVE, IOCTL_OUT, vcpu_get_xsave },
	/* Without dynamic components the area is never larger. */
	{ KVM_GET_XSAVE2, IOCTL_OUT, vcpu_get_xsave },
	{ KVM_SET_XSAVE, IOCTL_IN, vcpu_set_xsave },
	{ KVM_GET_XCRS, IOCTL_OUT, vcpu_get_xcrs },
	{ KVM_SET_XCRS, IOCTL_IN, vcpu_set_xcrs },
	{ KVM_GET_MSRS, IOCTL_USER, vcpu_get_msrs },
	{ KVM_SET_MSRS, IOCTL_USER, vcpu_set_msrs },
	{ KVM_SET_CPUID, IOCTL_USER, vcpu_set_cpuid },
	{ KVM_SET_CPUID2, IOCTL_USER, vcpu_set_cpuid2 },
	{ KVM_GET_CPUID2, IOCTL_USER, vcpu_get_cpuid2 },
	{ KVM_GET_SUPPORTED_HV_CPUID, IOCTL_USER, vcpu_get_hv_cpuid },
	{ KVM_GET_LAPIC, IOCTL_OUT, vcpu_get_lapic },
	{ KVM_SET_LAPIC, IOCTL_IN, vcpu_set_lapic },
	{ KVM_INTERRUPT, IOCTL_IN, vcpu_interrupt },
	{ KVM_NMI, IOCTL_VALUE, vcpu_nmi },
	{ KVM_SMI, IOCTL_VALUE, vcpu_smi },
	{ KVM_GET_VCPU_EVENTS, IOCTL_OUT, vcpu_get_events },
	{ KVM_SET_VCPU_EVENTS, IOCTL_IN, vcpu_set_events },
	{ KVM_GET_DEBUGREGS, IOCTL_OUT, vcpu_get_debugregs },
	{ KVM_SET_DEBUGREGS, IOCTL_IN, vcpu_set_debugregs },
	{ KVM_SET_GUEST_DEBUG, IOCTL_IN, vcpu_set_guest_debug },
	{ KVM_GET_MP_STATE, IOCTL_OUT, vcpu_get_mp_state },
	{ KVM_SET_MP_STATE, IOCTL_IN, vcpu_set_mp_state },
	{ KVM_SET_TSC_KHZ, IOCTL_VALUE, vcpu_set_tsc_khz },
	{ KVM_GET_TSC_KHZ, IOCTL_VALUE, vcpu_get_tsc_khz },
	{ KVM_KVMCLOCK_CTRL, IOCTL_VALUE, vcpu_kvmclock_ctrl },
	{ KVM_TRANSLATE, IOCTL_IN | IOCTL_OUT, vcpu_translate },
	{ KVM_X86_SETUP_MCE, IOCTL_IN, vcpu_setup_mce },
	{ KVM_X86_SET_MCE, IOCTL_IN, vcpu_set_mce },
	{ KVM_TPR_ACCESS_REPORTING, IOCTL_IN | IOCTL_OUT, vcpu_tpr_reporting },
	{ KVM_SET_VAPIC_ADDR, IOCTL_IN, vcpu_set_vapic_addr },
	{ KVM_HAS_DEVICE_ATTR, IOCTL_IN, vcpu_has_attr },
	{ KVM_GET_DEVICE_ATTR, IOCTL_IN, vcpu_get_attr },
	{ KVM_SET_DEVICE_ATTR, IOCTL_IN, vcpu_set_attr },
	{ KVM_ENABLE_CAP, IOCTL_IN, vcpu_enable_cap },
	{ KVM_GET_STATS_FD, IOCTL_VALUE, vcpu_get_stats_fd },
	{ KVM_SET_SIGNAL_MASK, IOCTL_USER, vcpu_set_signal_mask },
};

static long vcpu_call(struct vcpu *vcpu, const struct ioctl_row *row,
		      unsigned long arg)
{
	int idx = srcu_read_lock(&vcpu->vm->srcu);
	long ret;

	vcpu->straight = false;
	vcpu_load(vcpu);
	/* A KVM_RUN that is to be restarted has left it. */
	if (unlikely(vcpu->pv.eoi_offered))
		pv_eoi_retract(vcpu);
	ret = ioctl_call(row, vcpu, arg);
	vcpu_put(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

static long vcpu_file_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct vcpu *vcpu = file->private_data;
	const struct ioctl_row *row = NULL;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (cmd != KVM_RUN) {
		row = ioctl_find(vcpu_ioctls, ARRAY_SIZE(vcpu_ioctls), cmd);
		if (!row)
			return -ENOTTY;
	}
	if (!mutex_trylock(&vcpu->mutex) && mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	if (row)
		ret = vcpu_call(vcpu, row, arg);
	else
		ret = arg ? -EINVAL : vcpu_run(vcpu);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/* What the vCPU's file has at a page offset, or NULL. */
static struct page *vcpu_map_page(struct vcpu *vcpu, u64 pgoff)
{
	switch (pgoff) {
	case 0:
		return virt_to_page(vcpu->run);
	case KVM_PIO_PAGE_OFFSET:
		return virt_to_page(vcpu->pio_data);
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		return coalesced_page(vcpu->vm);
	}
	if (pgoff < KVM_DIRTY_LOG_PAGE_OFFSET)
		return NULL;
	return dirty_ring_page(&vcpu->dirty_ring,
			       pgoff - KVM_DIRTY_LOG_PAGE_OFFSET);
}

static vm_fault_t vcpu_page_fault(struct vm_fault *vmf)
{
	struct vcpu *vcpu = vmf->vma->vm_file->private_data;

	vmf->page = vcpu_map_page(vcpu, vmf->pgoff);
	if (!vmf->page)
		return VM_FAULT_SIGBUS;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_page_fault,
};

/* A private copy of a ring would never see what is put there. */
static int vcpu_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vcpu *vcpu = file->private_data;

	if (dirty_ring_page(&vcpu->dirty_ring, 0) &&
	    vma->vm_pgoff + vma_pages(vma) > KVM_DIRTY_LOG_PAGE_OFFSET &&
	    (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC)))
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

/* Of every close; the last may not be the mapping's. */
static int vcpu_file_flush(struct file *file, fl_owner_t id)
{
	pv_apf_hurry(file->private_data);
	return 0;
}

static int vcpu_file_release(struct inode *inode, struct file *file)
{
	struct vcpu *vcpu = file->private_data;

	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.flush = vcpu_file_flush,
	.release = vcpu_file_release,
	.unlocked_ioctl = vcpu_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_file_mmap,
	.llseek = noop_llseek,
};

/**
 * vcpu_file() - the file of a vCPU that is about to be published
 * @vcpu: its VM gets a reference for it from the caller
 *
 * Return: the file, not installed, or ERR_PTR().
 */
struct file *vcpu_file(struct vcpu *vcpu)
{
	char name[sizeof("joist-vcpu:4294967295")];

	snprintf(name, sizeof(name), "joist-vcpu:%u", vcpu->id);
	return anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
}
