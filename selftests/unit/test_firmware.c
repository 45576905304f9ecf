// SPDX-License-Identifier: GPL-2.0-only
/* What firmware meets: its name, the flash's commands, fw_cfg, the tables' script. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/chipset/acpi_loader.h"
#include "vmm/chipset/cfi.h"
#include "vmm/chipset/fwcfg.h"
#include "vmm/firmware.h"
#include "vmm/memory.h"
#include "vmm/vmm.h"

#define FLASH_SIZE	(4 * CFI_BLOCK)
#define RAM_SIZE	0x10000
#define RAM_GPA		0x100000
#define REQUEST		(RAM_GPA + 0x100)
#define BUFFER		(RAM_GPA + 0x1000)
#define FUZZ_ROUNDS	200000

static const struct {
	const char *text;
	const char *wrong;
} names[] = {
	{ "bios", NULL },
	{ "bios,debug", NULL },
	{ "uefi", NULL },
	{ "uefi,vars=/tmp/vars,debug", NULL },
	{ "./mine.bin", NULL },
	{ "./mine.fd,vars=v", NULL },
	{ "", "is no firmware" },
	{ "efi", "is no firmware" },
	{ "bios,", "is no option" },
	{ "bios,vars=v", "is for UEFI only" },
	{ "uefi,vars=", "names no file" },
	{ "uefi,vars", "is no option" },
	{ "uefi,debug=1", "is no option" },
	{ "/x,y", "is no option" },
};

static void test_names(void **state)
{
	struct vmm_firmware fw;
	const char *wrong;
	char text[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		strcpy(text, names[i].text);
		assert_int_equal(firmware_parse(text, &fw, &wrong),
				 names[i].wrong ? -22 : 0);
		if (names[i].wrong)
			assert_non_null(strstr(wrong, names[i].wrong));
	}
}

static void test_name_of_uefi(void **state)
{
	struct vmm_firmware fw;
	const char *wrong;
	char text[] = "uefi,vars=/v,debug", bare[] = "uefi";

	assert_int_equal(firmware_parse(text, &fw, &wrong), 0);
	assert_string_equal(fw.vars.path, "/v");
	assert_false(fw.vars_private);
	assert_true(fw.debug);
	assert_string_equal(firmware_package(fw.code.path), "ovmf");
	assert_string_equal(firmware_package(fw.vars_from), "ovmf");
	assert_null(firmware_package("/v"));
	assert_int_equal(firmware_parse(bare, &fw, &wrong), 0);
	assert_true(fw.vars_private);
	assert_null(fw.vars_from);
}

static u8 contents[FLASH_SIZE];
static struct cfi cfi;

static int flash_setup(void **state)
{
	memset(contents, 0xff, sizeof(contents));
	contents[7] = 0x12;
	cfi_init(&cfi, contents, sizeof(contents));
	return 0;
}

/* As OVMF looks whether it is flash: neither RAM nor ROM. */
static void test_flash_is_seen(void **state)
{
	cfi_write(&cfi, 7, 0x50);
	assert_int_equal(cfi_read(&cfi, 7), 0x12);
	cfi_write(&cfi, 7, 0x70);
	assert_int_equal(cfi_read(&cfi, 7), 0);
	assert_false(cfi_is_array(&cfi));
	cfi_write(&cfi, 7, 0xff);
	assert_true(cfi_is_array(&cfi));
	assert_int_equal(cfi_read(&cfi, 7), 0x12);
	assert_int_equal(cfi.dirty_end, 0);
}

static void test_flash_program(void **state)
{
	cfi_write(&cfi, 100, 0x10);
	assert_int_equal(contents[100], 0xff);
	cfi_write(&cfi, 100, 0x5a);
	assert_int_equal(cfi_read(&cfi, 100), 0x80);
	cfi_write(&cfi, 101, 0x40);
	cfi_write(&cfi, 101, 0xff);	/* data, and no command */
	cfi_write(&cfi, 7, 0x10);
	cfi_write(&cfi, 7, 0xf0);
	cfi_write(&cfi, 7, 0xff);
	assert_int_equal(cfi_read(&cfi, 100), 0x5a);
	assert_int_equal(cfi_read(&cfi, 7), 0x10);	/* no bit was set */
	assert_int_equal(cfi.dirty_start, 7);
	assert_int_equal(cfi.dirty_end, 102);
}

