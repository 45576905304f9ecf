// SPDX-License-Identifier: GPL-2.0-only
/* vmd's definitions: members as text and as JSON, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmd/definition.h"
#include "vmd/js.h"

#define FUZZ_ROUNDS	20000

static const char full[] =
	"{\"name\":\"web\",\"uuid\":\"ABCD0000-0000-4000-8000-000000000001\",\n"
	"\"kernel\":\"/k\",\"initrd\":\"/i\",\"cmdline\":\"a b\",\"vcpus\":2,\n"
	"\"user-data\":\"/u\",\"meta-data\":\"/m\",\"network-config\":\"/n\",\n"
	"\"shares\":[{\"tag\":\"s\",\"path\":\"/s\",\"readonly\":true},{\"tag\":\"t\",\"path\":\"/t\"}],\n"
	"\"devices\":[{\"name\":\"gpu\",\"host\":\"01:00.0\",\"on-fault\":\"stop\",\"force\":true},\n"
	"{\"name\":\"tpm\",\"io-ports\":[\"0x2f8-0x2ff\",\"1\"],\"mmio\":[\"0xfed40000-0xfed44fff\"]},\n"
	"{\"vf-of\":\"0000:02:00.0\",\"mac\":\"02:00:00:00:00:01\",\"vlan\":7}],\n"
	"\"memory\":67108864,\"disks\":[{\"path\":\"/d\",\"readonly\":true},{\"path\":\"/e\"}],\n"
	"\"balloon\":false,\"rng\":true,\"watchdog\":\"pause\",\"vsock\":42,\"owner\":{\"group\":\"staff\"},\"autostart\":true,\"restart\":\"on-failure\",\n"
	"\"cpu-max\":50,\"memory-max\":134217728,\"pids-max\":64}";

/* Return: 0, or 1: refused. */
static int take(struct definition *def, const char *text, bool all, struct complaint *c)
{
	struct json_object *obj = json_tokener_parse(text);
	int err;

	c->text[0] = '\0';
	err = definition_from_json(def, obj, all, c);
	json_object_put(obj);
	return !!err;
}

static void test_whole(void **state)
{
	struct definition def;
	struct complaint c;

	assert_int_equal(take(&def, full, false, &c), 0);
	assert_string_equal(def.name, "web");
	assert_string_equal(def.uuid, "abcd0000-0000-4000-8000-000000000001");
	assert_string_equal(def.cmdline, "a b");
	assert_string_equal(def.user_data, "/u");
	assert_int_equal(def.shares.nr, 2);
	assert_string_equal(def.shares.share[1].tag, "t");
	assert_true(def.shares.share[0].readonly && !def.shares.share[1].readonly);
	assert_int_equal(def.devices.nr, 2);
	assert_string_equal(def.devices.dev[0].name, "gpu");
	assert_string_equal(def.devices.dev[0].host, "0000:01:00.0");
	assert_true(def.devices.dev[0].stop && def.devices.dev[0].force);
	assert_true(!def.devices.dev[0].pool && !def.devices.dev[0].has_mac);
	assert_string_equal(def.devices.dev[1].name, "hostdev0");
	assert_true(def.devices.dev[1].pool && def.devices.dev[1].has_mac);
	assert_true(!def.devices.dev[1].stop && !def.devices.dev[1].force);
	assert_int_equal(def.devices.dev[1].mac[5], 1);
	assert_int_equal(def.devices.dev[1].vlan, 7);
	assert_int_equal(def.platform.nr, 1);
	assert_string_equal(def.platform.dev[0].name, "tpm");
	assert_int_equal(def.platform.dev[0].nr_ports, 2);
	assert_true(def.platform.dev[0].ports[0].first == 0x2f8 &&
		    def.platform.dev[0].ports[1].last == 1);
	assert_int_equal(def.platform.dev[0].nr_mmio, 1);
	assert_true(def.platform.dev[0].mmio[0].first == 0xfed40000 &&
		    def.platform.dev[0].mmio[0].last == 0xfed44fff);
	assert_int_equal(def.vcpus, 2);
	assert_int_equal(def.memory, 64 * MIB);
	assert_int_equal(def.nr_disks, 2);
	assert_true(def.disk[0].options.readonly && !def.disk[1].options.readonly);
	assert_int_equal(def.owner.kind, OWNER_GROUP);
	assert_int_equal(def.owner.id, NOBODY);
	assert_int_equal(def.restart, RESTART_ON_FAILURE);
	assert_int_equal(def.watchdog, WATCHDOG_PAUSE);
	assert_true(def.autostart && def.rng && !def.balloon);
	assert_int_equal(def.vsock, 42);
	definition_free(&def);
}

