// SPDX-License-Identifier: GPL-2.0-only
/* What can be said of a disk, on a command line and in JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "vmm/disk_json.h"

static struct disk_options options;
static char text[256];

/* Return: what is wrong with it, or NULL. @text is cut. */
static const char *parse(const char *what)
{
	snprintf(text, sizeof(text), "%s", what);
	return disk_parse(text, &options);
}

static void test_parse(void **state)
{
	static const char all[] =
		"a,,b,,,queues=4,direct,discard=off,iops=100,bps=2M,serial=S-1,format=qcow2";

	assert_null(parse("/d"));
	assert_string_equal(text, "/d");
	assert_false(options.readonly || options.direct || options.keep || options.queues);
	assert_null(parse("d,ro"));
	assert_string_equal(text, "d");
	assert_true(options.readonly);
	assert_null(parse(all));
	assert_string_equal(text, "a,b,");
	assert_int_equal(options.queues, 4);
	assert_true(options.direct && options.keep);
	assert_int_equal(options.iops, 100);
	assert_int_equal(options.bps, 2 << 20);
	assert_string_equal(options.serial, "S-1");
	assert_int_equal(options.format, DISK_QCOW2);
	assert_null(parse("d,readonly=yes,discard=on,direct=no"));
	assert_true(options.readonly && !options.keep && !options.direct);
	assert_null(parse("d,serial=12345678901234567890"));
}

static void test_wrong(void **state)
{
	/* What is wrong, and what is said to be. */
	static const char * const bad[][2] = {
		{ "", "" }, { ",ro", "" }, { "d,", "" }, { "d,rw", "rw" }, { "d,ro=", "ro" },
		{ "d,queues=0", "0" }, { "d,queues=17", "17" }, { "d,queues=", "" },
		{ "d,queues=-1", "-1" }, { "d,queues=1x,ro", "1x" }, { "d,iops=0", "0" },
		{ "d,iops=1k", "1k" }, { "d,bps=1X", "1X" }, { "d,bps=1KK", "1KK" },
		{ "d,bps=99999999999999999999", "99999999999999999999" },
		{ "d,bps=99999999T", "99999999T" }, { "d,bps=17000000T", "17000000T" },
		{ "d,serial=", "" }, { "d,serial=a b", "a b" },
		{ "d,serial=123456789012345678901", "123456789012345678901" },
		{ "d,format=vmdk", "vmdk" }, { "d,discard=perhaps", "perhaps" },
		{ "d,path=x", "path" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_non_null(parse(bad[i][0]));
		assert_string_equal(text, bad[i][1]);
	}
}

/* What was said comes through JSON as it was; the defaults are not told. */
static void test_json(void **state)
{
	struct json_object *disk;
	struct disk_options back;
	const char *path;
	char wrong[200];

	parse("/d,queues=4,direct,discard=off,iops=100,bps=2M,serial=S-1,format=qcow2,ro");
	disk = disk_json(json_object_new_string(text), &options);
	assert_int_equal(disk_from_json(disk, &path, &back, wrong, sizeof(wrong)), 0);
	assert_string_equal(path, "/d");
	assert_true(disk_options_equal(&options, &back));
	back.bps++;
	assert_false(disk_options_equal(&options, &back));
	json_object_put(disk);
	parse("/d");
	disk = disk_json(json_object_new_string(text), &options);
	assert_string_equal(json_object_to_json_string_ext(disk, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE),
			    "{\"path\":\"/d\",\"readonly\":false}");
	json_object_put(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
