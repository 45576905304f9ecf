// SPDX-License-Identifier: GPL-2.0-only
/* The PCI bus and its bridges: configuration by ports and memory, what moves and is plugged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/chipset/chipset.h"
#include "vmm/chipset/host_bridge.h"
#include "vmm/chipset/lpc.h"
#include "vmm/chipset/pci.h"
#include "vmm/chipset/pm.h"
#include "vmm/vm.h"

#define ENABLE		0x80000000
#define OTHER_ECAM	0xe0000000ULL
#define BAR_SIZE	0x1000
#define FUZZ_ROUNDS	100000

static struct vmm_config config = { .vcpus = 1 };
static struct vm vm;
static struct pci_dev dev;
static int resets;
static u32 line[24];

/* What the bus asks of the rest. */
void vm_reset(struct vm *v, const char *how)
{
	resets++;
}

bool vm_stop(struct vm *v, int code, const char *reason, char *report,
	     const char *fmt, ...)
{
	return true;
}

void irq_set(struct irq *irq, u32 gsi, bool level)
{
	line[gsi] = level;
}

static void bar_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	memset(data, 0x5a, len);
}

static void bar_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
}

static const struct bus_ops bar_ops = { .read = bar_read, .write = bar_write };

static int setup(void **state)
{
	static const struct pci_id id = { .vendor = 0x1af4, .device = 0x1044 };

	memset(&vm, 0, sizeof(vm));
	memset(&dev, 0, sizeof(dev));
	memset(line, 0, sizeof(line));
	vm.config = &config;
	vm.mem.region[0].size = 256 << 20;
	vm.mem.nr_regions = 1;
	resets = 0;
	bus_init(&vm.pio);
	bus_init(&vm.mmio);
	if (pm_create(&vm) || pci_create(&vm) || host_bridge_create(&vm) ||
	    lpc_create(&vm))
		return -1;
	pci_dev_init(&dev, &vm, &id);
	dev.ctx = &dev;
	dev.config[PCI_INTERRUPT_PIN] = 1;
	pci_dev_bar(&dev, 0, BAR_SIZE, &bar_ops);
	return pci_dev_add(&dev);
}

static int teardown(void **state)
{
	lpc_destroy(&vm);
	host_bridge_destroy(&vm);
	pci_destroy(&vm);
	pm_destroy(&vm);
	return 0;
}

static u32 port_in(u32 bdf, u32 reg, unsigned int len)
{
	u32 address = ENABLE | bdf << 8 | (reg & 0xfc), value = 0;

	bus_write(&vm.pio, 0xcf8, &address, 4);
	bus_read(&vm.pio, 0xcfc + (reg & 3), &value, len);
	return value;
}

static void port_out(u32 bdf, u32 reg, u32 value, unsigned int len)
{
	u32 address = ENABLE | bdf << 8 | (reg & 0xfc);

	bus_write(&vm.pio, 0xcf8, &address, 4);
	bus_write(&vm.pio, 0xcfc + (reg & 3), &value, len);
}

static u32 ecam_in(u64 base, u32 bdf, u32 reg, unsigned int len)
{
	u32 value = 0;

	bus_read(&vm.mmio, base + ((u64)bdf << 12) + reg, &value, len);
	return value;
}

static void test_ids(void **state)
{
	assert_int_equal(port_in(0, 0, 4), 0x29c08086);
	assert_int_equal(port_in(PCI_DEVFN(31, 0), 0, 4), 0x29188086);
	assert_int_equal(port_in(PCI_DEVFN(31, 0), 0x0e, 1), 0x80);
	assert_int_equal(port_in(PCI_DEVFN(1, 0), 2, 2), 0x1044);
	assert_int_equal(port_in(PCI_DEVFN(1, 0), 3, 1), 0x10);
	/* No such function, slot, bus. */
	assert_int_equal(port_in(PCI_DEVFN(31, 1), 0, 4), 0xffffffff);
	assert_int_equal(port_in(PCI_DEVFN(2, 0), 0, 4), 0xffffffff);
	assert_int_equal(port_in(0x100, 0, 4), 0xffffffff);
}

