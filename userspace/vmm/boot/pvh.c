// SPDX-License-Identifier: GPL-2.0-only
/* The PVH boot protocol of Xen: an ELF file, entered in 32-bit mode. */
#include <string.h>

#include "../chipset/acpi.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"

#define START_MAGIC	0x336ec578
#define START_VERSION	1
#define INITRD_LIMIT	0x80000000ULL

/* Xen's public structures (xen/include/public/arch-x86/hvm/start_info.h). */
struct pvh_start {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nr_memmap, reserved;
};

struct pvh_module {
	u64 addr, size, cmdline, reserved;
};

struct pvh_memmap {
	u64 addr, size;
	u32 type, reserved;
};

_Static_assert(sizeof(struct pvh_start) == 56, "start_info of version 1");

bool pvh_probe(const struct image *img)
{
	u64 entry;

	return elf_probe(img) && !elf_pvh_entry(img, &entry);
}

static int write_start(struct vm *vm, const struct boot_data *data)
{
	const struct memory *mem = &vm->mem;
	struct e820_entry map[E820_ENTRIES];
	struct {
		struct pvh_start start;
		struct pvh_module module;
	} info = {
		.start = {
			.magic = START_MAGIC,
			.version = START_VERSION,
			.nr_modules = data->initrd ? 1 : 0,
			.modules = data->initrd ? BOOT_INFO_GPA +
				   sizeof(struct pvh_start) : 0,
			.cmdline = CMDLINE_GPA,
			.rsdp = data->rsdp,
			.memmap = BOOT_MAP_GPA,
		},
		.module = { .addr = data->initrd, .size = data->initrd_size },
	};
	struct pvh_memmap pvh[E820_ENTRIES] = { 0 };
	int n = e820_build(mem, map);
	int i, err;

	for (i = 0; i < n; i++) {
		pvh[i].addr = map[i].addr;
		pvh[i].size = map[i].size;
		pvh[i].type = map[i].type;
	}
	info.start.nr_memmap = (u32)n;
	err = memory_write(mem, BOOT_INFO_GPA, &info, sizeof(info));
	if (!err)
		err = memory_write(mem, BOOT_MAP_GPA, pvh, sizeof(pvh));
	if (!err)
		err = memory_write(mem, CMDLINE_GPA, vm->config->cmdline,
				   strlen(vm->config->cmdline) + 1);
	return err;
}

/* Return: 0, or -errno with the reason logged. */
int pvh_load(struct vm *vm, const struct image *img, struct boot_entry *entry)
{
	struct boot_data data = { 0 };
	struct elf_image elf = { 0 };
	u64 pvh_entry;
	int err;

	err = elf_pvh_entry(img, &pvh_entry);
	if (!err)
		err = elf_load(img, &vm->mem, &elf);
	if (!err)
		err = initrd_load(vm, elf.end, INITRD_LIMIT, &data);
	if (!err)
		err = acpi_build(vm, &data.rsdp);
	if (!err)
		err = write_start(vm, &data);
	if (err)
		return err;
	entry->rip = (u32)pvh_entry;
	entry->rbx = BOOT_INFO_GPA;
	return 0;
}
