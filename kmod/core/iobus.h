/* SPDX-License-Identifier: GPL-2.0-only */
/* In-kernel devices by address: port and memory-mapped. */
#ifndef JOIST_CORE_IOBUS_H
#define JOIST_CORE_IOBUS_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/rcupdate.h>

#include "types.h"

struct vm;
struct vcpu;
struct iodev;

/* Writes that no device of the first two takes are offered to the coalesced zones
 * (coalesced.h), each kind's on a bus of their own.
 */
enum iobus_kind {
	IOBUS_PIO,
	IOBUS_MMIO,
	IOBUS_PIO_COALESCED,
	IOBUS_MMIO_COALESCED,
	NR_IOBUSES,
};

/**
 * struct iodev_ops - an in-kernel device
 * @read: @len bytes at @addr into @val; 0, or -EOPNOTSUPP: not mine after all
 * @write: likewise
 * @destroy: the bus is gone; may be NULL
 * @atomic: @write is short and does not sleep: it may be called with interrupts off
 *
 * Called in the bus's srcu read section, by the vCPU's thread; may sleep but for
 * @atomic.
 */
struct iodev_ops {
	int (*read)(struct vcpu *vcpu, struct iodev *dev, gpa_t addr, int len,
		    void *val);
	int (*write)(struct vcpu *vcpu, struct iodev *dev, gpa_t addr, int len,
		     const void *val);
	void (*destroy)(struct iodev *dev);
	bool atomic;
};

struct iodev {
	const struct iodev_ops *ops;
};

struct iobus_range {
	gpa_t addr;
	u32 len;
	struct iodev *dev;
};

struct iobus {
	int nr;
	struct iobus_range ranges[];	/* sorted by addr */
};

/* Most ports are nobody's here: whole blocks of them are told apart at once. */
#define IOBUS_PORT_BLOCK	64
#define IOBUS_PORTS		65536
#define IOBUS_PORT_BLOCKS	(IOBUS_PORTS / IOBUS_PORT_BLOCK)

int iobus_init(struct vm *vm);
void iobus_free(struct vm *vm);
int iobus_register(struct vm *vm, enum iobus_kind kind, gpa_t addr, u32 len,
		   struct iodev *dev);
int iobus_unregister(struct vm *vm, enum iobus_kind kind, struct iodev *dev);
bool iobus_has_port(struct vm *vm, u32 first, u32 nr);
int iobus_read(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
	       void *val);
int iobus_write(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
		const void *val);
bool iobus_write_hot(struct vcpu *vcpu, enum iobus_kind kind, gpa_t addr, int len,
		     const void *val);

#endif
