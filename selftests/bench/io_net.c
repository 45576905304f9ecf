// SPDX-License-Identifier: GPL-2.0-only
/* Streams and round trips between a guest and its host. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

#define MIB		(1 << 20)
#define PIECE		(64 << 10)
#define SMALL		64

enum port { PORT_ECHO = 7000, PORT_SINK, PORT_SOURCE };

static char piece[PIECE];

static int open_socket(int type, const char *address, int port, int listening)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0)
		return -1;
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address && inet_pton(AF_INET, address, &to.sin_addr) != 1)
		errno = EINVAL;
	else if (!listening && !connect(fd, (void *)&to, sizeof(to)))
		return fd;
	else if (listening && !bind(fd, (void *)&to, sizeof(to)) &&
		 (type == SOCK_DGRAM || !listen(fd, 8)))
		return fd;
	close(fd);
	return -1;
}

/* All of it, or -1. */
static int move(int fd, char *buf, size_t len, ssize_t (*step)(int, char *, size_t))
{
	while (len) {
		ssize_t n = step(fd, buf, len);

		if (n <= 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t step_in(int fd, char *buf, size_t len)
{
	return read(fd, buf, len);
}

static ssize_t step_out(int fd, char *buf, size_t len)
{
	return write(fd, buf, len);
}

static int done(int fd, int ret)
{
	int err = errno;

	close(fd);
	errno = err;
	return ret;
}

/* The sink says when it has all: what is still under way is in the figure. */
static int stream_out(const char *address, unsigned int n)
{
	int fd = open_socket(SOCK_STREAM, address, PORT_SINK, 0);
	uint64_t left = (uint64_t)n * MIB;
	char byte;

	if (fd < 0)
		return -1;
	for (; left; left -= PIECE)
		if (move(fd, piece, PIECE, step_out))
			return done(fd, -1);
	shutdown(fd, SHUT_WR);
	return done(fd, move(fd, &byte, 1, step_in));
}

static int stream_in(const char *address, unsigned int n)
{
	int fd = open_socket(SOCK_STREAM, address, PORT_SOURCE, 0);
	uint64_t left = (uint64_t)n * MIB;

	if (fd < 0 || move(fd, (char *)&left, sizeof(left), step_out))
		return fd < 0 ? -1 : done(fd, -1);
	for (; left; left -= PIECE)
		if (move(fd, piece, PIECE, step_in))
			return done(fd, -1);
	return done(fd, 0);
}

static int round_trips(int type, const char *address, unsigned int n)
{
	int fd = open_socket(type, address, PORT_ECHO, 0);

	if (fd < 0)
		return -1;
	while (n--)
		if (write(fd, piece, SMALL) != SMALL || move(fd, piece, SMALL, step_in))
			return done(fd, -1);
	return done(fd, 0);
}

static int udp_trips(const char *address, unsigned int n)
{
	return round_trips(SOCK_DGRAM, address, n);
}

static int tcp_trips(const char *address, unsigned int n)
{
	return round_trips(SOCK_STREAM, address, n);
}

static void sink(int fd)
{
	while (read(fd, piece, PIECE) > 0)
		;
	move(fd, piece, 1, step_out);
}

static void source(int fd)
{
	uint64_t left;

	if (move(fd, (char *)&left, sizeof(left), step_in))
		return;
	for (; left; left -= PIECE)
		if (move(fd, piece, PIECE, step_out))
			return;
}

static void echo(int fd)
{
	while (!move(fd, piece, SMALL, step_in))
		if (move(fd, piece, SMALL, step_out))
			return;
}

static void echo_packets(int fd)
{
	struct sockaddr_in from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, piece, sizeof(piece), 0, (void *)&from, &len);
		if (n > 0)
			sendto(fd, piece, (size_t)n, 0, (void *)&from, len);
	}
}

/* A process that serves one connection after the other. */
static int serve(int port, void (*one)(int fd))
{
	int fd = open_socket(SOCK_STREAM, 0, port, 1);
	pid_t pid;

	if (fd < 0)
		return -1;
	pid = fork();
	for (; !pid; ) {
		int conn = accept(fd, 0, 0), on = 1;

		if (conn < 0)
			_exit(1);
		setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		one(conn);
		close(conn);
	}
	close(fd);
	return pid < 0 ? -1 : 0;
}

/* The host's end. Runs until it is killed, which ends all of its processes. */
int net_peer(void)
{
	int fd = open_socket(SOCK_DGRAM, 0, PORT_ECHO, 1);

	setpgid(0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || serve(PORT_ECHO, echo) || serve(PORT_SINK, sink) ||
	    serve(PORT_SOURCE, source))
		return 1;
	echo_packets(fd);
	return 0;
}

const struct io_row net_rows[] = {
	{ "network: UDP round trip, 64 bytes", 1000, udp_trips },
	{ "network: TCP round trip, 64 bytes", 1000, tcp_trips },
	{ "network: TCP to the host, MiB", 32, stream_out },
	{ "network: TCP from the host, MiB", 32, stream_in },
	{ 0 }
};
