/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's accessors of shared words and its barriers, in userspace. */
#ifndef JOIST_SHIM_COMPILER_H
#define JOIST_SHIM_COMPILER_H

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile __typeof__(x) *)&(x) = (val))
#define xchg(p, val)		__atomic_exchange_n(p, val, __ATOMIC_SEQ_CST)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST) /* full */
#define smp_mb__after_atomic()	smp_mb()	/* stronger than asked for */
#define smp_rmb()		smp_mb()	/* likewise */
#define smp_wmb()		smp_mb()	/* likewise */

#define try_cmpxchg(p, old, new)					\
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_SEQ_CST)

#ifndef likely
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif
#define noinline		__attribute__((noinline))
#define __releases(x)
#define __acquires(x)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
