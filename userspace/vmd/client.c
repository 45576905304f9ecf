// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections of clients. None can hold up the others: nothing here waits, what one may
 * have in memory is bounded, and so is how many there are, of one user and of all.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "client.h"
#include "vmd.h"

#define ACCEPT_BATCH	16
#define RETRY_MS	200

struct line_out {
	struct line_out *next;
	int fd;
	size_t len, done;
	char text[];
};

static struct client *clients;
static struct watch listener;
static struct timer retry;

void clients_each(void (*fn)(struct client *c, void *arg), void *arg)
{
	struct client *c, *next;

	for (c = clients; c; c = next) {
		next = c->next;
		if (!c->dead)
			fn(c, arg);
	}
}

static void drop_first(struct client *c)
{
	struct line_out *line = c->out;

	c->out = line->next;
	if (!c->out)
		c->out_tail = &c->out;
	else
		c->out_bytes -= c->out->len;
	if (line->fd >= 0)
		close(line->fd);
	free(line);
}

static void free_client(struct timer *timer)
{
	struct client *c = container_of(timer, struct client, reap);
	struct client **link;

	for (link = &clients; *link != c; link = &(*link)->next)
		;
	*link = c->next;
	free(c->in);
	free(c);
}

void client_close(struct client *c)
{
	int fd = c->watch.fd;

	if (c->dead)
		return;
	c->dead = true;
	watch_remove(&c->watch);
	close(fd);
	while (c->out)
		drop_first(c);
	pendings_leave(c);
	/* Somebody up the stack may still hold it. */
	timer_set(&c->reap, 0, free_client);
}

/* Close it if there is nothing more to come; else wait for what is. */
void client_settle(struct client *c)
{
	if (c->dead)
		return;
	if (c->eof && !c->out && !c->nr_pending && !c->events) {
		client_close(c);
		return;
	}
	watch_events(&c->watch, (c->eof ? 0U : (u32)EPOLLIN) |
				(c->out ? (u32)EPOLLOUT : 0U));
}

static void flush(struct client *c)
{
	while (c->out) {
		struct line_out *line = c->out;
		/* The descriptor goes with the first byte. */
		bool with_fd = line->fd >= 0 && !line->done;
		int n = msg_write(c->watch.fd, line->text + line->done,
				  line->len - line->done, &line->fd, with_fd);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			client_close(c);
			return;
		}
		line->done += (size_t)n;
		if (line->done == line->len)
			drop_first(c);
	}
	client_settle(c);
}

/**
 * client_send() - send a line
 * @c: client; one that is too slow is disconnected
 * @line: released
 * @fd: goes with it and is closed here; -1: none
 */
void client_send(struct client *c, struct json_object *line, int fd)
{
	size_t len;
	const char *text = json_object_to_json_string_length(line,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	struct line_out *out = NULL;

	if (!c->dead && c->out && c->out_bytes + len > OUT_MAX_BYTES)
		client_close(c);
	if (!c->dead && text)
		out = malloc(sizeof(*out) + len + 1);
	if (out) {
		*out = (struct line_out) { .fd = fd, .len = len + 1 };
		memcpy(out->text, text, len);
		out->text[len] = '\n';
		if (c->out)
			c->out_bytes += out->len;
		*c->out_tail = out;
		c->out_tail = &out->next;
		flush(c);
	} else if (fd >= 0) {
		close(fd);
	}
	json_object_put(line);
}

/* Each complete line of what has arrived. */
static void split(struct client *c)
{
	size_t start = 0;

	while (!c->dead) {
		char *end = memchr(c->in + start, '\n', c->in_len - start);

		if (!end)
			break;
		*end = '\0';
		client_line(c, c->in + start, (size_t)(end - c->in) - start);
		start = (size_t)(end - c->in) + 1;
	}
	if (c->dead)
		return;
	c->in_len -= start;
	memmove(c->in, c->in + start, c->in_len);
	if (c->in_len >= LINE_MAX_BYTES) {
		client_refuse(c, NULL, "bad-request",
			      "a line is at most 65536 bytes long");
		/* What follows is the rest of that line: no more of it. */
		c->eof = true;
		client_settle(c);
	}
}

static void take_input(struct client *c)
{
	ssize_t n;

	if (c->in_size - c->in_len < 2048 && c->in_size < LINE_MAX_BYTES) {
		size_t size = c->in_size ? c->in_size * 2 : 4096;
		char *in = realloc(c->in, size);

		if (!in) {
			client_close(c);
			return;
		}
		c->in = in;
		c->in_size = size;
	}
	/* read() drops descriptors that came along. */
	n = read(c->watch.fd, c->in + c->in_len, c->in_size - c->in_len);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client_close(c);
		return;
	}
	if (!n) {
		c->eof = true;
		client_settle(c);
		return;
	}
	c->in_len += (size_t)n;
	split(c);
}

static void on_client(struct watch *watch, u32 events)
{
	struct client *c = container_of(watch, struct client, watch);

	if ((events & EPOLLIN) && !c->eof)
		take_input(c);
	if (!c->dead && (events & EPOLLOUT))
		flush(c);
	/* Hung up for good, and nothing is left to be read. */
	if (!c->dead && (events & (EPOLLHUP | EPOLLERR)) &&
	    (c->eof || !(events & EPOLLIN)))
		client_close(c);
}

/* Return: why no more may connect, or NULL. */
static const char *too_many(u32 uid)
{
	int all = 0, users = 0, one = 0;
	struct client *c;

	for (c = clients; c; c = c->next) {
		if (c->dead)
			continue;
		all++;
		users += c->peer.uid != 0;
		one += c->peer.uid == uid;
	}
	if (all >= CLIENTS_MAX || (uid && users >= CLIENTS_OF_USERS))
		return "too many clients";
	return uid && one >= CLIENTS_OF_ONE ? "too many connections of one user" : NULL;
}

static void welcome(int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	const char *why;

	if (!c || peer_get(fd, &c->peer)) {
		free(c);
		close(fd);
		return;
	}
	why = too_many(c->peer.uid);
	c->watch.fd = -1;
	c->out_tail = &c->out;
	if (watch_add(&c->watch, fd, EPOLLIN, on_client)) {
		free(c);
		close(fd);
		return;
	}
	c->next = clients;
	clients = c;
	if (!why)
		return;
	client_refuse(c, NULL, "limit", why);
	client_close(c);
}

static void listen_again(struct timer *timer)
{
	(void)timer;
	watch_events(&listener, EPOLLIN);
}

static void on_connect(struct watch *watch, u32 events)
{
	int i;

	(void)events;
	for (i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(watch->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			welcome(fd);
			continue;
		}
		/* Out of files or memory: those who wait, wait a little longer. */
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
			watch_events(watch, 0);
			timer_set(&retry, RETRY_MS, listen_again);
		}
		break;
	}
}

int clients_init(int listen_fd)
{
	return watch_add(&listener, listen_fd, EPOLLIN, on_connect);
}
