// SPDX-License-Identifier: GPL-2.0-only
/* Text in columns. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void table_start(struct table *table, int columns, u32 right)
{
	*table = (struct table) { .columns = columns, .right = right };
}

/* The next cell, "-" if it is empty. */
void table_cell(struct table *table, const char *fmt, ...)
{
	char **cell, *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	cell = realloc(table->cell, (table->nr + 1) * sizeof(*cell));
	if (!cell)
		abort();
	table->cell = cell;
	table->cell[table->nr++] = text;
}

static const char *shown(const char *text)
{
	return *text ? text : "-";
}

/* Print it and give it back. */
void table_print(struct table *table)
{
	int width[TABLE_COLUMNS] = { 0 };
	size_t i;

	for (i = 0; i < table->nr; i++) {
		int *w = &width[i % (size_t)table->columns];

		*w = max(*w, (int)strlen(shown(table->cell[i])));
	}
	for (i = 0; i < table->nr; i++) {
		int column = (int)(i % (size_t)table->columns);
		const char *text = shown(table->cell[i]);
		bool last = column == table->columns - 1;

		if (table->right & BIT(column))
			printf("%*s", width[column], text);
		else if (last)
			fputs(text, stdout);
		else
			printf("%-*s", width[column], text);
		fputs(last ? "\n" : "  ", stdout);
		free(table->cell[i]);
	}
	free(table->cell);
	table_start(table, table->columns, table->right);
}
