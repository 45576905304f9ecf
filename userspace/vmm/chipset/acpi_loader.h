/* SPDX-License-Identifier: GPL-2.0-only */
/* How firmware is to place the ACPI tables: a script that it runs. */
#ifndef VMM_ACPI_LOADER_H
#define VMM_ACPI_LOADER_H

#include "acpi.h"

#define ACPI_FILE_TABLES	"etc/acpi/tables"
#define ACPI_FILE_RSDP		"etc/acpi/rsdp"
#define ACPI_LOADER_NAME	56
#define ACPI_LOADER_MAX		(2 + ACPI_POINTERS_MAX + 1 + ACPI_SUMS_MAX + 2)

/* One command: little-endian, 128 bytes. */
struct acpi_loader_command {
	u32 command;
	union {
		struct {
			char file[ACPI_LOADER_NAME];
			u32 align;
			u8 zone;
		} __packed allocate;
		struct {
			char dest[ACPI_LOADER_NAME];
			char source[ACPI_LOADER_NAME];
			u32 offset;
			u8 size;
		} __packed pointer;
		struct {
			char file[ACPI_LOADER_NAME];
			u32 offset;
			u32 start;
			u32 length;
		} __packed checksum;
		u8 pad[124];
	};
} __packed;

_Static_assert(sizeof(struct acpi_loader_command) == 128, "the loader's interface");

struct acpi_loader {
	int nr;
	struct acpi_loader_command command[ACPI_LOADER_MAX];
};

void acpi_loader_build(struct acpi_loader *loader, const struct acpi_tables *t);

#endif
