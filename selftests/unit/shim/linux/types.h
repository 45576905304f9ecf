/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, for pure module files built as userspace unit tests. */
#ifndef JOIST_SHIM_TYPES_H
#define JOIST_SHIM_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(nr)		(1UL << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef __user
#define __user
#define __rcu
#define __percpu
#endif
#define fallthrough	__attribute__((__fallthrough__))

#endif
