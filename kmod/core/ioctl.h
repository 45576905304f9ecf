/* SPDX-License-Identifier: GPL-2.0-only */
/* Ioctl tables: each row says what is copied and which locks it needs. */
#ifndef JOIST_CORE_IOCTL_H
#define JOIST_CORE_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOCTL_IN	BIT(0)	/* _IOC_SIZE bytes are copied from the caller */
#define IOCTL_OUT	BIT(1)	/* and back to it on success */
#define IOCTL_USER	BIT(2)	/* flexible: the handler gets the user pointer */
#define IOCTL_VALUE	BIT(3)	/* the argument is a number */
#define IOCTL_LOCK	BIT(4)	/* under vm->lock (VM ioctls) */
#define IOCTL_NO_LOAD	BIT(5)	/* vCPU ioctls: vcpu->mutex but not loaded */

/**
 * struct ioctl_row - one ioctl
 * @cmd: number
 * @flags: IOCTL_*
 * @fn: handler: object (struct vm, struct vcpu, NULL for the device), kernel
 *      copy of the argument or NULL, raw argument; >= 0 or -errno
 */
struct ioctl_row {
	unsigned int cmd;
	unsigned int flags;
	long (*fn)(void *obj, void *arg, unsigned long raw);
};

const struct ioctl_row *ioctl_find(const struct ioctl_row *table, int nr,
				   unsigned int cmd);
long ioctl_call(const struct ioctl_row *row, void *obj, unsigned long raw);

#endif
