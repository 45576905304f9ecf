// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables: placed as firmware places them they are whole, they tell of where the
 * bridges are programmed to, and ACPI's own compiler understands them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/chipset/acpi.h"
#include "vmm/chipset/host_bridge.h"
#include "vmm/chipset/lpc.h"
#include "vmm/chipset/pci.h"
#include "vmm/chipset/pm.h"
#include "vmm/vm.h"

#define BASE		0x7f000000ULL
#define HEADER		36
#define XSDT_TABLES	3
#define FADT_DSDT	40
#define MCFG_BASE	44

static struct vmm_config config = { .vcpus = 3 };
static struct vm vm;
static struct acpi_tables tables;

/* What the board asks of the rest. */
void vm_reset(struct vm *v, const char *how)
{
}

bool vm_stop(struct vm *v, int code, const char *reason, char *report,
	     const char *fmt, ...)
{
	return true;
}

void irq_set(struct irq *irq, u32 gsi, bool level)
{
}

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	vm.mem.region[0].size = 256 << 20;
	vm.mem.nr_regions = 1;
	bus_init(&vm.pio);
	bus_init(&vm.mmio);
	return pm_create(&vm) || pci_create(&vm) || host_bridge_create(&vm) ||
	       lpc_create(&vm);
}

static int teardown(void **state)
{
	lpc_destroy(&vm);
	host_bridge_destroy(&vm);
	pci_destroy(&vm);
	pm_destroy(&vm);
	return 0;
}

static void config_out(u16 bdf, u64 reg, u32 value)
{
	pci_config_write(vm.pci, bdf, reg, &value, sizeof(value));
}

/* A table by its address, which is BASE and more. */
static u8 *table(u64 gpa, const char *signature)
{
	u8 *t = tables.data + (gpa - BASE);

	assert_true(gpa >= BASE && gpa - BASE < tables.used);
	assert_memory_equal(t, signature, 4);
	return t;
}

static u64 entry(int i)
{
	u64 gpa;

	memcpy(&gpa, tables.data + tables.xsdt + HEADER + i * 8, sizeof(gpa));
	return gpa;
}

/* As the script has firmware do it: the base goes onto each pointer. */
static void place(void)
{
	int i;

	assert_int_equal(acpi_tables(&tables, &vm, 0), 0);
	for (i = 0; i < tables.nr_pointers; i++) {
		u8 *at = tables.data + tables.pointer[i].at;
		u64 value = 0;

		memcpy(&value, at, tables.pointer[i].size);
		assert_true(value < tables.used);
		value += BASE;
		memcpy(at, &value, tables.pointer[i].size);
	}
	for (i = 0; i < tables.nr_sums; i++) {
		u8 *start = tables.data + tables.sum[i].start, sum = 0;
		u32 j;

		assert_int_equal(start[ACPI_SUM_OFFSET], 0);
		for (j = 0; j < tables.sum[i].length; j++)
			sum = (u8)(sum + start[j]);
		start[ACPI_SUM_OFFSET] = (u8)-sum;
	}
}

static void test_pointers(void **state)
{
	u32 length, dsdt;

	place();
	table(BASE + tables.xsdt, "XSDT");
	memcpy(&length, tables.data + tables.xsdt + 4, sizeof(length));
	assert_int_equal(length, HEADER + XSDT_TABLES * 8);
	memcpy(&dsdt, table(entry(0), "FACP") + FADT_DSDT, sizeof(dsdt));
	table(dsdt, "DSDT");
	table(entry(1), "APIC");
	table(entry(2), "MCFG");
}

/* What was programmed before the tables are read is what they say; sizes stay. */
static void test_programmed(void **state)
{
	struct acpi_tables before;
	u64 base;

	place();
	before = tables;
	config_out(0, 0x64, 0);
	config_out(0, 0x60, 0xe0000001);
	place();
	memcpy(&base, table(entry(2), "MCFG") + MCFG_BASE, sizeof(base));
	assert_int_equal(base, 0xe0000000);
	assert_int_equal(tables.used, before.used);
	assert_int_equal(tables.nr_pointers, before.nr_pointers);
	assert_int_equal(tables.nr_sums, before.nr_sums);
	/* Closed, and in places that only a hostile guest chooses. */
	config_out(0, 0x60, 0);
	place();
	config_out(0, 0x64, 0xf);
	config_out(0, 0x60, 0xf0000001);
	place();
	config_out(0, 0x64, 0);
	config_out(0, 0x60, 0x00000001);
	place();
	assert_int_equal(tables.used, before.used);
}

/* A device, and an event that notifies it; the FADT says that it is not the other kind. */
static void test_sleep_button(void **state)
{
	static const char device[] = "\\._SB_SLPB\x08_HID\x0c\x41\xd0\x0c\x0e";
	static const char method[] = "_E02\0\x86\\._SB_SLPB\x0a\x80";
	const u8 *fadt, *dsdt;
	u32 at, flags, length;

	place();
	fadt = table(entry(0), "FACP");
	memcpy(&at, fadt + FADT_DSDT, sizeof(at));
	memcpy(&flags, fadt + 112, sizeof(flags));
	assert_int_equal(flags & (BIT(4) | BIT(5)), BIT(5));
	dsdt = table(at, "DSDT");
	memcpy(&length, dsdt + 4, sizeof(length));
	assert_non_null(memmem(dsdt, length, device, sizeof(device) - 1));
	assert_non_null(memmem(dsdt, length, method, sizeof(method) - 1));
}

static void test_iasl(void **state)
{
	char dir[] = "/tmp/joist-acpi-XXXXXX", command[256];
	int i;

	if (system("command -v iasl >/dev/null"))
		skip();
	assert_non_null(mkdtemp(dir));
	place();
	for (i = 0; i < tables.nr_sums; i++) {
		const u8 *t = tables.data + tables.sum[i].start;
		FILE *f;

		snprintf(command, sizeof(command), "%s/%.4s.dat", dir, (const char *)t);
		f = fopen(command, "w");
		assert_non_null(f);
		fwrite(t, 1, tables.sum[i].length, f);
		fclose(f);
	}
	/* What it takes apart it puts together again, and has nothing to remark. */
	snprintf(command, sizeof(command),
		 "cd %s && iasl -d *.dat >log 2>&1 && ! grep -iE '(error|warning)[^s]' log && iasl -vs DSDT.dsl 2>&1 | grep -q ' 0 Errors, 0 Warnings' || { cat log; exit 1; }",
		 dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pointers), TEST(test_programmed), TEST(test_sleep_button),
		TEST(test_iasl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
