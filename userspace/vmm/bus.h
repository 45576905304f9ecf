/* SPDX-License-Identifier: GPL-2.0-only */
/* The two address spaces of devices: ports and memory-mapped registers. */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <pthread.h>

#include "libjoist/types.h"

#define BUS_RANGES_MAX	128

/**
 * struct bus_ops - a device's registers
 * @read: @len bytes at @offset of the range into @data, which holds all ones
 * @write: likewise
 * @byte_wide: wider accesses arrive as several of one byte
 *
 * Called by any vCPU thread, several at once: devices lock themselves.
 */
struct bus_ops {
	void (*read)(void *ctx, u64 offset, void *data, unsigned int len);
	void (*write)(void *ctx, u64 offset, const void *data, unsigned int len);
	bool byte_wide;
};

struct bus_range {
	u64 base;
	u64 len;
	const struct bus_ops *ops;
	void *ctx;
};

struct bus {
	pthread_rwlock_t lock;	/* protects nr and range[] */
	int nr;
	struct bus_range range[BUS_RANGES_MAX];
};

/* Of what is never asked, or finds nothing: all ones. */
extern const struct bus_ops bus_nothing;

void bus_init(struct bus *bus);
int bus_add(struct bus *bus, u64 base, u64 len, const struct bus_ops *ops,
	    void *ctx);
void bus_remove(struct bus *bus, u64 base, void *ctx);
bool bus_read(struct bus *bus, u64 addr, void *data, unsigned int len);
bool bus_write(struct bus *bus, u64 addr, const void *data, unsigned int len);

#endif
