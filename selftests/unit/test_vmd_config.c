// SPDX-License-Identifier: GPL-2.0-only
/* vmd's configuration files: what they say, and where the faults in them are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "vmd/config.h"

#define FUZZ_ROUNDS	3000

static char dir[32], main_file[64], more_file[64];
static struct config config;

static int make_dir(void **state)
{
	char path[64];

	strcpy(dir, "/tmp/vmd_config.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/conf.d", dir);
	snprintf(main_file, sizeof(main_file), "%s/joist.conf", dir);
	snprintf(more_file, sizeof(more_file), "%s/conf.d/1.conf", dir);
	return mkdir(path, 0700);
}

static int remove_dir(void **state)
{
	char path[64];

	unlink(main_file);
	unlink(more_file);
	snprintf(path, sizeof(path), "%s/conf.d", dir);
	rmdir(path);
	return rmdir(dir);
}

static void put(const char *file, const char *text, size_t len)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

/* @more: in conf.d, or NULL. */
static int read_both(const char *text, const char *more)
{
	put(main_file, text, strlen(text));
	unlink(more_file);
	if (more)
		put(more_file, more, strlen(more));
	return config_read(&config, main_file, "host");
}

/* One of its template's, with more of its own, and one of its own. */
static void check_nics(const struct definition *web)
{
	const struct interface *lan = &web->nic[0], *out = &web->nic[1];

	assert_int_equal(web->nr_nics, 2);
	assert_string_equal(lan->name, "lan");
	assert_int_equal(lan->kind, IF_SWITCH);
	assert_string_equal(lan->link, "lan");
	assert_true(lan->has_mac && lan->mac[0] == 2 && lan->mac[5] == 1);
	assert_true(lan->isolated && lan->mac_check);
	assert_int_equal(lan->vlan, 7);
	assert_int_equal(lan->queues, 4);
	assert_int_equal(lan->nr_trunk, 2);
	assert_int_equal(lan->trunk[1].first, 20);
	assert_int_equal(lan->trunk[1].last, 29);
	assert_int_equal(lan->rate_in, 10000000);
	assert_int_equal(lan->nr_ips, 2);
	assert_int_equal(lan->ip[0].bits, 32);
	assert_int_equal(lan->ip[1].bits, 10);
	assert_int_equal(out->kind, IF_USER);
	assert_int_equal(out->nr_forwards, 1);
}

static void check_switch(const struct switch_def *sw)
{
	assert_int_equal(config.nr_switches, 1);
	assert_string_equal(sw->name, "lan");
	assert_true(sw->vlan_filtering && sw->nat && sw->ip_forward && sw->isolated);
	assert_int_equal(sw->address.bits, 24);
	assert_string_equal(sw->uplink, "eth1");
	assert_int_equal(ntohl(sw->dhcp_first), 0x0a000064);
	assert_int_equal(ntohl(sw->dhcp_last), 0x0a0000c7);
	assert_int_equal(sw->nr_dns, 2);
	assert_int_equal(sw->mtu, 9000);
	assert_int_equal(sw->nr_users, 2);
	assert_int_equal(sw->user[1].kind, OWNER_GROUP);
}

