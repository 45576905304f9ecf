// SPDX-License-Identifier: GPL-2.0-only
/* vmctl's pure parts: which VM is meant, rates, events, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "vmctl/event.h"
#include "vmctl/exit.h"
#include "vmctl/match.h"
#include "vmctl/out.h"
#include "vmctl/parse.h"
#include "vmctl/parse_hostdev.h"
#include "vmctl/parse_net.h"
#include "vmctl/parse_port.h"
#include "vmctl/rates.h"
#include "vmm/vmm.h"

static const struct match_key keys[] = {
	{ "web", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", 3 },
	{ "db", "6ba7b811-9dad-41d1-80b4-00c04fd430c8", 0 },
	{ "", "11e0b810-9dad-41d1-80b4-00c04fd430c8", 12 },
	{ "12", "22e0b810-9dad-41d1-80b4-00c04fd430c8", 14 },
	{ "twin", "33e0b810-9dad-41d1-80b4-00c04fd430c8", 15 },
	{ "twin", "44e0b810-9dad-41d1-80b4-00c04fd430c8", 16 },
	{ NULL, "1234b810-9dad-41d1-80b4-00c04fd430c8", 17 },
};

static int find(const char *text)
{
	enum match_kind kind;

	return match_find(keys, ARRAY_SIZE(keys), text, &kind);
}

static void test_match_name(void **state)
{
	assert_int_equal(find("web"), 0);
	assert_int_equal(find("db"), 1);
	assert_int_equal(find("we"), MATCH_NONE);
	assert_int_equal(find("WEB"), MATCH_NONE);
	assert_int_equal(find("twin"), MATCH_MANY);
	assert_int_equal(find(""), MATCH_NONE);
}

static void test_match_id(void **state)
{
	assert_int_equal(find("3"), 0);
	assert_int_equal(find("14"), 3);
	/* A name wins over an id. */
	assert_int_equal(find("12"), 3);
	/* No VM has id 0: it means that there is none. */
	assert_int_equal(find("0"), MATCH_NONE);
	assert_int_equal(find("03"), MATCH_NONE);
	assert_int_equal(find("0x3"), MATCH_NONE);
	assert_int_equal(find("-3"), MATCH_NONE);
	assert_int_equal(find("3 "), MATCH_NONE);
	assert_int_equal(find("4294967299"), MATCH_NONE);
}

static void test_match_uuid(void **state)
{
	assert_int_equal(find("11e0"), 2);
	assert_int_equal(find("11E0B"), 2);
	assert_int_equal(find("11e"), MATCH_NONE);
	assert_int_equal(find("6ba7"), MATCH_MANY);
	assert_int_equal(find("6ba7b811"), 1);
	assert_int_equal(find("6ba7b8119dad"), 1);
	assert_int_equal(find("6ba7b811-9dad-41d1-80b4-00c04fd430c8"), 1);
	assert_int_equal(find("6ba7b811-9dad-41d1-80b4-00c04fd430c80"), MATCH_NONE);
	assert_int_equal(find("6ba7g"), MATCH_NONE);
	assert_int_equal(find("----"), MATCH_NONE);
	/* Not an id, but the first digits of a UUID. */
	assert_int_equal(find("1234"), 6);
}

