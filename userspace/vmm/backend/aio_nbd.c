// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O by NBD: requests go out on a socket, replies come in any order. Data goes between
 * the socket and the guest's memory. The server may be hostile: a reply that fits no
 * request ends the connection, and all that is under way is an error.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "aio.h"
#include "nbd.h"
#include "nbd_protocol.h"

/**
 * struct aio_nbd - a connection
 * @gone: it is no use any longer
 * @todo: requests that were not sent, or not all of it
 * @head: what is sent before the first one's data
 * @head_sent: of it; all: @data_left bytes of its data are left
 * @slot: requests whose reply is awaited, by their cookie
 * @reply: what comes before data; @reply_got bytes of it
 * @reading: whose data come now, or NULL
 * @read_left: bytes of them
 */
struct aio_nbd {
	struct aio aio;
	int fd;
	bool gone;
	struct aio_req *todo, **last;
	struct nbd_request head;
	size_t head_sent;
	size_t data_left;
	bool sending;
	u32 nr_free;
	u16 free[AIO_DEPTH];
	struct aio_req *slot[AIO_DEPTH];
	struct nbd_reply reply;
	size_t reply_got;
	struct aio_req *reading;
	size_t read_left;
};

static struct aio_nbd *nbd_of(struct aio *aio)
{
	return container_of(aio, struct aio_nbd, aio);
}

/* All that is under way has failed. */
static void hang_up(struct aio_nbd *nbd)
{
	struct aio_req *req, *next;
	int i;

	nbd->gone = true;
	if (nbd->reading)
		aio_finish(&nbd->aio, nbd->reading, -EIO);
	nbd->reading = NULL;
	for (i = 0; i < AIO_DEPTH; i++) {
		if (nbd->slot[i] && !(nbd->sending && nbd->slot[i] == nbd->todo))
			aio_finish(&nbd->aio, nbd->slot[i], -EIO);
		nbd->slot[i] = NULL;
	}
	for (req = nbd->todo; req; req = next) {
		next = req->next;
		aio_finish(&nbd->aio, req, -EIO);
	}
	nbd->todo = NULL;
	nbd->last = &nbd->todo;
	nbd->sending = false;
}

static void nbd_start(struct aio *aio, struct aio_req *req)
{
	struct aio_nbd *nbd = nbd_of(aio);
	bool transfers = req->op == AIO_READ || req->op == AIO_WRITE;

	if (nbd->gone || (transfers && req->len > NBD_LENGTH_MAX)) {
		aio_finish(aio, req, nbd->gone ? -EIO : -EINVAL);
		return;
	}
	req->next = NULL;
	*nbd->last = req;
	nbd->last = &req->next;
}

static void prepare(struct aio_nbd *nbd, const struct aio_req *req, u16 slot)
{
	static const u16 types[] = {
		[AIO_READ] = NBD_CMD_READ, [AIO_WRITE] = NBD_CMD_WRITE,
		[AIO_FLUSH] = NBD_CMD_FLUSH, [AIO_DISCARD] = NBD_CMD_TRIM,
		[AIO_ZERO] = NBD_CMD_WRITE_ZEROES,
	};
	bool flush = req->op == AIO_FLUSH;

	nbd->head = (struct nbd_request) {
		.magic = htobe32(NBD_REQUEST_MAGIC),
		.flags = htobe16(req->op == AIO_ZERO ? NBD_CMD_FLAG_NO_HOLE : 0),
		.type = htobe16(types[req->op]),
		.cookie = htobe64(slot),
		.offset = htobe64(flush ? 0 : req->offset),
		.length = htobe32(flush ? 0 : (u32)req->len),
	};
	nbd->head_sent = 0;
	nbd->data_left = req->op == AIO_WRITE ? req->len : 0;
	nbd->sending = true;
}

