// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd: an eventfd that is signalled raises an interrupt, right in the
 * signaller's context. With a resample eventfd the line is level-triggered:
 * it falls when the guest acknowledges it, and the VMM is told.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "eventfd.h"
#include "vm.h"
#include "../compat/compat.h"
#include "../irqchip/irqchip.h"
#include "../passthrough/bypass.h"

/**
 * struct irqfd - one binding of an eventfd to a GSI
 * @vm: which; the irqfd is gone before the VM is
 * @gsi: pin of the routing table
 * @eventfd: signalled by whoever raises it
 * @resample: signalled when the guest acknowledges; NULL: edge
 * @bypass: the way of a device's interrupt past the eventfd; NULL: none
 * @wait: our place in @eventfd's wait queue
 * @pt: used while polling for the first time
 * @node: in vm->irqfds; vm->irqfd_lock
 * @resample_node: in vm->resamplers; vm->resample_lock to change, irq_srcu to read
 * @shutdown: takes it apart; it may not be waited for where it is found dead
 */
struct irqfd {
	struct vm *vm;
	u32 gsi;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample;
	struct bypass *bypass;
	wait_queue_entry_t wait;
	poll_table pt;
	struct list_head node;
	struct list_head resample_node;
	struct work_struct shutdown;
};

static struct workqueue_struct *irqfd_wq;

/** eventfd_setup() - at module load; 0 or -ENOMEM */
int eventfd_setup(void)
{
	irqfd_wq = alloc_workqueue("joist-irqfd", 0, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

/** eventfd_teardown() - at unload: no VM is left */
void eventfd_teardown(void)
{
	destroy_workqueue(irqfd_wq);
	bypass_teardown();
}

/** eventfd_vm_init() - a new VM has no bindings */
void eventfd_vm_init(struct vm *vm)
{
	INIT_LIST_HEAD(&vm->ioeventfds);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->resamplers);
	spin_lock_init(&vm->irqfd_lock);
	mutex_init(&vm->resample_lock);
	bypass_vm_init(vm);
}

static void irqfd_raise(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;

	if (irqfd->resample) {
		irqchip_set_line(vm, irqfd->gsi, 1, IRQ_SOURCE_IRQFD_RESAMPLE);
		return;
	}
	irqchip_set_line(vm, irqfd->gsi, 1, IRQ_SOURCE_USERSPACE);
	irqchip_set_line(vm, irqfd->gsi, 0, IRQ_SOURCE_USERSPACE);
}

/* vm->resample_lock held: no other resampling irqfd shares the line. */
static bool irqfd_is_last(const struct irqfd *irqfd)
{
	const struct irqfd *other;

	list_for_each_entry(other, &irqfd->vm->resamplers, resample_node)
		if (other->gsi == irqfd->gsi)
			return false;
	return true;
}

static void irqfd_shutdown(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, shutdown);
	struct vm *vm = irqfd->vm;
	u64 count;

	/* First, so that no interrupt is lost between the two ways. */
	bypass_destroy(irqfd->bypass);
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	if (irqfd->resample) {
		mutex_lock(&vm->resample_lock);
		list_del_rcu(&irqfd->resample_node);
		if (irqfd_is_last(irqfd))
			irqchip_set_line(vm, irqfd->gsi, 0,
					 IRQ_SOURCE_IRQFD_RESAMPLE);
		mutex_unlock(&vm->resample_lock);
		synchronize_srcu(&vm->irq_srcu);
		eventfd_ctx_put(irqfd->resample);
	}
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* vm->irqfd_lock held: whoever takes it off the list queues the shutdown. */
static void irqfd_deactivate(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->vm->irqfd_lock);
	list_del_init(&irqfd->node);
	queue_work(irqfd_wq, &irqfd->shutdown);
}

