// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keyboard controller, with a keyboard that nobody types on: it answers what firmware
 * and boot loaders ask, and it is the oldest way to reset a PC. Keys come by the serial
 * port; so it raises no interrupts, and no mouse is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vm.h"
#include "chipset.h"

#define STATUS_OUTPUT		BIT(0)	/* a byte waits at the data port */
#define STATUS_SYSTEM		BIT(2)	/* the self-test passed */
#define STATUS_COMMAND		BIT(3)	/* the last write was a command */
#define STATUS_UNLOCKED		BIT(4)

#define CMD_READ_MODE		0x20
#define CMD_WRITE_MODE		0x60
#define CMD_SELF_TEST		0xaa
#define CMD_TEST_KEYBOARD	0xab
#define CMD_DISABLE_KEYBOARD	0xad
#define CMD_ENABLE_KEYBOARD	0xae
#define CMD_READ_OUTPUT		0xd0
#define CMD_WRITE_OUTPUT	0xd1
#define CMD_WRITE_MOUSE		0xd4
#define CMD_RESET		0xfe
#define SELF_TEST_PASSED	0x55
#define KEYBOARD_PASSED		0x00

#define MODE_NO_KEYBOARD	BIT(4)
#define MODE_DEFAULT		0x05	/* interrupt of the keyboard, self-test passed */
#define OUTPUT_RUN		BIT(0)	/* low: the CPU is in reset */
#define OUTPUT_A20		BIT(1)

#define KEY_LEDS		0xed
#define KEY_ECHO		0xee
#define KEY_SCANCODES		0xf0
#define KEY_IDENTIFY		0xf2
#define KEY_RATE		0xf3
#define KEY_RESET		0xff
#define KEY_ACK			0xfa
#define KEY_PASSED		0xaa
#define KEY_ID			0xab
#define KEY_ID2			0x83

#define QUEUE_SIZE		4

/**
 * struct i8042 - the controller
 * @lock: protects all below
 * @mode: its command byte
 * @status: BIT()s of what was written last
 * @pending: command whose argument the data port is to bring; 0: none
 * @key_pending: the same of the keyboard
 * @nr: bytes that wait
 */
struct i8042 {
	struct vm *vm;
	pthread_mutex_t lock;
	u8 mode;
	u8 status;
	u8 pending;
	u8 key_pending;
	u8 nr;
	u8 queue[QUEUE_SIZE];
};

static void answer(struct i8042 *kbc, u8 byte)
{
	if (kbc->nr < QUEUE_SIZE)
		kbc->queue[kbc->nr++] = byte;
}

static u8 take(struct i8042 *kbc)
{
	u8 byte = kbc->queue[0];

	if (!kbc->nr)
		return 0;
	memmove(kbc->queue, kbc->queue + 1, --kbc->nr);
	return byte;
}

/* Return: whether the VM is to be reset. */
static bool command(struct i8042 *kbc, u8 value)
{
	kbc->pending = 0;
	switch (value) {
	case CMD_READ_MODE:
		answer(kbc, kbc->mode);
		break;
	case CMD_SELF_TEST:
		kbc->nr = 0;
		answer(kbc, SELF_TEST_PASSED);
		break;
	case CMD_TEST_KEYBOARD:
		answer(kbc, KEYBOARD_PASSED);
		break;
	case CMD_DISABLE_KEYBOARD:
		kbc->mode |= MODE_NO_KEYBOARD;
		break;
	case CMD_ENABLE_KEYBOARD:
		kbc->mode &= (u8)~MODE_NO_KEYBOARD;
		break;
	case CMD_READ_OUTPUT:
		answer(kbc, OUTPUT_RUN | OUTPUT_A20);
		break;
	case CMD_WRITE_MODE:
	case CMD_WRITE_OUTPUT:
	case CMD_WRITE_MOUSE:
		kbc->pending = value;
		break;
	case CMD_RESET:
		return true;
	}
	return false;
}

static void keyboard(struct i8042 *kbc, u8 value)
{
	bool argument = kbc->key_pending;

	kbc->key_pending = 0;
	if (!argument && value == KEY_ECHO) {
		answer(kbc, KEY_ECHO);
		return;
	}
	answer(kbc, KEY_ACK);
	if (argument)
		return;
	switch (value) {
	case KEY_LEDS:
	case KEY_SCANCODES:
	case KEY_RATE:
		kbc->key_pending = value;
		break;
	case KEY_IDENTIFY:
		answer(kbc, KEY_ID);
		answer(kbc, KEY_ID2);
		break;
	case KEY_RESET:
		answer(kbc, KEY_PASSED);
		break;
	}
}

/* Return: whether the VM is to be reset. */
static bool data_written(struct i8042 *kbc, u8 value)
{
	u8 pending = kbc->pending;

	kbc->pending = 0;
	switch (pending) {
	case CMD_WRITE_MODE:
		kbc->mode = value;
		break;
	case CMD_WRITE_OUTPUT:
		return !(value & OUTPUT_RUN);
	case CMD_WRITE_MOUSE:
		break;		/* there is none: no answer */
	default:
		keyboard(kbc, value);
	}
	return false;
}

static void i8042_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct i8042 *kbc = ctx;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&kbc->lock);
	*(u8 *)data = take(kbc);
	pthread_mutex_unlock(&kbc->lock);
}

static void i8042_read_status(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct i8042 *kbc = ctx;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&kbc->lock);
	*(u8 *)data = (u8)(STATUS_SYSTEM | STATUS_UNLOCKED | kbc->status |
			   (kbc->nr ? STATUS_OUTPUT : 0));
	pthread_mutex_unlock(&kbc->lock);
}

static void i8042_write(void *ctx, const void *data, u8 status,
			bool (*write)(struct i8042 *kbc, u8 value))
{
	struct i8042 *kbc = ctx;
	bool reset;

	pthread_mutex_lock(&kbc->lock);
	kbc->status = status;
	reset = write(kbc, *(const u8 *)data);
	pthread_mutex_unlock(&kbc->lock);
	if (reset)
		vm_reset(kbc->vm, "keyboard controller");
}

static void i8042_write_data(void *ctx, u64 offset, const void *data,
			     unsigned int len)
{
	(void)offset;
	(void)len;
	i8042_write(ctx, data, 0, data_written);
}

static void i8042_write_command(void *ctx, u64 offset, const void *data,
				unsigned int len)
{
	(void)offset;
	(void)len;
	i8042_write(ctx, data, STATUS_COMMAND, command);
}

static const struct bus_ops data_ops = {
	.read = i8042_read,
	.write = i8042_write_data,
	.byte_wide = true,
};

static const struct bus_ops command_ops = {
	.read = i8042_read_status,
	.write = i8042_write_command,
	.byte_wide = true,
};

int i8042_create(struct vm *vm)
{
	struct i8042 *kbc = calloc(1, sizeof(*kbc));
	int err;

	if (!kbc)
		return -ENOMEM;
	kbc->vm = vm;
	kbc->mode = MODE_DEFAULT;
	pthread_mutex_init(&kbc->lock, NULL);
	vm->i8042 = kbc;
	/* Port 0x61 between them is the kernel's. */
	err = bus_add(&vm->pio, PORT_I8042_DATA, 1, &data_ops, kbc);
	return err ? err : bus_add(&vm->pio, PORT_I8042_COMMAND, 1,
				   &command_ops, kbc);
}

void i8042_destroy(struct vm *vm)
{
	free(vm->i8042);
	vm->i8042 = NULL;
}
