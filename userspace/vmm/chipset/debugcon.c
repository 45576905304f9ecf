// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port that firmware for virtual machines speaks to while it debugs itself. It looks
 * whether there is one: without --firmware KIND,debug there is none, and it is quiet.
 */
#include <stdio.h>

#include "../vm.h"
#include "chipset.h"

#define READBACK	0xe9	/* "I am here" */

static void debugcon_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	*(u8 *)data = READBACK;
}

static void debugcon_write(void *ctx, u64 offset, const void *data,
			   unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	fputc(*(const u8 *)data, stderr);
}

static const struct bus_ops debugcon_ops = {
	.read = debugcon_read,
	.write = debugcon_write,
	.byte_wide = true,
};

int debugcon_create(struct vm *vm)
{
	if (!vm->config->firmware.debug)
		return 0;
	return bus_add(&vm->pio, PORT_DEBUG, 1, &debugcon_ops, vm);
}
