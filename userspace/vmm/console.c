// SPDX-License-Identifier: GPL-2.0-only
/* The guest's console: vCPUs put bytes in a ring, the main thread takes them out. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "console.h"
#include "vm.h"

int console_create(struct vm *vm)
{
	struct console *con = calloc(1, sizeof(*con));

	if (!con)
		return -ENOMEM;
	con->vm = vm;
	pthread_mutex_init(&con->lock, NULL);
	pthread_cond_init(&con->room, NULL);
	con->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (con->wake_fd < 0) {
		free(con);
		return -errno;
	}
	vm->console = con;
	return 0;
}

void console_destroy(struct vm *vm)
{
	struct console *con = vm->console;

	if (!con)
		return;
	close(con->wake_fd);
	free(con);
	vm->console = NULL;
}

/* Let the main thread look at the console again. Any thread. */
void console_wake(struct console *con)
{
	eventfd_write(con->wake_fd, 1);
}

/**
 * console_put() - the guest prints a byte
 * @con: console
 * @byte: the byte
 *
 * A vCPU's thread. Waits while nobody reads our output, until the VM ends.
 */
void console_put(struct console *con, u8 byte)
{
	bool wake;

	pthread_mutex_lock(&con->lock);
	while (con->head - con->tail == CONSOLE_RING && !vm_stopping(con->vm))
		pthread_cond_wait(&con->room, &con->lock);
	wake = con->head == con->tail;
	if (con->head - con->tail < CONSOLE_RING)
		con->ring[con->head++ % CONSOLE_RING] = byte;
	pthread_mutex_unlock(&con->lock);
	if (wake)
		console_wake(con);
}

/* The VM ends: who waits for room waits no longer. */
void console_stop(struct console *con)
{
	pthread_mutex_lock(&con->lock);
	pthread_cond_broadcast(&con->room);
	pthread_mutex_unlock(&con->lock);
}

bool console_pending(struct console *con)
{
	bool pending;

	pthread_mutex_lock(&con->lock);
	pending = con->head != con->tail;
	pthread_mutex_unlock(&con->lock);
	return pending;
}

/**
 * console_peek() - look at what the guest has printed
 * @con: console
 * @data: filled in
 * @len: its bytes
 *
 * Main thread. The bytes stay until console_consume().
 *
 * Return: how many there are.
 */
size_t console_peek(struct console *con, u8 *data, size_t len)
{
	size_t n = 0;

	pthread_mutex_lock(&con->lock);
	while (n < len && con->tail + n < con->head) {
		data[n] = con->ring[(con->tail + n) % CONSOLE_RING];
		n++;
	}
	pthread_mutex_unlock(&con->lock);
	return n;
}

/* The first @n bytes have been taken care of. Main thread. */
void console_consume(struct console *con, size_t n)
{
	pthread_mutex_lock(&con->lock);
	con->tail += n;
	pthread_cond_broadcast(&con->room);
	pthread_mutex_unlock(&con->lock);
}
