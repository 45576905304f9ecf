// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's CPU has to spare. Where nothing runs the bench's clock leaps to the next
 * timer: ticks are no instructions then. So something always runs, behind all others, and
 * counts the ticks that it has had.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "io.h"

#define ROUND		256	/* instructions: to look at the TSC is slow in the bench */
#define ROUND_MAX	400	/* ticks; a round that took longer was interrupted */

static volatile uint64_t *idle_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *map;

	if (fd < 0 || ftruncate(fd, PAGE))
		return NULL;
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

/* For ever. Return: only if it cannot. */
int idle_spin(const char *path)
{
	const struct sched_param param = { 0 };
	volatile uint64_t *idle = idle_map(path);
	uint64_t last, now;

	if (!idle || sched_setscheduler(0, SCHED_IDLE, &param))
		return 1;
	for (last = tsc();; last = now) {
		unsigned int n = ROUND / 2;

		asm volatile("1: dec %0; jnz 1b" : "+r"(n) : : "cc");
		now = tsc();
		if (now - last < ROUND_MAX)
			*idle += now - last;
	}
}

/* Print the ticks that were not spare so far. */
int idle_busy(const char *path)
{
	volatile uint64_t *idle = idle_map(path);

	if (!idle)
		return 1;
	printf("%llu\n", (unsigned long long)(tsc() - *idle));
	return 0;
}
