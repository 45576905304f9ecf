// SPDX-License-Identifier: GPL-2.0-only
/* The DSDT: the devices that cannot be discovered, and how to power off. */
#include "../irq.h"
#include "../memory.h"
#include "aml.h"
#include "chipset.h"
#include "dsdt.h"
#include "pci.h"
#include "pm.h"

#define PIN_INTA	0
#define ANY_FUNCTION	0xffff

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

static void pci_root(struct aml *aml)
{
	aml_open_device(aml, "PCI0");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0A03");
	aml_name(aml, "_UID");
	aml_integer(aml, 0);
	aml_name(aml, "_CRS");
	aml_open_resources(aml);
	aml_bus_window(aml, 0, 0);
	aml_io(aml, PORT_PCI_CONFIG, 8);
	aml_io_window(aml, 0x0000, PORT_PCI_CONFIG - 1);
	aml_io_window(aml, PORT_PCI_CONFIG + 8, 0xffff);
	aml_memory_window(aml, (u32)PCI_HOLE_START, (u32)(PCI_HOLE_END - 1));
	aml_close_resources(aml);
	pci_routes(aml);
	isa_device(aml, "COM1", "PNP0501", PORT_COM1, 8, GSI_COM1);
	isa_device(aml, "RTC", "PNP0B00", PORT_RTC, 2, 0);
	panic_device(aml);
	aml_close(aml);
}

/* The body of the table, without its header. */
void dsdt_write(struct aml *aml)
{
	aml_name(aml, "\\_S5");
	aml_open_package(aml, 4);
	aml_integer(aml, PM_SLEEP_TYPE_S5);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	aml_close(aml);

	aml_open_scope(aml, "\\_SB");
	pci_root(aml);
	aml_close(aml);
}
