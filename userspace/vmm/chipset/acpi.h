/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables that describe the board to the guest. */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "libjoist/types.h"

#define ACPI_TABLES_SIZE	0xf000
#define ACPI_POINTERS_MAX	16
#define ACPI_SUMS_MAX		8
#define ACPI_SUM_OFFSET		9	/* of a table's checksum */

struct vm;

/* @size bytes at @at of the blob point into it. */
struct acpi_pointer {
	u32 at;
	u8 size;
};

/* A table, whose bytes are to sum up to nothing. */
struct acpi_sum {
	u32 start;
	u32 length;
};

/**
 * struct acpi_tables - the tables, all but their root
 * @base: address that @pointer[] were written for
 * @used: bytes of @data
 * @overflow: they did not fit
 * @xsdt: offset of the table that names the others
 */
struct acpi_tables {
	u64 base;
	size_t used;
	bool overflow;
	u32 xsdt;
	int nr_pointers;
	int nr_sums;
	struct acpi_pointer pointer[ACPI_POINTERS_MAX];
	struct acpi_sum sum[ACPI_SUMS_MAX];
	u8 data[ACPI_TABLES_SIZE] __attribute((aligned(64)));
};

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __packed;

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");

#define RSDP_V1_SIZE	20

int acpi_tables(struct acpi_tables *t, struct vm *vm, u64 base);
void acpi_rsdp(struct acpi_rsdp *root, u64 xsdt);
int acpi_build(struct vm *vm, u64 *rsdp);

#endif
