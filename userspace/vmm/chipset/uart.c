// SPDX-License-Identifier: GPL-2.0-only
/* A 16550A. Sending takes no time; what is received waits in its FIFO. */
#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>

#include "../console.h"
#include "../vm.h"
#include "chipset.h"
#include "uart.h"

#define UART_REGS	8
#define IER_MASK	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define MCR_MASK	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
#define IIR_FIFO	0xc0

/**
 * struct uart - the port
 * @lock: protects all below
 * @thr_empty: the transmitter emptied and the guest was not told yet
 * @line: level of the interrupt line
 * @full: input waited for room; the main thread is to be woken
 * @head: bytes ever received
 * @tail: bytes ever read by the guest
 */
struct uart {
	struct vm *vm;
	pthread_mutex_t lock;
	u8 ier, lcr, mcr, scr, fcr;
	u8 divisor_low, divisor_high;
	bool thr_empty;
	bool line;
	bool full;
	u32 head, tail;
	u8 fifo[UART_FIFO];
};

static u8 interrupt_id(const struct uart *uart)
{
	if ((uart->ier & UART_IER_RDI) && uart->head != uart->tail)
		return UART_IIR_RDI;
	if ((uart->ier & UART_IER_THRI) && uart->thr_empty)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void update_line(struct uart *uart)
{
	bool level = interrupt_id(uart) != UART_IIR_NO_INT;

	if (level == uart->line)
		return;
	uart->line = level;
	irq_set(&uart->vm->irq, GSI_COM1, level);
}

static void push(struct uart *uart, u8 byte)
{
	if (uart->head - uart->tail < UART_FIFO)
		uart->fifo[uart->head++ % UART_FIFO] = byte;
}

static void made_room(struct uart *uart)
{
	if (!uart->full)
		return;
	uart->full = false;
	console_wake(uart->vm->console);
}

static u8 pop(struct uart *uart)
{
	u8 byte = 0;

	if (uart->head != uart->tail)
		byte = uart->fifo[uart->tail++ % UART_FIFO];
	made_room(uart);
	return byte;
}

static u8 modem_status(const struct uart *uart)
{
	u8 msr = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	if (uart->mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_OUT1)
		msr |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		msr |= UART_MSR_DCD;
	return msr;
}

static u8 read_iir(struct uart *uart)
{
	u8 id = interrupt_id(uart);

	if (id == UART_IIR_THRI) {
		uart->thr_empty = false;
		update_line(uart);
	}
	return id | (uart->fcr & UART_FCR_ENABLE_FIFO ? IIR_FIFO : 0);
}

static u8 read_reg(struct uart *uart, u64 reg)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;
	u8 value;

	switch (reg) {
	case UART_RX:
		if (dlab)
			return uart->divisor_low;
		value = pop(uart);
		update_line(uart);
		return value;
	case UART_IER:
		return dlab ? uart->divisor_high : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE |
		       (uart->head != uart->tail ? UART_LSR_DR : 0);
	case UART_MSR:
		return modem_status(uart);
	default:
		return uart->scr;
	}
}

static void write_ier(struct uart *uart, u8 value)
{
	value &= IER_MASK;
	/* Enabling the interrupt with nothing to send raises it at once. */
	if ((value & UART_IER_THRI) && !(uart->ier & UART_IER_THRI))
		uart->thr_empty = true;
	uart->ier = value;
	update_line(uart);
}

static void write_fcr(struct uart *uart, u8 value)
{
	if ((value & UART_FCR_CLEAR_RCVR) ||
	    ((value ^ uart->fcr) & UART_FCR_ENABLE_FIFO)) {
		uart->tail = uart->head;
		made_room(uart);
	}
	uart->fcr = value;
	update_line(uart);
}

/* Return: whether the byte leaves the port. */
static bool write_thr(struct uart *uart, u8 value)
{
	bool loop = uart->mcr & UART_MCR_LOOP;

	if (loop)
		push(uart, value);
	uart->thr_empty = true;
	update_line(uart);
	return !loop;
}

/* Return: whether the byte is to be printed. */
static bool write_reg(struct uart *uart, u64 reg, u8 value)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (!dlab)
			return write_thr(uart, value);
		uart->divisor_low = value;
		break;
	case UART_IER:
		if (dlab)
			uart->divisor_high = value;
		else
			write_ier(uart, value);
		break;
	case UART_FCR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & MCR_MASK;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	}
	return false;
}

static void uart_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct uart *uart = ctx;

	(void)len;
	pthread_mutex_lock(&uart->lock);
	*(u8 *)data = read_reg(uart, offset);
	pthread_mutex_unlock(&uart->lock);
}

static void uart_write(void *ctx, u64 offset, const void *data,
		       unsigned int len)
{
	struct uart *uart = ctx;
	u8 byte = *(const u8 *)data;
	bool print;

	(void)len;
	pthread_mutex_lock(&uart->lock);
	print = write_reg(uart, offset, byte);
	pthread_mutex_unlock(&uart->lock);
	/* Unlocked: it may wait for whoever reads our output. */
	if (print)
		console_put(uart->vm->console, byte);
}

static const struct bus_ops uart_ops = {
	.read = uart_read,
	.write = uart_write,
	.byte_wide = true,
};

/* Return: how many bytes uart_receive() will take; 0: console_wake() follows. */
size_t uart_room(struct uart *uart)
{
	size_t room;

	pthread_mutex_lock(&uart->lock);
	room = UART_FIFO - (uart->head - uart->tail);
	uart->full = !room;
	pthread_mutex_unlock(&uart->lock);
	return room;
}

void uart_receive(struct uart *uart, u8 byte)
{
	pthread_mutex_lock(&uart->lock);
	push(uart, byte);
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
}

int uart_create(struct vm *vm)
{
	struct uart *uart = calloc(1, sizeof(*uart));

	if (!uart)
		return -ENOMEM;
	uart->vm = vm;
	pthread_mutex_init(&uart->lock, NULL);
	uart->divisor_low = 1;	/* 115200 baud */
	vm->uart = uart;
	return bus_add(&vm->pio, PORT_COM1, UART_REGS, &uart_ops, uart);
}

void uart_destroy(struct vm *vm)
{
	free(vm->uart);
	vm->uart = NULL;
}