static void test_good(void **state)
{
	int err = read_both("# one\n/* two\n three */\n"
			    "autostart-stagger = 1.5 // four\n"
			    "template \"t\" {\n"
			    "	kernel = \"/boot/%n\" memory = 64M\n"
			    "	uuid = \"abcd0000-0000-4000-8000-000000000001\"\n"
			    "	disk \"a\" { path = \"/srv/%n.img\" readonly = yes }\n"
			    "	interface \"lan\" { switch = lan trunk = {10, 20-29} isolated = yes }\n"
			    "}\n"
			    "vm \"web\" { template = t vcpus = 2 owner = root\n"
			    "	disk \"b\" { path = '/b' }\n"
			    "	interface \"out\" { user = yes forward = \"tcp::80-:80\" }\n"
			    "	interface \"lan\" { mac = 02:00:00:00:00:01 vlan = 7\n"
			    "		queues = 4 rate-in = 10M ip = {10.0.0.5, \"fe80::/10\"} }\n"
			    "}\n"
			    "vmd { socket = \"/s\" }\n"
			    "switch \"lan\" {\n"
			    "	vlan-filtering = yes address = 10.0.0.1/24 uplink = eth1\n"
			    "	dhcp = 10.0.0.100-10.0.0.199 dns = {9.9.9.9, 1.1.1.1}\n"
			    "	nat = yes ip-forward = yes isolated = on mtu = 9000\n"
			    "	users = {root, \":0\"}\n"
			    "}\n",
			    "vm \"db\" { kernel = \"/k\" memory = 1G cmdline = \"a # b\" }\n");
	const struct definition *web = &config.vm[0], *db = &config.vm[1];

	assert_int_equal(err, 0);
	assert_int_equal(config.nr_vms, 2);
	assert_int_equal(config.stagger_ms, 1500);
	assert_string_equal(config.socket, "/s");
	assert_string_equal(config.user, "_joist");
	assert_string_equal(web->name, "web");
	assert_string_equal(web->kernel, "/boot/web");
	assert_int_equal(web->memory, 64 * MIB);
	assert_int_equal(web->vcpus, 2);
	assert_int_equal(web->nr_disks, 2);
	assert_string_equal(web->disk[0].path, "/srv/web.img");
	assert_true(web->disk[0].options.readonly);
	assert_string_equal(web->disk[1].path, "/b");
	assert_int_equal(web->owner.kind, OWNER_USER);
	assert_int_equal(web->owner.id, 0);
	assert_int_equal(web->line, 11);
	assert_string_equal(web->file, main_file);
	/* A template's UUID is no VM's. */
	assert_string_not_equal(web->uuid, "abcd0000-0000-4000-8000-000000000001");
	assert_string_equal(db->cmdline, "a # b");
	assert_string_equal(db->file, more_file);
	check_nics(web);
	check_switch(&config.sw[0]);
	config_free(&config);
}

#define SWITCH	"switch \"lan\" { }\n"
#define NIC	"	interface \"eth0\" {"
#define DEV	"	device \"d\" {"
#define VM	"vm \"a\" {\n	kernel = \"/k\"\n"

