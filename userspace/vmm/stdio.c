// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frontend of vmctl run: the guest's console is standard input and output.
 * On a terminal Ctrl-A is the escape.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "chipset/i6300esb.h"
#include "chipset/pm.h"
#include "chipset/uart.h"
#include "console.h"
#include "frontend.h"
#include "log.h"
#include "terminal.h"
#include "vm.h"

#define WRITE_CHUNK	1024	/* poll() promises a pipe takes this much */
#define DRAIN_MS	2000

/**
 * struct stdio - its state; main thread only
 * @input: standard input is still to be read
 * @escaped: Ctrl-A was typed
 * @bites: how often the guest's watchdog has fired, as far as it was told
 */
struct stdio {
	struct vm *vm;
	bool input;
	bool escaped;
	u32 bites;
};

enum { FD_IN, FD_OUT, NR_FDS };

static void *stdio_enter(void *arg, struct vm *vm)
{
	static struct stdio io;

	(void)arg;
	io = (struct stdio) { .vm = vm, .input = true };
	return &io;
}

/*
 * Some of the ring to standard output, after poll() said that it takes more.
 * Return: 0, or -errno: nobody will ever read our output.
 */
static int flush(struct console *con)
{
	u8 chunk[WRITE_CHUNK];
	size_t n = console_peek(con, chunk, sizeof(chunk));
	ssize_t done;

	if (!n)
		return 0;
	done = write(STDOUT_FILENO, chunk, n);
	if (done < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	console_consume(con, (size_t)done);
	return 0;
}

/* The guest's last words, unless nobody takes them for a while. */
static void stdio_leave(void *ctx)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	struct stdio *io = ctx;

	while (console_pending(io->vm->console)) {
		if (poll(&out, 1, DRAIN_MS) <= 0 || !(out.revents & POLLOUT))
			return;
		if (flush(io->vm->console))
			return;
	}
}

static void escape_help(void)
{
	static const char text[] =
		"\r\nvmctl: Ctrl-A x  leave, the guest is lost\r\n"
		"vmctl: Ctrl-A p  press the guest's power button\r\n"
		"vmctl: Ctrl-A s  press its sleep button\r\n"
		"vmctl: Ctrl-A c  let the guest go on that its watchdog has paused\r\n"
		"vmctl: Ctrl-A a  send Ctrl-A to the guest\r\n";
	ssize_t done = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)done;	/* a help text that cannot be shown is no error */
}

/* Return: whether the byte is for the guest. */
static bool escape_byte(struct stdio *io, u8 *byte)
{
	switch (terminal_key(&io->escaped, byte)) {
	case KEY_BYTE:
		return true;
	case KEY_LEAVE:
		vm_stop(io->vm, VMM_ESCAPE, "escape", NULL, "left by Ctrl-A x");
		return false;
	case KEY_POWER:
		pm_power_button(io->vm->pm);
		return false;
	case KEY_SLEEP:
		pm_sleep_button(io->vm->pm);
		return false;
	case KEY_CONTINUE:
		vm_resume(io->vm);
		return false;
	case KEY_NONE:
		return false;
	default:
		escape_help();
		return false;
	}
}

/* What was typed, after poll() said there is input and the UART had room. */
static void take_input(struct stdio *io)
{
	u8 bytes[UART_FIFO];
	size_t room = uart_room(io->vm->uart);
	ssize_t n, i;

	if (!room)
		return;
	n = read(STDIN_FILENO, bytes, min(room, sizeof(bytes)));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		io->input = false;
		return;
	}
	for (i = 0; i < n; i++)
		if (!terminal_raw() || escape_byte(io, &bytes[i]))
			uart_receive(io->vm->uart, bytes[i]);
}

static int stdio_fds(void *ctx, struct pollfd *fds)
{
	struct stdio *io = ctx;
	bool in = io->input && uart_room(io->vm->uart);
	bool out = console_pending(io->vm->console);

	fds[FD_IN] = (struct pollfd) { in ? STDIN_FILENO : -1, POLLIN, 0 };
	fds[FD_OUT] = (struct pollfd) { out ? STDOUT_FILENO : -1, POLLOUT, 0 };
	return NR_FDS;
}

/* An end by it is told as every end is. */
static void serve_watchdog(struct stdio *io)
{
	const u32 action = io->vm->config->watchdog;

	if (!i6300esb_fired(io->vm->watchdog, &io->bites) || vm_stopping(io->vm))
		return;
	log_warn("the guest's watchdog has fired%s",
		 action == WATCHDOG_PAUSE ? ": it is paused; Ctrl-A c lets it go on" : "");
	if (action == WATCHDOG_PAUSE)
		vm_pause(io->vm);
}

static void stdio_serve(void *ctx, const struct pollfd *fds)
{
	struct stdio *io = ctx;
	int err;

	serve_watchdog(io);
	if (fds[FD_IN].revents)
		take_input(io);
	if (!fds[FD_OUT].revents)
		return;
	err = flush(io->vm->console);
	if (err)
		vm_stop(io->vm, VMM_ERROR, "error", NULL,
			"cannot write the guest's console: %s", strerror(-err));
}

const struct vmm_frontend stdio_frontend = {
	.enter = stdio_enter,
	.fds = stdio_fds,
	.serve = stdio_serve,
	.leave = stdio_leave,
};