static void test_ecam(void **state)
{
	u32 reg;

	for (reg = 0; reg < 256; reg += 4) {
		assert_int_equal(ecam_in(ECAM_GPA, 0, reg, 4), port_in(0, reg, 4));
		assert_int_equal(ecam_in(ECAM_GPA, 0xf8, reg, 4), port_in(0xf8, reg, 4));
	}
	assert_int_equal(ecam_in(ECAM_GPA, 8, 2, 2), 0x1044);
	assert_int_equal(ecam_in(ECAM_GPA, 0, 0xffc, 4), 0);
	assert_int_equal(ecam_in(ECAM_GPA, 0, 0xffe, 4), 0xffffffff);	/* two functions' */
	assert_int_equal(ecam_in(ECAM_GPA, 0xffff, 0xffc, 4), 0xffffffff);
}

static void test_ecam_moves(void **state)
{
	struct ecam ecam;

	/* As firmware does it: the low word says where and that it is open. */
	port_out(0, 0x64, 0, 4);
	port_out(0, 0x60, (u32)OTHER_ECAM | 1, 4);
	ecam = host_bridge_ecam(&vm);
	assert_int_equal(ecam.base, OTHER_ECAM);
	assert_int_equal(ecam.size, ECAM_SIZE);
	assert_int_equal(ecam_in(OTHER_ECAM, 0, 0, 4), 0x29c08086);
	assert_int_equal(ecam_in(ECAM_GPA, 0, 0, 4), 0xffffffff);
	port_out(0, 0x60, (u32)OTHER_ECAM | 1 | 2 << 1, 4);	/* 64 MiB */
	assert_int_equal(host_bridge_ecam(&vm).size, ECAM_SIZE / 4);
	port_out(0, 0x60, (u32)OTHER_ECAM | 7, 4);	/* no such length */
	assert_int_equal(host_bridge_ecam(&vm).size, 0);
	/* Over a device's open window it does not go. */
	port_out(8, PCI_BASE_ADDRESS_0, (u32)OTHER_ECAM, 4);
	port_out(8, PCI_COMMAND, 2, 2);
	port_out(0, 0x60, (u32)OTHER_ECAM | 1, 4);
	assert_int_equal(host_bridge_ecam(&vm).size, 0);
	assert_int_equal(ecam_in(OTHER_ECAM, 0, 0, 4), 0x5a5a5a5a);
}

static void test_windows(void **state)
{
	u32 first;

	assert_int_equal(port_in(8, PCI_BASE_ADDRESS_0, 4), PCI_HOLE_START);
	assert_int_equal(ecam_in(PCI_HOLE_START, 0, 0, 4), 0xffffffff);
	port_out(8, PCI_COMMAND, 2, 1);
	assert_int_equal(ecam_in(PCI_HOLE_START, 0, 0, 4), 0x5a5a5a5a);
	port_out(8, PCI_BASE_ADDRESS_0, 0xffffffff, 4);
	assert_int_equal(port_in(8, PCI_BASE_ADDRESS_0, 4), (u32)~(BAR_SIZE - 1));
	assert_int_equal(ecam_in(PCI_HOLE_START, 0, 0, 4), 0xffffffff);
	/* Over RAM, over what is not PCI's: closed. */
	for (first = 0; first < 3; first++) {
		static const u32 bad[] = { 0x100000, 0xfec00000, 0xfffff000 };

		port_out(8, PCI_BASE_ADDRESS_0, bad[first], 4);
		assert_int_equal(ecam_in(bad[first], 0, 0, 4), 0xffffffff);
	}
	port_out(8, PCI_BASE_ADDRESS_0, 256 << 20, 4);
	assert_int_equal(ecam_in(256 << 20, 0, 0, 4), 0x5a5a5a5a);
}

