// SPDX-License-Identifier: GPL-2.0-only
/* Dispatch of ioctls by table: copy once, call, copy back. */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"

#define IOCTL_STACK_BYTES	128

/**
 * ioctl_find() - look an ioctl up
 * @table: rows
 * @nr: how many
 * @cmd: number asked for; must match in direction and size too
 *
 * Return: the row, or NULL.
 */
const struct ioctl_row *ioctl_find(const struct ioctl_row *table, int nr,
				   unsigned int cmd)
{
	int i;

	for (i = 0; i < nr; i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

/**
 * ioctl_call() - copy the argument in, call the handler, copy it back
 * @row: from ioctl_find()
 * @obj: what the file stands for
 * @raw: the caller's argument
 *
 * Return: the handler's value, -EFAULT or -ENOMEM.
 */
long ioctl_call(const struct ioctl_row *row, void *obj, unsigned long raw)
{
	u8 stack[IOCTL_STACK_BYTES] __aligned(8);
	unsigned int size = _IOC_SIZE(row->cmd);
	void *arg = stack;
	long ret;

	if (row->flags & (IOCTL_USER | IOCTL_VALUE) ||
	    !(row->flags & (IOCTL_IN | IOCTL_OUT)))
		return row->fn(obj, NULL, raw);

	if (size > sizeof(stack)) {
		arg = kzalloc(size, GFP_KERNEL_ACCOUNT);
		if (!arg)
			return -ENOMEM;
	} else {
		memset(stack, 0, size);
	}
	ret = -EFAULT;
	if (row->flags & IOCTL_IN && copy_from_user(arg, (void __user *)raw, size))
		goto out;
	ret = row->fn(obj, arg, raw);
	if (ret >= 0 && row->flags & IOCTL_OUT &&
	    copy_to_user((void __user *)raw, arg, size))
		ret = -EFAULT;
out:
	if (arg != stack)
		kfree(arg);
	return ret;
}
