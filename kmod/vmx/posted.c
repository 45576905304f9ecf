// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of devices that the IOMMU posts: where its notifications go follows the
 * vCPU. On a CPU: there, and that takes them while the guest runs. Without one: nowhere,
 * if it waits for a CPU, for it looks by itself then; and if it sleeps, to the CPU that
 * it was on, which looks through a list of those who do.
 */
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <asm/apic.h>
#include <asm/smp.h>

#include "vmx.h"
#include "../compat/posted.h"
#include "../irqchip/lapic.h"

/**
 * struct sleepers - the vCPUs of which a CPU is told
 * @lock: protects the list and its members' posted_cpu. Taken to go to sleep, under the
 *        run queue's lock, on that CPU alone; to wake others, on it, interrupts off; to
 *        be taken out, anywhere
 * @list: vmx_vcpu.posted_node
 */
struct sleepers {
	raw_spinlock_t lock;	/* see above */
	struct list_head list;
};

static DEFINE_PER_CPU(struct sleepers, sleepers);

static u32 ndst(int cpu)
{
	return posted_ndst(per_cpu(x86_cpu_to_apicid, cpu), x2apic_mode);
}

static void wake_some(bool all)
{
	struct sleepers *s = this_cpu_ptr(&sleepers);
	struct vmx_vcpu *vmx;

	raw_spin_lock(&s->lock);
	list_for_each_entry(vmx, &s->list, posted_node)
		if (all || posted_pending(vmx->posted))
			vcpu_wake(&vmx->vcpu);
	raw_spin_unlock(&s->lock);
}

/* Interrupts off, by the wake-up vector. */
static void wake_sleepers(void)
{
	wake_some(false);
}

/** vmx_posted_cpu_goes() - this CPU does: its sleepers are to sleep elsewhere; interrupts off */
void vmx_posted_cpu_goes(void)
{
	wake_some(true);
}

/** vmx_posted_setup() - at load */
void vmx_posted_setup(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct sleepers *s = per_cpu_ptr(&sleepers, cpu);

		raw_spin_lock_init(&s->lock);
		INIT_LIST_HEAD(&s->list);
	}
	if (vmx_caps.posted)
		compat_on_wakeup(wake_sleepers);
}

void vmx_posted_teardown(void)
{
	if (vmx_caps.posted)
		compat_on_wakeup(NULL);
}

static void leave_sleepers(struct vmx_vcpu *vmx)
{
	struct sleepers *s = per_cpu_ptr(&sleepers, vmx->posted_cpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	list_del(&vmx->posted_node);
	vmx->posted_cpu = -1;
	raw_spin_unlock_irqrestore(&s->lock, flags);
}

/** vmx_posted_arrive() - the vCPU is on @cpu, this one: it is notified here */
void vmx_posted_arrive(struct vmx_vcpu *vmx, int cpu)
{
	if (unlikely(vmx->posted_cpu >= 0))
		leave_sleepers(vmx);
	posted_load(vmx->posted, ndst(cpu), compat_posted_vector());
}

/**
 * vmx_posted_depart() - it leaves this CPU, and IOMMUs may post to it
 * @vmx: interrupts off
 */
void vmx_posted_depart(struct vmx_vcpu *vmx)
{
	struct sleepers *s = this_cpu_ptr(&sleepers);
	int cpu = smp_processor_id();

	if (!vmx->posted)
		return;
	if (READ_ONCE(vmx->vcpu.asleep) != JOIST_VCPU_STATE_HALTED) {
		posted_preempt(vmx->posted);
		return;
	}
	/* Who wakes takes a run queue's lock within; never that of this CPU at this time. */
	raw_spin_lock_nested(&s->lock, SINGLE_DEPTH_NESTING);
	list_add_tail(&vmx->posted_node, &s->list);
	vmx->posted_cpu = cpu;
	raw_spin_unlock(&s->lock);
	/* Its thread sleeps already, or will: somebody else has to wake it. */
	if (!posted_halt(vmx->posted, ndst(cpu), compat_wakeup_vector()))
		compat_send_wakeup_here();
}

/** vmx_posted_forget() - it is destroyed, maybe before it was on a CPU again */
void vmx_posted_forget(struct vmx_vcpu *vmx)
{
	if (vmx->posted_cpu >= 0)
		leave_sleepers(vmx);
}

bool vmx_posts_irqs(void)
{
	return vmx_caps.posted && compat_iommu_posts();
}

/** vmx_post_irq() - see struct vendor_ops */
int vmx_post_irq(struct vcpu *vcpu, unsigned int irq, u8 vector)
{
	struct posted_desc *desc;

	if (!vcpu)
		return compat_post_irq(irq, 0, 0);
	desc = to_vmx(vcpu)->posted;
	if (!desc)
		return -EOPNOTSUPP;
	return compat_post_irq(irq, __pa(desc), vector);
}
