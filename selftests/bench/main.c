// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs, and other things that a hypervisor does: the same on whatever
 * speaks the KVM ABI ($JOIST_DEV), in ticks of the host's TSC for each iteration. In
 * the benches the TSC counts instructions. The guest's own instructions are included,
 * what it takes to start and end a loop is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS		9
#define TRIES		3	/* of one round */

static const struct row *const tables[] = {
	loop_rows, irq_rows, memory_rows, life_rows,
};

static int bench_open(struct bench *b, const struct row *row)
{
	*b = (struct bench){ .row = row, .fd = -1 };
	if (vm_new(&b->vm, row->vm_flags) ||
	    vm_add_vcpu(&b->vm, 0))
		return -1;
	return row->open ? row->open(b) : 0;
}

static void bench_close(struct bench *b)
{
	vm_close(&b->vm);
	if (b->mem)
		munmap(b->mem, b->mem_size);
	if (b->fd >= 0)
		close(b->fd);
}

/* Ticks of a run of @n, or -1. */
static int64_t run(struct bench *b, unsigned int n)
{
	const struct row *row = b->row;

	if (row->prepare ? row->prepare(b, n) :
			   loop_prepare(b, 0, n, TOUCH_GPA))
		return -1;
	return row->measure ? row->measure(b, n) : loop_measure(b, n);
}

static int ascending(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/*
 * What one iteration cost, or -1. The bench's QEMU delivers an interrupt of VMRUN's
 * twice now and then (Documentation/testbed.rst): such a round is begun anew.
 */
static long measure_round(struct bench *b)
{
	const unsigned int n = b->row->n;
	int64_t once, twice;
	int i;

	for (i = 0; i < TRIES; i++) {
		once = run(b, n);
		twice = once < 0 ? -1 : run(b, 2 * n);
		if (twice > once)
			return (twice - once + n / 2) / n;
	}
	return -1;
}

/* Of all rounds, sorted: 0, or -1. */
static int measure(const struct row *row, long *cost)
{
	struct bench b;
	int i, ret = -1;

	if (bench_open(&b, row))
		goto out;
	/* The first run touches for the first time what all use. */
	run(&b, row->n);
	for (i = 0; i < ROUNDS; i++) {
		cost[i] = measure_round(&b);
		if (cost[i] < 0)
			goto out;
	}
	qsort(cost, ROUNDS, sizeof(*cost), ascending);
	ret = 0;
out:
	bench_close(&b);
	return ret;
}

/* A line of device, row, median, least and most; -1 where it failed. */
static int print_row(const struct row *row)
{
	long cost[ROUNDS] = { [0 ... ROUNDS - 1] = -1 };
	int ret = measure(row, cost);

	printf("%s\t%s\t%ld\t%ld\t%ld\n", strrchr(test_dev(), '/') + 1,
	       row->name, cost[ROUNDS / 2], cost[0], cost[ROUNDS - 1]);
	fflush(stdout);
	return ret;
}

/* exit_cost [ROW]: all, or those whose name begins so. */
int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct row *row;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (row = tables[i]; row->name; row++)
			if (!strncmp(row->name, name, strlen(name)) &&
			    print_row(row))
				rc = 1;
	return rc;
}
