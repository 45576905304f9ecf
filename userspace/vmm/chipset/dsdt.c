// SPDX-License-Identifier: GPL-2.0-only
/* The DSDT: the devices that cannot be discovered, and how to power off. */
#include "../irq.h"
#include "../vm.h"
#include "aml.h"
#include "chipset.h"
#include "dsdt.h"
#include "host_bridge.h"
#include "hotplug.h"
#include "pci.h"
#include "pm.h"

#define PIN_INTA	0
#define ANY_FUNCTION	0xffff
#define BUS_LAST	0xff
#define OSC_ARGUMENT	3	/* the capabilities' buffer */
#define OSC_CONTROL	8	/* what the OS would control: its third word */

#define SLEEP_BUTTON	"\\_SB.SLPB"
#define NOTIFY_PRESSED	0x80

static void isa_device(struct aml *aml, const char *name, const char *id,
		       u16 port, u8 ports, u8 irq)
{
	aml_open_device(aml, name);
	aml_name(aml, "_HID");
	aml_eisa_id(aml, id);
	aml_name(aml, "_CRS");
	aml_open_resources(aml);
	aml_io(aml, port, ports);
	if (irq)
		aml_irq(aml, irq);
	aml_close_resources(aml);
	aml_close(aml);
}

static void panic_device(struct aml *aml)
{
	aml_open_device(aml, "PEVT");
	aml_name(aml, "_HID");
	aml_string(aml, "QEMU0001");	/* the id the guests' drivers know */
	aml_name(aml, "_CRS");
	aml_open_resources(aml);
	aml_io(aml, PORT_PANIC, 1);
	aml_close_resources(aml);
	aml_close(aml);
}

static void pci_routes(struct aml *aml)
{
	int slot;

	aml_name(aml, "_PRT");
	aml_open_package(aml, PCI_SLOTS);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		aml_open_package(aml, 4);
		aml_integer(aml, (u32)slot << 16 | ANY_FUNCTION);
		aml_integer(aml, PIN_INTA);
		aml_integer(aml, 0);		/* no link device */
		aml_integer(aml, pci_slot_gsi(slot));
		aml_close(aml);
	}
	aml_close(aml);
}

/* Memory for windows of devices, around that of configuration space. */
static void memory_windows(struct aml *aml, struct vm *vm)
{
	const struct pci_window64 high = pci_window64(&vm->mem);
	const struct ecam ecam = host_bridge_ecam(vm);
	u64 start = memory_low_end(&vm->mem);
	u64 end = PCI_HOLE_END;

	if (start < WINDOWS_START)
		start = WINDOWS_START;
	if (ecam.size && ecam.base < end && ecam.base + ecam.size > start) {
		if (ecam.base > start)
			aml_memory_window(aml, (u32)start, (u32)ecam.base - 1);
		start = ecam.base + ecam.size;
	}
	if (start < end)
		aml_memory_window(aml, (u32)start, (u32)end - 1);
	if (high.size)
		aml_memory_window64(aml, high.base, high.size);
}

/* We give the OS no control of PCI Express's services: there are none here. */
static void pci_osc(struct aml *aml)
{
	aml_open_method(aml, "_OSC", 4);
	aml_create_dword(aml, OSC_ARGUMENT, OSC_CONTROL, "CTRL");
	aml_store_integer(aml, 0, "CTRL");
	aml_return_arg(aml, OSC_ARGUMENT);
	aml_close(aml);
}

/* What the board has and no device above tells of. */
static void board_resources(struct aml *aml, struct vm *vm)
{
	const struct ecam ecam = host_bridge_ecam(vm);
	u16 pm = pm_base(vm->pm);

	aml_open_device(aml, "MBRD");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0C02");
	aml_name(aml, "_CRS");
	aml_open_resources(aml);
	if (pm)
		aml_io(aml, pm, PM_SIZE);
	aml_io(aml, PORT_HOTPLUG, HOTPLUG_SIZE);
	if (ecam.size && ecam.base < HIGH_RAM_START)
		aml_memory(aml, (u32)ecam.base, (u32)ecam.size);
	aml_close_resources(aml);
	aml_close(aml);
}

static void pci_root(struct aml *aml, struct vm *vm)
{
	aml_open_device(aml, "PCI0");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0A08");
	aml_name(aml, "_CID");
	aml_eisa_id(aml, "PNP0A03");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_CRS");
	aml_open_resources(aml);
	aml_bus_window(aml, 0, BUS_LAST);
	aml_io(aml, PORT_PCI_CONFIG, 8);
	aml_io_window(aml, 0x0000, PORT_PCI_CONFIG - 1);
	aml_io_window(aml, PORT_PCI_CONFIG + 8, 0xffff);
	memory_windows(aml, vm);
	aml_close_resources(aml);
	pci_routes(aml);
	pci_osc(aml);
	isa_device(aml, "COM1", "PNP0501", PORT_COM1, 8, GSI_COM1);
	isa_device(aml, "RTC", "PNP0B00", PORT_RTC, 2, 0);
	panic_device(aml);
	board_resources(aml, vm);
	dsdt_hotplug_slots(aml);
	aml_close(aml);
}

/* The power button needs no device: it has a bit of its own among PM1's events. */
static void sleep_button(struct aml *aml)
{
	aml_open_device(aml, SLEEP_BUTTON);
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0C0E");
	aml_close(aml);
	aml_open_scope(aml, "\\_GPE");
	aml_open_method(aml, PM_METHOD_SLEEP, 0);
	aml_notify(aml, SLEEP_BUTTON, NOTIFY_PRESSED);
	aml_close(aml);
	aml_close(aml);
}

/* The body of the table, without its header. */
void dsdt_write(struct aml *aml, struct vm *vm)
{
	aml_name(aml, "\\_S5");
	aml_open_package(aml, 4);
	aml_integer(aml, PM_SLEEP_TYPE_S5);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_close(aml);

	aml_open_scope(aml, "\\_SB");
	pci_root(aml, vm);
	aml_close(aml);
	sleep_button(aml);
	dsdt_hotplug_event(aml);
}
