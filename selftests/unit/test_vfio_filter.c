// SPDX-License-Identifier: GPL-2.0-only
/* What a guest sees of a device's configuration space, and what of its writes gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/vfio/areas.h"
#include "vmm/vfio/filter.h"

#define ROUNDS	20000

static u8 hw[PCI_CONFIG_SIZE];
static struct pci_dev dev;
static struct filter filter;
static struct filter_source from;

static int setup(void **state)
{
	memset(hw, 0, sizeof(hw));
	memset(&dev, 0, sizeof(dev));
	memset(&filter, 0, sizeof(filter));
	from = (struct filter_source) { hw, sizeof(hw), .has_intx = true, .has_reset = true };
	pci_set32(hw, 0x56781234);
	pci_set32(hw + PCI_CLASS_REVISION, 0x02000003);
	pci_set32(hw + PCI_SUBSYSTEM_VENDOR_ID, 0x9abc1111);
	hw[PCI_INTERRUPT_PIN] = 3;
	hw[PCI_INTERRUPT_LINE] = 11;
	return 0;
}

/* One in the chain, @next behind it. */
static void cap(u8 at, u8 id, u8 next, u16 flags)
{
	if (!hw[PCI_CAPABILITY_LIST])
		hw[PCI_CAPABILITY_LIST] = at;
	hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	pci_set32(hw + at, id | (u32)next << 8 | (u32)flags << 16);
}

static void build(void)
{
	assert_int_equal(filter_init(&filter, &dev, &from), 0);
}

/* As the guest reads it, where the hardware is as it was. */
static u32 get32(u64 reg)
{
	u8 data[4];

	memcpy(data, dev.config + reg, 4);
	if (filter_read_hits(&filter, reg, 4))
		pci_merge(data, hw + reg, filter.live + reg, 4);
	return pci_get32(data);
}

/* As the guest writes it: to what is ours, and to the hardware. */
static void put(u64 reg, u32 value, unsigned int len)
{
	unsigned int first = 0, nr;
	u8 data[4], merged[4];

	pci_set32(data, value);
	pci_merge(dev.config + reg, data, dev.writable + reg, len);
	for (; filter_next_run(&filter, reg, len, &first, &nr); first += nr) {
		memcpy(merged, hw + reg + first, nr);
		pci_merge(merged, data + first, filter.pass + reg + first, nr);
		memcpy(hw + reg + first, merged, nr);
	}
}

static void test_header(void **state)
{
	build();
	assert_int_equal(get32(0), 0x56781234);
	assert_int_equal(get32(PCI_CLASS_REVISION), 0x02000003);
	assert_int_equal(get32(PCI_SUBSYSTEM_VENDOR_ID), 0x9abc1111);
	/* It is alone in its slot, and has one line. */
	assert_int_equal(get32(PCI_INTERRUPT_LINE), 0x100);
	put(0, ~0U, 4);
	assert_int_equal(get32(0), 0x56781234);
	assert_int_equal(pci_get32(hw), 0x56781234);
}

static void test_no_line(void **state)
{
	from.has_intx = false;
	build();
	assert_int_equal(get32(PCI_INTERRUPT_LINE), 0);
}