/* One fault each, at a line of its own; or none there, with line 0. */
static const struct {
	const char *text;
	int line;
	const char *says;
} examples[] = {
	{ "", 0, NULL },
	{ "\n\n# nothing\n", 0, NULL },
	{ VM "}\n", 0, NULL },
	{ VM "	vcpus = 0\n}\n", 3, "not from" },
	{ VM "	vcpus = two\n}\n", 3, "no number" },
	{ VM "	colour = \"red\"\n}\n", 3, "no such option" },
	{ VM "	# a comment\n	memory = 3M\n}\n", 4, "not from" },
	{ VM "	/* two\n	lines */ memory = 64Q\n}\n", 4, "no size" },
	{ VM "	owner = nobody-at-all\n}\n", 3, "nobody-at-all" },
	{ VM "	owner = \":\"\n}\n", 3, "an owner" },
	{ VM "	autostart = perhaps\n}\n", 3, "neither" },
	{ VM "	balloon = 128M\n}\n", 3, "neither" },
	{ VM "	rng = maybe\n}\n", 3, "neither" },
	{ VM "	vsock = 2\n}\n", 3, "not from 3 to" },
	{ VM "	vsock = 42\n}\n", 0, NULL },
	{ VM "	restart = often\n}\n", 3, "none of" },
	{ VM "	watchdog = bark\n}\n", 3, "none of reset" },
	{ VM "	uuid = 12\n}\n", 3, "no UUID" },
	{ VM "	template = gone\n}\n", 1, "no template" },
	{ VM "	disk \"d\" { path = d }\n}\n", 3, "no absolute path" },
	{ VM "	disk \"d\" { }\n}\n", 1, "has no path" },
	{ VM "	memory = 64M memory-max = 32M\n}\n", 1, "less than its memory" },
	{ "vm \"a\" {\n	vcpus = 1\n}\n", 1, "neither a kernel nor firmware" },
	{ "vm \"a\" { firmware = \"bios\"\n	kernel = \"/k\" }\n", 1, "has firmware" },
	{ "vm \"a\" {\n	firmware = \"efi\"\n}\n", 2, "is no firmware" },
	{ "vm \"a\" {\n	firmware = \"uefi,vars=v\"\n}\n", 2, "to be absolute" },
	{ "vm \"a\" {\n	kernel = \"k\"\n}\n", 2, "no absolute path" },
	{ "\nvm \"2\" { kernel = \"/k\" }\n", 2, "no name" },
	{ VM "}\nvm \"b\" {\n	kernel = \"/k\"\n	uuid = \"12\"\n}\n", 6, "no UUID" },
	{ "\nautostart-stagger = soon\n", 2, "number of seconds" },
	{ "autostart-stagger = -1\n", 1, "number of seconds" },
	{ "autostart-stagger = nan\n", 1, "number of seconds" },
	{ "vmd {\n	user = nobody-at-all\n}\n", 2, "no user" },
	{ "vmd {\n	socket = relative\n}\n", 2, "no absolute path" },
	{ "\n" VM, 2, "does not end" },
	{ SWITCH VM NIC " switch = lan }\n}\n", 0, NULL },
	{ SWITCH VM "\n" NIC " switch = far }\n}\n", 5, "which is nowhere" },
	{ VM NIC " }\n}\n", 3, "plugged into nothing" },
	{ VM NIC " switch = far-far-away }\n}\n", 3, "no name of a switch" },
	{ VM NIC " user = perhaps }\n}\n", 3, "neither yes nor no" },
	{ VM NIC " user = yes\n	mac = 03:00:00:00:00:00 }\n}\n", 4, "of a group" },
	{ VM NIC " user = yes\n	mac = 02:00:00:00:00 }\n}\n", 4, "no address" },
	{ VM NIC " user = yes\n	mtu = 100 }\n}\n", 4, "no number from" },
	{ VM NIC " user = yes\n	colour = red }\n}\n", 4, "no such option" },
	{ VM NIC " user = yes forward = \"tcp:80\" }\n}\n", 3, "no port forward" },
	{ VM NIC " user = yes rate-in = 1M }\n}\n", 3, "not for user" },
	{ SWITCH VM NIC " switch = lan vlan = 4095 }\n}\n", 3 + 1, "no number from" },
	{ "switch \"s\" { vlan-filtering = on }\n" VM NIC " switch = s trunk = {1,9-2} }\n}\n",
	  4, "nor a range" },
	{ SWITCH VM NIC " switch = lan vlan = 2 }\n}\n", 4, "no vlan-filtering" },
	{ SWITCH VM NIC " switch = lan mtu = 9000 }\n}\n", 4, "larger mtu" },
	{ SWITCH VM NIC " switch = lan ip = 10.0.0.256 }\n}\n", 4, "no IPv4 or IPv6" },
	{ SWITCH VM NIC " switch = lan queues = 9 }\n}\n", 4, "no number from" },
	{ SWITCH VM NIC " switch = lan rate-out = 1 }\n}\n", 4, "no rate" },
	{ SWITCH VM NIC " switch = lan forward = \"tcp::1-:1\" }\n}\n", 4, "is for user = yes" },
	{ VM DEV " host = 01:00.0 }\n}\n", 0, NULL },
	{ VM DEV " vf-of = 1:0.0 mac = 02:00:00:00:00:01 vlan = 7 force = on }\n}\n", 0, NULL },
	{ VM DEV " }\n}\n", 1, "neither 'host' nor 'vf-of'" },
	{ VM DEV " host = 01:00.0 vf-of = 02:00.0 }\n}\n", 1, "either 'host' or 'vf-of'" },
	{ VM DEV "\n	host = eth0 }\n}\n", 4, "no PCI address" },
	{ VM DEV " host = 01:00.0\n	on-fault = pause }\n}\n", 4, "neither keep nor stop" },
	{ VM DEV " host = 01:00.0\n	vlan = 4095 }\n}\n", 4, "no number from" },
	{ VM "	device \"9\" { host = 01:00.0 }\n}\n", 1, "no name for a device" },
	{ VM DEV " host = 01:00.0 }\n	device \"e\" { host = 0000:01:00.0 }\n}\n", 1, "already" },
	{ VM DEV " io-ports = 1-8 mmio = {0xfed40000-0xfed44fff, 0x1000-0x1fff} }\n}\n", 0, NULL },
	{ VM DEV " host = 01:00.0 mmio = 0xfed40000-0xfed44fff }\n}\n", 1, "what is for PCI" },
	{ VM DEV " io-ports = 0x80 force = yes }\n}\n", 1, "what is for PCI" },
	{ VM DEV "\n	mmio = 0xfed40000 }\n}\n", 4, "not whole pages" },
	{ VM DEV "\n	mmio = 0xfed40010-0xfed4100f }\n}\n", 4, "not whole pages" },
	{ VM DEV "\n	io-ports = 0x10000 }\n}\n", 4, "is not FIRST or" },
	{ VM DEV "\n	io-ports = {0x80, 9-8} }\n}\n", 4, "is not FIRST or" },
	{ VM DEV " io-ports = {0x80-0x8f, 0x84} }\n}\n", 1, "there already" },
	{ VM DEV " io-ports = 1 }\n	device \"e\" { io-ports = 0-2 }\n}\n", 1, "there already" },
	{ VM DEV " io-ports = {1,2,3,4,5,6,7,8} }\n	device \"e\" { io-ports = 9 }\n}\n", 1,
	  "more than 8" },
	{ VM "	device \"9\" { io-ports = 1 }\n}\n", 1, "no name for a device" },
	{ "vf \"01:00.0\" { count = 4 }\n", 0, NULL },
	{ "\nvf \"01:00.0\" {\n	count = many\n}\n", 3, "no number from" },
	{ "\nvf \"01:00.0\" { }\n", 2, "has no count" },
	{ "\nvf \"x\" { count = 4 }\n", 2, "no PCI address" },
	{ "vf \"01:00.0\" { count = 4 }\nvf \"0000:01:00.0\" { count = 4 }\n", 2, "already" },
	{ "switch \"a-long-name-\" { }\n", 1, "no name for a switch" },
	{ "switch \"s\" {\n	address = 10.0.0.1\n}\n", 2, "with its network's length" },
	{ "switch \"s\" {\n	uplink = \"a b\"\n}\n", 2, "can be in a switch" },
	{ "switch \"s\" {\n	users = nobody-at-all\n}\n", 2, "no user" },
	{ "switch \"s\" {\n	dhcp = 10.0.0.9-10.0.0.3\n}\n", 2, "before it begins" },
	{ "\nswitch \"s\" {\n	nat = yes\n}\n", 2, "needs an address" },
	{ "switch \"s\" {\n	address = 10.0.0.1/24 dhcp = 10.0.1.9-10.0.1.10\n}\n", 1,
	  "not within" },
	{ "switch \"s\" {\n	address = 10.0.0.1/24 dhcp = 10.0.0.1-10.0.0.9\n}\n", 1,
	  "its own address" },
};

