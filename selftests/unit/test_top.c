// SPDX-License-Identifier: GPL-2.0-only
/* vmctl top's table: sums, order, and text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "vmctl/out.h"
#include "vmctl/rates.h"
#include "vmctl/top.h"

#define VCPU(index, state, guest, exits, hlt, pio)				\
	"{\"index\":" #index ",\"state\":\"" state "\","			\
	"\"counters\":{\"exits_hlt\":1" #hlt ",\"exits_pio\":" #pio ",\"injected\":9999},"	\
	"\"rates\":{\"guest\":" #guest ",\"exits\":" #exits ",\"counters\":"	\
	"{\"exits_hlt\":" #hlt ",\"exits_pio\":" #pio ",\"injected\":77}}}"

/* One that was not there before. */
#define NEW_VCPU "{\"index\":0,\"state\":\"userspace\",\"counters\":{},\"rates\":null}"

static const char three[] =
	"[{\"name\":\"web\",\"id\":4,\"state\":\"running\",\"vcpus\":["
	VCPU(0, "halted", 0.25, 100, 90, 10) ","
	VCPU(1, "running", 0.75, 300, 0, 300)
	"]},{\"name\":\"db\",\"id\":7,\"state\":\"paused\",\"vcpus\":["
	VCPU(0, "paused", 0.5, 1000, 900, 100)
	"]},{\"name\":\"a\\u001b[2J\\u00e4\",\"id\":9,\"state\":\"created\",\"vcpus\":["
	NEW_VCPU "]}]";

struct fixture {
	struct json_object *vms;
	struct top_view view;
	struct top top;
};

static void build(struct fixture *f, const char *vms)
{
	size_t i;

	f->vms = json_tokener_parse(vms);
	assert_non_null(f->vms);
	for (i = 0; i < json_object_array_length(f->vms); i++)
		rates_sum(json_object_array_get_idx(f->vms, i));
	top_build(&f->top, f->vms, &f->view);
}

static void done(struct fixture *f)
{
	top_free(&f->top);
	json_object_put(f->vms);
}

/* The ids of the rows, and behind a point the vCPUs: "4 4.0 4.1 ". */
static const char *order(const struct top_view *view)
{
	static char text[256];
	struct fixture f = { .view = *view };
	size_t i, len = 0;

	build(&f, three);
	text[0] = '\0';
	for (i = 0; i < f.top.nr; i++) {
		len += sprintf(text + len, "%u", f.top.row[i].vm_id);
		if (f.top.row[i].vcpu >= 0)
			len += sprintf(text + len, ".%d", f.top.row[i].vcpu);
		text[len++] = ' ';
		text[len] = '\0';
	}
	done(&f);
	return text;
}

static void test_sums(void **state)
{
	struct fixture f = { .view = { .key = TOP_BY_ID } };
	const struct top_row *row;

	build(&f, three);
	assert_int_equal(f.top.nr, 3);
	assert_int_equal(f.top.vms, 3);
	row = &f.top.row[0];
	assert_string_equal(row->name, "web");
	assert_true(row->known);
	assert_true(row->cpu == 100);
	assert_true(row->exits == 400);
	/* hlt: 190 + 10 + 1900 exits so far; pio: 410. Injections are no exits. */
	assert_int_equal(f.top.nr_reasons, 2);
	assert_string_equal(f.top.reason[0].name, "hlt");
	assert_int_equal(f.top.reason[0].total, 2100);
	assert_true(row->reason[0] == 90);
	assert_true(row->reason[1] == 310);
	/* Nothing to compare with; and nothing a terminal would obey. */
	assert_false(f.top.row[2].known);
	assert_string_equal(f.top.row[2].name, "a?[2J??");
	assert_null(out_member(json_object_array_get_idx(f.vms, 2), "rates"));
	done(&f);
}

static void test_order(void **state)
{
	struct top_view view = { .key = TOP_BY_NAME };

	assert_string_equal(order(&view), "9 7 4 ");
	view.reverse = true;
	assert_string_equal(order(&view), "4 7 9 ");
	view = (struct top_view) { .key = TOP_BY_CPU };
	assert_string_equal(order(&view), "4 7 9 ");
	view.key = TOP_BY_EXITS;
	assert_string_equal(order(&view), "7 4 9 ");
	view.key = TOP_BY_STATE;
	assert_string_equal(order(&view), "9 7 4 ");
	view = (struct top_view) { .key = TOP_BY_REASON, .reason = "pio" };
	assert_string_equal(order(&view), "4 7 9 ");
	strcpy(view.reason, "hlt");
	assert_string_equal(order(&view), "7 4 9 ");
	view.reverse = true;
	assert_string_equal(order(&view), "9 4 7 ");
	/* A reason that there is not: all are alike, so by id. */
	strcpy(view.reason, "none");
	assert_string_equal(order(&view), "4 7 9 ");
}

static void test_vcpus(void **state)
{
	struct top_view view = { .key = TOP_BY_EXITS, .vcpus = true };

	assert_string_equal(order(&view), "7 7.0 4 4.1 4.0 9 9.0 ");
	view.reverse = true;
	assert_string_equal(order(&view), "9 9.0 4 4.0 4.1 7 7.0 ");
	/* Their VM's name is theirs: by index. */
	view = (struct top_view) { .key = TOP_BY_NAME, .vcpus = true };
	assert_string_equal(order(&view), "9 9.0 7 7.0 4 4.0 4.1 ");
}

