// SPDX-License-Identifier: GPL-2.0-only
/* How threads are started. */
#include <pthread.h>

#include "thread.h"

/*
 * Enough for reports, and less than a huge page: of a stack of the usual 8 MiB that
 * happens to lie right, the kernel gives 2 MiB for its first byte.
 */
#define STACK_SIZE	(512UL << 10)

/**
 * thread_start() - start a thread
 * @thread: filled in
 * @name: up to 15 bytes, as ps and top show it
 * @run: what it does
 * @arg: for @run
 *
 * Return: 0 or -errno.
 */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg),
		 void *arg)
{
	pthread_attr_t attr;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!err)
		err = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (err)
		return -err;
	pthread_setname_np(*thread, name);
	return 0;
}
