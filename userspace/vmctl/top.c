// SPDX-License-Identifier: GPL-2.0-only
/* vmctl top's table: what is in it, and in which order. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "top.h"

static const char prefix[] = "exits_";

/* Return: for which reason a counter counts exits, or NULL: it counts something else. */
static const char *reason_of(const char *counter)
{
	size_t len = strlen(prefix);

	return strncmp(counter, prefix, len) || !counter[len] ? NULL : counter + len;
}

static void add_reason(struct top *top, const char *name, u64 count)
{
	char text[TOP_REASON_TEXT];
	unsigned int i;

	snprintf(text, sizeof(text), "%s", name);
	for (i = 0; i < top->nr_reasons; i++)
		if (!strcmp(top->reason[i].name, text))
			break;
	if (i == TOP_REASONS)
		return;
	if (i == top->nr_reasons) {
		memcpy(top->reason[i].name, text, sizeof(text));
		top->nr_reasons++;
	}
	top->reason[i].total += count;
}

static void add_reasons(struct top *top, struct json_object *vcpu)
{
	struct json_object *counters = out_member(vcpu, "counters");

	if (!counters)
		return;
	json_object_object_foreach(counters, name, value) {
		if (reason_of(name))
			add_reason(top, reason_of(name),
				   json_object_get_uint64(value));
	}
}

static int compare_reasons(const void *a, const void *b)
{
	const struct top_reason *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->name, y->name);
}

static double rate(struct json_object *rates, const char *name)
{
	return json_object_get_double(out_member(rates, name));
}

/* Names come from other programs, and go to a terminal. */
static void copy_text(char *to, size_t size, const char *from)
{
	char *c;

	snprintf(to, size, "%s", from ? from : "");
	for (c = to; *c; c++)
		if (!isascii((unsigned char)*c) || !isprint((unsigned char)*c))
			*c = '?';
}

static void fill(const struct top *top, struct top_row *row)
{
	struct json_object *rates = out_member(row->from, "rates");
	struct json_object *each = out_member(rates, "counters");
	char name[sizeof(prefix) + TOP_REASON_TEXT];
	unsigned int i;

	copy_text(row->state, sizeof(row->state), out_text(row->from, "state"));
	row->known = rates;
	row->cpu = 100 * rate(rates, "guest");
	row->exits = rate(rates, "exits");
	for (i = 0; i < top->nr_reasons; i++) {
		snprintf(name, sizeof(name), "%s%s", prefix, top->reason[i].name);
		row->reason[i] = rate(each, name);
	}
}

static void add_row(const struct top *top, struct top_row *row, struct json_object *vm,
		    struct json_object *vcpu)
{
	*row = (struct top_row) {
		.from = vcpu ? vcpu : vm,
		.vm_id = (u32)out_number(vm, "id"),
		.vcpu = vcpu ? (int)out_number(vcpu, "index") : -1,
	};
	copy_text(row->name, sizeof(row->name), out_text(vm, "name"));
	fill(top, row);
}

static size_t nr_vcpus(struct json_object *vm)
{
	struct json_object *list = out_member(vm, "vcpus");

	return list ? json_object_array_length(list) : 0;
}

static int by_number(double a, double b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

/**
 * struct order - what rows are compared by
 * @reason: of struct top's, where the view says so and there is one
 */
struct order {
	const struct top_view *view;
	int reason;
};

static int compare_keys(const struct top_row *a, const struct top_row *b,
			const struct order *order)
{
	switch (order->view->key) {
	case TOP_BY_NAME:
		return strcmp(a->name, b->name);
	case TOP_BY_ID:
		return a->vm_id < b->vm_id ? -1 : a->vm_id > b->vm_id;
	case TOP_BY_STATE:
		return strcmp(a->state, b->state);
	case TOP_BY_CPU:
		return by_number(a->cpu, b->cpu);
	case TOP_BY_EXITS:
		return by_number(a->exits, b->exits);
	default:
		return order->reason < 0 ? 0 :
		       by_number(a->reason[order->reason], b->reason[order->reason]);
	}
}

/* Rows that are alike keep their places: by id, then by index. */
static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct top_row *a = x, *b = y;
	const struct order *order = arg;
	int ret = compare_keys(a, b, order);

	if (ret)
		return order->view->reverse ? -ret : ret;
	if (a->vm_id != b->vm_id)
		return a->vm_id < b->vm_id ? -1 : 1;
	return a->vcpu - b->vcpu;
}