static void test_step(void **state)
{
	struct fixture f = { .view = { .key = TOP_BY_CPU } };
	int i;

	build(&f, three);
	top_step(&f.top, &f.view, 1);
	assert_int_equal(f.view.key, TOP_BY_EXITS);
	top_step(&f.top, &f.view, 1);
	assert_int_equal(f.view.key, TOP_BY_REASON);
	assert_string_equal(f.view.reason, "hlt");
	top_step(&f.top, &f.view, 1);
	assert_string_equal(f.view.reason, "pio");
	top_step(&f.top, &f.view, 1);
	assert_int_equal(f.view.key, TOP_BY_NAME);
	assert_string_equal(f.view.reason, "");
	top_step(&f.top, &f.view, -1);
	assert_string_equal(f.view.reason, "pio");
	for (i = 0; i < 7; i++)
		top_step(&f.top, &f.view, -1);
	assert_string_equal(f.view.reason, "pio");
	done(&f);
}

static void test_key(void **state)
{
	static const char * const bad[] = {
		"", "a b", "a-b", "\x1b", "xxxxxxxxxxxxxxxxxxxxxxxx",
	};
	struct top_view view = { 0 };
	size_t i;

	assert_true(top_key("cpu", &view));
	assert_int_equal(view.key, TOP_BY_CPU);
	assert_true(top_key("pio", &view));
	assert_int_equal(view.key, TOP_BY_REASON);
	assert_string_equal(view.reason, "pio");
	assert_true(top_key("exits_hlt", &view));
	assert_string_equal(view.reason, "hlt");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(top_key(bad[i], &view));
	assert_string_equal(view.reason, "hlt");
}

static const char *head(const struct fixture *f, size_t width)
{
	static char text[TOP_LINE];

	memset(text, 'x', sizeof(text));
	top_head(&f->top, &f->view, width, text);
	return text;
}

static const char *line(const struct fixture *f, size_t row, size_t width)
{
	static char text[TOP_LINE];

	memset(text, 'x', sizeof(text));
	top_text(&f->top, &f->view, row, width, text);
	return text;
}

static const char full_head[] =
	"NAME                    ID STATE         CPU%  *EXITS/S     hlt     pio";
static const char full_vm[] =
	"db                       7 paused        50.0      1000     900     100";
static const char full_vcpu[] =
	"  vcpu 1                 4 running       75.0       300       0     300";
static const char full_new[] =
	"a?[2J??                  9 created          -         -       -       -";
/* No place for both reasons: the one that it is sorted by is shown. */
static const char narrow_head[] =
	"NAME                    ID STATE         CPU%   EXITS/S    *pio";
static const char narrow_vm[] =
	"db                       7 paused        50.0      1000     100";

static void test_text(void **state)
{
	struct fixture f = { .view = { .key = TOP_BY_EXITS, .vcpus = true } };
	size_t width, full = strlen(full_head);

	build(&f, three);
	assert_string_equal(head(&f, 1000), full_head);
	assert_string_equal(line(&f, 0, 1000), full_vm);
	assert_string_equal(line(&f, 3, 1000), full_vcpu);
	assert_string_equal(line(&f, 5, 1000), full_new);
	for (width = 0; width < full + 9; width++) {
		assert_int_equal(strlen(head(&f, width)), min(width, full));
		assert_int_equal(strlen(line(&f, 0, width)), min(width, full));
	}
	f.view.key = TOP_BY_REASON;
	strcpy(f.view.reason, "pio");
	assert_string_equal(head(&f, strlen(narrow_head)), narrow_head);
	assert_string_equal(line(&f, 0, strlen(narrow_head)), narrow_vm);
	assert_int_equal(strlen(head(&f, 10)), 10);
	done(&f);
}

/* More reasons than there is room for, and names that are too long. */
static void test_many(void **state)
{
	struct json_object *vms = json_tokener_parse(three), *counters;
	struct fixture f = { .view = { .key = TOP_BY_NAME } };
	char name[64];
	int i;

	counters = out_member(json_object_array_get_idx(vms, 0), "vcpus");
	counters = out_member(json_object_array_get_idx(counters, 0), "counters");
	for (i = 0; i < 3 * TOP_REASONS; i++) {
		sprintf(name, "exits_%d_a_name_longer_than_any_of_them", i);
		json_object_object_add(counters, name, json_object_new_int(i));
	}
	build(&f, json_object_to_json_string(vms));
	assert_int_equal(f.top.nr_reasons, TOP_REASONS);
	assert_true(strlen(head(&f, 100000)) < TOP_LINE);
	assert_true(strlen(line(&f, 0, 100000)) < TOP_LINE);
	done(&f);
	json_object_put(vms);
}

static void test_none(void **state)
{
	struct fixture f = { .view = { .key = TOP_BY_REASON, .reason = "pio", .vcpus = true } };

	build(&f, "[]");
	assert_int_equal(f.top.nr, 0);
	top_step(&f.top, &f.view, 1);
	assert_int_equal(f.view.key, TOP_BY_NAME);
	top_step(&f.top, &f.view, -1);
	assert_int_equal(f.view.key, TOP_BY_EXITS);
	assert_int_equal(strlen(head(&f, 40)), 40);
	done(&f);
	build(&f, "[{}]");
	assert_int_equal(f.top.nr, 1);
	assert_int_equal(strlen(line(&f, 0, 40)), 40);
	done(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