static void test_flash_erase(void **state)
{
	memset(contents, 0, sizeof(contents));
	cfi_write(&cfi, CFI_BLOCK + 5, 0x20);
	cfi_write(&cfi, CFI_BLOCK + 5, 0xd0);
	assert_int_equal(contents[CFI_BLOCK - 1], 0);
	assert_int_equal(contents[CFI_BLOCK], 0xff);
	assert_int_equal(contents[2 * CFI_BLOCK - 1], 0xff);
	assert_int_equal(contents[2 * CFI_BLOCK], 0);
	assert_int_equal(cfi.dirty_start, CFI_BLOCK);
	assert_int_equal(cfi.dirty_end, 2 * CFI_BLOCK);
	/* Not confirmed: nothing happens, and the status says so. */
	cfi_write(&cfi, 0, 0x20);
	cfi_write(&cfi, 0, 0x10);
	assert_int_equal(contents[0], 0);
	assert_int_equal(cfi_read(&cfi, 0) & 0x30, 0x30);
	cfi_write(&cfi, 0, 0x50);
	cfi_write(&cfi, 0, 0x70);
	assert_int_equal(cfi_read(&cfi, 0), 0);
}

static void test_flash_query(void **state)
{
	cfi_write(&cfi, 0x55, 0x98);
	assert_int_equal(cfi_read(&cfi, 0x10), 'Q');
	assert_int_equal(cfi_read(&cfi, 0x11), 'R');
	assert_int_equal(cfi_read(&cfi, 0x12), 'Y');
	assert_int_equal(cfi_read(&cfi, 0x27), 14);	/* 2^14 bytes */
	assert_int_equal(cfi_read(&cfi, 0x2c), 1);
	assert_int_equal(cfi_read(&cfi, 0x2d), 3);	/* four blocks */
	assert_int_equal(cfi_read(&cfi, 0x2f), CFI_BLOCK / 256);
	assert_int_equal(cfi_read(&cfi, FLASH_SIZE - 1), 0);
	cfi_write(&cfi, 0, 0x90);
	assert_int_equal(cfi_read(&cfi, 0), 0x89);
}

static void test_flash_fuzz(void **state)
{
	u32 i, sum = 0;

	srand(1);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		cfi_write(&cfi, (u32)rand() % FLASH_SIZE, (u8)rand());
		sum += cfi_read(&cfi, (u32)rand() % FLASH_SIZE);
		assert_true(cfi.dirty_end <= FLASH_SIZE);
	}
	assert_int_not_equal(sum, 0);
}

static u8 ram[RAM_SIZE];
static struct memory mem;
static struct fwcfg fw;
static int refreshed;

static void refresh(struct fwcfg *f, struct fwcfg_item *item)
{
	refreshed++;
	item->data[0] = (u8)('0' + refreshed);
}

static int fwcfg_setup(void **state)
{
	const u16 cpus = 3;
	struct fwcfg_item *item;

	memset(&fw, 0, sizeof(fw));
	memset(ram, 0xee, sizeof(ram));
	mem = (struct memory) { .nr_regions = 1, .region[0] = { RAM_GPA, RAM_SIZE, ram } };
	refreshed = 0;
	fwcfg_init(&fw, &mem);
	fwcfg_add(&fw, 5, &cpus, sizeof(cpus));
	fwcfg_add_file(&fw, "etc/one", "first", 5);
	item = fwcfg_add_file(&fw, "etc/two", "second", 6);
	if (!item)
		return -1;
	item->refresh = refresh;
	return fwcfg_finish(&fw);
}

static int fwcfg_teardown(void **state)
{
	fwcfg_free(&fw);
	return 0;
}