static void test_defaults(void **state)
{
	struct definition def;
	struct complaint c;

	/* A null member is as none. */
	assert_int_equal(take(&def, "{\"name\":\"a\",\"kernel\":\"/k\",\"owner\":null}",
			      false, &c), 0);
	assert_int_equal(def.vcpus, 1);
	assert_int_equal(def.memory, 256 * MIB);
	assert_int_equal(def.owner.kind, OWNER_NONE);
	assert_int_equal(def.restart, RESTART_NEVER);
	assert_non_null(strstr(def.cmdline, "console=ttyS0"));
	assert_null(def.initrd);
	definition_free(&def);
}

static void test_there_and_back(void **state)
{
	struct definition a, b;
	struct complaint c;
	struct json_object *obj;

	assert_int_equal(take(&a, full, false, &c), 0);
	a.created = true;
	a.uid = 1001;
	a.gid = 1002;
	a.owner.id = 50;
	obj = definition_json(&a, true);
	assert_int_equal(definition_from_json(&b, obj, true, &c), 0);
	assert_true(definition_equal(&a, &b));
	assert_true(b.created);
	definition_free(&b);
	/* Whose files may be opened is not for a stranger to say. */
	assert_int_not_equal(definition_from_json(&b, obj, false, &c), 0);
	definition_free(&b);
	json_object_put(obj);
	b = a;
	b.vcpus = 3;
	assert_false(definition_equal(&a, &b));
	b = a;
	b.vsock = 43;
	assert_false(definition_equal(&a, &b));
	definition_free(&a);
}

#define A_PORT	"{\"name\":\"a\",\"io-ports\":["

