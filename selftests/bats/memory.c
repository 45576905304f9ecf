// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is filled and filled again, and is still as it was, whatever the host did with it. */
#include "kernel.h"

#define FIRST		0x400000	/* the kernel and what it was given lie below */
#define PAGE		4096
#define ROUNDS		3
#define WORDS		8		/* of each page, spread over it */

static u32 hash(u32 value)
{
	value ^= value >> 16;
	value *= 0x7feb352d;
	value ^= value >> 15;
	value *= 0x846ca68b;
	return value ^ value >> 16;
}

static volatile u32 *word(u32 page, u32 n, u32 seed)
{
	/* The first, the last, and some between them. */
	u32 at = n == 0 ? 0 : n == 1 ? PAGE / 4 - 1 : hash(page + n + seed) % (PAGE / 4);

	return (u32 *)page + at;
}

static u32 value_of(volatile u32 *at, u32 seed)
{
	return hash((u32)at ^ seed);
}

/* Return: words that are not as round @seed left them. */
static u32 check(u32 end, u32 seed)
{
	u32 page, n, wrong = 0;

	for (page = FIRST; page < end; page += PAGE)
		for (n = 0; n < WORDS; n++)
			wrong += *word(page, n, seed) != value_of(word(page, n, seed), seed);
	return wrong;
}

static void fill(u32 end, u32 seed)
{
	u32 page, n;

	for (page = FIRST; page < end; page += PAGE)
		for (n = 0; n < WORDS; n++)
			*word(page, n, seed) = value_of(word(page, n, seed), seed);
}

/* @kib: of memory above 1 MiB */
void keep_memory(u32 kib)
{
	u32 end = 0x100000 + kib * 1024, round, seed, wrong = 0;

	asm volatile("rdtsc" : "=a"(seed) : : "edx");
	for (round = 0; round < ROUNDS; round++) {
		fill(end, seed + round);
		print("filled\n");
		wrong += check(end, seed + round);
	}
	print("pages: ");
	print_number((end - FIRST) / PAGE);
	print(", wrong words: ");
	print_number(wrong);
}
