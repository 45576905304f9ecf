// SPDX-License-Identifier: GPL-2.0-only
/* Whole messages of 9P, to a server and from it, without waiting for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "p9_wire.h"

/* Return: 0 or -errno; p9_wire_destroy() is due in both cases. @fd is the wire's. */
int p9_wire_init(struct p9_wire *wire, int fd)
{
	wire->fd = fd;
	wire->tx = malloc(P9_MESSAGE_MAX);
	wire->rx = malloc(P9_MESSAGE_MAX);
	if (!wire->tx || !wire->rx)
		return -ENOMEM;
	return fcntl(fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

void p9_wire_close(struct p9_wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	wire->tx_len = 0;
	wire->tx_sent = 0;
}

void p9_wire_destroy(struct p9_wire *wire)
{
	p9_wire_close(wire);
	free(wire->tx);
	free(wire->rx);
}

/*
 * Whoever attaches, and to whatever, is root and attaches to the share, in these words: on the
 * host all are the server's user, and it is to look for no other. @tx: fid[4] afid[4] uname[s]
 * aname[s] n_uname[4].
 */
static void rewrite_attach(struct p9_wire *wire)
{
	static const u8 words[] = {
		0xff, 0xff, 0xff, 0xff, 4, 0, 'r', 'o', 'o', 't',
		6, 0, '/', 's', 'h', 'a', 'r', 'e', 0, 0, 0, 0,
	};
	u32 size = P9_HEADER + sizeof(u32) + sizeof(words);

	memcpy(wire->tx + P9_HEADER + sizeof(u32), words, sizeof(words));
	memcpy(wire->tx, &size, sizeof(size));
}

/* What is in @tx is to be sent: a whole message, whatever it says. */
void p9_wire_put(struct p9_wire *wire)
{
	if (wire->tx[4] == P9_TATTACH && p9_size(wire->tx) >= P9_HEADER + sizeof(u32))
		rewrite_attach(wire);
	wire->tx_len = p9_size(wire->tx);
	wire->tx_sent = 0;
}

/* Go on with @tx. Return: 0: as far as it goes now; or -errno: the server is gone. */
int p9_wire_send(struct p9_wire *wire)
{
	while (p9_wire_sending(wire)) {
		ssize_t n = write(wire->fd, wire->tx + wire->tx_sent,
				  wire->tx_len - wire->tx_sent);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		wire->tx_sent += n > 0 ? (u32)n : 0;
	}
	return 0;
}

/* Return: 1: @len bytes are there; 0: not yet; or -errno. */
static int fill(struct p9_wire *wire, u32 len)
{
	while (wire->rx_len < len) {
		ssize_t n = read(wire->fd, wire->rx + wire->rx_len, len - wire->rx_len);

		if (!n)
			return -EPIPE;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		wire->rx_len += n > 0 ? (u32)n : 0;
	}
	return 1;
}

/**
 * p9_wire_receive() - go on with @rx
 * @wire: wire; its rx_len is to be zeroed for the next message
 *
 * Return: 1: it is a whole message; 0: not yet; -EPROTO: it is none; or -errno: the server
 * is gone.
 */
int p9_wire_receive(struct p9_wire *wire)
{
	int ret = fill(wire, P9_HEADER);
	u32 size;

	if (ret <= 0)
		return ret;
	size = p9_size(wire->rx);
	if (size < P9_HEADER || size > P9_MESSAGE_MAX)
		return -EPROTO;
	return fill(wire, size);
}
