// SPDX-License-Identifier: GPL-2.0-only
/* vmctl top's table as lines of text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "top.h"

#define NAME_WIDTH	20

/**
 * struct column - a column but for the reasons
 * @head: its name
 * @width: of its cells, with the blank in front; <0: set to the left
 */
struct column {
	const char *head;
	int width;
};

static const struct column columns[] = {
	[TOP_BY_NAME] = { "NAME", -NAME_WIDTH },
	[TOP_BY_ID] = { "ID", 6 },
	[TOP_BY_STATE] = { "STATE", -11 },
	[TOP_BY_CPU] = { "CPU%", 8 },
	[TOP_BY_EXITS] = { "EXITS/S", 10 },
};

/**
 * struct line - a line that is written
 * @text: room for TOP_LINE bytes
 * @len: so far
 * @width: no more than that
 */
struct line {
	char *text;
	size_t len;
	size_t width;
};

static void put(struct line *line, const char *fmt, ...) __printf(2, 3);

static void put(struct line *line, const char *fmt, ...)
{
	size_t room = line->width - line->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line->text + line->len, room + 1, fmt, args);
	va_end(args);
	if (n > 0)
		line->len += min((size_t)n, room);
}

static struct line start(char *text, size_t width)
{
	if (width > TOP_LINE - 1)
		width = TOP_LINE - 1;
	*text = '\0';
	return (struct line) { .text = text, .width = width };
}

static int reason_width(const struct top_reason *reason)
{
	return max((int)strlen(reason->name) + 2, 8);
}

/*
 * Where not all fit, the first reasons make room for the one that it is sorted by.
 * Return: the first shown.
 */
static unsigned int first_reason(const struct top *top, const struct top_view *view,
				 size_t width)
{
	size_t used = 0;
	unsigned int i, at;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		used += (size_t)(columns[i].width < 0 ? -columns[i].width :
				 columns[i].width);
	if (view->key != TOP_BY_REASON)
		return 0;
	for (at = 0; at < top->nr_reasons; at++)
		if (!strcmp(top->reason[at].name, view->reason))
			break;
	if (at == top->nr_reasons)
		return 0;
	for (i = at + 1; i > 0; i--) {
		used += (size_t)reason_width(&top->reason[i - 1]);
		if (used > width)
			return min(i, at);
	}
	return 0;
}

static void put_head(struct line *line, const char *name, int width, bool sorted)
{
	char text[TOP_REASON_TEXT + 2];

	snprintf(text, sizeof(text), "%s%s", sorted ? "*" : "", name);
	put(line, "%*s", width, text);
}

/**
 * top_head() - the names of the columns; an asterisk has the one that it is sorted by
 * @top: table
 * @view: its order
 * @width: longest line
 * @text: room for TOP_LINE bytes
 */
void top_head(const struct top *top, const struct top_view *view, size_t width, char *text)
{
	struct line line = start(text, width);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (i && columns[i].width < 0)
			put(&line, " ");
		put_head(&line, columns[i].head,
			 columns[i].width + (i && columns[i].width < 0), view->key == i);
	}
	for (i = first_reason(top, view, width); i < top->nr_reasons; i++)
		put_head(&line, top->reason[i].name, reason_width(&top->reason[i]),
			 view->key == TOP_BY_REASON &&
			 !strcmp(view->reason, top->reason[i].name));
}

static void put_rate(struct line *line, bool known, double rate, int width)
{
	char text[TEXT_MAX];

	put(line, "%*s", width, known ? out_count((u64)(rate + 0.5), text) : "-");
}

static void put_name(struct line *line, const struct top_row *row)
{
	char text[sizeof(row->name)];

	if (row->vcpu >= 0)
		snprintf(text, sizeof(text), "  vcpu %d", row->vcpu);
	else
		snprintf(text, sizeof(text), "%s", *row->name ? row->name : "-");
	put(line, "%-*.*s", NAME_WIDTH, NAME_WIDTH, text);
}

/* The same of one row. */
void top_text(const struct top *top, const struct top_view *view, size_t row,
	      size_t width, char *text)
{
	const struct top_row *r = &top->row[row];
	struct line line = start(text, width);
	unsigned int i;

	put_name(&line, r);
	put(&line, "%*u", columns[TOP_BY_ID].width, r->vm_id);
	put(&line, " %-*s", -columns[TOP_BY_STATE].width - 1, r->state);
	if (r->known)
		put(&line, "%*.1f", columns[TOP_BY_CPU].width, r->cpu);
	else
		put(&line, "%*s", columns[TOP_BY_CPU].width, "-");
	put_rate(&line, r->known, r->exits, columns[TOP_BY_EXITS].width);
	for (i = first_reason(top, view, width); i < top->nr_reasons; i++)
		put_rate(&line, r->known, r->reason[i],
			 reason_width(&top->reason[i]));
}
