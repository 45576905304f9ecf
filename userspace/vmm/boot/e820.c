// SPDX-License-Identifier: GPL-2.0-only
/* The memory map that all boot protocols hand over. */
#include "../chipset/host_bridge.h"
#include "boot.h"
#include "layout.h"

/* Return: how many of E820_ENTRIES were filled in. */
int e820_build(const struct memory *mem, struct e820_entry *map)
{
	int n = 0, i;

	map[n++] = (struct e820_entry) { 0, LOW_RAM_END, E820_RAM };
	map[n++] = (struct e820_entry) {
		LOW_RAM_END, 0xa0000 - LOW_RAM_END, E820_RESERVED,
	};
	map[n++] = (struct e820_entry) {
		BIOS_START, BIOS_END - BIOS_START, E820_RESERVED,
	};
	map[n++] = (struct e820_entry) {
		BIOS_END, memory_low_end(mem) - BIOS_END, E820_RAM,
	};
	map[n++] = (struct e820_entry) { ECAM_GPA, ECAM_SIZE, E820_RESERVED };
	for (i = 1; i < mem->nr_regions; i++)
		map[n++] = (struct e820_entry) {
			mem->region[i].gpa, mem->region[i].size, E820_RAM,
		};
	return n;
}
