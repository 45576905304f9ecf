// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's console. vCPUs put bytes in a ring; the main thread writes
 * them out, and reads what is typed. Ctrl-A is the escape.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "chipset/pm.h"
#include "chipset/uart.h"
#include "console.h"
#include "log.h"
#include "terminal.h"
#include "vm.h"

#define ESCAPE		0x01	/* Ctrl-A */
#define WRITE_CHUNK	1024	/* poll() promises a pipe takes this much */
#define DRAIN_MS	2000

int console_create(struct vm *vm)
{
	struct console *con = calloc(1, sizeof(*con));

	if (!con)
		return -ENOMEM;
	con->vm = vm;
	pthread_mutex_init(&con->lock, NULL);
	pthread_cond_init(&con->room, NULL);
	con->input = true;
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
 * console_flush() - write some of the ring to standard output
 * @con: console
 *
 * Main thread, after poll() said that standard output takes more.
 *
 * Return: 0, or -errno: nobody will ever read our output.
 */
int console_flush(struct console *con)
{
	u8 chunk[WRITE_CHUNK];
	size_t n = 0;
	ssize_t done;

	pthread_mutex_lock(&con->lock);
	while (n < sizeof(chunk) && con->tail + n < con->head) {
		chunk[n] = con->ring[(con->tail + n) % CONSOLE_RING];
		n++;
	}
	pthread_mutex_unlock(&con->lock);
	if (!n)
		return 0;
	done = write(STDOUT_FILENO, chunk, n);
	if (done < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	pthread_mutex_lock(&con->lock);
	con->tail += (u64)done;
	pthread_cond_broadcast(&con->room);
	pthread_mutex_unlock(&con->lock);
	return 0;
}

/* The guest's last words, unless nobody takes them for a while. */
void console_drain(struct console *con)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (console_pending(con)) {
		if (poll(&out, 1, DRAIN_MS) <= 0 || !(out.revents & POLLOUT))
			return;
		if (console_flush(con))
			return;
	}
}

static void escape_help(void)
{
	static const char text[] =
		"\r\nvmctl: Ctrl-A x  leave, the guest is lost\r\n"
		"vmctl: Ctrl-A p  press the guest's power button\r\n"
		"vmctl: Ctrl-A a  send Ctrl-A to the guest\r\n";
	ssize_t done = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)done;	/* a help text that cannot be shown is no error */
}

/* Return: whether the byte is for the guest. */
static bool escape_byte(struct console *con, u8 *byte)
{
	if (!con->escaped) {
		con->escaped = *byte == ESCAPE;
		return !con->escaped;
	}
	con->escaped = false;
	switch (*byte) {
	case 'x':
	case 'X':
		vm_stop(con->vm, VMM_ESCAPE, "escape", NULL, "left by Ctrl-A x");
		return false;
	case 'p':
		pm_power_button(con->vm->pm);
		return false;
	case 'a':
	case ESCAPE:
		*byte = ESCAPE;
		return true;
	default:
		escape_help();
		return false;
	}
}

/**
 * console_read() - take what was typed to the guest
 * @con: console
 *
 * Main thread, after poll() said there is input and the UART has room.
 */
void console_read(struct console *con)
{
	u8 bytes[UART_FIFO];
	size_t room = uart_room(con->vm->uart);
	ssize_t n, i;

	if (!room)
		return;
	n = read(STDIN_FILENO, bytes, min(room, sizeof(bytes)));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		con->input = false;
		return;
	}
	for (i = 0; i < n; i++)
		if (!terminal_raw() || escape_byte(con, &bytes[i]))
			uart_receive(con->vm->uart, bytes[i]);
}
