// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMBIOS tables: each structure is whole, they tell of the machine as it is, the anchor
 * leads to them, and dmidecode understands them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/boot/layout.h"
#include "vmm/chipset/smbios.h"
#include "vmm/vm.h"

#define UUID	"00112233-4455-6677-8899-aabbccddeeff"
#define ANCHOR	32	/* bytes it takes, in memory and in dmidecode's files */

static struct vmm_config config;
static struct vm vm;
static struct smbios tables;
static u8 ram[BIOS_END];

static void board(u64 low, u64 high, unsigned int vcpus, const char *name, const char *uuid)
{
	config = (struct vmm_config) {
		.vcpus = vcpus, .name = name, .uuid = uuid, .memory = low + high,
	};
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	vm.mem.size = low + high;
	vm.mem.nr_regions = high ? 2 : 1;
	vm.mem.region[0] = (struct mem_region) { 0, low, ram };
	vm.mem.region[1] = (struct mem_region) { HIGH_RAM_START, high, NULL };
}

/* Behind a structure and its strings. */
static const u8 *behind(const u8 *s)
{
	const u8 *p = s + s[1];

	if (!*p)
		return p + 2;
	while (*p)
		p += strlen((const char *)p) + 1;
	return p + 1;
}

/* The n-th structure of a type; NULL: there is none. On the way all are looked at. */
static const u8 *find(u8 type, int n)
{
	const u8 *s = tables.data, *end = s + tables.used, *found = NULL, *p;
	bool ended = false;

	for (; s < end; s = behind(s)) {
		assert_false(ended);
		assert_true(s[1] >= 4 && s + s[1] + 2 <= end && behind(s) <= end);
		for (p = tables.data; p < s; p = behind(p))
			assert_memory_not_equal(p + 2, s + 2, 2);
		ended = s[0] == 127;
		if (s[0] == type && !n--)
			found = s;
	}
	assert_true(ended);
	assert_ptr_equal(s, end);
	return found;
}

static u64 get(const u8 *s, size_t at, size_t len)
{
	u64 value = 0;

	assert_non_null(s);
	assert_true(at + len <= s[1]);
	memcpy(&value, s + at, len);
	return value;
}

static const char *text(const u8 *s, size_t at)
{
	const char *p = (const char *)s + s[1];
	u64 nr = get(s, at, 1);

	if (!nr)
		return "";
	for (; nr > 1; nr--, p += strlen(p) + 1)
		assert_true(*p);
	return p;
}

static void test_system(void **state)
{
	static const u8 uuid[] = {
		0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
	};
	const u8 *s;

	board(256 << 20, 0, 1, "web", UUID);
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	s = find(1, 0);
	assert_string_equal(text(s, 4), "joist");
	assert_string_equal(text(s, 5), "Virtual Machine");
	assert_string_equal(text(s, 7), "web");
	assert_memory_equal(s + 8, uuid, sizeof(uuid));
	s = find(3, 0);
	assert_string_equal(text(s, 4), "joist");
	assert_string_equal(text(s, 8), "web");
	s = find(0, 0);
	assert_string_equal(text(s, 4), "joist");
	assert_non_null(find(32, 0));
	assert_null(find(1, 1));
}

/* Nobody has given it any: there are none, and nothing in their place. */
static void test_nameless(void **state)
{
	static const u8 none[16];
	const u8 *s;

	board(64 << 20, 0, 1, NULL, NULL);
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	s = find(1, 0);
	assert_string_equal(text(s, 7), "");
	assert_memory_equal(s + 8, none, sizeof(none));
	assert_string_equal(text(find(3, 0), 8), "");
}

/* It says itself who it is. */
static void test_firmware(void **state)
{
	board(64 << 20, 0, 1, "fw", NULL);
	config.firmware.code = vmm_path("bios");
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	assert_null(find(0, 0));
	assert_string_equal(text(find(1, 0), 7), "fw");
}

static void test_cpus(void **state)
{
	static const unsigned int counts[] = { 1, 7, VMM_VCPUS_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const u8 *s;

		board(64 << 20, 0, counts[i], NULL, NULL);
		assert_int_equal(smbios_tables(&tables, &vm), 0);
		s = find(4, 0);
		assert_int_equal(get(s, 0x18, 1), 0x41);
		assert_int_equal(get(s, 0x23, 1), counts[i]);
		assert_int_equal(get(s, 0x25, 1), counts[i]);
		assert_int_equal(get(s, 0x2a, 2), counts[i]);
		assert_null(find(4, 1));
	}
}

