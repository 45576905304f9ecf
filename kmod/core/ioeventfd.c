// SPDX-License-Identifier: GPL-2.0-only
/* ioeventfd: a guest's write to an address signals an eventfd. */
#include <linux/eventfd.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "eventfd.h"
#include "vm.h"
#include "../compat/compat.h"

/**
 * struct ioeventfd - one address and its eventfd
 * @dev: on the bus
 * @node: in vm->ioeventfds; vm->slots_lock
 * @eventfd: signalled
 * @bus: port or memory-mapped
 * @addr: of the write
 * @len: 1, 2, 4, 8 bytes; 0: any
 * @match: only writes of @value
 * @value: for @match
 */
struct ioeventfd {
	struct iodev dev;
	struct list_head node;
	struct eventfd_ctx *eventfd;
	enum iobus_kind bus;
	gpa_t addr;
	u32 len;
	bool match;
	u64 value;
};

static int ioeventfd_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			  int len, void *val)
{
	return -EOPNOTSUPP;
}

static bool ioeventfd_wants(const struct ioeventfd *p, gpa_t addr, int len,
			    const void *val)
{
	u64 got = 0;

	if (addr != p->addr || (p->len && p->len != len))
		return false;
	if (!p->match)
		return true;
	memcpy(&got, val, min_t(int, len, sizeof(got)));
	return got == p->value;
}

static int ioeventfd_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr,
			   int len, const void *val)
{
	struct ioeventfd *p = container_of(dev, struct ioeventfd, dev);

	if (!ioeventfd_wants(p, addr, len, val))
		return -EOPNOTSUPP;
	compat_eventfd_signal(p->eventfd);
	return 0;
}

static void ioeventfd_destroy(struct iodev *dev)
{
	struct ioeventfd *p = container_of(dev, struct ioeventfd, dev);

	eventfd_ctx_put(p->eventfd);
	kfree(p);
}

static const struct iodev_ops ioeventfd_ops = {
	.read = ioeventfd_read,
	.write = ioeventfd_write,
	.destroy = ioeventfd_destroy,
	/* There eventfd_signal() may sleep. */
	.atomic = !IS_ENABLED(CONFIG_PREEMPT_RT),
};

static int ioeventfd_check(const struct kvm_ioeventfd *args)
{
	const u32 known = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO |
			  KVM_IOEVENTFD_FLAG_DEASSIGN;

	if (args->flags & ~known)
		return -EINVAL;
	switch (args->len) {
	case 0:
		/* Any length: there is no value to compare. */
		if (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
			return -EINVAL;
		break;
	case 1:
	case 2:
	case 4:
	case 8:
		break;
	default:
		return -EINVAL;
	}
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	return 0;
}

static void ioeventfd_fill(struct ioeventfd *p, const struct kvm_ioeventfd *args)
{
	p->dev.ops = &ioeventfd_ops;
	p->bus = args->flags & KVM_IOEVENTFD_FLAG_PIO ? IOBUS_PIO : IOBUS_MMIO;
	p->addr = args->addr;
	p->len = args->len;
	p->match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;
	p->value = p->match ? args->datamatch : 0;
}

/* Would a write that signals @a signal @b too? */
static bool ioeventfd_collides(const struct ioeventfd *a,
			       const struct ioeventfd *b)
{
	return a->bus == b->bus && a->addr == b->addr &&
	       (!a->len || !b->len ||
		(a->len == b->len &&
		 (!a->match || !b->match || a->value == b->value)));
}

static bool ioeventfd_same(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->eventfd == b->eventfd && a->bus == b->bus &&
	       a->addr == b->addr && a->len == b->len && a->match == b->match &&
	       (!a->match || a->value == b->value);
}

static int ioeventfd_assign(struct vm *vm, const struct kvm_ioeventfd *args,
			    struct eventfd_ctx *eventfd)
{
	struct ioeventfd *p, *other;
	int err;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	ioeventfd_fill(p, args);
	p->eventfd = eventfd;

	mutex_lock(&vm->slots_lock);
	err = -EEXIST;
	list_for_each_entry(other, &vm->ioeventfds, node)
		if (ioeventfd_collides(p, other))
			goto out;
	err = iobus_register(vm, p->bus, p->addr, p->len, &p->dev);
	if (err)
		goto out;
	list_add_tail(&p->node, &vm->ioeventfds);
	mutex_unlock(&vm->slots_lock);
	return 0;

out:
	mutex_unlock(&vm->slots_lock);
	kfree(p);
	return err;
}

static int ioeventfd_deassign(struct vm *vm, const struct kvm_ioeventfd *args,
			      struct eventfd_ctx *eventfd)
{
	struct ioeventfd want = { .eventfd = eventfd };
	struct ioeventfd *p;
	int err = -ENOENT;

	ioeventfd_fill(&want, args);
	mutex_lock(&vm->slots_lock);
	list_for_each_entry(p, &vm->ioeventfds, node) {
		if (!ioeventfd_same(p, &want))
			continue;
		err = iobus_unregister(vm, p->bus, &p->dev);
		if (err)
			break;
		list_del(&p->node);
		ioeventfd_destroy(&p->dev);
		break;
	}
	mutex_unlock(&vm->slots_lock);
	return err;
}

/**
 * ioeventfd_ioctl() - KVM_IOEVENTFD, by the KVM API documentation
 * @vm: which
 * @args: kernel copy
 *
 * Return: 0; -EINVAL: flags, length or address; -EBADF; -EEXIST: collides
 * with another; -ENOENT: nothing such to deassign; -ENOSPC; -ENOMEM.
 * Context: process, no locks.
 */
int ioeventfd_ioctl(struct vm *vm, const struct kvm_ioeventfd *args)
{
	struct eventfd_ctx *eventfd;
	int err = ioeventfd_check(args);

	if (err)
		return err;
	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
		err = ioeventfd_deassign(vm, args, eventfd);
		eventfd_ctx_put(eventfd);
		return err;
	}
	/* The reference goes to the binding. */
	err = ioeventfd_assign(vm, args, eventfd);
	if (err)
		eventfd_ctx_put(eventfd);
	return err;
}
