/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's mutexes, for single-threaded unit tests: taken twice aborts. */
#ifndef JOIST_SHIM_MUTEX_H
#define JOIST_SHIM_MUTEX_H

#include <linux/spinlock.h>

struct mutex {
	bool held;
};

#define mutex_init(lock)	((lock)->held = false)
#define mutex_lock(lock)	shim_lock(&(lock)->held)
#define mutex_unlock(lock)	shim_unlock(&(lock)->held)

#endif
