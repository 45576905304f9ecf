// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DSDT's part of hot-plug: for each slot a device that can be ejected, and the method that
 * reads the registers of hotplug.c and tells the guest which slots are meant.
 */
#include <stdio.h>

#include "aml.h"
#include "dsdt.h"
#include "hotplug.h"

#define REGISTERS	"HPRG"
#define UP		"HPUP"
#define DOWN		"HPDN"
#define EJECT		"HPEJ"
#define LOOK		"HPLK"

#define NOTIFY_DEVICE_CHECK	1
#define NOTIFY_EJECT		3

static const char *slot_name(char *name, size_t size, u32 slot)
{
	snprintf(name, size, "S%02X", slot);
	return name;
}

static void slot_device(struct aml *aml, u32 slot)
{
	char name[8];

	aml_open_device(aml, slot_name(name, sizeof(name), slot));
	aml_name(aml, "_ADR");
	aml_integer(aml, slot << 16);
	aml_name(aml, "_SUN");
	aml_integer(aml, slot);
	aml_open_method(aml, "_EJ0", 1);
	aml_store_integer(aml, 1U << slot, EJECT);
	aml_close(aml);
	aml_close(aml);
}

/* First it says that it has seen them: what comes meanwhile is another event. */
static void notify_slots(struct aml *aml, const char *reg, u8 what)
{
	char name[8];
	u32 slot;

	aml_store_to_local(aml, reg);
	aml_store_local(aml, reg);
	for (slot = HOTPLUG_FIRST; slot <= HOTPLUG_LAST; slot++) {
		aml_open_if_local_and(aml, 1U << slot);
		aml_notify(aml, slot_name(name, sizeof(name), slot), what);
		aml_close(aml);
	}
}

/* Inside of the bus's device. */
void dsdt_hotplug_slots(struct aml *aml)
{
	static const char *const fields[] = { UP, DOWN, EJECT };
	size_t i;
	u32 slot;

	aml_io_region(aml, REGISTERS, PORT_HOTPLUG, HOTPLUG_SIZE);
	aml_open_dword_field(aml, REGISTERS);
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		aml_field_dword(aml, fields[i]);
	aml_close(aml);
	for (slot = HOTPLUG_FIRST; slot <= HOTPLUG_LAST; slot++)
		slot_device(aml, slot);
	aml_open_method(aml, LOOK, AML_SERIALIZED);
	notify_slots(aml, DOWN, NOTIFY_EJECT);
	notify_slots(aml, UP, NOTIFY_DEVICE_CHECK);
	aml_close(aml);
}

void dsdt_hotplug_event(struct aml *aml)
{
	aml_open_scope(aml, "\\_GPE");
	aml_open_method(aml, HOTPLUG_METHOD, 0);
	aml_call(aml, "\\_SB.PCI0." LOOK);
	aml_close(aml);
	aml_close(aml);
}
