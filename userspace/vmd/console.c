// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's console in its process. The guest never waits for anybody: the last of what it
 * printed is in a ring, more of it in a log file of bounded size, and who does not
 * read in time misses some.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "console.h"
#include "vmm/chipset/uart.h"
#include "vmm/console.h"
#include "vmm/vm.h"

#define CHUNK		4096

void server_init(struct console_server *srv, struct vm *vm, int log_fd)
{
	off_t size = lseek(log_fd, 0, SEEK_END);

	srv->vm = vm;
	srv->log_fd = log_fd;
	srv->log_size = size < 0 ? 0 : (u64)size;
	srv->head = 0;
	srv->nr_readers = 0;
}

/* Keep the newer half of the log. */
static void shorten_log(struct console_server *srv)
{
	u64 from = srv->log_size - LOG_SIZE_MAX / 2, to = 0;
	u8 chunk[CHUNK];

	for (;;) {
		ssize_t n = pread(srv->log_fd, chunk, sizeof(chunk),
				  (off_t)(from + to));

		if (n <= 0 || pwrite(srv->log_fd, chunk, (size_t)n, (off_t)to) != n)
			break;
		to += (u64)n;
	}
	if (!ftruncate(srv->log_fd, (off_t)to))
		srv->log_size = to;
}

/* A full disk is no reason to stop: what does not fit is not logged. */
static void write_log(struct console_server *srv, const u8 *data, size_t len)
{
	ssize_t n;

	if (srv->log_size + len > LOG_SIZE_MAX)
		shorten_log(srv);
	if (srv->log_size + len > LOG_SIZE_MAX)
		return;
	n = pwrite(srv->log_fd, data, len, (off_t)srv->log_size);
	if (n > 0)
		srv->log_size += (u64)n;
}

/* What the guest has printed since. */
void server_take_output(struct console_server *srv)
{
	u8 chunk[CHUNK];
	size_t n, i;

	while ((n = console_peek(srv->vm->console, chunk, sizeof(chunk)))) {
		for (i = 0; i < n; i++)
			srv->ring[srv->head++ % SCROLLBACK_MAX] = chunk[i];
		write_log(srv, chunk, n);
		console_consume(srv->vm->console, n);
	}
}

static void server_remove(struct console_server *srv, int i)
{
	close(srv->reader[i].fd);
	srv->nr_readers--;
	memmove(&srv->reader[i], &srv->reader[i + 1],
		(size_t)(srv->nr_readers - i) * sizeof(srv->reader[0]));
}

/**
 * server_add() - attach somebody
 * @srv: console
 * @fd: stream socket; ours on success
 * @writer: they may type
 * @force: whoever could type until now may not any longer
 * @scrollback: bytes of the past to begin with
 *
 * Return: 0, or -EBUSY: somebody else types; -EMFILE: too many are attached.
 */
int server_add(struct console_server *srv, int fd, bool writer, bool force,
	       u32 scrollback)
{
	struct reader *r;
	u64 past = min((u64)scrollback, srv->head);
	int i;

	if (srv->nr_readers == READERS_MAX)
		return -EMFILE;
	for (i = 0; writer && i < srv->nr_readers; i++) {
		if (!srv->reader[i].writer)
			continue;
		if (!force)
			return -EBUSY;
		srv->reader[i].writer = false;
	}
	past = min(past, (u64)SCROLLBACK_MAX);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	r = &srv->reader[srv->nr_readers++];
	*r = (struct reader) {
		.fd = fd, .writer = writer, .pos = srv->head - past,
	};
	return 0;
}

static bool has_output(const struct console_server *srv, const struct reader *r)
{
	return r->notice_len || r->pos < srv->head;
}

/* What poll() shall wait for. Return: how many descriptors. */
int server_fds(struct console_server *srv, struct pollfd *fds)
{
	bool room = uart_room(srv->vm->uart);
	int i;

	for (i = 0; i < srv->nr_readers; i++) {
		const struct reader *r = &srv->reader[i];
		bool out = has_output(srv, r);
		bool in = !r->eof && (room || !r->writer);

		/* With neither, a hang-up would wake us again and again. */
		fds[i] = (struct pollfd) {
			.fd = in || out || r->eof ? r->fd : -1,
			.events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)),
		};
	}
	return i;
}

/* Return: whether they are still there. */
static bool take_input(struct console_server *srv, struct reader *r, bool hangup)
{
	u8 bytes[UART_FIFO];
	size_t room = uart_room(srv->vm->uart), want = sizeof(bytes);
	ssize_t n, i;

	if (r->writer)
		want = min(room, want);
	if (!want)
		return true;
	n = read(r->fd, bytes, want);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n) {
		r->eof = true;
		return !hangup;
	}
	for (i = 0; r->writer && i < n; i++)
		uart_receive(srv->vm->uart, bytes[i]);
	return true;
}

static void skip_lost(struct console_server *srv, struct reader *r)
{
	u64 lost;

	if (srv->head - r->pos <= SCROLLBACK_MAX)
		return;
	lost = srv->head - SCROLLBACK_MAX - r->pos;
	r->pos += lost;
	r->notice_len = (size_t)snprintf(r->notice, sizeof(r->notice),
					 "\r\n[joist: %llu bytes lost]\r\n",
					 (unsigned long long)lost);
}

/* Return: whether they are still there. */
static bool send_output(struct console_server *srv, struct reader *r)
{
	u8 chunk[CHUNK];
	size_t n = 0;
	int done;

	skip_lost(srv, r);
	if (r->notice_len) {
		done = msg_write(r->fd, r->notice, r->notice_len, NULL, 0);
		if (done > 0) {
			r->notice_len -= (size_t)done;
			memmove(r->notice, r->notice + done, r->notice_len);
		}
		return done > 0 || done == -EAGAIN;
	}
	while (n < sizeof(chunk) && r->pos + n < srv->head) {
		chunk[n] = srv->ring[(r->pos + n) % SCROLLBACK_MAX];
		n++;
	}
	if (!n)
		return true;
	done = msg_write(r->fd, chunk, n, NULL, 0);
	if (done > 0)
		r->pos += (u64)done;
	return done > 0 || done == -EAGAIN;
}

/* @fds: as server_fds() filled them in, and poll() after it. */
void server_serve(struct console_server *srv, const struct pollfd *fds)
{
	bool gone[READERS_MAX] = { false };
	int i, nr = srv->nr_readers;

	server_take_output(srv);
	for (i = 0; i < nr; i++) {
		struct reader *r = &srv->reader[i];
		bool hangup = fds[i].revents & (POLLHUP | POLLERR);

		if (fds[i].fd < 0)
			continue;
		if (fds[i].revents & POLLIN)
			gone[i] = !take_input(srv, r, hangup);
		else if (hangup)
			gone[i] = true;
		if (!gone[i] && has_output(srv, r))
			gone[i] = !send_output(srv, r);
	}
	for (i = nr - 1; i >= 0; i--)
		if (gone[i])
			server_remove(srv, i);
}

/* The guest's last words to all who read. */
void server_end(struct console_server *srv)
{
	int i;

	server_take_output(srv);
	for (i = srv->nr_readers - 1; i >= 0; i--) {
		struct reader *r = &srv->reader[i];
		u64 before;

		do
			before = r->pos + r->notice_len;
		while (send_output(srv, r) && has_output(srv, r) &&
		       r->pos + r->notice_len != before);
		server_remove(srv, i);
	}
}