/* What is left of the first request. Return: bytes, 0: the socket is full; or -errno. */
static ssize_t send_some(struct aio_nbd *nbd, struct aio_req *req)
{
	struct iovec iov[AIO_DEPTH + 2];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	if (nbd->head_sent < sizeof(nbd->head))
		iov[msg.msg_iovlen++] = (struct iovec) {
			(u8 *)&nbd->head + nbd->head_sent,
			sizeof(nbd->head) - nbd->head_sent,
		};
	if (nbd->data_left) {
		memcpy(iov + msg.msg_iovlen, req->iov, (size_t)req->nr * sizeof(*iov));
		msg.msg_iovlen += (size_t)req->nr;
	}
	do {
		n = sendmsg(nbd->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EAGAIN ? 0 : -errno;
}

static void send_requests(struct aio_nbd *nbd)
{
	struct aio_req *req;
	size_t head;
	ssize_t n;

	while ((req = nbd->todo)) {
		if (!nbd->sending) {
			u16 slot;

			if (!nbd->nr_free)
				return;
			slot = nbd->free[--nbd->nr_free];
			nbd->slot[slot] = req;
			prepare(nbd, req, slot);
		}
		n = send_some(nbd, req);
		if (n < 0) {
			hang_up(nbd);
			return;
		}
		if (!n)
			return;
		head = min((size_t)n, sizeof(nbd->head) - nbd->head_sent);
		nbd->head_sent += head;
		n -= (ssize_t)head;
		if (n) {
			nbd->data_left -= (size_t)n;
			aio_advance(req, (size_t)n);
		}
		if (nbd->head_sent < sizeof(nbd->head) || nbd->data_left)
			continue;
		nbd->sending = false;
		nbd->todo = req->next;
		if (!nbd->todo)
			nbd->last = &nbd->todo;
	}
}

/* Return: whose reply it is; NULL: nobody's. */
static struct aio_req *whose(struct aio_nbd *nbd)
{
	u64 cookie = be64toh(nbd->reply.cookie);
	struct aio_req *req;

	if (be32toh(nbd->reply.magic) != NBD_SIMPLE_MAGIC || cookie >= AIO_DEPTH)
		return NULL;
	req = nbd->slot[cookie];
	/* One that was not sent can have no reply. */
	if (!req || (nbd->sending && req == nbd->todo))
		return NULL;
	nbd->slot[cookie] = NULL;
	nbd->free[nbd->nr_free++] = (u16)cookie;
	return req;
}

static void take_reply(struct aio_nbd *nbd)
{
	struct aio_req *req = whose(nbd);
	u32 error = be32toh(nbd->reply.error);

	nbd->reply_got = 0;
	if (!req) {
		hang_up(nbd);
	} else if (error) {
		/* Its numbers are Linux's, as far as it has any. */
		aio_finish(&nbd->aio, req, error < 4096 ? -(int)error : -EIO);
	} else if (req->op == AIO_READ) {
		nbd->reading = req;
		nbd->read_left = req->len;
	} else {
		aio_finish(&nbd->aio, req, 0);
	}
}

/* Return: bytes; 0: there is nothing; less: it is over. */
static ssize_t receive_some(struct aio_nbd *nbd)
{
	struct aio_req *req = nbd->reading;
	struct iovec head = {
		(u8 *)&nbd->reply + nbd->reply_got, sizeof(nbd->reply) - nbd->reply_got,
	};
	struct msghdr msg = {
		.msg_iov = req ? req->iov : &head, .msg_iovlen = req ? (size_t)req->nr : 1,
	};
	ssize_t n;

	do {
		n = recvmsg(nbd->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	return n && errno == EAGAIN ? 0 : -EIO;
}

static void receive_replies(struct aio_nbd *nbd)
{
	struct aio_req *req;
	ssize_t n;

	while (!nbd->gone) {
		n = receive_some(nbd);
		if (n < 0)
			hang_up(nbd);
		if (n <= 0)
			return;
		req = nbd->reading;
		if (!req) {
			nbd->reply_got += (size_t)n;
			if (nbd->reply_got == sizeof(nbd->reply))
				take_reply(nbd);
			continue;
		}
		nbd->read_left -= (size_t)n;
		aio_advance(req, (size_t)n);
		if (!nbd->read_left) {
			nbd->reading = NULL;
			aio_finish(&nbd->aio, req, 0);
		}
	}
}

static bool nbd_wait(struct aio *aio, int timeout_ms)
{
	struct aio_nbd *nbd = nbd_of(aio);
	struct pollfd fds[] = {
		{ aio->kick_fd, POLLIN, 0 }, { nbd->fd, POLLIN, 0 },
	};
	eventfd_t count;

	send_requests(nbd);
	if (nbd->todo && nbd->sending)
		fds[1].events |= POLLOUT;
	if (nbd->gone)
		fds[1].fd = -1;
	if (poll(fds, ARRAY_SIZE(fds), aio->done ? 0 : timeout_ms) <= 0)
		return false;
	if (fds[1].revents)
		receive_replies(nbd);
	if (!fds[0].revents)
		return false;
	eventfd_read(aio->kick_fd, &count);
	return true;
}

/* The server writes back what it has, and ends. */
static void nbd_close(struct aio *aio)
{
	struct nbd_request bye = {
		.magic = htobe32(NBD_REQUEST_MAGIC), .type = htobe16(NBD_CMD_DISC),
	};
	struct aio_nbd *nbd = nbd_of(aio);
	struct iovec iov = { &bye, sizeof(bye) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!nbd->gone)
		sendmsg(nbd->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(nbd);
}

static const struct aio_ops nbd_ops = {
	.start = nbd_start,
	.wait = nbd_wait,
	.close = nbd_close,
};

/* @fd: after nbd_connect(). Return: NULL: no memory. */
struct aio *aio_open_nbd(int fd)
{
	struct aio_nbd *nbd = calloc(1, sizeof(*nbd));

	if (!nbd)
		return NULL;
	nbd->aio.ops = &nbd_ops;
	nbd->fd = fd;
	nbd->last = &nbd->todo;
	while (nbd->nr_free < AIO_DEPTH) {
		nbd->free[nbd->nr_free] = (u16)nbd->nr_free;
		nbd->nr_free++;
	}
	return &nbd->aio;
}
