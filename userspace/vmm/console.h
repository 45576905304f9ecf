/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's console: what it prints to standard output, what is typed to it. */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <pthread.h>

#include "libjoist/types.h"

#define CONSOLE_RING	16384	/* a power of two */

struct pollfd;
struct vm;

/**
 * struct console - both directions
 * @wake_fd: eventfd: the main thread has something to do
 * @lock: protects the ring
 * @room: signalled when the ring empties
 * @head: bytes ever put in
 * @tail: bytes ever taken out
 * @input: standard input is still to be read; main thread only
 * @escaped: Ctrl-A was typed; main thread only
 */
struct console {
	struct vm *vm;
	int wake_fd;
	pthread_mutex_t lock;
	pthread_cond_t room;
	u64 head;
	u64 tail;
	u8 ring[CONSOLE_RING];
	bool input;
	bool escaped;
};

int console_create(struct vm *vm);
void console_destroy(struct vm *vm);
void console_put(struct console *con, u8 byte);
void console_stop(struct console *con);
void console_wake(struct console *con);
bool console_pending(struct console *con);
int console_flush(struct console *con);
void console_drain(struct console *con);
void console_read(struct console *con);

#endif
