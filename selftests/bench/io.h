/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest does with its disk and its network, row by row. */
#ifndef JOIST_BENCH_IO_H
#define JOIST_BENCH_IO_H

#include <stdint.h>

/**
 * struct io_row - one line of the table
 * @name: as printed
 * @n: operations
 * @run: does them; returns 0, or -1 with errno set
 */
struct io_row {
	const char *name;
	unsigned int n;
	int (*run)(const char *to, unsigned int n);
};

extern const struct io_row blk_rows[], net_rows[];

int net_peer(void);
int idle_spin(const char *path);
int idle_busy(const char *path);

#endif
