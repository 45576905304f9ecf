// SPDX-License-Identifier: GPL-2.0-only
/* A VM's console, by a descriptor from vmd: carried to the terminal and back. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attach.h"
#include "client.h"
#include "error.h"
#include "out.h"
#include "vmm/terminal.h"

#define CHUNK		4096
#define CTRL_C		0x03

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/**
 * attach_open() - ask vmd for a VM's console
 * @client: connection
 * @attach: which, and how
 *
 * Return: a descriptor the caller closes, or the exit code of an error that was
 * told, negated.
 */
int attach_open(struct client *client, const struct attach *attach)
{
	struct json_object *request = client_request("console");
	int code, fd;

	json_object_object_add(request, "vm", json_object_new_string(attach->vm));
	json_object_object_add(request, "mode",
			       json_object_new_string(attach->read_only ? "ro" : "rw"));
	json_object_object_add(request, "scrollback",
			       json_object_new_uint64(attach->scrollback));
	if (attach->force)
		json_object_object_add(request, "force",
				       json_object_new_boolean(true));
	code = client_call(client, request, CLIENT_TIMEOUT_MS, NULL);
	if (code)
		return -code;
	fd = client->passed;
	client->passed = -1;
	if (fd < 0)
		return -fail("bad-answer", NULL, "vmd passes no console");
	return fd;
}

/**
 * struct carrier - a console being carried
 * @fd: of vmd's
 * @keys: standard input is for the guest, or for the escape
 * @escaped: see terminal_key()
 */
struct carrier {
	const struct attach *attach;
	int fd;
	bool keys;
	bool escaped;
	void (*power)(void *arg);
	void *arg;
};

static int open_signals(sigset_t *old)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(end_signals); i++)
		sigaddset(&set, end_signals[i]);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, old);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Return: the end that a signal means, or -1: to go on. */
static int take_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return -1;
	if (info.ssi_signo != SIGTSTP)
		return ATTACH_SIGNAL + (int)info.ssi_signo;
	/* The shell gets its terminal as it was, and we ours as we had it. */
	terminal_leave();
	raise(SIGSTOP);
	terminal_enter();
	return -1;
}

static void help(bool read_only)
{
	fprintf(stderr, "\r\nvmctl: Ctrl-A x  leave, the guest goes on (Ctrl-A d does, too)\r\n");
	if (!read_only)
		fprintf(stderr, "vmctl: Ctrl-A p  press the guest's power button\r\n"
				"vmctl: Ctrl-A a  send Ctrl-A to the guest\r\n");
}

static bool write_all(int fd, const u8 *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n < 0)
			continue;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Return: an end, or -1: to go on. */
static int take_byte(struct carrier *c, u8 byte, u8 *out, size_t *len)
{
	if (!terminal_raw()) {
		out[(*len)++] = byte;
		return -1;
	}
	if (c->attach->read_only && byte == CTRL_C)
		return ATTACH_DETACHED;
	switch (terminal_key(&c->escaped, &byte)) {
	case KEY_BYTE:
		out[(*len)++] = byte;
		return -1;
	case KEY_LEAVE:
	case KEY_DETACH:
		return ATTACH_DETACHED;
	case KEY_POWER:
		if (!c->attach->read_only)
			c->power(c->arg);
		return -1;
	case KEY_HELP:
		help(c->attach->read_only);
		return -1;
	default:
		return -1;
	}
}

/* What was typed. Return: an end, or -1: to go on. */
static int take_input(struct carrier *c)
{
	u8 in[CHUNK], out[CHUNK];
	size_t len = 0;
	ssize_t n = read(STDIN_FILENO, in, sizeof(in)), i;
	int end = -1;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -1;
	if (n <= 0) {
		/* No more to type: still something to read. */
		c->keys = false;
		return -1;
	}
	for (i = 0; i < n && end < 0; i++)
		end = take_byte(c, in[i], out, &len);
	/* A VM that is gone says so where it is read. */
	if (len && !c->attach->read_only)
		write_all(c->fd, out, len);
	return end;
}

/* What the guest prints. Return: an end, or -1: to go on. */
static int take_output(struct carrier *c)
{
	u8 bytes[CHUNK];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -1;
	if (n <= 0)
		return ATTACH_CLOSED;
	return write_all(STDOUT_FILENO, bytes, (size_t)n) ? -1 : ATTACH_BROKEN;
}

static int carry(struct carrier *c, int signal_fd)
{
	enum { FD_CONSOLE, FD_KEYS, FD_SIGNAL, NR_FDS };
	struct pollfd fds[NR_FDS] = {
		[FD_CONSOLE] = { .fd = c->fd, .events = POLLIN },
		[FD_KEYS] = { .events = POLLIN },
		[FD_SIGNAL] = { .fd = signal_fd, .events = POLLIN },
	};
	int end = -1;

	while (end < 0) {
		fds[FD_KEYS].fd = c->keys ? STDIN_FILENO : -1;
		if (poll(fds, NR_FDS, -1) < 0 && errno != EINTR)
			return ATTACH_BROKEN;
		if (fds[FD_SIGNAL].revents)
			end = take_signal(signal_fd);
		if (end < 0 && fds[FD_KEYS].revents)
			end = take_input(c);
		if (end < 0 && fds[FD_CONSOLE].revents)
			end = take_output(c);
	}
	return end;
}

/**
 * attach_carry() - carry a console until it ends
 * @fd: of attach_open()
 * @attach: how
 * @keys: mind standard input, and make a terminal there raw
 * @power: what Ctrl-A p does
 * @arg: for @power
 *
 * Return: enum attach_end.
 */
int attach_carry(int fd, const struct attach *attach, bool keys,
		 void (*power)(void *arg), void *arg)
{
	struct carrier c = {
		.attach = attach, .fd = fd, .keys = keys, .power = power,
		.arg = arg,
	};
	sigset_t old;
	int signal_fd = open_signals(&old), end;

	if (keys)
		terminal_enter();
	end = carry(&c, signal_fd);
	terminal_leave();
	close(signal_fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return end;
}
