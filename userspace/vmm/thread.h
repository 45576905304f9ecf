/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads beside the main one: a vCPU's, a disk's. */
#ifndef VMM_THREAD_H
#define VMM_THREAD_H

#include <pthread.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg),
		 void *arg);

#endif
