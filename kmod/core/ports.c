// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O ports that a guest may use by itself, past its VMM and joist: a VM with such has a map
 * of its own, in which a set bit is an exit, in place of the vendor's, which has all set.
 * Both vendors' maps are alike: a bit a port, and behind the last port the bits of what an
 * access may reach beyond it.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "admin.h"
#include "iobus.h"
#include "vcpu.h"
#include "vm.h"

/* As SVM wants it; VMX has use of two pages. */
#define PORT_MAP_BYTES	(3 * PAGE_SIZE)

/* Address and data of PCI's configuration space. */
#define PCI_CONFIG_FIRST	0xcf8
#define PCI_CONFIG_LAST		0xcff

/* A power of two: kmalloc() aligns it to pages. */
#define PORT_MAP_SIZE	(4 * PAGE_SIZE)

static unsigned long *map_get(struct vm *vm)
{
	unsigned long *map = vm->admin.ports;

	lockdep_assert_held(&registry_lock);
	if (map)
		return map;
	map = kmalloc(PORT_MAP_SIZE, GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;
	memset(map, 0xff, PORT_MAP_BYTES);
	/* Whoever sees it sees it filled: pairs with ports_map(). */
	smp_store_release(&vm->admin.ports, map);
	return map;
}

/* Returns whether there was one that had been granted. */
static bool map_take(unsigned long *map, u32 first, u32 nr)
{
	bool taken = false;
	u32 port;

	for (port = first; port < first + nr; port++)
		taken |= !test_and_set_bit(port, map);
	return taken;
}

/**
 * ports_grant() - the guest may use a range of ports by itself from now on
 * @vm: registry_lock is held
 * @first: of the range
 * @nr: how many; the last is below 65536
 *
 * Return: 0, -ENOMEM, -EBUSY: a device in the kernel has one of them, or -EPERM: by one all
 * PCI devices of the host are configured.
 */
int ports_grant(struct vm *vm, u32 first, u32 nr)
{
	unsigned long *map;
	u32 port;

	if (iobus_has_port(vm, first, nr))
		return -EBUSY;
	if (first <= PCI_CONFIG_LAST && first + nr > PCI_CONFIG_FIRST)
		return -EPERM;
	map = map_get(vm);
	if (!map)
		return -ENOMEM;
	for (port = first; port < first + nr; port++)
		clear_bit(port, map);
	/* Either a device that comes sees them, or it is seen: pairs with ports_claim(). */
	smp_mb();
	if (iobus_has_port(vm, first, nr)) {
		map_take(map, first, nr);
		vm_request_all_wait(vm, REQ_PORTS);
		return -EBUSY;
	}
	/* They look again though the map is the same: a CPU may have kept some of it. */
	vm_request_all_wait(vm, REQ_PORTS);
	return 0;
}

/**
 * ports_revoke() - accesses of a range of ports exit from now on
 * @vm: registry_lock is held
 * @first: of the range
 * @nr: how many; those that were not granted are none the worse
 */
void ports_revoke(struct vm *vm, u32 first, u32 nr)
{
	lockdep_assert_held(&registry_lock);
	if (vm->admin.ports && map_take(vm->admin.ports, first, nr))
		vm_request_all_wait(vm, REQ_PORTS);
}

/**
 * ports_claim() - a device in the kernel has come: what it has it does not share
 * @vm: slots_lock held; the device is on the bus
 * @first: its first port
 * @nr: how many
 */
void ports_claim(struct vm *vm, u64 first, u32 nr)
{
	unsigned long *map;

	/* Pairs with ports_grant(). */
	smp_mb();
	map = ports_map(vm);
	if (!map || first >= IOBUS_PORTS)
		return;
	if (map_take(map, first, min_t(u64, nr, IOBUS_PORTS - first)))
		vm_request_all_wait(vm, REQ_PORTS);
}

/**
 * ports_at() - is @port the first of a range that was granted?
 * @vm: registry_lock is held
 * @port: below 65536
 *
 * Return: how many ports it has, or 0: it is not.
 */
u32 ports_at(struct vm *vm, u32 port)
{
	const unsigned long *map = vm->admin.ports;

	lockdep_assert_held(&registry_lock);
	if (!map || test_bit(port, map) || (port && !test_bit(port - 1, map)))
		return 0;
	return find_next_bit(map, IOBUS_PORTS, port) - port;
}

/** ports_free() - the VM is no more, nor are its vCPUs */
void ports_free(struct vm *vm)
{
	kfree(vm->admin.ports);
}
