// SPDX-License-Identifier: GPL-2.0-only
/* How threads are started. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "thread.h"

/*
 * Enough for reports, and less than a huge page: of a stack of the usual 8 MiB that
 * happens to lie right, the kernel gives 2 MiB for its first byte.
 */
#define STACK_SIZE	(512UL << 10)

struct birth {
	char name[16];
	void *(*run)(void *arg);
	void *arg;
};

/* It names itself: that takes no file of /proc, which a sandbox does not have. */
static void *born(void *arg)
{
	struct birth birth = *(struct birth *)arg;

	free(arg);
	prctl(PR_SET_NAME, birth.name);
	return birth.run(birth.arg);
}

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
	struct birth *birth = malloc(sizeof(*birth));
	pthread_attr_t attr;
	int err;

	if (!birth)
		return -ENOMEM;
	snprintf(birth->name, sizeof(birth->name), "%s", name);
	birth->run = run;
	birth->arg = arg;
	err = pthread_attr_init(&attr);
	if (err)
		goto out;
	err = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!err)
		err = pthread_create(thread, &attr, born, birth);
	pthread_attr_destroy(&attr);
	if (!err)
		return 0;
out:
	free(birth);
	return -err;
}
