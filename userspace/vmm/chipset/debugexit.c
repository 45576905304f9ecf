// SPDX-License-Identifier: GPL-2.0-only
/* --debug-exit: what a test kernel writes to the port ends the VM. */
#include <string.h>

#include "../vm.h"
#include "chipset.h"

#define DEBUG_EXIT_PORTS	4	/* a write of up to four bytes */

static void debugexit_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	memset(data, 0, len);
}

/* As QEMU's isa-debug-exit: odd, so that it is never taken for success. */
static void debugexit_write(void *ctx, u64 offset, const void *data,
			    unsigned int len)
{
	u32 value = 0;

	(void)offset;
	memcpy(&value, data, min((size_t)len, sizeof(value)));
	vm_stop(ctx, (int)((value << 1 | 1) & 0xff), "debug-exit", NULL,
		"the guest wrote %#x to the debug-exit port", value);
}

static const struct bus_ops debugexit_ops = {
	.read = debugexit_read,
	.write = debugexit_write,
};

int debugexit_create(struct vm *vm)
{
	if (vm->config->debug_exit < 0)
		return 0;
	return bus_add(&vm->pio, (u64)vm->config->debug_exit, DEBUG_EXIT_PORTS,
		       &debugexit_ops, vm);
}