static void choose(u16 key)
{
	fwcfg_port_write(&fw, 0, &key, 2);
}

static u8 next(void)
{
	u8 byte = 0xff;

	fwcfg_port_read(&fw, 1, &byte, 1);
	return byte;
}

static void test_fwcfg_ports(void **state)
{
	choose(0);
	assert_int_equal(next(), 'Q');
	assert_int_equal(next(), 'E');
	choose(1);
	assert_int_equal(next(), 3);	/* ports, and requests in memory */
	choose(5);
	assert_int_equal(next(), 3);
	assert_int_equal(next(), 0);
	assert_int_equal(next(), 0);	/* beyond its end */
	choose(0x7777);
	assert_int_equal(next(), 0);
}

/* Return: the key of a file, as the directory says; 0: it has none. */
static u16 file_key(const char *name, u32 *size)
{
	u32 count = 0, i, j;
	u8 entry[64];

	choose(0x19);
	for (i = 0; i < 4; i++)
		count = count << 8 | next();
	for (i = 0; i < count; i++) {
		for (j = 0; j < sizeof(entry); j++)
			entry[j] = next();
		if (strcmp((char *)entry + 8, name) != 0)
			continue;
		*size = (u32)entry[2] << 8 | entry[3];
		return (u16)(entry[4] << 8 | entry[5]);
	}
	return 0;
}

static void test_fwcfg_files(void **state)
{
	u32 size = 0;
	u16 key = file_key("etc/two", &size);

	assert_true(key >= FWCFG_FILE_FIRST);
	assert_int_equal(size, 6);
	assert_int_equal(refreshed, 0);
	choose(key);
	assert_int_equal(refreshed, 1);
	assert_int_equal(next(), '1');
	assert_int_equal(next(), 'e');
	assert_int_equal(file_key("etc/three", &size), 0);
}

/* Return: the control word that comes back. */
static u32 dma(u32 control, u32 len, u64 to, u64 at)
{
	u32 half, *req = (u32 *)(ram + (REQUEST - RAM_GPA));
	u64 address = htobe64(to);

	req[0] = htobe32(control);
	req[1] = htobe32(len);
	memcpy(req + 2, &address, sizeof(address));
	half = htobe32((u32)(at >> 32));
	fwcfg_port_write(&fw, 4, &half, 4);
	half = htobe32((u32)at);
	fwcfg_port_write(&fw, 8, &half, 4);
	return be32toh(req[0]);
}

static void test_fwcfg_dma(void **state)
{
	const u8 *buffer = ram + (BUFFER - RAM_GPA);
	u32 size = 0;
	u64 sign = 0;
	u16 key = file_key("etc/one", &size);

	fwcfg_port_read(&fw, 4, &sign, 4);
	assert_memory_equal(&sign, "QEMU", 4);
	fwcfg_port_read(&fw, 8, &sign, 4);
	assert_memory_equal(&sign, " CFG", 4);
	assert_int_equal(dma((u32)key << 16 | 8 | 2, 7, BUFFER, REQUEST), 0);
	assert_memory_equal(buffer, "first\0\0\xee", 8);
	assert_int_equal(dma((u32)key << 16 | 8, 0, 0, REQUEST), 0);
	assert_int_equal(dma(4, 2, 0, REQUEST), 0);
	assert_int_equal(dma(2, 2, BUFFER, REQUEST), 0);
	assert_memory_equal(buffer, "rsrst", 5);
}