static void check_memory(u64 low, u64 high)
{
	const u64 mib = (low + high) >> 20;
	const u8 *array, *dev, *s;

	board(low, high, 1, NULL, NULL);
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	array = find(16, 0);
	dev = find(17, 0);
	assert_int_equal(get(array, 7, 4), (low + high) >> 10);
	assert_int_equal(get(array, 0xd, 2), 1);
	assert_memory_equal(dev + 4, array + 2, 2);
	if (mib < 0x7fff) {
		assert_int_equal(get(dev, 0xc, 2), mib);
	} else {
		assert_int_equal(get(dev, 0xc, 2), 0x7fff);
		assert_int_equal(get(dev, 0x1c, 4), mib);
	}
	s = find(19, 0);
	assert_int_equal(get(s, 4, 4), 0);
	assert_int_equal(get(s, 8, 4), (low >> 10) - 1);
	assert_memory_equal(s + 0xc, array + 2, 2);
	s = find(19, 1);
	assert_true(!s == !high);
	if (s) {
		assert_int_equal(get(s, 4, 4), 4 << 20);
		assert_int_equal(get(s, 8, 4), (4 << 20) + (high >> 10) - 1);
	}
}

static void test_memory(void **state)
{
	check_memory(MEM_SIZE_MIN, 0);
	check_memory(LOW_RAM_MAX, 1 << 20);
	check_memory(LOW_RAM_MAX, (32ULL << 30) - LOW_RAM_MAX - (1 << 20));
	check_memory(LOW_RAM_MAX, (32ULL << 30) - LOW_RAM_MAX);
	check_memory(LOW_RAM_MAX, MEM_SIZE_MAX - LOW_RAM_MAX);
}

static void test_too_long(void **state)
{
	static char name[SMBIOS_TABLES_SIZE];

	memset(name, 'n', sizeof(name) - 1);
	board(64 << 20, 0, 1, name, NULL);
	assert_int_equal(smbios_tables(&tables, &vm), -28);
	name[200] = '\0';
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	assert_string_equal(text(find(1, 0), 7), name);
}

/* Where a kernel looks, and what leads from there. */
static void test_placed(void **state)
{
	struct smbios_anchor anchor;
	u8 sum = 0;
	size_t i;

	board(sizeof(ram), 0, 2, "placed", UUID);
	memset(ram, 0, sizeof(ram));
	assert_int_equal(smbios_place(&vm), 0);
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	memcpy(&anchor, ram + 0xf0000, sizeof(anchor));
	assert_memory_equal(anchor.signature, "_SM3_", 5);
	assert_int_equal(anchor.length, sizeof(anchor));
	for (i = 0; i < sizeof(anchor); i++)
		sum = (u8)(sum + ((u8 *)&anchor)[i]);
	assert_int_equal(sum, 0);
	assert_int_equal(anchor.size, tables.used);
	assert_true(anchor.address + anchor.size <= sizeof(ram));
	assert_memory_equal(ram + anchor.address, tables.data, tables.used);
	/* Nothing of it lies among ACPI's. */
	for (i = ACPI_GPA; i < ACPI_GPA + ACPI_SIZE; i++)
		assert_int_equal(ram[i], 0);
}

/* In the form of dmidecode's own dumps: the anchor, and the structures behind it. */
static void test_dmidecode(void **state)
{
	char path[] = "/tmp/joist-smbios-XXXXXX", command[512];
	struct smbios_anchor anchor;
	u8 head[ANCHOR] = { 0 };
	int fd;

	if (system("command -v dmidecode >/dev/null"))
		skip();
	board(LOW_RAM_MAX, 40ULL << 30, 12, "dmi", UUID);
	assert_int_equal(smbios_tables(&tables, &vm), 0);
	smbios_anchor(&anchor, &tables, ANCHOR);
	memcpy(head, &anchor, sizeof(anchor));
	fd = mkstemp(path);
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	assert_int_equal(write(fd, tables.data, tables.used), (ssize_t)tables.used);
	close(fd);
	/* 42.75 GiB */
	snprintf(command, sizeof(command),
		 "f=%s; dmidecode --from-dump $f >$f.txt 2>&1 && ! grep -iE '%s' $f.txt && grep -q 'UUID: %s' $f.txt && grep -q 'Core Count: 12' $f.txt && grep -q 'Size: 43776 MB' $f.txt || { cat $f.txt; exit 1; }",
		 path, "out of spec|truncated|broken|bad index|invalid|wrong", UUID);
	assert_int_equal(system(command), 0);
	unlink(path);
	strcpy(command, path);
	unlink(strcat(command, ".txt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_nameless),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_placed),
		cmocka_unit_test(test_dmidecode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
