/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest prints, on its way to whoever carries it. */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <pthread.h>

#include "libjoist/types.h"

#define CONSOLE_RING	16384	/* a power of two */

struct vm;

/**
 * struct console - the guest's output
 * @wake_fd: eventfd: the main thread has something to do
 * @lock: protects the ring
 * @room: signalled when the ring empties
 * @head: bytes ever put in
 * @tail: bytes ever taken out
 */
struct console {
	struct vm *vm;
	int wake_fd;
	pthread_mutex_t lock;
	pthread_cond_t room;
	u64 head;
	u64 tail;
	u8 ring[CONSOLE_RING];
};

int console_create(struct vm *vm);
void console_destroy(struct vm *vm);
void console_put(struct console *con, u8 byte);
void console_stop(struct console *con);
void console_wake(struct console *con);
bool console_pending(struct console *con);
size_t console_peek(struct console *con, u8 *data, size_t len);
void console_consume(struct console *con, size_t n);

#endif
