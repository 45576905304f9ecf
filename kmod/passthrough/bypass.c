// SPDX-License-Identifier: GPL-2.0-only
/*
 * An irqfd whose eventfd a device's driver signals (VFIO) from the handler of the
 * device's interrupt meets that interrupt here. While the irqfd's GSI is an MSI to one
 * vCPU that can be posted to, the IOMMU posts the interrupt to it: no handler runs, no
 * eventfd is signalled. One to a vCPU that cannot has its handler on that vCPU's CPU. In
 * all other cases all is as without: the eventfd's way.
 *
 * What an MSI means changes with the routes, and with the modes and ids of the guest's
 * local APICs: then it is looked at again, soon.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "affinity.h"
#include "bypass.h"
#include "../compat/bypass.h"
#include "../core/vcpu.h"
#include "../core/vm.h"
#include "../irqchip/irqchip.h"
#include "../x86/vendor_ops.h"

/**
 * struct bypass - an irqfd that may meet an interrupt
 * @consumer: as the matchmaker knows it
 * @vm: whose, alive
 * @gsi: what the irqfd raises
 * @node: in vm->bypass.list
 * @irq: of the host's, that it has met; -1: none
 * @target: that the IOMMU posts it to; NULL: nobody
 * @vector: as which
 *
 * vm->bypass.lock, but for @consumer: the matchmaker's, which is taken first.
 */
struct bypass {
	struct irq_bypass_consumer consumer;
	struct vm *vm;
	u32 gsi;
	struct list_head node;
	int irq;
	struct vcpu *target;
	u8 vector;
};

/* The matchmaker, from the first time it was needed on. */
static struct compat_bypass match;
static DEFINE_MUTEX(match_lock);	/* protects it */

/* @load: make it be there. Whoever has interrupts to offer needs it, too. */
static bool match_get(bool load)
{
	bool got;

	mutex_lock(&match_lock);
	got = match.add || compat_bypass_get(&match, load);
	mutex_unlock(&match_lock);
	return got;
}

/** bypass_teardown() - at unload: there are no irqfds */
void bypass_teardown(void)
{
	compat_bypass_put(&match);
}

static void post(struct bypass *b, struct vcpu *target, u8 vector)
{
	lockdep_assert_held(&b->vm->bypass.lock);
	if (b->target == target && (!target || b->vector == vector))
		return;
	/* Before the first is posted: who sleeps is to be found by the IOMMU. */
	if (target && !b->target) {
		WRITE_ONCE(b->vm->irqs_posted, b->vm->irqs_posted + 1);
		vm_request_all(b->vm, REQ_KICK);
	}
	if (vendor_call(post_irq)(target, b->irq, vector)) {
		/* The kernel cannot: the interrupt stays, or goes, where it can. */
		pr_info_once("host interrupt %d cannot be posted: it takes the way of its eventfd (said once)\n",
			     b->irq);
		if (b->target)
			vendor_call(post_irq)(NULL, b->irq, 0);
		target = NULL;
	}
	if (!target)
		WRITE_ONCE(b->vm->irqs_posted, b->vm->irqs_posted - 1);
	b->target = target;
	b->vector = vector;
}

static void update(struct bypass *b)
{
	struct vcpu *target;
	u8 vector = 0;

	if (b->irq < 0)
		return;
	target = irqchip_msi_target(b->vm, b->gsi, &vector);
	if (vendor_call(posts_irqs)())
		post(b, target, vector);
	affinity_follow(b->vm, b->irq, b->target ? NULL : target);
}

static struct bypass *of(struct irq_bypass_consumer *consumer)
{
	return container_of(consumer, struct bypass, consumer);
}

static int add_producer(struct irq_bypass_consumer *consumer,
			struct irq_bypass_producer *producer)
{
	struct bypass *b = of(consumer);

	mutex_lock(&b->vm->bypass.lock);
	b->irq = producer->irq;
	update(b);
	mutex_unlock(&b->vm->bypass.lock);
	return 0;
}

static void del_producer(struct irq_bypass_consumer *consumer,
			 struct irq_bypass_producer *producer)
{
	struct bypass *b = of(consumer);

	mutex_lock(&b->vm->bypass.lock);
	post(b, NULL, 0);
	affinity_follow(b->vm, b->irq, NULL);
	b->irq = -1;
	mutex_unlock(&b->vm->bypass.lock);
}

/**
 * bypass_update() - look again at what the VM's MSIs mean
 * @vm: may sleep
 */
void bypass_update(struct vm *vm)
{
	struct bypass *b;

	mutex_lock(&vm->bypass.lock);
	list_for_each_entry(b, &vm->bypass.list, node)
		update(b);
	mutex_unlock(&vm->bypass.lock);
}

static void update_work(struct work_struct *work)
{
	bypass_update(container_of(work, struct vm, bypass.work));
}

/** bypass_update_later() - likewise, soon. Context: any */
void bypass_update_later(struct vm *vm)
{
	/* It is empty where nothing is posted, and nobody has devices of the host's. */
	if (unlikely(!list_empty(&vm->bypass.list)))
		schedule_work(&vm->bypass.work);
}

void bypass_vm_init(struct vm *vm)
{
	mutex_init(&vm->bypass.lock);
	INIT_LIST_HEAD(&vm->bypass.list);
	INIT_WORK(&vm->bypass.work, update_work);
	affinity_vm_init(vm);
}

/** bypass_vm_end() - its irqfds are gone, and no vCPU runs that could ask for an update */
void bypass_vm_end(struct vm *vm)
{
	cancel_work_sync(&vm->bypass.work);
	affinity_vm_end(vm);
}

/**
 * bypass_create() - an irqfd is there that a device's interrupt could pass by
 * @vm: whose
 * @gsi: what it raises
 * @eventfd: its
 *
 * Return: to be given to bypass_destroy() with the irqfd; NULL: it has none.
 */
struct bypass *bypass_create(struct vm *vm, u32 gsi, struct eventfd_ctx *eventfd)
{
	bool posts = vendor_call(posts_irqs)();
	struct bypass *b;

	if (!(posts || affinity_wanted()) || !match_get(posts))
		return NULL;
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return NULL;
	b->vm = vm;
	b->gsi = gsi;
	b->irq = -1;
	b->consumer.add_producer = add_producer;
	b->consumer.del_producer = del_producer;
	mutex_lock(&vm->bypass.lock);
	list_add_tail(&b->node, &vm->bypass.list);
	mutex_unlock(&vm->bypass.lock);
	if (!compat_bypass_add(&match, &b->consumer, eventfd))
		return b;
	mutex_lock(&vm->bypass.lock);
	list_del(&b->node);
	mutex_unlock(&vm->bypass.lock);
	kfree(b);
	return NULL;
}

/** bypass_destroy() - the irqfd goes: the interrupt has its handler back */
void bypass_destroy(struct bypass *b)
{
	if (!b)
		return;
	match.del(&b->consumer);
	mutex_lock(&b->vm->bypass.lock);
	list_del(&b->node);
	mutex_unlock(&b->vm->bypass.lock);
	kfree(b);
}
