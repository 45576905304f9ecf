/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's spinlocks, for single-threaded unit tests: taken twice aborts. */
#ifndef JOIST_SHIM_SPINLOCK_H
#define JOIST_SHIM_SPINLOCK_H

#include <stdlib.h>
#include <linux/types.h>

typedef struct {
	bool held;
} spinlock_t;

static inline void shim_lock(bool *held)
{
	if (*held)
		abort();
	*held = true;
}

static inline void shim_unlock(bool *held)
{
	if (!*held)
		abort();
	*held = false;
}

#define spin_lock_init(lock)		((lock)->held = false)
#define spin_lock_irqsave(lock, flags) \
	do { (flags) = 0; shim_lock(&(lock)->held); } while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { (void)(flags); shim_unlock(&(lock)->held); } while (0)
#define lockdep_assert_held(lock) \
	do { if (!(lock)->held) abort(); } while (0)

#endif
