// SPDX-License-Identifier: GPL-2.0-only
/* The buses of in-kernel devices: sorted arrays, replaced as a whole. */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "iobus.h"
#include "run.h"
#include "vcpu.h"
#include "vm.h"

#define IOBUS_MAX_RANGES	1000

static struct iobus *iobus_alloc(int nr)
{
	struct iobus *bus;

	bus = kzalloc(struct_size(bus, ranges, nr), GFP_KERNEL_ACCOUNT);
	if (bus)
		bus->nr = nr;
	return bus;
}

/** iobus_init() - empty buses for a new VM; 0 or -ENOMEM */
int iobus_init(struct vm *vm)
{
	int i;

	for (i = 0; i < NR_IOBUSES; i++) {
		struct iobus *bus = iobus_alloc(0);

		if (!bus) {
			iobus_free(vm);
			return -ENOMEM;
		}
		RCU_INIT_POINTER(vm->bus[i], bus);
	}
	return 0;
}

/** iobus_free() - destroy the devices that are left; nobody uses the VM */
void iobus_free(struct vm *vm)
{
	int i, j;

	for (i = 0; i < NR_IOBUSES; i++) {
		struct iobus *bus = rcu_dereference_protected(vm->bus[i], true);

		for (j = 0; bus && j < bus->nr; j++) {
			struct iodev *dev = bus->ranges[j].dev;

			if (dev->ops->destroy)
				dev->ops->destroy(dev);
		}
		RCU_INIT_POINTER(vm->bus[i], NULL);
		kfree(bus);
	}
}

static void blocks_of(const struct iobus *bus, unsigned long *blocks)
{
	int i;

	for (i = 0; i < bus->nr; i++) {
		const struct iobus_range *range = &bus->ranges[i];
		unsigned int first, last;

		/* Past all ports: addr + len may be past all numbers. */
		if (range->addr > U16_MAX)
			break;
		first = range->addr / IOBUS_PORT_BLOCK;
		last = min_t(u64, range->addr + max(range->len, 1U) - 1,
			     U16_MAX) / IOBUS_PORT_BLOCK;
		bitmap_set(blocks, first, last - first + 1);
	}
}

static u64 pages_of(const struct iobus *bus)
{
	u64 pages = 0;
	int i;

	for (i = 0; i < bus->nr; i++) {
		const struct iobus_range *range = &bus->ranges[i];
		u64 first = gpa_to_gfn(range->addr);
		u64 last = gpa_to_gfn(range->addr + max(range->len, 1U) - 1);

		if (last - first >= 63)
			return ~0ULL;
		for (; first <= last; first++)
			pages |= BIT_ULL(first % 64);
	}
	return pages;
}

static const struct iobus *bus_get(struct vm *vm, enum iobus_kind kind)
{
	return rcu_dereference_protected(vm->bus[kind],
					 lockdep_is_held(&vm->slots_lock));
}

static bool any_atomic(const struct iobus *bus)
{
	int i;

	for (i = 0; i < bus->nr; i++)
		if (bus->ranges[i].dev->ops->atomic)
			return true;
	return false;
}

/* Once a bus has changed: what vCPUs look at before they look at the buses. */
static void claims_update(struct vm *vm)
{
	DECLARE_BITMAP(blocks, IOBUS_PORT_BLOCKS) = { };

	blocks_of(bus_get(vm, IOBUS_PIO), blocks);
	blocks_of(bus_get(vm, IOBUS_PIO_COALESCED), blocks);
	bitmap_copy(vm->port_blocks, blocks, IOBUS_PORT_BLOCKS);
	WRITE_ONCE(vm->mmio_pages, pages_of(bus_get(vm, IOBUS_MMIO)) |
				   pages_of(bus_get(vm, IOBUS_MMIO_COALESCED)));
	WRITE_ONCE(vm->atomic_buses,
		   any_atomic(bus_get(vm, IOBUS_PIO)) << IOBUS_PIO |
		   any_atomic(bus_get(vm, IOBUS_MMIO)) << IOBUS_MMIO);
}

/*
 * A vCPU that looks at the claims at this moment is one that makes its access
 * before a new device is there, or asks the buses for nothing.
 */
static void iobus_publish(struct vm *vm, enum iobus_kind kind,
			  struct iobus *new, struct iobus *old)
{
	rcu_assign_pointer(vm->bus[kind], new);
	claims_update(vm);
	synchronize_srcu_expedited(&vm->srcu);
	kfree(old);
}

/**
 * iobus_register() - put a device on a bus
 * @vm: which
 * @kind: port or memory-mapped
 * @addr: first address
 * @len: bytes; 0: any length is the device's business (ioeventfd)
 * @dev: stays alive until it is unregistered or destroyed
 *
 * Ranges may overlap: the device that answers first, in order of address and
 * of registration, has the access. Return: 0, -ENOSPC, -ENOMEM. Context:
 * vm->slots_lock held.
 */
int iobus_register(struct vm *vm, enum iobus_kind kind, gpa_t addr, u32 len,
		   struct iodev *dev)
{
	struct iobus *old, *new;
	int i, at;

