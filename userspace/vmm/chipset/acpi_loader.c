// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script for "etc/table-loader": put the two files into memory, add their addresses
 * to the pointers, fill in the checksums.
 */
#include <string.h>

#include "acpi_loader.h"

enum { ALLOCATE = 1, ADD_POINTER, ADD_CHECKSUM };

#define ZONE_HIGH	1
#define ZONE_LOW	2	/* below 1 MiB, where the root is looked for */
#define TABLES_ALIGN	64
#define ROOT_ALIGN	16

static struct acpi_loader_command *next(struct acpi_loader *loader, u32 command)
{
	struct acpi_loader_command *c = &loader->command[loader->nr++];

	memset(c, 0, sizeof(*c));
	c->command = command;
	return c;
}

static void allocate(struct acpi_loader *loader, const char *file, u32 align,
		     u8 zone)
{
	struct acpi_loader_command *c = next(loader, ALLOCATE);

	strcpy(c->allocate.file, file);
	c->allocate.align = align;
	c->allocate.zone = zone;
}

static void pointer(struct acpi_loader *loader, const char *dest, u32 offset,
		    u8 size)
{
	struct acpi_loader_command *c = next(loader, ADD_POINTER);

	strcpy(c->pointer.dest, dest);
	strcpy(c->pointer.source, ACPI_FILE_TABLES);
	c->pointer.offset = offset;
	c->pointer.size = size;
}

static void checksum(struct acpi_loader *loader, const char *file, u32 offset,
		     u32 start, u32 length)
{
	struct acpi_loader_command *c = next(loader, ADD_CHECKSUM);

	strcpy(c->checksum.file, file);
	c->checksum.offset = offset;
	c->checksum.start = start;
	c->checksum.length = length;
}

/**
 * acpi_loader_build() - the script
 * @loader: filled in
 * @t: tables, with their pointers as offsets
 */
void acpi_loader_build(struct acpi_loader *loader, const struct acpi_tables *t)
{
	int i;

	loader->nr = 0;
	allocate(loader, ACPI_FILE_RSDP, ROOT_ALIGN, ZONE_LOW);
	allocate(loader, ACPI_FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
	for (i = 0; i < t->nr_pointers; i++)
		pointer(loader, ACPI_FILE_TABLES, t->pointer[i].at,
			t->pointer[i].size);
	for (i = 0; i < t->nr_sums; i++)
		checksum(loader, ACPI_FILE_TABLES,
			 t->sum[i].start + ACPI_SUM_OFFSET, t->sum[i].start,
			 t->sum[i].length);
	pointer(loader, ACPI_FILE_RSDP, offsetof(struct acpi_rsdp, xsdt),
		sizeof(u64));
	checksum(loader, ACPI_FILE_RSDP, offsetof(struct acpi_rsdp, checksum), 0,
		 RSDP_V1_SIZE);
	checksum(loader, ACPI_FILE_RSDP,
		 offsetof(struct acpi_rsdp, extended_checksum), 0,
		 sizeof(struct acpi_rsdp));
}