static void test_faults(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		int err = read_both(examples[i].text, NULL);
		const struct fault *f = &config.fault[0];

		if (err != (examples[i].line ? -22 : 0) ||
		    config.nr_faults != !!examples[i].line ||
		    (examples[i].line && (f->line != examples[i].line ||
				       strcmp(f->file, main_file) ||
				       !strstr(f->message, examples[i].says))))
			fail_msg("%s: %d faults, %d: %s", examples[i].text, config.nr_faults,
				 config.nr_faults ? f->line : 0,
				 config.nr_faults ? f->message : "");
		config_free(&config);
	}
}

static void test_many_faults(void **state)
{
	char text[16384];
	size_t len = 0;
	int i;

	for (i = 0; i < 2 * FAULTS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"vm \"a%d\" { }\n", i);
	assert_int_equal(read_both(text, NULL), -22);
	assert_int_equal(config.nr_faults, FAULTS_MAX);
	assert_int_equal(config.fault[7].line, 8);
	config_free(&config);
}

static void test_twice(void **state)
{
	assert_int_equal(read_both(VM "}\n", "\n" VM "}\n"), -22);
	assert_int_equal(config.nr_faults, 1);
	assert_string_equal(config.fault[0].file, more_file);
	assert_int_equal(config.fault[0].line, 2);
	assert_non_null(strstr(config.fault[0].message, main_file));
	config_free(&config);
}

static void test_no_file(void **state)
{
	assert_int_equal(config_read(&config, "/nowhere/joist.conf", "host"), -22);
	assert_non_null(strstr(config.fault[0].message, "No such file"));
	config_free(&config);
	assert_int_equal(config_read(&config, "/", "host"), -22);
	config_free(&config);
}

/* Bytes of a good one changed: read or refused, and nothing is lost. */
static void test_mutated(void **state)
{
	static const char good[] =
		"template \"t\" { kernel = \"/k\" memory = 64M }\n"
		"vm \"a\" { template = t /* x */ vcpus = 2 # y\n"
		"	disk \"d\" { path = '/%n' readonly = on }\n"
		"	interface \"e\" { switch = s trunk = {1, 2-9} ip = 10.0.0.2 }\n"
		"	owner = \":0\" restart = always\n}\n"
		"switch \"s\" { vlan-filtering = on address = 10.0.0.1/24 dns = {1.1.1.1} }\n"
		"vmd { socket = /s }\n";
	char text[sizeof(good)];
	int i, k;

	srand(1);
	unlink(more_file);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		memcpy(text, good, sizeof(text));
		for (k = rand() % 4; k >= 0; k--)
			text[rand() % (sizeof(text) - 1)] = (char)(rand() % 256);
		put(main_file, text, sizeof(text) - 1);
		config_read(&config, main_file, "host");
		config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_many_faults),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests_name("vmd_config", tests, make_dir, remove_dir);
}
