/* SPDX-License-Identifier: GPL-2.0-only */
/* The short integer names and the helpers that all of userspace shares. */
#ifndef LIBJOIST_TYPES_H
#define LIBJOIST_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define BIT(n)		(1U << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE	4096UL

/* The structure that @ptr is the member of. */
#define container_of(ptr, type, member)	\
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) ({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })

#define __printf(f, a)	__attribute((format(printf, f, a)))
#define __packed	__attribute((packed))
#define fallthrough	__attribute((fallthrough))

/* To multiples of @to, a power of two. */
static inline u64 align_down(u64 value, u64 to)
{
	return value & ~(to - 1);
}

static inline u64 align_up(u64 value, u64 to)
{
	return align_down(value + to - 1, to);
}

#endif
