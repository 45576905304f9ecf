// SPDX-License-Identifier: GPL-2.0-only
/* The registers of hot-plug: what the guest is told, and what it may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/chipset/aml.h"
#include "vmm/chipset/chipset.h"
#include "vmm/chipset/dsdt.h"
#include "vmm/chipset/hotplug.h"
#include "vmm/chipset/pci.h"
#include "vmm/chipset/pm.h"
#include "vmm/console.h"
#include "vmm/vm.h"

#define FUZZ_ROUNDS	100000

static struct vm vm;
static u32 present;	/* slots with a device that may go */
static u32 ejected;
static int events, wakes;

bool pci_eject(struct pci *pci, int slot)
{
	if (!(present & BIT(slot)))
		return false;
	present &= ~BIT(slot);
	ejected |= BIT(slot);
	return true;
}

void pm_gpe(struct pm *pm, unsigned int event)
{
	assert_int_equal(event, HOTPLUG_GPE);
	events++;
}

void console_wake(struct console *con)
{
	wakes++;
}

static u32 get(u64 reg)
{
	u32 value = 0;

	assert_true(bus_read(&vm.pio, PORT_HOTPLUG + reg, &value, sizeof(value)));
	return value;
}

static void put(u64 reg, u32 value)
{
	assert_true(bus_write(&vm.pio, PORT_HOTPLUG + reg, &value, sizeof(value)));
}

static int setup(void **state)
{
	bus_init(&vm.pio);
	present = 0;
	ejected = 0;
	events = 0;
	wakes = 0;
	return hotplug_create(&vm);
}

static int teardown(void **state)
{
	hotplug_destroy(&vm);
	return 0;
}

static void test_told(void **state)
{
	hotplug_come(&vm, 3);
	hotplug_come(&vm, 30);
	hotplug_ask(&vm, 7);
	assert_int_equal(events, 3);
	assert_int_equal(get(HOTPLUG_UP), BIT(3) | BIT(30));
	assert_int_equal(get(HOTPLUG_DOWN), BIT(7));
	assert_int_equal(get(HOTPLUG_EJECT), 0);
	put(HOTPLUG_UP, BIT(3) | BIT(4));
	assert_int_equal(get(HOTPLUG_UP), BIT(30));
	put(HOTPLUG_DOWN, ~0U);
	assert_int_equal(get(HOTPLUG_DOWN), 0);
	assert_int_equal(wakes, 0);
}

static void test_eject(void **state)
{
	present = BIT(5) | BIT(6);
	hotplug_come(&vm, 6);
	hotplug_ask(&vm, 5);
	put(HOTPLUG_EJECT, BIT(5));
	assert_int_equal(ejected, BIT(5));
	assert_int_equal(wakes, 1);
	assert_int_equal(get(HOTPLUG_DOWN), 0);
	assert_int_equal(get(HOTPLUG_UP), BIT(6));
	/* Twice, and where nothing is: nobody is woken. */
	put(HOTPLUG_EJECT, BIT(5) | BIT(9));
	assert_int_equal(wakes, 1);
	/* All at once, the board's own slots among them. */
	present = ~0U;
	put(HOTPLUG_EJECT, ~0U);
	assert_int_equal(present, BIT(SLOT_HOST_BRIDGE) | BIT(SLOT_LPC));
	assert_int_equal(get(HOTPLUG_UP), 0);
	assert_int_equal(wakes, 2);
}

/* Bytes and words are no registers; what reaches over the end is not ours. */
static void test_odd(void **state)
{
	u64 value = ~0ULL;
	u16 word = 0;

	present = ~0U;
	hotplug_come(&vm, 9);
	assert_true(bus_write(&vm.pio, PORT_HOTPLUG + HOTPLUG_EJECT, &value, 1));
	assert_true(bus_write(&vm.pio, PORT_HOTPLUG + HOTPLUG_EJECT, &value, 2));
	assert_true(bus_write(&vm.pio, PORT_HOTPLUG + 6, &value, 4));
	assert_false(bus_write(&vm.pio, PORT_HOTPLUG + HOTPLUG_EJECT + 1, &value, 4));
	assert_int_equal(ejected, 0);
	assert_true(bus_read(&vm.pio, PORT_HOTPLUG + 1, &word, sizeof(word)));
	assert_int_equal(word, BIT(9) >> 8);
}

static void test_garbage(void **state)
{
	u64 value;
	int i;

	srand(1);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		u64 reg = (u64)(rand() % (HOTPLUG_SIZE + 2));
		unsigned int len = 1U << rand() % 4;

		value = (u64)rand() << 33 ^ (u64)rand();
		present = (u32)rand();
		if (rand() & 1)
			bus_write(&vm.pio, PORT_HOTPLUG + reg, &value, len);
		else
			bus_read(&vm.pio, PORT_HOTPLUG + reg, &value, len);
	}
	assert_int_equal(ejected & (BIT(SLOT_HOST_BRIDGE) | BIT(SLOT_LPC)), 0);
}

/* A package's length, and the byte behind it. */
static size_t package(const u8 *p, const u8 **behind)
{
	size_t len = *p & 0x3f, i, more = *p >> 6;

	if (more)
		len &= 0x0f;
	for (i = 0; i < more; i++)
		len |= (size_t)p[i + 1] << (4 + 8 * i);
	*behind = p + len;
	return len;
}

/* In the DSDT: all slots but the board's, each with what makes it one that can be ejected. */
static void test_aml(void **state)
{
	static u8 buf[0x4000];
	struct aml aml = { .buf = buf, .size = sizeof(buf) };
	const u8 *p, *end;
	int slots = 0;

	dsdt_hotplug_slots(&aml);
	assert_false(aml.overflow);
	assert_int_equal(aml.depth, 0);
	for (p = buf; p < buf + aml.len - 2; p++) {
		if (p[0] != 0x5b || p[1] != 0x82)
			continue;
		slots++;
		assert_true(package(p + 2, &end) < 64);
		assert_non_null(memmem(p, (size_t)(end - p), "_ADR", 4));
		assert_non_null(memmem(p, (size_t)(end - p), "_SUN", 4));
		assert_non_null(memmem(p, (size_t)(end - p), "_EJ0", 4));
		p = end - 1;
	}
	assert_int_equal(slots, HOTPLUG_LAST - HOTPLUG_FIRST + 1);
	/* \_GPE { _E01 { \_SB_.PCI0.HPLK } } */
	aml.len = 0;
	dsdt_hotplug_event(&aml);
	assert_memory_equal(buf + aml.len - 15, "\\\x2f\x03_SB_PCI0HPLK", 15);
	package(buf + 1, &end);
	assert_ptr_equal(end, buf + aml.len);
	/* One byte less than it takes. */
	aml = (struct aml) { .buf = buf, .size = aml.len - 1 };
	dsdt_hotplug_event(&aml);
	assert_true(aml.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test(test_aml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