static void test_unplug(void **state)
{
	port_out(8, PCI_COMMAND, 2, 1);
	pci_set_irq(&dev, true);
	assert_int_equal(line[pci_slot_gsi(1)], 1);
	pci_dev_remove(&dev);
	assert_int_equal(line[pci_slot_gsi(1)], 0);
	assert_int_equal(ecam_in(PCI_HOLE_START, 0, 0, 4), 0xffffffff);
	assert_int_equal(port_in(8, 0, 4), 0xffffffff);
	pci_set_irq(&dev, true);	/* its threads may still speak */
	assert_int_equal(line[pci_slot_gsi(1)], 0);
	assert_int_equal(pci_dev_add_at(&dev, PCI_DEVFN(31, 0)), -17);
	assert_int_equal(pci_dev_add_at(&dev, PCI_DEVFN(5, 0)), 0);
	assert_int_equal(port_in(PCI_DEVFN(5, 0), 2, 2), 0x1044);
	/* Command was on: the window opens with the next write. */
	port_out(PCI_DEVFN(5, 0), PCI_COMMAND, 2, 1);
	assert_int_equal(ecam_in(PCI_HOLE_START, 0, 0, 4), 0x5a5a5a5a);
}

static u32 pm_in(u32 port, unsigned int len)
{
	u32 value = 0;

	bus_read(&vm.pio, port, &value, len);
	return value;
}

static void test_pm_moves(void **state)
{
	const u32 lpc = PCI_DEVFN(31, 0);

	assert_int_equal(pm_base(vm.pm), PORT_PM);
	assert_int_equal(pm_in(PORT_PM + PM_CONTROL, 2), 1);
	port_out(lpc, 0x40, 0xb000, 4);
	assert_int_equal(port_in(lpc, 0x40, 4), 0xb001);
	assert_int_equal(pm_in(0xb000 + PM_CONTROL, 2), 1);
	assert_int_equal(pm_in(PORT_PM + PM_CONTROL, 2), 0xffff);
	port_out(lpc, 0x44, 0, 1);
	assert_int_equal(pm_base(vm.pm), 0);
	assert_int_equal(pm_in(0xb000 + PM_CONTROL, 2), 0xffff);
	/* Over the bus's own ports it does not go. */
	port_out(lpc, 0x40, 0xc80, 4);
	port_out(lpc, 0x44, 0x80, 1);
	assert_int_equal(pm_base(vm.pm), 0);
	assert_int_equal(port_in(lpc, 0, 4), 0x29188086);
}

static void test_events(void **state)
{
	u8 one = 2;

	pm_gpe(vm.pm, 1);
	assert_int_equal(line[GSI_SCI], 0);
	bus_write(&vm.pio, PORT_PM + PM_GPE0 + 8, &one, 1);
	assert_int_equal(line[GSI_SCI], 1);
	assert_int_equal(pm_in(PORT_PM + PM_GPE0, 1), 2);
	bus_write(&vm.pio, PORT_PM + PM_GPE0, &one, 1);
	assert_int_equal(line[GSI_SCI], 0);
	assert_int_equal(pm_in(PORT_PM + PM_GPE0, 1), 0);
	/* The sleep button is an event of these; the power button is none. */
	one = 4;
	bus_write(&vm.pio, PORT_PM + PM_GPE0 + 8, &one, 1);
	pm_power_button(vm.pm);
	assert_int_equal(line[GSI_SCI], 0);
	pm_sleep_button(vm.pm);
	assert_int_equal(line[GSI_SCI], 1);
	assert_int_equal(pm_in(PORT_PM + PM_GPE0, 1), 4);
	assert_int_equal(pm_in(PORT_PM, 2), 0x100);
}

