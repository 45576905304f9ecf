// SPDX-License-Identifier: GPL-2.0-only
/* Dispatch of a port or memory-mapped access to the device that claims it. */
#include <errno.h>
#include <string.h>

#include "bus.h"

static void nothing_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)data;
	(void)len;
}

static void nothing_written(void *ctx, u64 offset, const void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)data;
	(void)len;
}

const struct bus_ops bus_nothing = { nothing_read, nothing_written, .byte_wide = true };

void bus_init(struct bus *bus)
{
	memset(bus, 0, sizeof(*bus));
	pthread_rwlock_init(&bus->lock, NULL);
}

/**
 * bus_add() - claim a range
 * @bus: ports or memory
 * @base: first address
 * @len: how many addresses
 * @ops: the registers; must live as long as the VM
 * @ctx: given to @ops; lives on after bus_remove() until vcpus_grace()
 *
 * Return: 0; -EEXIST: it overlaps another range; -ENOSPC.
 */
int bus_add(struct bus *bus, u64 base, u64 len, const struct bus_ops *ops,
	    void *ctx)
{
	int err = 0;
	int i;

	pthread_rwlock_wrlock(&bus->lock);
	for (i = 0; i < bus->nr; i++) {
		struct bus_range *r = &bus->range[i];

		if (base < r->base + r->len && r->base < base + len)
			err = -EEXIST;
	}
	if (!err && bus->nr == BUS_RANGES_MAX)
		err = -ENOSPC;
	if (!err)
		bus->range[bus->nr++] = (struct bus_range) {
			.base = base, .len = len, .ops = ops, .ctx = ctx,
		};
	pthread_rwlock_unlock(&bus->lock);
	return err;
}

/*
 * No access begins any more. One that has begun is not waited for: it may be the caller's
 * own, a guest that moves the window.
 */
void bus_remove(struct bus *bus, u64 base, void *ctx)
{
	int i;

	pthread_rwlock_wrlock(&bus->lock);
	for (i = 0; i < bus->nr; i++) {
		if (bus->range[i].base == base && bus->range[i].ctx == ctx) {
			bus->range[i] = bus->range[--bus->nr];
			break;
		}
	}
	pthread_rwlock_unlock(&bus->lock);
}

static bool bus_find(struct bus *bus, u64 addr, unsigned int len,
		     struct bus_range *found)
{
	bool ok = false;
	int i;

	pthread_rwlock_rdlock(&bus->lock);
	for (i = 0; i < bus->nr; i++) {
		const struct bus_range *r = &bus->range[i];

		if (addr >= r->base && addr - r->base < r->len &&
		    len <= r->len - (addr - r->base)) {
			*found = *r;
			ok = true;
			break;
		}
	}
	pthread_rwlock_unlock(&bus->lock);
	return ok;
}

/**
 * bus_read() - a guest's read
 * @bus: ports or memory
 * @addr: address
 * @data: filled in; all ones where no device answers
 * @len: 1 to 8 bytes
 *
 * Return: whether a device answered.
 */
bool bus_read(struct bus *bus, u64 addr, void *data, unsigned int len)
{
	struct bus_range r;
	unsigned int i;

	memset(data, 0xff, len);
	if (!bus_find(bus, addr, len, &r))
		return false;
	if (r.ops->byte_wide)
		for (i = 0; i < len; i++)
			r.ops->read(r.ctx, addr - r.base + i, (u8 *)data + i, 1);
	else
		r.ops->read(r.ctx, addr - r.base, data, len);
	return true;
}

bool bus_write(struct bus *bus, u64 addr, const void *data, unsigned int len)
{
	struct bus_range r;
	unsigned int i;

	if (!bus_find(bus, addr, len, &r))
		return false;
	if (r.ops->byte_wide)
		for (i = 0; i < len; i++)
			r.ops->write(r.ctx, addr - r.base + i,
				     (const u8 *)data + i, 1);
	else
		r.ops->write(r.ctx, addr - r.base, data, len);
	return true;
}