static void test_uuid_text(void **state)
{
	static const u8 uuid[16] = {
		0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
		0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
	};
	char text[UUID_TEXT];

	match_uuid_text(uuid, text);
	assert_string_equal(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}

static struct json_object *rate_of(struct json_object *vcpus, size_t i)
{
	return out_member(json_object_array_get_idx(vcpus, i), "rates");
}

static double number(struct json_object *from, const char *name)
{
	return json_object_get_double(out_member(from, name));
}

static void add_vcpu(struct json_object *to, int vm, int index, int exits, int guest_ns,
		     const char *counters)
{
	struct json_object *vcpu = json_object_new_object();

	json_object_object_add(vcpu, "vm-id", json_object_new_int(vm));
	json_object_object_add(vcpu, "index", json_object_new_int(index));
	json_object_object_add(vcpu, "exits", json_object_new_int(exits));
	json_object_object_add(vcpu, "guest-ns", json_object_new_int(guest_ns));
	json_object_object_add(vcpu, "counters", json_tokener_parse(counters));
	json_object_array_add(to, vcpu);
}

static void test_rates(void **state)
{
	struct json_object *before = json_object_new_array();
	struct json_object *now = json_object_new_array();
	struct json_object *each;

	add_vcpu(before, 1, 0, 100, 0, "{\"exits_hlt\":50}");
	add_vcpu(before, 2, 0, 900, 9, "{}");
	add_vcpu(now, 1, 1, 1, 1, "{}");
	add_vcpu(now, 1, 0, 300, 1000000000, "{\"exits_hlt\":60,\"exits_pio\":8}");
	add_vcpu(now, 2, 0, 800, 9, "{}");
	rates_add(now, before, 2);
	/* Not there before. */
	assert_null(rate_of(now, 0));
	assert_true(number(rate_of(now, 1), "exits") == 100);
	assert_true(number(rate_of(now, 1), "guest") == 0.5);
	each = out_member(rate_of(now, 1), "counters");
	assert_true(number(each, "exits_hlt") == 5);
	/* Was 0, and not told then. */
	assert_true(number(each, "exits_pio") == 4);
	/* Never negative. */
	assert_true(number(rate_of(now, 2), "exits") == 0);
	/* No time, no rate; no past, no rate. */
	rates_add(now, before, 0);
	assert_null(rate_of(now, 1));
	rates_add(now, NULL, 2);
	assert_null(rate_of(now, 1));
	json_object_put(before);
	json_object_put(now);
}

static void test_dirty_rates(void **state)
{
	struct json_object *before =
		json_tokener_parse("[{\"id\":7,\"dirty-pages\":100}]");
	struct json_object *now =
		json_tokener_parse("[{\"id\":8,\"dirty-pages\":5},{\"id\":7,\"dirty-pages\":350}]");

	rates_vms(now, before, 2);
	/* Not there before. */
	assert_null(out_member(json_object_array_get_idx(now, 0), "dirty-rate"));
	assert_true(number(json_object_array_get_idx(now, 1), "dirty-rate") == 125);
	rates_vms(now, before, 0);
	assert_null(out_member(json_object_array_get_idx(now, 1), "dirty-rate"));
	rates_vms(now, NULL, 2);
	assert_null(out_member(json_object_array_get_idx(now, 1), "dirty-rate"));
	json_object_put(before);
	json_object_put(now);
}

static bool wanted(const char *vms, const char *event)
{
	struct json_object *list = json_tokener_parse(vms);
	struct json_object *one = json_tokener_parse(event);
	bool ret = event_wanted(list, one);

	json_object_put(list);
	json_object_put(one);
	return ret;
}

static void test_event_wanted(void **state)
{
	static const char web[] = "[{\"name\":\"web\",\"uuid\":\"aa\",\"id\":3}]";

	assert_true(wanted("[]", "{\"name\":\"db\"}"));
	assert_true(wanted(web, "{\"name\":\"web\",\"uuid\":\"aa\"}"));
	assert_false(wanted(web, "{\"name\":\"web\",\"uuid\":\"bb\"}"));
	assert_true(wanted(web, "{\"name\":\"\",\"id\":3}"));
	assert_false(wanted(web, "{\"name\":\"web\",\"id\":4}"));
	assert_true(wanted(web, "{\"name\":\"web\"}"));
	assert_false(wanted(web, "{\"name\":\"db\"}"));
	/* Of no VM: a loss, a reload. */
	assert_true(wanted(web, "{\"what\":\"lost\"}"));
	assert_true(wanted(web, "{\"name\":null,\"uuid\":null}"));
	assert_true(wanted(web, "{\"vcpu\":{\"vm-id\":3}}"));
	assert_false(wanted(web, "{\"vcpu\":{\"vm-id\":4}}"));
	assert_false(wanted("[{\"name\":\"off\",\"id\":null}]", "{\"vcpu\":{\"vm-id\":0}}"));
}

static void test_event_of_vmd(void **state)
{
	static const char text[] =
		"{\"v\":1,\"event\":{\"seq\":4,\"vm\":\"web\",\"what\":\"killed\"}}";
	struct json_object *line = json_tokener_parse(text);
	struct json_object *event = event_of_vmd(line);

	assert_string_equal(out_text(event, "source"), "vmd");
	assert_string_equal(out_text(event, "name"), "web");
	assert_null(out_member(event, "vm"));
	assert_int_equal(out_number(event, "seq"), 4);
	json_object_put(event);
	json_object_put(line);
	line = json_tokener_parse("{\"event\":7}");
	event = event_of_vmd(line);
	assert_null(out_text(event, "what"));
	json_object_put(event);
	json_object_put(line);
}

static const char *size_of(u64 bytes)
{
	static char text[TEXT_MAX];

	return out_size(bytes, text);
}

static const char *count_of(u64 value)
{
	static char text[TEXT_MAX];

	return out_count(value, text);
}

static void test_numbers(void **state)
{
	assert_string_equal(size_of(0), "0");
	assert_string_equal(size_of(1000), "1000");
	assert_string_equal(size_of(1536 << 10), "1536K");
	assert_string_equal(size_of(16 << 20), "16M");
	assert_string_equal(size_of(3ULL << 30), "3G");
	assert_string_equal(size_of(2ULL << 50), "2048T");
	assert_string_equal(count_of(0), "0");
	assert_string_equal(count_of(99999), "99999");
	assert_string_equal(count_of(100000), "100k");
	assert_string_equal(count_of(999999), "999k");
	assert_string_equal(count_of(1234567), "1.2M");
	assert_string_equal(count_of(UINT64_MAX), "18.4E");
}

static void test_ranges(void **state)
{
	static const char * const bad[] = {
		"", "-", "x", "1-", "-1", "1-2-3", "5-4", "0x10000", "1-0x10000", " 1", "1 ",
		"1 -2", "+1", "0x", "1,2", "99999999999999999999", "1-99999999999999999999",
	};
	struct range r;
	size_t i;

	assert_int_equal(number_range("0x2f8-0x2ff", 0xffff, &r), 0);
	assert_true(r.first == 0x2f8 && r.last == 0x2ff);
	assert_int_equal(number_range("80", 0xffff, &r), 0);
	assert_true(r.first == 80 && r.last == 80);
	assert_int_equal(number_range("0-65535", 0xffff, &r), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!number_range(bad[i], 0xffff, &r))
			fail_msg("'%s' is taken", bad[i]);
}

static void test_seconds(void **state)
{
	static const char * const bad[] = {
		"", "x", "-1", "+1", " 1", "1 ", ".5", "1.", "1.x", "1.5x", "1e3",
		"0x1", "99999999999", "99999999999999999999999", "1.0.0",
	};
	size_t i;
	u64 ms;

	assert_true(parse_seconds("0", &ms) && ms == 0);
	assert_true(parse_seconds("1", &ms) && ms == 1000);
	assert_true(parse_seconds("0.25", &ms) && ms == 250);
	assert_true(parse_seconds("1.005", &ms) && ms == 1005);
	assert_true(parse_seconds("010", &ms) && ms == 10000);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_seconds(bad[i], &ms));
	/* More decimals than there are milliseconds. */
	assert_false(parse_seconds("1.0005", &ms));
}