static void test_command(void **state)
{
	pci_set16(hw + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	build();
	put(PCI_COMMAND, 0xffff, 2);
	assert_int_equal(pci_get16(hw + PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_IO |
			 PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	/* The hardware decodes whatever the guest says. */
	put(PCI_COMMAND, 0, 2);
	assert_int_equal(pci_get16(hw + PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	assert_int_equal(get32(PCI_COMMAND) & 0xffff, 0);
	put(PCI_COMMAND, PCI_COMMAND_MASTER, 1);
	assert_int_equal(pci_get16(hw + PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_IO |
			 PCI_COMMAND_MASTER);
}

static void test_bridge(void **state)
{
	hw[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	assert_int_not_equal(filter_init(&filter, &dev, &from), 0);
}

/* A second function is no reason to look for others in the guest's slot. */
static void test_multifunction(void **state)
{
	hw[PCI_HEADER_TYPE] = 0x80;
	build();
	assert_int_equal(dev.config[PCI_HEADER_TYPE], 0);
}

static void test_chain(void **state)
{
	cap(0x40, PCI_CAP_ID_PM, 0x50, 3 | 0xc800);
	cap(0x50, PCI_CAP_ID_HT, 0x60, 0);		/* hidden */
	cap(0x60, PCI_CAP_ID_MSIX, 0x70, 9);
	cap(0x70, PCI_CAP_ID_AF, 0x80, 0x306);		/* hidden */
	cap(0x80, PCI_CAP_ID_EXP, 0, 2);
	build();
	assert_int_equal(dev.config[PCI_CAPABILITY_LIST], 0x40);
	assert_int_equal(dev.config[0x41], 0x60);
	assert_int_equal(dev.config[0x61], 0x80);
	assert_int_equal(dev.config[0x81], 0);
	assert_int_equal(get32(0x50), 0);
	assert_int_equal(get32(0x70), 0);
	assert_int_equal(filter.msix, 0x60);
	assert_int_equal(filter.msix_nr, 10);
	assert_int_equal(filter.exp, 0x80);
	/* It wakes nobody. */
	assert_int_equal(get32(0x40) >> 16, 3);
}

static void test_no_chain(void **state)
{
	cap(0x40, PCI_CAP_ID_PM, 0, 3);
	hw[PCI_STATUS] = 0;
	build();
	assert_int_equal(dev.config[PCI_CAPABILITY_LIST], 0);
	assert_int_equal(dev.config[PCI_STATUS] & PCI_STATUS_CAP_LIST, 0);
}

static void test_chain_that_loops(void **state)
{
	cap(0x40, PCI_CAP_ID_PM, 0x50, 3);
	cap(0x50, PCI_CAP_ID_VNDR, 0x40, 0x10);
	build();
	assert_int_equal(dev.config[0x41], 0x50);
	assert_int_equal(dev.config[0x51], 0);
}

/* One inside of another one, or beyond the end. */
static void test_chain_that_overlaps(void **state)
{
	cap(0x40, PCI_CAP_ID_VNDR, 0x48, 0x20);
	cap(0x48, PCI_CAP_ID_MSIX, 0xf8, 9);
	cap(0xf8, PCI_CAP_ID_MSIX, 0xfc, 9);
	cap(0xfc, PCI_CAP_ID_VNDR, 0, 0xff);
	build();
	assert_int_equal(filter.msix, 0);
	assert_int_equal(dev.config[0x41], 0);
}

/* The guest's power management is its own: the device is awake. */
static void test_power(void **state)
{
	cap(0x40, PCI_CAP_ID_PM, 0, 3);
	build();
	put(0x44, 3, 2);
	assert_int_equal(get32(0x44) & 0xffff, 3 | PCI_PM_CTRL_NO_SOFT_RESET);
	assert_int_equal(pci_get16(hw + 0x44), 0);
}

static void test_msi(void **state)
{
	cap(0x50, PCI_CAP_ID_MSI, 0, PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 5 << 1 |
	    PCI_MSI_FLAGS_ENABLE);
	pci_set32(hw + 0x54, 0xfee12345);
	build();
	assert_int_equal(filter.msi, 0x50);
	/* What the host has there is not the guest's affair, nor the other way round. */
	assert_int_equal(get32(0x50) >> 16, PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 5 << 1);
	assert_int_equal(get32(0x54), 0);
	put(0x54, 0xfee01003, 4);
	assert_int_equal(get32(0x54), 0xfee01000);
	assert_int_equal(pci_get32(hw + 0x54), 0xfee12345);
	put(0x52, 0xffff, 2);
	assert_int_equal(get32(0x50) >> 16, PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 5 << 1 |
			 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	put(0x60, 0xdeadbeef, 4);
	assert_int_equal(get32(0x60), 0xdeadbeef);
	put(0x64, ~0U, 4);
	assert_int_equal(get32(0x64), 0);
}

static void test_msix(void **state)
{
	cap(0x50, PCI_CAP_ID_MSIX, 0, 0x7ff | PCI_MSIX_FLAGS_ENABLE);
	pci_set32(hw + 0x54, 0x2003);
	pci_set32(hw + 0x58, 0xa004);
	build();
	assert_int_equal(filter.msix_nr, 2048);
	assert_int_equal(filter.table_bar, 3);
	assert_int_equal(filter.table_offset, 0x2000);
	assert_int_equal(filter.pba_bar, 4);
	assert_int_equal(filter.pba_offset, 0xa000);
	assert_int_equal(get32(0x50) >> 16, 0x7ff);
	assert_int_equal(get32(0x54), 0x2003);
}

static void test_express(void **state)
{
	cap(0x80, PCI_CAP_ID_EXP, 0, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	pci_set32(hw + 0x84, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 2);
	pci_set32(hw + 0x8c, 0x12345678);	/* its link */
	pci_set16(hw + 0x88, PCI_EXP_DEVCTL_READRQ_512B | 0x20);
	pci_set16(hw + 0x8a, PCI_EXP_DEVSTA_CED);
	build();
	assert_int_equal(get32(0x80) >> 16, 2 | PCI_EXP_TYPE_RC_END << 4);
	assert_int_equal(get32(0x84), PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 2);
	assert_int_equal(get32(0x8c), 0);
	assert_int_equal(get32(0x88) >> 16, PCI_EXP_DEVSTA_CED);
	/* The host's payload size stays; the guest's relaxed ordering does not. */
	put(0x88, PCI_EXP_DEVCTL_RELAX_EN, 2);
	assert_int_equal(pci_get16(hw + 0x88), PCI_EXP_DEVCTL_RELAX_EN | 0x20);
	/* It is not the hardware that the guest resets, nor is it asked to remember that. */
	put(0x88, PCI_EXP_DEVCTL_BCR_FLR, 2);
	assert_int_equal(pci_get16(hw + 0x88) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	assert_int_equal(get32(0x88) & PCI_EXP_DEVCTL_BCR_FLR, 0);
}

static void test_no_reset(void **state)
{
	cap(0x80, PCI_CAP_ID_EXP, 0, 2);
	pci_set32(hw + 0x84, PCI_EXP_DEVCAP_FLR);
	from.has_reset = false;
	build();
	assert_int_equal(get32(0x84), 0);
}

static void test_vendor(void **state)
{
	cap(0x40, PCI_CAP_ID_VNDR, 0, 0x10);
	pci_set32(hw + 0x44, 1);
	build();
	assert_int_equal(get32(0x40), PCI_CAP_ID_VNDR | 0x10 << 16);
	pci_set32(hw + 0x44, 2);
	assert_int_equal(get32(0x44), 2);
	put(0x44, 0xabcdef01, 4);
	assert_int_equal(pci_get32(hw + 0x44), 0xabcdef01);
	/* Not its head, nor what lies behind it. */
	put(0x40, ~0U, 4);
	assert_int_equal(pci_get32(hw + 0x40) & 0xffffff, PCI_CAP_ID_VNDR | 0x10 << 16);
	put(0x4e, 0x11223344, 4);
	assert_int_equal(pci_get16(hw + 0x4e), 0x3344);
	assert_int_equal(pci_get16(hw + 0x50), 0);
}

/* Registers that nothing names. */
static void test_rest(void **state)
{
	cap(0x40, PCI_CAP_ID_PM, 0, 3);
	memset(hw + 0xc0, 0x5a, 0x40);
	build();
	assert_int_equal(get32(0xc0), 0);
	put(0xc0, ~0U, 4);
	assert_int_equal(pci_get32(hw + 0xc0), 0x5a5a5a5a);
}

static void ext(u32 at, u16 id, u32 next)
{
	pci_set32(hw + at, id | 1U << 16 | next << 20);
}

static void test_serial_number(void **state)
{
	cap(0x80, PCI_CAP_ID_EXP, 0, 2);
	ext(0x100, PCI_EXT_CAP_ID_ERR, 0x140);
	ext(0x140, PCI_EXT_CAP_ID_SRIOV, 0x180);
	ext(0x180, PCI_EXT_CAP_ID_DSN, 0x1c0);
	ext(0x1c0, PCI_EXT_CAP_ID_ATS, 0);
	pci_set32(hw + 0x184, 0x11223344);
	pci_set32(hw + 0x188, 0x55667788);
	build();
	assert_int_equal(get32(0x100), PCI_EXT_CAP_ID_DSN | 1 << 16);
	assert_int_equal(get32(0x104), 0x11223344);
	assert_int_equal(get32(0x108), 0x55667788);
	assert_int_equal(get32(0x140), 0);
	assert_int_equal(get32(0x180), 0);
	assert_int_equal(get32(0x1c0), 0);
}

static void test_extended_loop(void **state)
{
	cap(0x80, PCI_CAP_ID_EXP, 0, 2);
	ext(0x100, PCI_EXT_CAP_ID_ERR, 0x140);
	ext(0x140, PCI_EXT_CAP_ID_VNDR, 0x100);
	build();
	assert_int_equal(get32(0x100), 0);
	setup(state);
	cap(0x80, PCI_CAP_ID_EXP, 0, 2);
	ext(0x100, PCI_EXT_CAP_ID_ERR, 0xffc);
	ext(0xffc, PCI_EXT_CAP_ID_DSN, 0);
	build();
	assert_int_equal(get32(0x100), 0);
}

static void test_conventional(void **state)
{
	ext(0x100, PCI_EXT_CAP_ID_DSN, 0);
	from.size = PCI_CFG_SPACE_SIZE;
	build();
	assert_int_equal(get32(0x100), 0);
}

static void test_quirk(void **state)
{
	pci_set32(hw, 0x58041425);
	cap(0x50, PCI_CAP_ID_MSIX, 0, 31);
	pci_set32(hw + 0x58, 0x8004);
	build();
	filter_quirks(&filter, &dev);
	assert_int_equal(filter.pba_offset, 0x1000);
	assert_int_equal(get32(0x58), 0x1004);
	/* The physical function is right. */
	setup(state);
	pci_set32(hw, 0x54041425);
	cap(0x50, PCI_CAP_ID_MSIX, 0, 31);
	pci_set32(hw + 0x58, 0x8004);
	build();
	filter_quirks(&filter, &dev);
	assert_int_equal(filter.pba_offset, 0x8000);
}

/* Whatever the hardware has: no byte of the guest's goes where none may. */
static void test_random(void **state)
{
	u32 i, k;

	srandom(1);
	for (i = 0; i < ROUNDS; i++) {
		setup(state);
		for (k = 0x34; k < PCI_CONFIG_SIZE; k++)
			hw[k] = (u8)(random() % 8 ? random() % 0x40 : random());
		hw[PCI_STATUS] = PCI_STATUS_CAP_LIST;
		from.size = i % 2 ? PCI_CONFIG_SIZE : PCI_CFG_SPACE_SIZE;
		if (filter_init(&filter, &dev, &from))
			continue;
		for (k = 0; k < PCI_CONFIG_SIZE; k++) {
			bool head = k < PCI_STD_HEADER_SIZEOF && k / 4 != PCI_COMMAND / 4;

			if (k >= PCI_CFG_SPACE_SIZE || head)
				assert_int_equal(filter.pass[k], 0);
		}
		assert_int_equal(filter.pass[PCI_COMMAND] & ~PCI_COMMAND_MASTER, 0);
	}
}

static void test_areas(void **state)
{
	struct areas a = { 0 };

	areas_add(&a, 0x10000, 0, 0x10000);
	areas_cut(&a, 0x2000, 0x800);
	areas_cut(&a, 0x4ff8, 0x10);
	assert_int_equal(a.nr, 3);
	assert_int_equal(a.area[0].offset, 0);
	assert_int_equal(a.area[0].size, 0x2000);
	assert_int_equal(a.area[1].offset, 0x3000);
	assert_int_equal(a.area[1].size, 0x1000);
	assert_int_equal(a.area[2].offset, 0x6000);
	assert_int_equal(a.area[2].size, 0xa000);
	areas_cut(&a, 0, 0x10000);
	assert_int_equal(a.nr, 0);
}

/* Parts of a page, beyond the window, more than there is room for. */
static void test_areas_odd(void **state)
{
	struct areas a = { 0 };
	u64 i;

	areas_add(&a, 0x800, 0, 0x800);
	areas_add(&a, 0x4000, 0x4000, 0x1000);
	areas_add(&a, 0x4000, 0x800, 0x1000);
	assert_int_equal(a.nr, 0);
	areas_add(&a, 0x4000, 0x800, ~0ULL);
	assert_int_equal(a.nr, 1);
	assert_int_equal(a.area[0].offset, 0x1000);
	assert_int_equal(a.area[0].size, 0x3000);
	a.nr = 0;
	areas_add(&a, 0x100000, 0, 0x100000);
	for (i = 0; i < 40; i++)
		areas_cut(&a, i * 0x2000, 8);
	assert_int_equal(a.nr, AREAS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_header, setup),
		cmocka_unit_test_setup(test_no_line, setup),
		cmocka_unit_test_setup(test_command, setup),
		cmocka_unit_test_setup(test_bridge, setup),
		cmocka_unit_test_setup(test_multifunction, setup),
		cmocka_unit_test_setup(test_chain, setup),
		cmocka_unit_test_setup(test_no_chain, setup),
		cmocka_unit_test_setup(test_chain_that_loops, setup),
		cmocka_unit_test_setup(test_chain_that_overlaps, setup),
		cmocka_unit_test_setup(test_power, setup),
		cmocka_unit_test_setup(test_msi, setup),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_express, setup),
		cmocka_unit_test_setup(test_no_reset, setup),
		cmocka_unit_test_setup(test_vendor, setup),
		cmocka_unit_test_setup(test_rest, setup),
		cmocka_unit_test_setup(test_serial_number, setup),
		cmocka_unit_test_setup(test_extended_loop, setup),
		cmocka_unit_test_setup(test_conventional, setup),
		cmocka_unit_test_setup(test_quirk, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test(test_areas),
		cmocka_unit_test(test_areas_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