static int find_reason(const struct top *top, const char *name)
{
	unsigned int i;

	for (i = 0; i < top->nr_reasons; i++)
		if (!strcmp(top->reason[i].name, name))
			return (int)i;
	return -1;
}

static struct top_row *rows_alloc(size_t nr)
{
	struct top_row *row = calloc(nr + 1, sizeof(*row));

	if (!row)
		abort();
	return row;
}

/* Put under each VM, which are in order, its vCPUs, in order. */
static void add_vcpus(struct top *top, const struct order *order, size_t nr_all)
{
	struct top_row *heads = top->row, *row = rows_alloc(nr_all);
	size_t i, k, nr;

	top->row = row;
	for (i = 0; i < top->vms; i++) {
		struct json_object *vm = heads[i].from;
		struct json_object *list = out_member(vm, "vcpus");

		*row++ = heads[i];
		nr = nr_vcpus(vm);
		for (k = 0; k < nr; k++)
			add_row(top, &row[k], vm, json_object_array_get_idx(list, k));
		qsort_r(row, nr, sizeof(*row), compare_rows, (void *)order);
		row += nr;
	}
	top->nr = nr_all;
	free(heads);
}

/**
 * top_build() - make a table
 * @top: filled in; top_free() is due
 * @vms: as sample_take() gives them, each with rates_sum()
 * @view: its order
 */
void top_build(struct top *top, struct json_object *vms, const struct top_view *view)
{
	size_t nr = json_object_array_length(vms), nr_all = nr, i, k;
	struct order order;

	*top = (struct top) { .row = rows_alloc(nr), .nr = nr, .vms = nr };
	for (i = 0; i < nr; i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);

		for (k = 0; k < nr_vcpus(vm); k++)
			add_reasons(top, json_object_array_get_idx(out_member(vm, "vcpus"),
								   k));
		nr_all += nr_vcpus(vm);
	}
	qsort(top->reason, top->nr_reasons, sizeof(top->reason[0]), compare_reasons);
	for (i = 0; i < nr; i++)
		add_row(top, &top->row[i], json_object_array_get_idx(vms, i), NULL);
	order = (struct order) { view, find_reason(top, view->reason) };
	qsort_r(top->row, nr, sizeof(*top->row), compare_rows, &order);
	if (view->vcpus)
		add_vcpus(top, &order, nr_all);
}

void top_free(struct top *top)
{
	free(top->row);
	*top = (struct top) { 0 };
}

/* Sort by the column @by to the right of the one that it is sorted by now, round about. */
void top_step(const struct top *top, struct top_view *view, int by)
{
	int nr = TOP_BY_REASON + (int)top->nr_reasons, at = (int)view->key;
	int reason = find_reason(top, view->reason);

	/* One that is not there yet is between the columns and the first that is. */
	if (view->key == TOP_BY_REASON)
		at += reason >= 0 ? reason : by > 0 ? -1 : 0;
	at = ((at + by) % nr + nr) % nr;
	view->key = (enum top_key)min(at, (int)TOP_BY_REASON);
	view->reason[0] = '\0';
	if (at >= TOP_BY_REASON)
		memcpy(view->reason, top->reason[at - TOP_BY_REASON].name,
		       sizeof(view->reason));
}

/* Sort by what a person calls @name: a column, or a reason there may once be. */
bool top_key(const char *name, struct top_view *view)
{
	static const char * const names[] = { "name", "id", "state", "cpu", "exits" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]))
			continue;
		view->key = (enum top_key)i;
		return true;
	}
	if (reason_of(name))
		name = reason_of(name);
	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	if (!i || i >= sizeof(view->reason))
		return false;
	view->key = TOP_BY_REASON;
	strcpy(view->reason, name);
	return true;
}
