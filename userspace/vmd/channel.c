// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between the daemon's own processes. Sending never waits: what the socket
 * does not take is queued, so that two processes cannot wait for each other.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"

/* A message that waits for room. */
struct queued {
	struct queued *next;
	struct fd_list fds;
	size_t len;
	char data[];
};

void fds_close(struct fd_list *fds)
{
	while (fds->nr) {
		int fd = fds->fd[--fds->nr];

		if (fd >= 0)
			close(fd);
	}
}

/**
 * msg_write() - send bytes with descriptors, at once or not at all
 * @sock: socket
 * @data: bytes
 * @len: how many, at least one
 * @fds: descriptors; they stay open here
 * @nr: how many, at most MSG_FDS_MAX
 *
 * Return: bytes sent or -errno.
 */
int msg_write(int sock, const void *data, size_t len, const int *fds, int nr)
{
	union {
		char space[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nr) {
		struct cmsghdr *c;

		hdr.msg_control = control.space;
		hdr.msg_controllen = CMSG_SPACE((size_t)nr * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nr * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nr * sizeof(int));
	}
	do
		n = sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

/**
 * msg_read() - receive bytes with descriptors
 * @sock: socket
 * @data: filled in
 * @len: its size
 * @fds: filled in, room for MSG_FDS_MAX
 * @nr: set
 *
 * Return: bytes, 0 at the end of file, -EMSGSIZE for what does not fit, or -errno.
 */
ssize_t msg_read(int sock, void *data, size_t len, int *fds, int *nr)
{
	union {
		char space[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { data, len };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c;
	ssize_t n;

	*nr = 0;
	do
		n = recvmsg(sock, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (c = CMSG_FIRSTHDR(&hdr); c; c = CMSG_NXTHDR(&hdr, c)) {
		size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), got * sizeof(int));
		*nr = (int)got;
	}
	if (!(hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return n;
	while (*nr)
		close(fds[--*nr]);
	return -EMSGSIZE;
}

/* Return: the message's descriptor @i, now the caller's; -1: it has none. */
int msg_take_fd(struct msg *msg, int i)
{
	int fd;

	if (i >= msg->fds.nr)
		return -1;
	fd = msg->fds.fd[i];
	msg->fds.fd[i] = -1;
	return fd;
}

static void drop_queue(struct channel *ch)
{
	while (ch->head) {
		struct queued *q = ch->head;

		ch->head = q->next;
		fds_close(&q->fds);
		free(q);
	}
	ch->tail = &ch->head;
	ch->nr_queued = 0;
}

static void channel_end(struct channel *ch)
{
	channel_close(ch);
	ch->closed(ch);
}

static void flush(struct channel *ch)
{
	while (ch->head) {
		struct queued *q = ch->head;
		int err = msg_write(ch->watch.fd, q->data, q->len, q->fds.fd, q->fds.nr);

		if (err == -EAGAIN)
			break;
		/* Another error is told by the next read: the end is there. */
		ch->head = q->next;
		if (!ch->head)
			ch->tail = &ch->head;
		ch->nr_queued--;
		fds_close(&q->fds);
		free(q);
	}
	watch_events(&ch->watch, ch->head ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void take(struct channel *ch, const char *data, size_t len,
		 struct msg *msg)
{
	struct json_tokener *tok = json_tokener_new();

	msg->json = tok ? json_tokener_parse_ex(tok, data, (int)len) : NULL;
	json_tokener_free(tok);
	if (json_object_is_type(msg->json, json_type_object))
		ch->receive(ch, msg);
	else
		channel_end(ch);
	json_object_put(msg->json);
	fds_close(&msg->fds);
}

static void channel_event(struct watch *watch, u32 events)
{
	struct channel *ch = container_of(watch, struct channel, watch);
	static char data[MSG_SIZE_MAX];
	struct msg msg = { 0 };
	ssize_t n;

	if (events & EPOLLOUT)
		flush(ch);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = msg_read(ch->watch.fd, data, sizeof(data), msg.fds.fd, &msg.fds.nr);
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		channel_end(ch);
	else
		take(ch, data, (size_t)n, &msg);
}

int channel_open(struct channel *ch, int fd,
		 void (*receive)(struct channel *ch, struct msg *msg),
		 void (*closed)(struct channel *ch))
{
	ch->receive = receive;
	ch->closed = closed;
	ch->head = NULL;
	ch->tail = &ch->head;
	ch->nr_queued = 0;
	return watch_add(&ch->watch, fd, EPOLLIN, channel_event);
}

void channel_close(struct channel *ch)
{
	int fd = ch->watch.fd;

	if (fd < 0)
		return;
	watch_remove(&ch->watch);
	drop_queue(ch);
	close(fd);
}

/**
 * channel_send_fds() - send a message
 * @ch: channel; if it is closed, nothing is sent
 * @json: the message; released
 * @fds: go with it and are closed here
 */
void channel_send_fds(struct channel *ch, struct json_object *json, struct fd_list *fds)
{
	size_t len;
	const char *text = json_object_to_json_string_length(json,
				JSON_C_TO_STRING_PLAIN, &len);
	struct queued *q = NULL;

	if (ch->watch.fd >= 0 && text && len < MSG_SIZE_MAX &&
	    ch->nr_queued < MSG_QUEUE_MAX)
		q = malloc(sizeof(*q) + len);
	if (q) {
		*q = (struct queued) { .fds = *fds, .len = len };
		fds->nr = 0;
		memcpy(q->data, text, len);
		*ch->tail = q;
		ch->tail = &q->next;
		ch->nr_queued++;
		flush(ch);
	}
	fds_close(fds);
	json_object_put(json);
}

/* Likewise with one descriptor; -1: none. */
void channel_send(struct channel *ch, struct json_object *json, int fd)
{
	struct fd_list fds = { .nr = fd >= 0, .fd[0] = fd };

	channel_send_fds(ch, json, &fds);
}