/* What a member is not: the rest is good. */
static const struct {
	const char *member;
	const char *says;
} bad[] = {
	{ "\"name\":\"\"", "is no name" },
	{ "\"name\":\"2a\"", "is no name" },
	{ "\"name\":\"a/b\"", "is no name" },
	{ "\"name\":\"..\"", "is no name" },
	{ "\"name\":\"a\\u0000b\"", "is no name" },
	{ "\"name\":5", "is no name" },
	{ "\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	  "is no name" },
	{ "\"kernel\":\"k\"", "no absolute path" },
	{ "\"kernel\":\"/k\\u0000\"", "wrong type" },
	{ "\"kernel\":[]", "wrong type" },
	{ "\"initrd\":\"\"", "no absolute path" },
	{ "\"cmdline\":1", "wrong type" },
	{ "\"user-data\":\"u\"", "no absolute path" },
	{ "\"meta-data\":\"/m\"", "no user-data" },
	{ "\"network-config\":\"/n\"", "no user-data" },
	{ "\"vcpus\":0", "not from 1 to" },
	{ "\"vcpus\":256", "not from 1 to" },
	{ "\"vcpus\":-1", "no number" },
	{ "\"vcpus\":1.5", "wrong type" },
	{ "\"vcpus\":\"2\"", "wrong type" },
	{ "\"vcpus\":4294967297", "not from 1 to" },
	{ "\"vcpus\":99999999999999999999", "not from 1 to" },
	{ "\"memory\":67108865", "whole number of MiB" },
	{ "\"memory\":1048576", "not from" },
	{ "\"memory\":9223372036854775807", "not from" },
	{ "\"memory-max\":1048576", "less than its memory" },
	{ "\"cpu-max\":0", "not from" },
	{ "\"pids-max\":65537", "not from" },
	{ "\"autostart\":1", "wrong type" },
	{ "\"balloon\":\"yes\"", "wrong type" },
	{ "\"rng\":1", "wrong type" },
	{ "\"vsock\":2", "not from 3 to" },
	{ "\"vsock\":4294967295", "not from 3 to" },
	{ "\"vsock\":\"3\"", "wrong type" },
	{ "\"restart\":\"maybe\"", "none of" },
	{ "\"watchdog\":\"yes\"", "none of reset" },
	{ "\"watchdog\":true", "wrong type" },
	{ "\"uuid\":\"abcd\"", "no UUID" },
	{ "\"uuid\":\"abcd00000000-4000-8000-0000-000000000001\"", "no UUID" },
	{ "\"uuid\":\"gbcd0000-0000-4000-8000-000000000001\"", "no UUID" },
	{ "\"shares\":{}", "wrong type" },
	{ "\"shares\":[1]", "a share is an object" },
	{ "\"shares\":[{\"tag\":\"a\"}]", "a share is an object" },
	{ "\"shares\":[{\"tag\":\"a b\",\"path\":\"/d\"}]", "no tag of a share" },
	{ "\"shares\":[{\"tag\":\"\",\"path\":\"/d\"}]", "no tag of a share" },
	{ "\"shares\":[{\"tag\":\"a\",\"path\":\"d\"}]", "no absolute path" },
	{ "\"shares\":[{\"tag\":\"a\",\"path\":\"/d\",\"readonly\":1}]", "true or false" },
	{ "\"shares\":[{\"tag\":\"a\",\"path\":\"/d\",\"more\":1}]", "no 'more'" },
	{ "\"shares\":[{\"tag\":\"a\",\"path\":\"/d\"},{\"tag\":\"a\",\"path\":\"/e\"}]",
	  "already" },
	{ "\"devices\":{}", "wrong type" },
	{ "\"devices\":[1]", "a device is an object" },
	{ "\"devices\":[{}]", "neither 'host' nor 'vf-of'" },
	{ "\"devices\":[{\"name\":\"a\"}]", "neither 'host' nor 'vf-of'" },
	{ "\"devices\":[{\"host\":\"x\"}]", "no PCI address" },
	{ "\"devices\":[{\"host\":\"1:0.0/../x\"}]", "no PCI address" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"vf-of\":\"01:00.0\"}]", "either" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"name\":\"../x\"}]", "no name for a device" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"mac\":\"03:00:00:00:00:01\"}]", "mac" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"vlan\":4095}]", "vlan" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"vlan\":true}]", "wrong type" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"force\":\"yes\"}]", "wrong type" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"on-fault\":\"pause\"}]", "neither keep" },
	{ "\"devices\":[{\"host\":\"01:00.0\",\"more\":\"1\"}]", "no 'more'" },
	{ "\"devices\":[{\"host\":\"01:00.0\"},{\"host\":\"0000:01:00.0\"}]", "already" },
	{ "\"devices\":[{\"name\":\"a\",\"host\":\"1:0.0\"},{\"name\":\"a\",\"host\":\"1:0.1\"}]",
	  "there is a device 'a' already" },
	{ "\"devices\":[{\"name\":\"a\",\"io-ports\":[\"1\"]},{\"name\":\"a\",\"host\":\"1:0.1\"}]",
	  "two devices 'a'" },
	{ "\"devices\":[" A_PORT "\"1\"]}," A_PORT "\"2\"]}]", "there is a device 'a' already" },
	{ "\"devices\":[{\"io-ports\":[\"1\"]}]", "no name for a device" },
	{ "\"devices\":[{\"name\":\"a\",\"io-ports\":[]}]", "neither io-ports nor mmio" },
	{ "\"devices\":[{\"name\":\"a\",\"io-ports\":\"1\"}]", "wrong type" },
	{ "\"devices\":[{\"name\":\"a\",\"io-ports\":[1]}]", "wrong type" },
	{ "\"devices\":[{\"name\":\"a\",\"mmio\":[\"1\"]}]", "not whole pages" },
	{ "\"devices\":[{\"name\":\"a\",\"mmio\":[\"0x0-0xffffffffffffffff\"]}]",
	  "not whole pages" },
	{ "\"devices\":[" A_PORT "\"1\"],\"host\":\"1:0.0\"}]", "no 'host'" },
	{ "\"devices\":[{\"name\":\"../x\",\"io-ports\":[\"1\"]}]", "no name for a device" },
	{ "\"devices\":[" A_PORT "\"1\",\"0-4\"]}]", "there already" },
	{ "\"devices\":[" A_PORT "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}]",
	  "more than 8 ranges" },
	{ "\"disks\":{}", "wrong type" },
	{ "\"disks\":[1]", "a disk is an object" },
	{ "\"disks\":[{}]", "no path" },
	{ "\"disks\":[{\"path\":\"d\"}]", "no absolute path" },
	{ "\"disks\":[{\"path\":\"/d\",\"readonly\":1}]", "no such 'readonly'" },
	{ "\"disks\":[{\"path\":\"/d\",\"size\":1}]", "no such 'size'" },
	{ "\"disks\":[{\"path\":\"/d\",\"queues\":17}]", "no number of queues" },
	{ "\"disks\":[{\"path\":\"/d\",\"queues\":\"1\"}]", "no such 'queues'" },
	{ "\"disks\":[{\"path\":\"/d\",\"iops\":-1}]", "no number" },
	{ "\"disks\":[{\"path\":\"/d\",\"format\":\"vmdk\"}]", "no format" },
	{ "\"disks\":[{\"path\":\"/d\",\"serial\":\"a b\"}]", "no serial" },
	{ "\"owner\":\"alice\"", "wrong type" },
	{ "\"owner\":{}", "a name or a number" },
	{ "\"owner\":{\"user\":\"\"}", "a name or a number" },
	{ "\"owner\":{\"user\":\":staff\"}", "a name or a number" },
	{ "\"owner\":{\"user\":\"a\",\"group\":\"b\"}", "'user' or a 'group'" },
	{ "\"owner\":{\"user\":4294967295}", "no user or group" },
	{ "\"owner\":{\"user\":-1}", NULL },	/* a name, of nobody */
	{ "\"colour\":\"red\"", "has no 'colour'" },
	{ "\"created\":true", "has no 'created'" },
	{ "\"creator-uid\":0", "has no 'creator-uid'" },
	{ "\"file\":\"/etc/passwd\"", "has no 'file'" },
};

static void test_bad(void **state)
{
	struct definition def;
	struct complaint c;
	char text[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* The last of two is what counts. */
		snprintf(text, sizeof(text), "{\"name\":\"a\",\"kernel\":\"/k\",%s}",
			 bad[i].member);
		if (take(&def, text, false, &c) != !!bad[i].says ||
		    (bad[i].says && !strstr(c.text, bad[i].says)))
			fail_msg("%s: %s", bad[i].member, c.text);
		definition_free(&def);
	}
	assert_int_equal(take(&def, "{\"name\":\"a\"}", false, &c), 1);
	definition_free(&def);
	assert_int_equal(take(&def, "[]", false, &c), 1);
	definition_free(&def);
}

static void test_disks_max(void **state)
{
	static const struct disk_options none;
	struct definition def;
	struct complaint c;
	int i;

	definition_init(&def);
	for (i = 0; i < DISKS_MAX; i++)
		assert_int_equal(definition_add_disk(&def, NULL, "/d", &none, &c), 0);
	assert_int_equal(definition_add_disk(&def, NULL, "/d", &none, &c), -22);
	definition_free(&def);
}

/* What cloud-init is given is on a disk, too. */
static void test_seed(void **state)
{
	static const struct disk_options none;
	struct definition def;
	struct complaint c;
	int i;

	definition_init(&def);
	snprintf(def.name, sizeof(def.name), "a");
	for (i = 0; i < DISKS_MAX; i++)
		assert_int_equal(definition_add_disk(&def, NULL, "/d", &none, &c), 0);
	assert_int_equal(definition_set(&def, "kernel", "/k", &c), 0);
	assert_int_equal(definition_set(&def, "user-data", "/u", &c), 0);
	assert_int_equal(definition_check(&def, &c), -22);
	assert_non_null(strstr(c.text, "more than 16 disks"));
	definition_remove_disk(&def, &def.disk[0]);
	assert_int_equal(definition_check(&def, &c), 0);
	assert_int_equal(definition_add_disk(&def, NULL, "/d", &none, &c), -22);
	definition_free(&def);
}

/* Those that have none get the first that is free; others keep theirs. */
static void test_disk_names(void **state)
{
	static const struct disk_options none;
	struct definition def;
	struct complaint c;

	definition_init(&def);
	assert_int_equal(definition_add_disk(&def, NULL, "/a", &none, &c), 0);
	assert_int_equal(definition_add_disk(&def, "root", "/b", &none, &c), 0);
	assert_int_equal(definition_add_disk(&def, NULL, "/c", &none, &c), 0);
	assert_string_equal(def.disk[0].name, "disk0");
	assert_string_equal(def.disk[2].name, "disk1");
	assert_int_equal(definition_add_disk(&def, "root", "/d", &none, &c), -22);
	assert_non_null(strstr(c.text, "there is a disk 'root' already"));
	assert_int_equal(definition_add_disk(&def, "", "/d", &none, &c), -22);
	assert_int_equal(definition_add_disk(&def, "a/b", "/d", &none, &c), -22);
	assert_int_equal(definition_add_disk(&def, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/d",
					     &none, &c), -22);
	assert_int_equal(def.nr_disks, 3);
	definition_remove_disk(&def, definition_disk(&def, "disk0"));
	assert_null(definition_disk(&def, "disk0"));
	assert_string_equal(definition_disk(&def, "disk1")->path, "/c");
	assert_string_equal(definition_disk(&def, "root")->path, "/b");
	assert_int_equal(definition_add_disk(&def, NULL, "/e", &none, &c), 0);
	assert_string_equal(definition_disk(&def, "disk0")->path, "/e");
	definition_free(&def);
}

/* With whose rights a disk is opened is not for a stranger to say. */
static void test_disk_adder(void **state)
{
	static const char text[] = "{\"name\":\"a\",\"kernel\":\"/k\",\n"
		"\"disks\":[{\"path\":\"/d\",\"name\":\"data\",\"adder-uid\":0,\"adder-gid\":7}]}";
	static const char one_disk[] =
		"{\"name\":\"a\",\"kernel\":\"/k\",\"disks\":[{\"path\":\"/d\"}]}";
	struct definition def, back;
	struct json_object *obj;
	struct complaint c;

	assert_int_equal(take(&def, text, false, &c), 1);
	assert_non_null(strstr(c.text, "no such 'adder-uid'"));
	definition_free(&def);
	assert_int_equal(take(&def, text, true, &c), 0);
	assert_string_equal(def.disk[0].name, "data");
	assert_int_equal(def.disk[0].uid, 0);
	assert_int_equal(def.disk[0].gid, 7);
	snprintf(def.uuid, sizeof(def.uuid), "abcd0000-0000-4000-8000-000000000001");
	obj = definition_json(&def, false);
	assert_null(strstr(json_object_to_json_string(obj), "adder"));
	json_object_put(obj);
	obj = definition_json(&def, true);
	assert_int_equal(definition_from_json(&back, obj, true, &c), 0);
	json_object_put(obj);
	assert_true(definition_equal(&def, &back));
	back.disk[0].uid = 1;
	assert_false(definition_equal(&def, &back));
	definition_free(&back);
	definition_free(&def);
	assert_int_equal(take(&def, one_disk, false, &c), 0);
	assert_int_equal(def.disk[0].uid, NOBODY);
	definition_free(&def);
}

static void test_text(void **state)
{
	static const struct {
		const char *key, *text;
		u64 is;		/* 0: refused */
	} sizes[] = {
		{ "memory", "64M", 64 * MIB }, { "memory", "1g", 1024 * MIB },
		{ "memory", "65536K", 64 * MIB }, { "memory", "67108864", 64 * MIB },
		{ "memory", "1T", 1ULL << 40 }, { "memory", "2T", 0 },
		{ "memory", "64MB", 0 }, { "memory", " 64M", 0 }, { "memory", "-64M", 0 },
		{ "memory", "", 0 }, { "memory", "M", 0 }, { "memory", "64P", 0 },
		{ "memory", "16777216T", 0 }, { "memory", "18446744073709551616", 0 },
		{ "memory", "0x4000000", 0 }, { "memory", "1K", 0 },
	};
	struct definition def;
	struct complaint c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		int err;

		definition_init(&def);
		err = definition_set(&def, sizes[i].key, sizes[i].text, &c);
		if (err != (sizes[i].is ? 0 : -22) ||
		    (sizes[i].is && def.memory != sizes[i].is))
			fail_msg("%s = %s", sizes[i].key, sizes[i].text);
		definition_free(&def);
	}
	definition_init(&def);
	assert_int_equal(definition_set(&def, "vcpus", "2M", &c), -22);
	assert_int_equal(definition_set(&def, "autostart", "YES", &c), 0);
	assert_true(def.autostart);
	assert_int_equal(definition_set(&def, "autostart", "ye", &c), -22);
	assert_int_equal(definition_set(&def, "owner", ":10", &c), 0);
	assert_int_equal(def.owner.kind, OWNER_GROUP);
	assert_int_equal(def.owner.id, 10);
	assert_int_equal(definition_set(&def, "owner", ":", &c), -22);
	assert_int_equal(definition_set(&def, "nothing", "1", &c), -22);
	/* Set twice: the second, and the first is not lost. */
	assert_int_equal(definition_set(&def, "kernel", "/a", &c), 0);
	assert_int_equal(definition_set(&def, "kernel", "/b", &c), 0);
	assert_string_equal(def.kernel, "/b");
	definition_free(&def);
}

