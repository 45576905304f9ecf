/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the loaders leave their things in the guest's first megabyte. */
#ifndef VMM_BOOT_LAYOUT_H
#define VMM_BOOT_LAYOUT_H

#define BIOS_RESET_MODE		0x472ULL	/* the word a PC's firmware reads */
#define BIOS_RESET_WARM		0x1234

#define GDT_GPA			0x1000ULL
#define TSS_BOOT_GPA		0x1800ULL
#define BOOT_INFO_GPA		0x2000ULL	/* PVH and multiboot */
#define BOOT_MAP_GPA		0x3000ULL	/* their memory map */
#define BOOT_STACK_TOP		0x7000ULL
#define ZERO_PAGE_GPA		0x7000ULL	/* Linux's boot_params */
#define PAGE_TABLES_GPA		0x9000ULL	/* six pages */
#define CMDLINE_GPA		0x20000ULL
#define CMDLINE_MAX		0x10000ULL

#define LOW_RAM_END		0x9fc00ULL	/* the EBDA's usual place */
#define BIOS_START		0xe0000ULL
#define ACPI_GPA		0xe0000ULL	/* RSDP: where old kernels look */
#define ACPI_SIZE		0x10000ULL
#define DSDT_MAX		0x4000ULL
#define SMBIOS_GPA		0xf0000ULL	/* to BIOS_END: where it is looked for */
#define BIOS_END		0x100000ULL

#endif
