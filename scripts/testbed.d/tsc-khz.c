// SPDX-License-Identifier: GPL-2.0-only
/* The frequency of this machine's TSC, in kHz. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define PAUSE_NS	50000000L
#define TRIES		1000

struct moment {
	unsigned long long tsc;
	double ns;
};

/* The closest of many: between the two clocks somebody else may have had the CPU. */
static struct moment now(void)
{
	unsigned long long before, after, least = ~0ULL;
	struct moment m = { 0 };
	struct timespec ts;
	int i;

	for (i = 0; i < TRIES; i++) {
		before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC, &ts);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		m.tsc = before + least / 2;
		m.ns = (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
	}
	return m;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct moment first = now(), last;

	nanosleep(&pause, NULL);
	last = now();
	printf("%.0f\n", (double)(last.tsc - first.tsc) * 1e6 / (last.ns - first.ns));
	return 0;
}
