// SPDX-License-Identifier: GPL-2.0-only
/* The panic notifier, as QEMU's pvpanic: the guest's driver says it panicked. */
#include "../vm.h"
#include "chipset.h"

#define PANICKED	BIT(0)

static void panic_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	*(u8 *)data = PANICKED;	/* the events we understand */
}

static void panic_write(void *ctx, u64 offset, const void *data,
			unsigned int len)
{
	(void)offset;
	(void)len;
	if (*(const u8 *)data & PANICKED)
		vm_panic(ctx, "panic device");
}

static const struct bus_ops panic_ops = {
	.read = panic_read,
	.write = panic_write,
	.byte_wide = true,
};

int panic_create(struct vm *vm)
{
	return bus_add(&vm->pio, PORT_PANIC, 1, &panic_ops, vm);
}
