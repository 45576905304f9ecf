// SPDX-License-Identifier: GPL-2.0-only
/* The multiboot protocol, version 1 (GNU multiboot specification 0.6.96). */
#include <errno.h>
#include <string.h>

#include "../chipset/acpi.h"
#include "../log.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"

#define HEADER_MAGIC		0x1badb002
#define HEADER_SEARCH		8192
#define HEADER_ADDRESSES	BIT(16)	/* the header says where to load */
#define HEADER_MANDATORY	0xffff
#define HEADER_SUPPORTED	0x3	/* aligned modules, memory sizes */

#define LOADER_MAGIC		0x2badb002
#define INFO_MEMORY		BIT(0)
#define INFO_CMDLINE		BIT(2)
#define INFO_MODULES		BIT(3)
#define INFO_MMAP		BIT(6)
#define INFO_LOADER_NAME	BIT(9)
#define MODULES_LIMIT		0x100000000ULL

struct mb_header {
	u32 magic, flags, checksum;
	u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	u32 mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	u32 drives_length, drives_addr, config_table, loader_name, apm_table;
};

struct mb_module {
	u32 start, end, string, reserved;
};

struct mb_mmap {
	u32 size;
	u64 addr, len;
	u32 type;
} __packed;

#define HEADER_SIZE_MIN		offsetof(struct mb_header, header_addr)

/* Return: the header's offset in the file, or -1. */
static int find_header(const struct image *img, struct mb_header *hdr)
{
	size_t at;

	for (at = 0; at + HEADER_SIZE_MIN <= min(img->head_len, (size_t)HEADER_SEARCH);
	     at += 4) {
		memset(hdr, 0, sizeof(*hdr));
		memcpy(hdr, img->head + at,
		       min(sizeof(*hdr), img->head_len - at));
		if (hdr->magic == HEADER_MAGIC &&
		    hdr->magic + hdr->flags + hdr->checksum == 0)
			return (int)at;
	}
	return -1;
}

bool multiboot_probe(const struct image *img)
{
	struct mb_header hdr;

	return find_header(img, &hdr) >= 0;
}

/* Return: 0 with one past the last byte loaded, or -errno, logged. */
static int load_by_header(const struct image *img, const struct memory *mem,
			  const struct mb_header *hdr, int at, u64 *end)
{
	u64 before = hdr->header_addr - (u64)hdr->load_addr;
	u64 offset, len;

	if (hdr->header_addr < hdr->load_addr || before > (u64)at) {
		log_err("%s: the addresses in its multiboot header are wrong",
			img->path);
		return -ENOEXEC;
	}
	offset = (u64)at - before;
	len = img->size - offset;
	if (hdr->load_end_addr) {
		if (hdr->load_end_addr < hdr->load_addr ||
		    hdr->load_end_addr - (u64)hdr->load_addr > len) {
			log_err("%s is cut short", img->path);
			return -ENOEXEC;
		}
		len = hdr->load_end_addr - (u64)hdr->load_addr;
	}
	*end = max(hdr->load_addr + len, (u64)hdr->bss_end_addr);
	if (!memory_ptr(mem, hdr->load_addr, *end - hdr->load_addr)) {
		log_err("%s needs memory up to %#llx; use a larger -m",
			img->path, (unsigned long long)*end);
		return -ENOSPC;
	}
	return image_load(img, mem, offset, hdr->load_addr, len);
}

static int write_info(struct vm *vm, const struct boot_data *data)
{
	static const char loader[] = "vmctl";
	const struct memory *mem = &vm->mem;
	struct e820_entry map[E820_ENTRIES];
	struct mb_mmap mmap[E820_ENTRIES] = { 0 };
	struct {
		struct mb_info info;
		struct mb_module module;
		char loader[sizeof(loader)];
	} mb = {
		.info = {
			.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MMAP |
				 INFO_LOADER_NAME,
			.mem_lower = (u32)(LOW_RAM_END >> 10),
			.mem_upper = (u32)((memory_low_end(mem) - BIOS_END) >> 10),
			.cmdline = (u32)CMDLINE_GPA,
			.mmap_addr = (u32)BOOT_MAP_GPA,
		},
		.module = {
			.start = (u32)data->initrd,
			.end = (u32)(data->initrd + data->initrd_size),
			.string = (u32)CMDLINE_GPA,
		},
	};
	int i, n = e820_build(mem, map);
	int err;

	memcpy(mb.loader, loader, sizeof(loader));
	mb.info.loader_name = (u32)(BOOT_INFO_GPA + sizeof(mb.info) +
				    sizeof(mb.module));
	if (data->initrd) {
		mb.info.flags |= INFO_MODULES;
		mb.info.mods_count = 1;
		mb.info.mods_addr = (u32)(BOOT_INFO_GPA + sizeof(mb.info));
	}
	for (i = 0; i < n; i++)
		mmap[i] = (struct mb_mmap) {
			.size = sizeof(mmap[i]) - sizeof(mmap[i].size),
			.addr = map[i].addr,
			.len = map[i].size,
			.type = map[i].type,
		};
	mb.info.mmap_length = (u32)((size_t)n * sizeof(mmap[0]));
	err = memory_write(mem, BOOT_INFO_GPA, &mb, sizeof(mb));
	if (!err)
		err = memory_write(mem, BOOT_MAP_GPA, mmap, sizeof(mmap));
	if (!err)
		err = memory_write(mem, CMDLINE_GPA, vm->config->cmdline,
				   strlen(vm->config->cmdline) + 1);
	return err;
}

/* Return: 0, or -errno with the reason logged. */
int multiboot_load(struct vm *vm, const struct image *img,
		   struct boot_entry *entry)
{
	struct boot_data data = { 0 };
	struct elf_image elf = { 0 };
	struct mb_header hdr = { 0 };
	int at = find_header(img, &hdr);
	u64 end = 0;
	int err;

	if (hdr.flags & HEADER_MANDATORY & ~HEADER_SUPPORTED) {
		log_err("%s asks for multiboot features (%#x) that there are not",
			img->path, hdr.flags & HEADER_MANDATORY);
		return -ENOEXEC;
	}
	if (hdr.flags & HEADER_ADDRESSES) {
		err = load_by_header(img, &vm->mem, &hdr, at, &end);
		entry->rip = hdr.entry_addr;
	} else if (elf_probe(img)) {
		err = elf_load(img, &vm->mem, &elf);
		entry->rip = (u32)elf.entry;
		end = elf.end;
	} else {
		log_err("%s: a multiboot image is an ELF file or has load addresses in its header",
			img->path);
		return -ENOEXEC;
	}
	if (!err)
		err = initrd_load(vm, end, MODULES_LIMIT, &data);
	if (!err)
		err = acpi_build(vm, &data.rsdp);
	if (!err)
		err = write_info(vm, &data);
	entry->rax = LOADER_MAGIC;
	entry->rbx = BOOT_INFO_GPA;
	return err;
}