static void test_exit_codes(void **state)
{
	unsigned int i, k;

	assert_int_equal(exit_code("not-found"), 3);
	assert_int_equal(exit_code("no-daemon"), 5);
	assert_int_equal(exit_code("never heard of"), 1);
	assert_int_equal(exit_code(NULL), 1);
	for (i = 0; i < nr_exit_rows; i++) {
		/* From 16 on they are how a guest ended. */
		assert_in_range(exit_rows[i].code, 1, 15);
		for (k = 0; k < i; k++)
			assert_string_not_equal(exit_rows[i].word, exit_rows[k].word);
	}
}

static void test_members(void **state)
{
	static const char text[] = "{\"t\":\"x\",\"n\":5,\"b\":true,\"z\":null}";
	struct json_object *o = json_tokener_parse(text);

	assert_string_equal(out_text(o, "t"), "x");
	assert_null(out_text(o, "n"));
	assert_null(out_text(o, "z"));
	assert_null(out_text(NULL, "t"));
	assert_null(out_text(out_member(o, "n"), "t"));
	assert_int_equal(out_number(o, "n"), 5);
	assert_int_equal(out_number(o, "t"), 0);
	assert_true(out_flag(o, "b"));
	assert_false(out_flag(o, "n"));
	json_object_put(o);
}

static int net(struct vmm_net *out, const char *text)
{
	static char copy[2048];
	const char *wrong;

	snprintf(copy, sizeof(copy), "%s", text);
	return parse_net(copy, out, &wrong);
}

static void test_nets(void **state)
{
	const u8 mac[] = { 0x02, 0xab, 0, 0, 0, 0x10 };
	struct vmm_net n;

	assert_int_equal(net(&n, "user"), 0);
	assert_int_equal(n.kind, VMM_NET_USER);
	assert_false(n.has_mac);
	assert_int_equal(net(&n, "tap=vm0,mac=02:AB:00:00:00:10,mtu=9000"), 0);
	assert_int_equal(n.kind, VMM_NET_TAP);
	assert_string_equal(n.file.path, "vm0");
	assert_int_equal(n.file.fd, -1);
	assert_true(n.has_mac);
	assert_memory_equal(n.mac, mac, sizeof(mac));
	assert_int_equal(n.mtu, 9000);
	assert_false(n.vhost);
	assert_int_equal(net(&n, "tap=vm0,vhost=on"), 0);
	assert_true(n.vhost);
	assert_int_equal(net(&n, "tap=vm0,vhost=on,vhost=off"), 0);
	assert_false(n.vhost);
	assert_int_equal(net(&n, "user,hostfwd=tcp::80-:80,hostfwd=udp:0.0.0.0:5-10.0.2.15:6"), 0);
	assert_int_equal(n.nr_forwards, 2);
	assert_string_equal(n.forward[1], "udp:0.0.0.0:5-10.0.2.15:6");
}

