/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections of clients: lines in, lines out. */
#ifndef VMD_CLIENT_H
#define VMD_CLIENT_H

#include "loop.h"
#include "peer.h"

#define LINE_MAX_BYTES	65536
#define OUT_MAX_BYTES	(256 << 10)
#define CLIENTS_MAX	320
#define CLIENTS_OF_USERS	256	/* the rest is for root */
#define CLIENTS_OF_ONE	64
#define PENDING_OF_ONE	64

struct json_object;
struct line_out;

/**
 * struct client - a connection
 * @peer: who it was at the last request
 * @in: bytes of a line that is not complete
 * @out: lines to be sent, with their descriptors
 * @out_bytes: what waits behind the first of them
 * @nr_pending: requests that are not answered
 * @events: it is told of events
 * @events_vm: of that one only; empty: of all
 * @eof: it will ask no more
 * @dead: closed, to be freed by the loop
 */
struct client {
	struct client *next;
	struct watch watch;
	struct timer reap;
	struct peer peer;
	char *in;
	size_t in_len, in_size;
	struct line_out *out, **out_tail;
	size_t out_bytes;
	int nr_pending;
	bool events;
	char events_vm[NAME_LEN_MAX + 1];
	bool eof;
	bool dead;
};

int clients_init(int listen_fd);
void client_send(struct client *c, struct json_object *line, int fd);
void client_close(struct client *c);
void client_settle(struct client *c);
void clients_each(void (*fn)(struct client *c, void *arg), void *arg);

/* requests.c */
void client_line(struct client *c, const char *text, size_t len);
void client_refuse(struct client *c, struct json_object *id, const char *code,
		   const char *message);
/* pending.c */
void pendings_leave(struct client *c);

#endif
