/* SPDX-License-Identifier: GPL-2.0-only */
/* The only room that knows what a kernel's own interfaces look like. */
#ifndef JOIST_COMPAT_COMPAT_H
#define JOIST_COMPAT_COMPAT_H

#include <linux/eventfd.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <asm/hardirq.h>

struct vm_area_struct;

/**
 * struct compat_power_ops - what is to be done around sleep and reboot
 * @suspend: before sleep: on the last CPU, interrupts off; 0 or -errno
 * @resume: after it
 * @shutdown: before reboot: process context, all CPUs running
 */
struct compat_power_ops {
	int (*suspend)(void);
	void (*resume)(void);
	void (*shutdown)(void);
};

void compat_power_register(const struct compat_power_ops *ops);
void compat_power_unregister(void);

/* @disable is called on each CPU by NMI when the kernel crashes or is
 * restarted by force; it must work from any context.
 */
void compat_emergency_register(void (*disable)(void));
void compat_emergency_unregister(void);

int compat_follow_pfnmap(struct vm_area_struct *vma, unsigned long address,
			 unsigned long *pfn, bool *writable);

/* The VMM may change it at any time: read once. */
static inline bool compat_immediate_exit(const struct kvm_run *run)
{
#ifdef HAVE_KVM_UNSAFE_HINT
	return READ_ONCE(run->immediate_exit__unsafe);
#else
	return READ_ONCE(run->immediate_exit);
#endif
}

/*
 * Of what TIF_NOTIFY_RESUME may stand for, is there something that should not wait until
 * this thread is in userspace by itself? Its rseq area can.
 */
static inline bool compat_resume_work_urgent(void)
{
#ifdef CONFIG_MEMCG
	if (current->memcg_nr_pages_over_high)
		return true;
#endif
#ifdef CONFIG_BLK_CGROUP
#ifdef HAVE_THROTTLE_DISK
	if (current->throttle_disk)
		return true;
#else
	if (current->throttle_queue)
		return true;
#endif
#endif
	return task_work_pending(current);
}

/*
 * Has this CPU taken an interrupt of the host's since it was asked last? The kernel notes
 * it for kvm_intel's sake, where that can be built.
 */
static inline bool compat_l1d_exposed(void)
{
#if IS_ENABLED(CONFIG_KVM_INTEL)
	bool exposed = kvm_get_cpu_l1tf_flush_l1d();

	kvm_clear_cpu_l1tf_flush_l1d();
	return exposed;
#else
	return true;
#endif
}

/* The thread's registers in memory. */
static inline struct fpu *compat_current_fpu(void)
{
#ifdef HAVE_X86_TASK_FPU
	return x86_task_fpu(current);
#else
	return &current->thread.fpu;
#endif
}

static inline void compat_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef HAVE_EVENTFD_SIGNAL_ONE_ARG
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

#endif
