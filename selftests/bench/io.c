// SPDX-License-Identifier: GPL-2.0-only
/*
 * io blk DEVICE | net ADDRESS: runs in a guest and does what each row says: a line when it
 * begins, so that the host can count exits from there on, and one when it has ended, with
 * the operations and the ticks of the TSC they took.
 * io peer: the other end of the network's, on the host.
 * io idle FILE: takes what nobody else wants of the CPU, and counts it in FILE.
 * io busy FILE: prints the ticks that this did not get.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "io.h"

/* So long the host has to look at its counters, before and after. */
#define LOOK_US	50000

static int measure(const struct io_row *row, const char *to)
{
	uint64_t ticks;

	printf("io: begin\t%s\n", row->name);
	usleep(LOOK_US);
	ticks = tsc();
	if (row->run(to, row->n)) {
		printf("io: failed\t%s\t%m\n", row->name);
		return 1;
	}
	ticks = tsc() - ticks;
	usleep(LOOK_US);
	printf("io: end\t%s\t%u\t%llu\n", row->name, row->n, (unsigned long long)ticks);
	usleep(LOOK_US);
	return 0;
}

int main(int argc, char **argv)
{
	const struct io_row *row;
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "peer"))
		return net_peer();
	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "idle"))
		return idle_spin(argv[2]);
	if (!strcmp(argv[1], "busy"))
		return idle_busy(argv[2]);
	row = strcmp(argv[1], "blk") ? net_rows : blk_rows;
	for (; row->name; row++)
		failed |= measure(row, argv[2]);
	return failed;
}
