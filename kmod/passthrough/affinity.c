// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's interrupt that is not posted has its handler run on a CPU of the host's
 * choice, and the vCPU that it is for is told by an IPI. On the CPU where the vCPU is
 * there is none: the interrupt itself has ended the guest's stay. So it goes there, once
 * the vCPU has stayed for a while; and where it went before, when it is for no vCPU any more.
 *
 * Whoever else sets its affinity, by hand or as irqbalance, has his way.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "affinity.h"
#include "steer.h"
#include "../core/vm.h"

/* How long a vCPU is to be on a CPU, and how often one looks. */
#define SETTLE	msecs_to_jiffies(50)

static bool irq_affinity = true;
module_param(irq_affinity, bool, 0644);
MODULE_PARM_DESC(irq_affinity,
		 "interrupts of guests' devices go to the CPU of the vCPU they are for (default Y)");

/**
 * struct followed - a host interrupt that follows a vCPU, or has
 * @node: in vm->bypass.irqs
 * @irq: its number; while @vcpu is set it has a handler
 * @vcpu: which it follows; NULL: none
 * @cpu: where we sent it; -1: it is as it was
 * @hands_off: its affinity is somebody else's affair
 * @former: its affinity before we sent it anywhere
 *
 * vm->bypass.lock. It stays, so that who sets the affinity has not done so in vain when
 * the guest masks its message and unmasks it.
 */
struct followed {
	struct list_head node;
	unsigned int irq;
	struct vcpu *vcpu;
	int cpu;
	bool hands_off;
	cpumask_var_t former;
};

/* The kernel's own tell the CPU where it goes, or that it must not be moved. */
static bool may_move(struct irq_data *data)
{
	return irqd_can_balance(data) && !irqd_affinity_is_managed(data);
}

/* Where it may go; a change that takes effect with the next interrupt is one. */
static const struct cpumask *may_go(struct irq_data *data)
{
#ifdef CONFIG_GENERIC_PENDING_IRQ
	if (irqd_is_setaffinity_pending(data))
		return irq_data_to_desc(data)->pending_mask;
#endif
	return irq_data_get_affinity_mask(data);
}

static void see(const struct followed *f, struct irq_data *data, struct steer_view *view)
{
	const struct cpumask *now = may_go(data);
	int to = READ_ONCE(f->vcpu->last_cpu);

	*view = (struct steer_view) {
		.to = to,
		.from = f->cpu,
		.as_left = cpumask_equal(now, f->cpu < 0 ? f->former : cpumask_of(f->cpu)),
		.from_online = f->cpu >= 0 && cpu_online(f->cpu),
		.to_online = to >= 0 && cpu_online(to),
		.there = to >= 0 && cpumask_equal(now, cpumask_of(to)),
		.settled = time_after_eq(jiffies, READ_ONCE(f->vcpu->moved) + SETTLE),
	};
}

static void send(struct followed *f, int cpu)
{
	int err = irq_set_affinity(f->irq, cpumask_of(cpu));

	if (!err)
		f->cpu = cpu;
	else
		pr_info_once("host interrupt %u does not go to CPU %d, where its vCPU is: %d (harmless, said once)\n",
			     f->irq, cpu, err);
}

static void send_back(struct followed *f, struct irq_data *data)
{
	struct steer_view view;

	if (f->cpu < 0)
		return;
	see(f, data, &view);
	/* It fails where none of these CPUs is left, and then it may stay. */
	if (!f->hands_off && steer_is_ours(&view))
		irq_set_affinity(f->irq, f->former);
	f->cpu = -1;
}

/* Return: is it to be looked at again soon? */
static bool look_at(struct followed *f)
{
	struct irq_data *data = irq_get_irq_data(f->irq);
	struct steer_view view;

	if (!f->vcpu || f->hands_off || !data)
		return false;
	see(f, data, &view);
	switch (steer_decide(&view)) {
	case STEER_KEEP:
		return false;
	case STEER_LATER:
		return true;
	case STEER_MOVE:
		send(f, view.to);
		return false;
	case STEER_LEAVE:
		f->hands_off = true;
		return false;
	}
	return false;
}

