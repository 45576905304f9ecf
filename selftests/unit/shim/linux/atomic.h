/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's atomic_t, for single-threaded unit tests. */
#ifndef JOIST_SHIM_ATOMIC_H
#define JOIST_SHIM_ATOMIC_H

typedef struct {
	int counter;
} atomic_t;

#define atomic_read(v)		((v)->counter)
#define atomic_set(v, i)	((v)->counter = (i))
#define atomic_add(i, v)	((v)->counter += (i))

static inline int atomic_dec_if_positive(atomic_t *v)
{
	return v->counter > 0 ? --v->counter : v->counter - 1;
}

#endif
