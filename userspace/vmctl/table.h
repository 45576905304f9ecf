/* SPDX-License-Identifier: GPL-2.0-only */
/* Text in columns, each as wide as it needs. */
#ifndef VMCTL_TABLE_H
#define VMCTL_TABLE_H

#include "libjoist/types.h"

#define TABLE_COLUMNS	16

/**
 * struct table - rows of text
 * @columns: how many each row has
 * @right: bit n: column n is a number, and set to the right
 * @cell: all cells, row by row; owned
 * @nr: how many
 */
struct table {
	int columns;
	u32 right;
	char **cell;
	size_t nr;
};

void table_start(struct table *table, int columns, u32 right);
void table_cell(struct table *table, const char *fmt, ...) __printf(2, 3);
void table_print(struct table *table);

#endif
