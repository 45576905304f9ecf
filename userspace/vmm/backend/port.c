// SPDX-License-Identifier: GPL-2.0-only
/* The host's end of a port: who connects next waits until the one before has left. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../log.h"
#include "port.h"

#define BACKLOG	4

/* A socket that nobody listens on any longer, of a VM that was killed. */
static bool left_over(const struct sockaddr_un *addr)
{
	struct stat st;
	bool dead = false;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		dead = errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* For its owner alone: it cannot be connected to before it listens. */
static int listen_at(int fd, const struct sockaddr_un *addr)
{
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));

	if (err && errno == EADDRINUSE && left_over(addr) && !unlink(addr->sun_path))
		err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	if (err)
		return -errno;
	if (chmod(addr->sun_path, 0600) || listen(fd, BACKLOG)) {
		err = -errno;
		unlink(addr->sun_path);
	}
	return err;
}

/**
 * port_end_open() - listen
 * @end: filled in; port_end_close() is due in all cases
 * @file: where, or a socket that listens already
 *
 * Return: 0, or -errno with the reason logged.
 */
int port_end_open(struct port_end *end, const struct vmm_file *file)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int err;

	*end = (struct port_end) { .listen_fd = file->fd, .fd = -1 };
	if (file->fd >= 0)
		return 0;
	if (strlen(file->path) >= sizeof(addr.sun_path)) {
		log_err("cannot listen at %s: a socket's path has at most %zu bytes", file->path,
			sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(addr.sun_path, file->path);
	end->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = end->listen_fd < 0 ? -errno : listen_at(end->listen_fd, &addr);
	if (err)
		log_err("cannot listen at %s: %s", file->path, strerror(-err));
	else
		end->path = file->path;
	return err;
}

void port_end_close(struct port_end *end)
{
	port_end_drop(end);
	if (end->path)
		unlink(end->path);
	if (end->listen_fd >= 0)
		close(end->listen_fd);
	end->listen_fd = -1;
}

/* Return: whether somebody is connected now. */
bool port_end_accept(struct port_end *end)
{
	end->fd = accept4(end->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return end->fd >= 0;
}

void port_end_drop(struct port_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

/* Return: bytes sent, or -errno; -EAGAIN: not now. */
ssize_t port_end_send(struct port_end *end, const void *data, size_t len)
{
	ssize_t n;

	do {
		n = send(end->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Return: bytes received, 0: they have left, or -errno; -EAGAIN: there are none. */
ssize_t port_end_receive(struct port_end *end, void *data, size_t len)
{
	ssize_t n;

	do {
		n = recv(end->fd, data, len, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