static void test_fwcfg_dma_bad(void **state)
{
	/* To no memory, over its end, a write: an error each. */
	assert_int_equal(dma(5 << 16 | 8 | 2, 2, 0x1000, REQUEST), 1);
	assert_int_equal(dma(2, RAM_SIZE, BUFFER, REQUEST), 1);
	assert_int_equal(dma(2, 0xffffffff, BUFFER, REQUEST), 1);
	assert_int_equal(dma(2, 16, ~0ULL - 4, REQUEST), 1);
	assert_int_equal(dma(16, 2, BUFFER, REQUEST), 1);
	/* A request in no memory, or half in it, is none. */
	assert_int_equal(dma(16, 2, BUFFER, 0x1000), 16);
	assert_int_equal(dma(16, 2, BUFFER, RAM_GPA + RAM_SIZE - 8), 16);
	assert_int_equal(dma(16, 2, BUFFER, ~0ULL - 4), 16);
	/* As much as it likes of what there is not. */
	assert_int_equal(dma(0x7777 << 16 | 8 | 4, 0xffffffff, 0, REQUEST), 0);
	assert_int_equal(dma(2, 4, BUFFER, REQUEST), 0);
}

static void test_fwcfg_fuzz(void **state)
{
	u64 data;
	u32 i;

	srand(2);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		u32 len = 1U << rand() % 3, offset = (u32)rand() % (FWCFG_PORTS - len + 1);

		data = (u64)(u32)rand() << 33 ^ (u32)rand();
		if (rand() & 1)
			fwcfg_port_write(&fw, offset, &data, len);
		else
			fwcfg_port_read(&fw, offset, &data, len);
		if (i % 64)
			continue;
		dma((u32)(rand() % 48) << 16 | (u32)rand() % 32, (u32)rand() % 0x8000,
		    RAM_GPA + (u32)rand() % RAM_SIZE, REQUEST);
	}
}

/* The script, run as firmware would, makes tables that point where they should. */
static void test_loader(void **state)
{
	static struct acpi_tables t = {
		.used = 128, .xsdt = 64, .nr_pointers = 2, .nr_sums = 1,
		.pointer = { { 16, 4 }, { 24, 8 } },
		.sum = { { 0, 48 } },
	};
	struct acpi_loader loader;
	int i, pointers = 0, sums = 0;

	acpi_loader_build(&loader, &t);
	assert_int_equal(loader.nr, 2 + 2 + 1 + 1 + 2);
	assert_string_equal(loader.command[0].allocate.file, "etc/acpi/rsdp");
	assert_int_equal(loader.command[0].allocate.zone, 2);
	assert_string_equal(loader.command[1].allocate.file, "etc/acpi/tables");
	assert_int_equal(loader.command[1].allocate.align, 64);
	for (i = 2; i < loader.nr; i++) {
		const struct acpi_loader_command *c = &loader.command[i];

		/* Checksums come behind the pointers that they sum up. */
		if (c->command == 2) {
			pointers++;
			assert_string_equal(c->pointer.source, "etc/acpi/tables");
			assert_true(!strcmp(c->pointer.dest, "etc/acpi/rsdp") || !sums);
		} else {
			sums++;
			assert_int_equal(c->command, 3);
			assert_true(c->checksum.offset >= c->checksum.start);
			assert_true(c->checksum.offset < c->checksum.start + c->checksum.length);
		}
	}
	assert_int_equal(pointers, 3);
	assert_int_equal(sums, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_of_uefi),
		cmocka_unit_test_setup(test_flash_is_seen, flash_setup),
		cmocka_unit_test_setup(test_flash_program, flash_setup),
		cmocka_unit_test_setup(test_flash_erase, flash_setup),
		cmocka_unit_test_setup(test_flash_query, flash_setup),
		cmocka_unit_test_setup(test_flash_fuzz, flash_setup),
		cmocka_unit_test_setup_teardown(test_fwcfg_ports, fwcfg_setup, fwcfg_teardown),
		cmocka_unit_test_setup_teardown(test_fwcfg_files, fwcfg_setup, fwcfg_teardown),
		cmocka_unit_test_setup_teardown(test_fwcfg_dma, fwcfg_setup, fwcfg_teardown),
		cmocka_unit_test_setup_teardown(test_fwcfg_dma_bad, fwcfg_setup, fwcfg_teardown),
		cmocka_unit_test_setup_teardown(test_fwcfg_fuzz, fwcfg_setup, fwcfg_teardown),
		cmocka_unit_test(test_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
