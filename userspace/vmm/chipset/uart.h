/* SPDX-License-Identifier: GPL-2.0-only */
/* The serial port, a 16550A. */
#ifndef VMM_UART_H
#define VMM_UART_H

#include "libjoist/types.h"

#define UART_FIFO	64	/* a power of two */

struct uart;
struct vm;

int uart_create(struct vm *vm);
void uart_destroy(struct vm *vm);
size_t uart_room(struct uart *uart);
void uart_receive(struct uart *uart, u8 byte);

#endif
