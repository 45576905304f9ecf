// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system control port 0x92: a reset. Address line 20, its other business, is open
 * always. Port 0xcf9 lies among the PCI configuration ports: pci.c hands it on; the
 * keyboard controller has a reset of its own.
 */
#include "../vm.h"
#include "chipset.h"

#define SYSTEM_CONTROL_RESET	BIT(0)
#define SYSTEM_CONTROL_A20	BIT(1)

static void control_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	*(u8 *)data = SYSTEM_CONTROL_A20;
}

static void control_write(void *ctx, u64 offset, const void *data,
			  unsigned int len)
{
	(void)offset;
	(void)len;
	if (*(const u8 *)data & SYSTEM_CONTROL_RESET)
		vm_reset(ctx, "port 0x92");
}

static const struct bus_ops control_ops = {
	.read = control_read,
	.write = control_write,
	.byte_wide = true,
};

int reset_create(struct vm *vm)
{
	return bus_add(&vm->pio, PORT_SYSTEM_CONTROL, 1, &control_ops, vm);
}
