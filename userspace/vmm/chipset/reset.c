// SPDX-License-Identifier: GPL-2.0-only
/*
 * The old ways to reset a PC: the keyboard controller's pulse and port 0x92.
 * Port 0xcf9 lies among the PCI configuration ports: pci.c hands it on.
 */
#include "../vm.h"
#include "chipset.h"

#define I8042_PULSE_RESET	0xfe
#define SYSTEM_CONTROL_RESET	BIT(0)
#define SYSTEM_CONTROL_A20	BIT(1)

static void i8042_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	/* No keyboard: nothing to read, and always ready for a command. */
	*(u8 *)data = 0;
}

static void i8042_command(void *ctx, u64 offset, const void *data,
			  unsigned int len)
{
	(void)offset;
	(void)len;
	if (*(const u8 *)data == I8042_PULSE_RESET)
		vm_reset(ctx, "keyboard controller");
}

/* Data bytes set LEDs, the A20 gate and the like: there is none of them. */
static void i8042_data(void *ctx, u64 offset, const void *data,
		       unsigned int len)
{
	(void)ctx;
	(void)offset;
	(void)data;
	(void)len;
}

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

static const struct bus_ops i8042_command_ops = {
	.read = i8042_read,
	.write = i8042_command,
	.byte_wide = true,
};

static const struct bus_ops i8042_data_ops = {
	.read = i8042_read,
	.write = i8042_data,
	.byte_wide = true,
};

static const struct bus_ops control_ops = {
	.read = control_read,
	.write = control_write,
	.byte_wide = true,
};

int reset_create(struct vm *vm)
{
	int err;

	/* Port 0x61 between them is the kernel's. */
	err = bus_add(&vm->pio, PORT_I8042_DATA, 1, &i8042_data_ops, vm);
	if (!err)
		err = bus_add(&vm->pio, PORT_I8042_COMMAND, 1,
			      &i8042_command_ops, vm);
	if (!err)
		err = bus_add(&vm->pio, PORT_SYSTEM_CONTROL, 1, &control_ops, vm);
	return err;
}
