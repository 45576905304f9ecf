// SPDX-License-Identifier: GPL-2.0-only
/*
 * ticks NAME COMMAND [ARG...]: what a command takes, as two lines of name and
 * number: ticks of the TSC from its start to its end, and those in which it or
 * its children had the CPU.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Where scripts/boot-profile begins and ends to count: a no-operation of its own. */
static void mark(void)
{
	asm volatile("nopl 0x73696f6a(%%rax,%%rax)" : : : "memory");
}

static double seconds(const struct timeval *t)
{
	return t->tv_sec + t->tv_usec / 1e6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start, took, cpu;
	uint64_t ticks;
	int status;
	pid_t pid;

	if (argc < 3)
		return 2;
	mark();
	start = now();
	ticks = tsc();
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	ticks = tsc() - ticks;
	took = now() - start;
	mark();
	getrusage(RUSAGE_CHILDREN, &usage);
	cpu = seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
	printf("%s\t%llu\n", argv[1], (unsigned long long)ticks);
	printf("%s: CPU time\t%.0f\n", argv[1], ticks * (cpu / took));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
