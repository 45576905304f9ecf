// SPDX-License-Identifier: GPL-2.0-only
/* What differs between kernels, behind one face. */
#include <linux/mm.h>
#include <linux/syscore_ops.h>
#include <asm/reboot.h>

#include "compat.h"

static const struct compat_power_ops *power_ops;

#ifdef HAVE_SYSCORE_OPS

static int power_suspend(void)
{
	return power_ops->suspend();
}

static void power_resume(void)
{
	power_ops->resume();
}

static void power_shutdown(void)
{
	power_ops->shutdown();
}

static struct syscore_ops syscore = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_shutdown,
};

#define register_power()	register_syscore_ops(&syscore)
#define unregister_power()	unregister_syscore_ops(&syscore)

#else

static int power_suspend(void *data)
{
	return power_ops->suspend();
}

static void power_resume(void *data)
{
	power_ops->resume();
}

static void power_shutdown(void *data)
{
	power_ops->shutdown();
}

static const struct syscore_ops syscore_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_shutdown,
};

static struct syscore syscore = { .ops = &syscore_ops };

#define register_power()	register_syscore(&syscore)
#define unregister_power()	unregister_syscore(&syscore)

#endif

/**
 * compat_power_register() - follow sleep and reboot
 * @ops: kept until compat_power_unregister()
 */
void compat_power_register(const struct compat_power_ops *ops)
{
	power_ops = ops;
	register_power();
}

/** compat_power_unregister() - no call of the ops is under way after it */
void compat_power_unregister(void)
{
	unregister_power();
}

#ifdef HAVE_EMERGENCY_VIRT_CALLBACK

static void (*emergency_disable)(void);

/**
 * compat_emergency_register() - be called when a CPU must leave VMX or SVM now
 * @disable: any context, NMI included
 */
void compat_emergency_register(void (*disable)(void))
{
	emergency_disable = disable;
	cpu_emergency_register_virt_callback(disable);
}

/** compat_emergency_unregister() - waits for calls under way */
void compat_emergency_unregister(void)
{
	cpu_emergency_unregister_virt_callback(emergency_disable);
}

#else

/* Kernels without the callback leave VMX and SVM by themselves: they look at
 * CR4.VMXE and EFER.SVME on the way to a crash kernel or a reset.
 */
void compat_emergency_register(void (*disable)(void))
{
}

void compat_emergency_unregister(void)
{
}

#endif

/**
 * compat_follow_pfnmap() - the frame that a VM_PFNMAP or VM_IO area has mapped
 * @vma: the area, its mmap_lock held
 * @address: in it
 * @pfn: out: the frame
 * @writable: out: mapped for writing
 *
 * The frame may be unmapped as soon as this returns; mmu notifiers tell.
 *
 * Return: 0, or -EINVAL when nothing is mapped there
 */
int compat_follow_pfnmap(struct vm_area_struct *vma, unsigned long address,
			 unsigned long *pfn, bool *writable)
{
#ifdef HAVE_FOLLOW_PFNMAP
	struct follow_pfnmap_args args = { .vma = vma, .address = address };
	int err = follow_pfnmap_start(&args);

	if (err)
		return err;
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
#else
	spinlock_t *lock;	/* the page table's */
	pte_t *pte;
	int err = follow_pte(vma->vm_mm, address, &pte, &lock);

	if (err)
		return err;
	__acquire(lock);	/* for sparse: follow_pte() says nothing */
	*pfn = pte_pfn(*pte);
	*writable = pte_write(*pte);
	pte_unmap_unlock(pte, lock);
#endif
	return 0;
}