static void test_uuid(void **state)
{
	u8 bytes[16];
	char one[UUID_LEN + 1], two[UUID_LEN + 1];
	static const u8 is[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };

	uuid_bytes("01234567-89ab-cdef-fedc-ba9876543210", bytes);
	assert_memory_equal(bytes, is, sizeof(is));
	uuid_from_name(one, "host", "web");
	uuid_from_name(two, "host", "web");
	assert_string_equal(one, two);
	assert_true(uuid_valid(one));
	assert_int_equal(one[14], '8');
	uuid_from_name(two, "host", "db");
	assert_string_not_equal(one, two);
	assert_int_equal(uuid_random(one), 0);
	assert_true(uuid_valid(one));
	assert_int_equal(one[14], '4');
}

/* Bytes of a good one changed: read or refused, and nothing is lost. */
static void test_mutated(void **state)
{
	struct definition def;
	char text[sizeof(full)];
	struct complaint c;
	int i, k;

	srand(1);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		memcpy(text, full, sizeof(text));
		for (k = rand() % 4; k >= 0; k--)
			text[rand() % (sizeof(text) - 1)] = (char)(1 + rand() % 126);
		take(&def, text, rand() & 1, &c);
		definition_free(&def);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_disks_max),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_disk_names),
		cmocka_unit_test(test_disk_adder),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests_name("vmd_definition", tests, NULL, NULL);
}
