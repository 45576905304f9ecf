// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced I/O: a guest's write to a registered zone is put into a ring that all
 * of the VM's vCPUs share with the VMM, and the guest goes on. The VMM reads the
 * ring at the next exit, whatever that is for. When it is full the write exits.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "coalesced.h"
#include "vcpu.h"
#include "vm.h"

static_assert(sizeof(struct kvm_coalesced_mmio) == 24);
static_assert(offsetof(struct kvm_coalesced_mmio_ring, coalesced_mmio) == 8);

#define RING_ENTRIES	((u32)KVM_COALESCED_MMIO_MAX)

/**
 * struct coalesced_zone - addresses of which writes are coalesced
 * @dev: on the bus
 * @node: in vm->coalesced.zones; slots_lock
 * @bus: behind the devices of port or of memory-mapped addresses
 * @addr: first address
 * @size: bytes
 */
struct coalesced_zone {
	struct iodev dev;
	struct list_head node;
	enum iobus_kind bus;
	gpa_t addr;
	u32 size;
};

static bool zone_has(const struct coalesced_zone *zone, gpa_t addr, u32 len)
{
	return addr >= zone->addr && len <= zone->size &&
	       addr - zone->addr <= zone->size - len;
}

static int zone_read(struct vcpu *vcpu, struct iodev *dev, gpa_t addr, int len,
		     void *val)
{
	return -EOPNOTSUPP;
}

/* ring->first and ring->last may be anything. Lock held: 0, or no room. */
static int ring_add(struct kvm_coalesced_mmio_ring *ring,
		    const struct kvm_coalesced_mmio *entry)
{
	u32 first = READ_ONCE(ring->first);
	u32 last = READ_ONCE(ring->last);
	u32 next = (last + 1) % RING_ENTRIES;

	if (last >= RING_ENTRIES || next == first)
		return -EOPNOTSUPP;
	ring->coalesced_mmio[last] = *entry;
	/* The entry comes before what says that it is there. */
	smp_store_release(&ring->last, next);
	return 0;
}

static int zone_write(struct vcpu *vcpu, struct iodev *dev, gpa_t addr, int len,
		      const void *val)
{
	struct coalesced_zone *zone = container_of(dev, struct coalesced_zone,
						   dev);
	struct coalesced *c = &vcpu->vm->coalesced;
	struct kvm_coalesced_mmio entry = {
		.phys_addr = addr,
		.len = len,
		.pio = zone->bus == IOBUS_PIO_COALESCED,
	};
	int err;

	if (len > sizeof(entry.data) || !zone_has(zone, addr, len))
		return -EOPNOTSUPP;
	memcpy(entry.data, val, len);
	spin_lock(&c->lock);
	err = ring_add(c->ring, &entry);
	spin_unlock(&c->lock);
	return err;
}

static void zone_destroy(struct iodev *dev)
{
	kfree(container_of(dev, struct coalesced_zone, dev));
}

static const struct iodev_ops zone_ops = {
	.read = zone_read,
	.write = zone_write,
	.destroy = zone_destroy,
};

/**
 * coalesced_vm_init() - an empty ring and no zones
 * @vm: new
 *
 * Return: 0 or -ENOMEM
 */
int coalesced_vm_init(struct vm *vm)
{
	struct coalesced *c = &vm->coalesced;

	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->zones);
	c->ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return c->ring ? 0 : -ENOMEM;
}

/** coalesced_vm_free() - after the buses, which have the zones, are gone */
void coalesced_vm_free(struct vm *vm)
{
	free_page((unsigned long)vm->coalesced.ring);
}

/** coalesced_page() - the ring, to be mapped */
struct page *coalesced_page(struct vm *vm)
{
	return virt_to_page(vm->coalesced.ring);
}

/* pio is 0 or 1: the bus, or -EINVAL. */
static int zone_bus(const struct kvm_coalesced_mmio_zone *zone)
{
	if (zone->pio > 1)
		return -EINVAL;
	return zone->pio ? IOBUS_PIO_COALESCED : IOBUS_MMIO_COALESCED;
}

/**
 * coalesced_register() - KVM_REGISTER_COALESCED_MMIO
 * @vm: whose
 * @args: kernel copy
 *
 * Zones may overlap: a write that any has whole is coalesced. In-kernel devices
 * come first. Context: takes slots_lock; may sleep.
 *
 * Return: 0; -EINVAL: neither memory nor ports; -ENOSPC: too many; -ENOMEM
 */
int coalesced_register(struct vm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone;
	int bus = zone_bus(args);
	int err;

	if (bus < 0)
		return bus;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	zone->dev.ops = &zone_ops;
	zone->bus = bus;
	zone->addr = args->addr;
	zone->size = args->size;

	mutex_lock(&vm->slots_lock);
	err = iobus_register(vm, zone->bus, zone->addr, zone->size, &zone->dev);
	if (!err)
		list_add_tail(&zone->node, &vm->coalesced.zones);
	mutex_unlock(&vm->slots_lock);
	if (err)
		kfree(zone);
	return err;
}

/**
 * coalesced_unregister() - KVM_UNREGISTER_COALESCED_MMIO
 * @vm: whose
 * @args: kernel copy
 *
 * All zones that have all of @args go. What they put into the ring stays there.
 * Context: takes slots_lock; may sleep.
 *
 * Return: 0, even if there is none; -EINVAL: neither memory nor ports; -ENOMEM:
 * some are left
 */
int coalesced_unregister(struct vm *vm,
			 const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone, *next;
	int bus = zone_bus(args);
	int err = 0;

	if (bus < 0)
		return bus;
	mutex_lock(&vm->slots_lock);
	list_for_each_entry_safe(zone, next, &vm->coalesced.zones, node) {
		if (zone->bus != bus || !zone_has(zone, args->addr, args->size))
			continue;
		err = iobus_unregister(vm, zone->bus, &zone->dev);
		if (err)
			break;
		list_del(&zone->node);
		zone_destroy(&zone->dev);
	}
	mutex_unlock(&vm->slots_lock);
	return err;
}
