// SPDX-License-Identifier: GPL-2.0-only
/* Where there is no place for another one, less is mapped: what is not is trapped. */
#include "areas.h"

static void push(struct areas *a, u64 start, u64 end)
{
	if (start < end && a->nr < AREAS_MAX)
		a->area[a->nr++] = (struct area) { .offset = start, .size = end - start };
}

/**
 * areas_add() - a part that the device's driver lets be mapped
 * @a: areas
 * @size: of the window
 * @offset: of the part
 * @len: likewise its bytes; of either only whole pages count
 */
void areas_add(struct areas *a, u64 size, u64 offset, u64 len)
{
	if (offset >= size)
		return;
	push(a, align_up(offset, PAGE_SIZE),
	     align_down(offset + min(len, size - offset), PAGE_SIZE));
}

/* The pages of [@offset, @offset + @len) are not to be mapped. */
void areas_cut(struct areas *a, u64 offset, u64 len)
{
	const u64 start = align_down(offset, PAGE_SIZE), end = align_up(offset + len, PAGE_SIZE);
	const struct areas old = *a;
	int i;

	a->nr = 0;
	for (i = 0; i < old.nr; i++) {
		u64 from = old.area[i].offset, to = from + old.area[i].size;

		push(a, from, min(to, start));
		push(a, max(from, end), to);
	}
}