static void look(struct work_struct *work)
{
	struct vm *vm = container_of(to_delayed_work(work), struct vm, bypass.look);
	struct followed *f;
	bool again = false;

	mutex_lock(&vm->bypass.lock);
	list_for_each_entry(f, &vm->bypass.irqs, node)
		again |= look_at(f);
	mutex_unlock(&vm->bypass.lock);
	if (again)
		affinity_look_later(vm);
}

/** affinity_look_later() - a vCPU has moved that interrupts follow. Context: any */
void affinity_look_later(struct vm *vm)
{
	/* Not on the vCPU's CPU, if the host has a better one. */
	queue_delayed_work(system_unbound_wq, &vm->bypass.look, SETTLE);
}

static struct followed *find(struct vm *vm, unsigned int irq)
{
	struct followed *f;

	list_for_each_entry(f, &vm->bypass.irqs, node)
		if (f->irq == irq)
			return f;
	return NULL;
}

static struct followed *new(struct vm *vm, unsigned int irq)
{
	struct followed *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	if (!zalloc_cpumask_var(&f->former, GFP_KERNEL_ACCOUNT)) {
		kfree(f);
		return NULL;
	}
	f->irq = irq;
	f->cpu = -1;
	/* Of an affinity that was set before we knew of it. */
	f->hands_off = true;
	list_add(&f->node, &vm->bypass.irqs);
	return f;
}

static void follow(struct followed *f, struct irq_data *data, struct vcpu *vcpu)
{
	if (f->vcpu)
		WRITE_ONCE(f->vcpu->irqs_follow, f->vcpu->irqs_follow - 1);
	if (!vcpu)
		send_back(f, data);
	/* Its number may be another's now, whose affinity nobody has set. */
	if (!f->vcpu && !irqd_affinity_was_set(data)) {
		cpumask_copy(f->former, irq_data_get_affinity_mask(data));
		f->hands_off = !may_move(data);
	}
	f->vcpu = vcpu;
	if (!vcpu)
		return;
	WRITE_ONCE(vcpu->irqs_follow, vcpu->irqs_follow + 1);
	affinity_look_later(vcpu->vm);
}

/**
 * affinity_follow() - an interrupt is for another vCPU from now on
 * @vm: vm->bypass.lock held
 * @irq: of the host's, with its handler
 * @vcpu: for whom; NULL: for none, or it is posted. Its affinity is as before then
 */
void affinity_follow(struct vm *vm, unsigned int irq, struct vcpu *vcpu)
{
	struct followed *f = find(vm, irq);
	struct irq_data *data;

	lockdep_assert_held(&vm->bypass.lock);
	if (vcpu && !READ_ONCE(irq_affinity))
		vcpu = NULL;
	if (f ? f->vcpu == vcpu : !vcpu)
		return;
	data = irq_get_irq_data(irq);
	if (WARN_ON_ONCE(!data))
		return;
	f = f ?: new(vm, irq);
	if (f)
		follow(f, data, vcpu);
}

/** affinity_wanted() - may it make a difference on this host? */
bool affinity_wanted(void)
{
	return num_possible_cpus() > 1 && READ_ONCE(irq_affinity);
}

void affinity_vm_init(struct vm *vm)
{
	INIT_LIST_HEAD(&vm->bypass.irqs);
	INIT_DELAYED_WORK(&vm->bypass.look, look);
}

/** affinity_vm_end() - no interrupt follows any vCPU of its, and none of these runs */
void affinity_vm_end(struct vm *vm)
{
	struct followed *f, *next;

	cancel_delayed_work_sync(&vm->bypass.look);
	list_for_each_entry_safe(f, next, &vm->bypass.irqs, node) {
		WARN_ON_ONCE(f->vcpu);
		free_cpumask_var(f->former);
		kfree(f);
	}
}
