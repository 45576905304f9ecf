/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as people type them: what command lines, configuration and protocol have in common. */
#ifndef LIBJOIST_NUMBER_H
#define LIBJOIST_NUMBER_H

#include "types.h"

/* All from first to last. */
struct range {
	u64 first, last;
};

int number_take(const char *text, int base, u64 *value, const char **end);
int number_unit(u64 *value, const char **end);
int number_range(const char *text, u64 most, struct range *range);

static inline u64 range_size(const struct range *r)
{
	return r->last - r->first + 1;
}

static inline bool ranges_meet(const struct range *a, const struct range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

#endif
