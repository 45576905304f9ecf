// SPDX-License-Identifier: GPL-2.0-only
/* Linux's 64-bit boot protocol (Documentation/x86/boot.rst). */
#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

#include "../chipset/acpi.h"
#include "../log.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"

#define HEADER_OFFSET		0x1f1
#define HEADER_MAGIC		0x53726448	/* "HdrS" */
#define VERSION_64BIT		0x020c
#define SECTOR			512
#define SETUP_SECTORS_OLD	4
#define ENTRY_64		0x200
#define LOADER_UNDEFINED	0xff

static const struct setup_header *header(const struct image *img)
{
	return (const void *)(img->head + HEADER_OFFSET);
}

bool bzimage_probe(const struct image *img)
{
	u32 magic;

	if (img->head_len < HEADER_OFFSET + sizeof(struct setup_header))
		return false;
	memcpy(&magic, &header(img)->header, sizeof(magic));
	return magic == HEADER_MAGIC;
}

static void fill_e820(struct boot_params *params, const struct memory *mem)
{
	struct e820_entry map[E820_ENTRIES];
	int i, n = e820_build(mem, map);

	for (i = 0; i < n; i++) {
		params->e820_table[i].addr = map[i].addr;
		params->e820_table[i].size = map[i].size;
		params->e820_table[i].type = map[i].type;
	}
	params->e820_entries = (u8)n;
}

static int write_params(struct vm *vm, const struct setup_header *hdr,
			const struct boot_data *data)
{
	const struct memory *mem = &vm->mem;
	const char *cmdline = vm->config->cmdline;
	struct boot_params *params;

	params = memory_ptr(mem, ZERO_PAGE_GPA, sizeof(*params));
	if (!params)
		return -EFAULT;
	memset(params, 0, sizeof(*params));
	params->hdr = *hdr;
	params->hdr.type_of_loader = LOADER_UNDEFINED;
	params->hdr.cmd_line_ptr = (u32)CMDLINE_GPA;
	params->ext_cmd_line_ptr = 0;
	params->hdr.ramdisk_image = (u32)data->initrd;
	params->hdr.ramdisk_size = (u32)data->initrd_size;
	params->ext_ramdisk_image = (u32)(data->initrd >> 32);
	params->ext_ramdisk_size = (u32)(data->initrd_size >> 32);
	params->acpi_rsdp_addr = data->rsdp;
	fill_e820(params, mem);
	if (strlen(cmdline) > hdr->cmdline_size) {
		log_err("the command line is longer than the %u bytes this kernel takes",
			hdr->cmdline_size);
		return -EINVAL;
	}
	return memory_write(mem, CMDLINE_GPA, cmdline, strlen(cmdline) + 1);
}

/**
 * bzimage_load() - load a bzImage
 * @vm: VM
 * @img: file that bzimage_probe() knew
 * @entry: how to start it
 *
 * Return: 0, or -errno with the reason logged.
 */
int bzimage_load(struct vm *vm, const struct image *img,
		 struct boot_entry *entry)
{
	struct boot_data data = { 0 };
	struct setup_header hdr;
	u64 setup, load;
	int err;

	memcpy(&hdr, header(img), sizeof(hdr));
	if (hdr.version < VERSION_64BIT || !(hdr.xloadflags & XLF_KERNEL_64)) {
		log_err("%s has no 64-bit entry: only x86-64 kernels of Linux 3.8 and later can be started",
			img->path);
		return -ENOEXEC;
	}
	setup = (hdr.setup_sects ? hdr.setup_sects : SETUP_SECTORS_OLD);
	setup = (setup + 1) * SECTOR;
	if (setup >= img->size) {
		log_err("%s is cut short", img->path);
		return -EINVAL;
	}
	load = hdr.pref_address;
	/* What it unpacks to must fit as well, or it would overwrite the initrd. */
	if (!memory_ptr(&vm->mem, load, hdr.init_size)) {
		log_err("%s needs %llu MiB to start; use a larger -m",
			img->path, (unsigned long long)
			  ((load + hdr.init_size + (1 << 20) - 1) >> 20));
		return -ENOSPC;
	}
	err = image_load(img, &vm->mem, setup, load, img->size - setup);
	if (!err)
		err = initrd_load(vm, load + max((u64)hdr.init_size,
						 img->size - setup),
				  (u64)hdr.initrd_addr_max + 1, &data);
	if (!err)
		err = acpi_build(vm, &data.rsdp);
	if (!err)
		err = write_params(vm, &hdr, &data);
	entry->long_mode = true;
	entry->rip = load + ENTRY_64;
	entry->rsi = ZERO_PAGE_GPA;
	return err;
}