/* The eventfd was signalled or is going away: its wait queue's lock is held. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync,
			void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t flags = key_to_poll(key);
	unsigned long irqflags;

	if (flags & EPOLLIN) {
		u64 count;

		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd_raise(irqfd);
	}
	if (flags & EPOLLHUP) {
		struct vm *vm = irqfd->vm;

		spin_lock_irqsave(&vm->irqfd_lock, irqflags);
		if (!list_empty(&irqfd->node))
			irqfd_deactivate(irqfd);
		spin_unlock_irqrestore(&vm->irqfd_lock, irqflags);
	}
	return 0;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *head,
			poll_table *pt)
{
	struct irqfd *irqfd = container_of(pt, struct irqfd, pt);

	add_wait_queue_priority(head, &irqfd->wait);
}

static bool irqfd_is_bound(struct vm *vm, const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;

	list_for_each_entry(irqfd, &vm->irqfds, node)
		if (irqfd->eventfd == eventfd)
			return true;
	return false;
}

static int irqfd_open(struct irqfd *irqfd, const struct kvm_irqfd *args,
		      struct file *file)
{
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd))
		return PTR_ERR(irqfd->eventfd);
	if (!(args->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return 0;
	irqfd->resample = eventfd_ctx_fdget(args->resamplefd);
	if (IS_ERR(irqfd->resample)) {
		eventfd_ctx_put(irqfd->eventfd);
		return PTR_ERR(irqfd->resample);
	}
	return 0;
}

static void irqfd_close(struct irqfd *irqfd)
{
	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	eventfd_ctx_put(irqfd->eventfd);
}

static int irqfd_publish(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;
	int err = 0;

	if (irqfd->resample) {
		mutex_lock(&vm->resample_lock);
		list_add_rcu(&irqfd->resample_node, &vm->resamplers);
		mutex_unlock(&vm->resample_lock);
	}
	spin_lock_irq(&vm->irqfd_lock);
	if (irqfd_is_bound(vm, irqfd->eventfd))
		err = -EBUSY;
	else
		list_add_tail(&irqfd->node, &vm->irqfds);
	spin_unlock_irq(&vm->irqfd_lock);
	if (!err || !irqfd->resample)
		return err;
	mutex_lock(&vm->resample_lock);
	list_del_rcu(&irqfd->resample_node);
	mutex_unlock(&vm->resample_lock);
	synchronize_srcu(&vm->irq_srcu);
	return err;
}

static int irqfd_assign(struct vm *vm, const struct kvm_irqfd *args)
{
	struct irqfd *irqfd;
	struct file *file;
	__poll_t events;
	u64 count;
	int err;

	/* Of a pin that is not here nobody hears when it is acknowledged. */
	if (!(args->flags & KVM_IRQFD_FLAG_RESAMPLE ? vm_has_ioapic(vm) :
	      vm_has_lapic(vm)))
		return -EINVAL;
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->vm = vm;
	irqfd->gsi = args->gsi;
	INIT_LIST_HEAD(&irqfd->node);
	INIT_WORK(&irqfd->shutdown, irqfd_shutdown);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	init_poll_funcptr(&irqfd->pt, irqfd_queue);

	err = -EBADF;
	file = fget(args->fd);
	if (!file)
		goto out_free;
	err = irqfd_open(irqfd, args, file);
	if (err)
		goto out_file;
	/* Wake-ups come from here on; the file that is held keeps a hang-up
	 * away until we are done.
	 */
	events = vfs_poll(file, &irqfd->pt);
	/* A line that is resampled is no message. */
	if (!irqfd->resample)
		irqfd->bypass = bypass_create(vm, args->gsi, irqfd->eventfd);
	err = irqfd_publish(irqfd);
	if (err)
		goto out_close;
	if (events & EPOLLIN)
		irqfd_raise(irqfd);
	fput(file);
	return 0;

out_close:
	bypass_destroy(irqfd->bypass);
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	irqfd_close(irqfd);
out_file:
	fput(file);
out_free:
	kfree(irqfd);
	return err;
}

static int irqfd_deassign(struct vm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);
	struct irqfd *irqfd, *next;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	spin_lock_irq(&vm->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, node)
		if (irqfd->eventfd == eventfd && irqfd->gsi == args->gsi)
			irqfd_deactivate(irqfd);
	spin_unlock_irq(&vm->irqfd_lock);
	eventfd_ctx_put(eventfd);
	/* No interrupt of it comes after the ioctl has returned. */
	flush_workqueue(irqfd_wq);
	return 0;
}

/**
 * irqfd_ioctl() - KVM_IRQFD, by the KVM API documentation
 * @vm: which
 * @args: kernel copy
 *
 * Return: 0; -EINVAL: unknown flags, no irqchip, or resample with
 * the IOAPIC in userspace; -EBADF; -EBUSY: that
 * eventfd is bound already; -ENOMEM. Context: process, no locks.
 */
int irqfd_ioctl(struct vm *vm, const struct kvm_irqfd *args)
{
	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, args);
	return irqfd_assign(vm, args);
}

/** irqfd_release() - the VM's file is closed: nothing is raised any more */
void irqfd_release(struct vm *vm)
{
	struct irqfd *irqfd, *next;

	spin_lock_irq(&vm->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, node)
		irqfd_deactivate(irqfd);
	spin_unlock_irq(&vm->irqfd_lock);
	flush_workqueue(irqfd_wq);
}

/**
 * irqfd_ack() - the guest acknowledged a pin: level-triggered irqfds fall
 * @vm: which
 * @chip: KVM_IRQCHIP_*
 * @pin: of that chip
 *
 * Context: any, no lock of a chip held.
 */
void irqfd_ack(struct vm *vm, unsigned int chip, unsigned int pin)
{
	struct irqfd *irqfd;
	int idx;

	if (list_empty(&vm->resamplers))
		return;
	idx = srcu_read_lock(&vm->irq_srcu);
	list_for_each_entry_srcu(irqfd, &vm->resamplers, resample_node,
				 srcu_read_lock_held(&vm->irq_srcu)) {
		if (!irqchip_gsi_is_pin(vm, irqfd->gsi, chip, pin))
			continue;
		irqchip_set_line(vm, irqfd->gsi, 0, IRQ_SOURCE_IRQFD_RESAMPLE);
		compat_eventfd_signal(irqfd->resample);
	}
	srcu_read_unlock(&vm->irq_srcu, idx);
}
