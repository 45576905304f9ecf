/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's console in its process: a ring, a log file, readers and one writer. */
#ifndef VMD_CONSOLE_H
#define VMD_CONSOLE_H

#include "vmd.h"

#define READERS_MAX	17	/* the writer among them */
#define NOTICE_MAX	64

struct pollfd;
struct vm;

/**
 * struct reader - somebody attached
 * @fd: stream socket
 * @writer: what they write is typed to the guest
 * @eof: they will write nothing more
 * @pos: bytes of the guest's output they have had
 * @notice: what we say ourselves, sent first
 */
struct reader {
	int fd;
	bool writer;
	bool eof;
	u64 pos;
	char notice[NOTICE_MAX];
	size_t notice_len;
};

/**
 * struct console_server - its state; main thread only
 * @log_fd: file, or -1
 * @log_size: its bytes
 * @head: bytes the guest has printed
 */
struct console_server {
	struct vm *vm;
	int log_fd;
	u64 log_size;
	u64 head;
	int nr_readers;
	struct reader reader[READERS_MAX];
	u8 ring[SCROLLBACK_MAX];
};

void server_init(struct console_server *srv, struct vm *vm, int log_fd);
int server_add(struct console_server *srv, int fd, bool writer, bool force,
	       u32 scrollback);
int server_fds(struct console_server *srv, struct pollfd *fds);
void server_serve(struct console_server *srv, const struct pollfd *fds);
void server_take_output(struct console_server *srv);
void server_end(struct console_server *srv);

#endif