	lockdep_assert_held(&vm->slots_lock);
	old = rcu_dereference_protected(vm->bus[kind],
					lockdep_is_held(&vm->slots_lock));
	if (old->nr >= IOBUS_MAX_RANGES)
		return -ENOSPC;
	new = iobus_alloc(old->nr + 1);
	if (!new)
		return -ENOMEM;
	for (at = 0; at < old->nr && old->ranges[at].addr <= addr; at++)
		new->ranges[at] = old->ranges[at];
	new->ranges[at] = (struct iobus_range){ addr, len, dev };
	for (i = at; i < old->nr; i++)
		new->ranges[i + 1] = old->ranges[i];
	iobus_publish(vm, kind, new, old);
	if (kind == IOBUS_PIO)
		ports_claim(vm, addr, max(len, 1U));
	return 0;
}

/**
 * iobus_unregister() - take a device off a bus
 * @vm: which
 * @kind: port or memory-mapped
 * @dev: all of its ranges go; nobody is in its operations any more afterwards
 *
 * Return: 0, -ENOENT, -ENOMEM (nothing has changed). Context: vm->slots_lock
 * held.
 */
int iobus_unregister(struct vm *vm, enum iobus_kind kind, struct iodev *dev)
{
	struct iobus *old, *new;
	int i, n = 0;

	lockdep_assert_held(&vm->slots_lock);
	old = rcu_dereference_protected(vm->bus[kind],
					lockdep_is_held(&vm->slots_lock));
	for (i = 0; i < old->nr; i++)
		if (old->ranges[i].dev == dev)
			n++;
	if (!n)
		return -ENOENT;
	new = iobus_alloc(old->nr - n);
	if (!new)
		return -ENOMEM;
	for (i = 0, n = 0; i < old->nr; i++)
		if (old->ranges[i].dev != dev)
			new->ranges[n++] = old->ranges[i];
	iobus_publish(vm, kind, new, old);
	return 0;
}

/** iobus_has_port() - has a device one of these ports? Context: may sleep. */
bool iobus_has_port(struct vm *vm, u32 first, u32 nr)
{
	int idx = srcu_read_lock(&vm->srcu);
	const struct iobus *bus = srcu_dereference(vm->bus[IOBUS_PIO], &vm->srcu);
	bool found = false;
	int i;

	for (i = 0; !found && i < bus->nr; i++) {
		const struct iobus_range *range = &bus->ranges[i];

		found = range->addr < first + nr &&
			range->addr + max(range->len, 1U) > first;
	}
	srcu_read_unlock(&vm->srcu, idx);
	return found;
}

static bool range_hit(const struct iobus_range *range, gpa_t addr, int len)
{
	if (!range->len)
		return range->addr == addr;
	return addr >= range->addr && addr - range->addr + len <= range->len;
}

/* Of the ranges from @i on the first that claims the access; bus->nr: none does. */
static int next_hit(const struct iobus *bus, int i, gpa_t addr, int len)
{
	for (; i < bus->nr && bus->ranges[i].addr <= addr; i++)
		if (range_hit(&bus->ranges[i], addr, len))
			return i;
	return bus->nr;
}

/* The access at @addr, offered to each device that claims it. */
static int iobus_access(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr,
			int len, void *val, bool write)
{
	struct iobus *bus = srcu_dereference(vcpu->vm->bus[kind],
					     &vcpu->vm->srcu);
	int i;

	for (i = 0; (i = next_hit(bus, i, addr, len)) < bus->nr; i++) {
		struct iodev *dev = bus->ranges[i].dev;
		int err;

		err = write ? dev->ops->write(vcpu, dev, addr, len, val) :
			      dev->ops->read(vcpu, dev, addr, len, val);
		if (err != -EOPNOTSUPP) {
			vcpu->io.atomic = dev->ops->atomic;
			return err;
		}
	}
	return -EOPNOTSUPP;
}

/**
 * iobus_read() - ask the in-kernel devices
 * @vcpu: whose thread this is; vm->srcu read section held
 * @kind: port or memory-mapped
 * @addr: address
 * @len: 1..8 bytes
 * @val: filled in
 *
 * Return: 0, or -EOPNOTSUPP: userspace's.
 */
int iobus_read(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
	       void *val)
{
	return iobus_access(vcpu, kind, addr, len, val, false);
}

/** iobus_write() - likewise, writing; behind the devices are the coalesced zones */
int iobus_write(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
		const void *val)
{
	int err = iobus_access(vcpu, kind, addr, len, (void *)val, true);

	if (err != -EOPNOTSUPP)
		return err;
	kind = kind == IOBUS_PIO ? IOBUS_PIO_COALESCED : IOBUS_MMIO_COALESCED;
	return iobus_access(vcpu, kind, addr, len, (void *)val, true);
}

/**
 * iobus_write_hot() - a write that a device may be given with interrupts off
 * @vcpu: its guest has just exited, and is not in vm->srcu
 * @kind: port or memory-mapped
 * @addr: address
 * @len: 1..8 bytes
 * @val: value
 *
 * Context: interrupts off.
 *
 * Return: false: nothing was done, iobus_write() finds out whose it is.
 */
bool iobus_write_hot(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
		     const void *val)
{
	const struct iobus *bus;
	bool done = false;
	int i;

	if (!(READ_ONCE(vcpu->vm->atomic_buses) & BIT(kind)))
		return false;
	vcpu_srcu_hold(vcpu);
	bus = srcu_dereference(vcpu->vm->bus[kind], &vcpu->vm->srcu);
	for (i = 0; !done && (i = next_hit(bus, i, addr, len)) < bus->nr; i++) {
		struct iodev *dev = bus->ranges[i].dev;

		if (!dev->ops->atomic)
			break;
		done = !dev->ops->write(vcpu, dev, addr, len, val);
	}
	vcpu_srcu_drop(vcpu);
	return done;
}