static void test_bad_nets(void **state)
{
	static const char *const bad[] = {
		"", "tap", "tap=", "tap=a/b", "tap=..", "tap=sixteen-bytes-16", "users",
		"tap=%d", "user,", "user,mac=", "user,mac=02:00:00:00:00", "user,x=1",
		"user,mac=02:00:00:00:00:00:00", "user,mac=01:00:00:00:00:00",
		"user,mac=2:0:0:0:0:0", "user,mac=02-00-00-00-00-00", "user,mtu=1279",
		"user,mtu=65522", "user,mtu=x", "user,vhost=on", "tap=a,vhost=",
		"tap=a,vhost=yes", "tap=a,hostfwd=tcp::80-:80",
		"user,hostfwd=", "user,hostfwd=tcp::80", "user,hostfwd=tcp::0-:80",
		"user,hostfwd=tcp::80-:65536", "user,hostfwd=sctp::80-:80",
		"user,hostfwd=tcp:host:80-:80", "user,hostfwd=tcp:1.2.3.4.5:80-:80",
		"user,hostfwd=tcp::80-:80x", "user,hostfwd=tcp::+80-:80",
	};
	char many[2048] = "user";
	struct vmm_net n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!net(&n, bad[i]))
			fail_msg("'%s' is taken", bad[i]);
	for (i = 0; i < VMM_FORWARDS_MAX; i++)
		strcat(many, ",hostfwd=tcp::80-:80");
	assert_int_equal(net(&n, many), 0);
	strcat(many, ",hostfwd=tcp::80-:80");
	assert_int_equal(net(&n, many), -22);
}

static int port(struct vmm_port *out, const char *text)
{
	static char copy[512];
	const char *wrong = NULL;
	int err;

	snprintf(copy, sizeof(copy), "%s", text);
	err = parse_port(copy, out, &wrong);
	assert_true(!err == !wrong);
	return err;
}

static void test_ports(void **state)
{
	static const char * const bad[] = {
		"", "name=a", "path=/s", "name=,path=/s", "name=a,path=", "name=a,path=/s,x",
		"name=a b,path=/s", "name=a/b,path=/s", "name=a,path=/s,", "a,path=/s",
		"name=a,path=/s,console=yes", "name=\n,path=/s",
		"name=0123456789012345678901234567890123456789012345678901234567890123,path=/s",
	};
	struct vmm_port p;
	size_t i;

	assert_int_equal(port(&p, "name=org.a-b_0,path=s"), 0);
	assert_string_equal(p.name, "org.a-b_0");
	assert_string_equal(p.file.path, "s");
	assert_true(p.file.fd == -1 && !p.console);
	assert_int_equal(port(&p, "console,path=/a=b,name=x"), 0);
	assert_string_equal(p.file.path, "/a=b");
	assert_true(p.console);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!port(&p, bad[i]))
			fail_msg("'%s' is taken", bad[i]);
}

static void test_hostdevs(void **state)
{
	static const char * const bad[] = {
		"", "eth0", "01:00", "0100.0", "0000:01:00.0,", "0000:01:00.0,x",
		"0000:01:00.0,name=", "0000:01:00.0,name=a b", "0000:01:00.0 ", "../0000:01:00.0",
		"0000:01:00.0,name=01234567890123456789012345678901",
	};
	struct vmm_hostdev dev;
	const char *wrong;
	char copy[64];
	size_t i;

	snprintf(copy, sizeof(copy), "0000:01:00.0");
	assert_int_equal(parse_hostdev(copy, &dev, &wrong), 0);
	assert_string_equal(dev.host, "0000:01:00.0");
	assert_true(!dev.name && dev.group.fd == -1);
	snprintf(copy, sizeof(copy), "1:2.3,name=net.a");
	assert_int_equal(parse_hostdev(copy, &dev, &wrong), 0);
	assert_string_equal(dev.host, "1:2.3");
	assert_string_equal(dev.name, "net.a");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(copy, sizeof(copy), "%s", bad[i]);
		if (!parse_hostdev(copy, &dev, &wrong))
			fail_msg("'%s' is taken", bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostdevs),
		cmocka_unit_test(test_match_name),
		cmocka_unit_test(test_match_id),
		cmocka_unit_test(test_match_uuid),
		cmocka_unit_test(test_uuid_text),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_dirty_rates),
		cmocka_unit_test(test_event_wanted),
		cmocka_unit_test(test_event_of_vmd),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_nets),
		cmocka_unit_test(test_bad_nets),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