static void test_timer(void **state)
{
	u32 first = pm_in(PORT_PM + PM_TIMER, 4), now, i;

	for (i = 0; i < 1000000; i++) {
		now = pm_in(PORT_PM + PM_TIMER, 4);
		assert_true(now < 1 << 24);
		if (now != first)
			return;
	}
	fail();
}

static void test_fuzz(void **state)
{
	static const unsigned int lens[] = { 1, 2, 4 };
	static const u32 targets[] = { 0, 0, 0xf8, 8, 0xf9, 0x100, 0x28 };
	u32 i, value;

	srand(3);
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		unsigned int len = lens[rand() % 3];
		u32 bdf = targets[rand() % ARRAY_SIZE(targets)];
		struct ecam ecam = host_bridge_ecam(&vm);
		u32 reg = (u32)rand() % 256 & ~(len - 1);

		value = (u32)rand() << 1 ^ (u32)rand();
		port_out(bdf, reg, value, len);
		port_in(bdf, reg, len);
		if (ecam.size)
			bus_write(&vm.mmio, ecam.base + (u32)rand() % 0x100000,
				  &value, len);
		if (pm_base(vm.pm))
			bus_write(&vm.pio, pm_base(vm.pm) + (u64)(rand() % 0x80),
				  &value, 1);
		if (i % 1000 == 0) {
			pci_dev_remove(&dev);
			assert_int_equal(pci_dev_add(&dev), 0);
		}
	}
	assert_int_equal(port_in(0, 0, 4), 0x29c08086);
	assert_true(vm.mmio.nr <= 2);
}

static void test_reset(void **state)
{
	u8 value = 2;

	bus_write(&vm.pio, 0xcf9, &value, 1);
	assert_int_equal(resets, 0);
	value = 6;
	bus_write(&vm.pio, 0xcf9, &value, 1);
	assert_int_equal(resets, 1);
}

/* As virtio's capability for that: what it leads to, and what was written there. */
static u32 behind, through;

static void window_read(struct pci_dev *pci, u8 *data)
{
	u32 where;

	/* It looks where the guest points: the bus's lock is free. */
	pci_dev_config(pci, pci->window - 4, &where, sizeof(where));
	behind = where;
	memset(data, (int)where, PCI_WINDOW_SIZE);
}

static void window_written(struct pci_dev *pci)
{
	pci_dev_config(pci, pci->window, &through, sizeof(through));
}

static void test_window(void **state)
{
	const u32 fn = PCI_DEVFN(1, 0);
	u8 at = pci_dev_cap(&dev, PCI_CAP_ID_VNDR, 12);
	u64 ecam = 0;

	dev.window = at + 8;
	dev.window_read = window_read;
	dev.window_written = window_written;
	pci_set32(dev.writable + at + 4, ~0U);
	pci_set32(dev.writable + at + 8, ~0U);
	port_out(fn, at + 4, 0x55, 4);
	through = 0;
	/* What is beside it is as it was. */
	assert_int_equal(port_in(fn, at + 4, 4), 0x55);
	assert_int_equal(behind, 0);
	assert_int_equal(port_in(fn, at + 8, 4), 0x55555555);
	assert_int_equal(port_in(fn, at + 9, 1), 0x55);
	assert_int_equal(behind, 0x55);
	bus_read(&vm.mmio, ECAM_GPA + ((u64)fn << 12) + at + 4, &ecam, 8);
	assert_true(ecam == 0x5555555500000055);
	port_out(fn, at + 4, 0x66, 4);
	assert_int_equal(through, 0);
	port_out(fn, at + 8, 0x12345678, 4);
	assert_int_equal(through, 0x12345678);
	port_out(fn, at + 10, 0xaa, 1);
	assert_int_equal(through, 0x12aa5678);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_window),
		TEST(test_ids), TEST(test_ecam), TEST(test_ecam_moves),
		TEST(test_windows), TEST(test_unplug), TEST(test_pm_moves),
		TEST(test_events), TEST(test_timer), TEST(test_fuzz),
		TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
