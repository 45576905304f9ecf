/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's bit operations, in userspace. */
#ifndef JOIST_SHIM_BITOPS_H
#define JOIST_SHIM_BITOPS_H

#include <linux/bits.h>
#include <linux/compiler.h>

#define BITS_PER_LONG	64

#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define __fls(x)	((unsigned int)(63 - __builtin_clzl(x)))

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline void set_bit(unsigned int nr, unsigned long *p)
{
	__atomic_fetch_or(p + nr / 64, BIT(nr % 64), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned int nr, unsigned long *p)
{
	__atomic_fetch_and(p + nr / 64, ~BIT(nr % 64), __ATOMIC_SEQ_CST);
}

static inline bool test_bit(unsigned int nr, const unsigned long *p)
{
	return p[nr / 64] & BIT(nr % 64);
}

static inline bool test_and_set_bit(unsigned int nr, unsigned long *p)
{
	return __atomic_fetch_or(p + nr / 64, BIT(nr % 64), __ATOMIC_SEQ_CST) &
	       BIT(nr % 64);
}

static inline void __set_bit(unsigned int nr, unsigned long *p)
{
	p[nr / 64] |= BIT(nr % 64);
}

#endif
