/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading of a kernel, and the state its first instruction expects. */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "libjoist/types.h"
#include "../memory.h"

struct vcpu;
struct vm;
struct vmm_file;

/**
 * struct boot_entry - how the first vCPU starts
 * @long_mode: 64-bit with identity-mapped memory below 4 GiB; else 32-bit
 *             protected mode without paging
 * @rip: first instruction
 * @rax: register as the protocol defines
 * @rbx: likewise
 * @rsi: likewise
 */
struct boot_entry {
	bool long_mode;
	u64 rip;
	u64 rax;
	u64 rbx;
	u64 rsi;
};

/* A kernel's file: its first bytes read, the rest on demand. */
#define IMAGE_HEAD	8192

struct image {
	const char *path;
	int fd;
	u64 size;
	size_t head_len;
	u8 head[IMAGE_HEAD];
};

/* What all protocols hand to the kernel besides itself. */
struct boot_data {
	u64 rsdp;
	u64 initrd;		/* 0: none */
	u64 initrd_size;
};

int boot_load(struct vm *vm, struct boot_entry *entry);

/* firmware.c */
int firmware_load(struct vm *vm);
void firmware_unload(struct vm *vm);

/* image.c */
int image_open(struct image *img, const struct vmm_file *file,
	       const char *what, bool write);
void image_close(struct image *img);
int image_read(const struct image *img, u64 offset, void *to, u64 len);
int image_load(const struct image *img, const struct memory *mem, u64 offset,
	       u64 gpa, u64 len);

/* initrd.c */
int initrd_load(struct vm *vm, u64 above, u64 limit, struct boot_data *data);

/* e820.c */
#define E820_RAM	1
#define E820_RESERVED	2
#define E820_ACPI	3
#define E820_ENTRIES	8

struct e820_entry {
	u64 addr;
	u64 size;
	u32 type;
};

int e820_build(const struct memory *mem, struct e820_entry *map);

/* elf.c */
struct elf_image {
	u64 entry;		/* e_entry */
	u64 end;		/* one past the last byte loaded */
	bool is64;
};

bool elf_probe(const struct image *img);
int elf_load(const struct image *img, const struct memory *mem,
	     struct elf_image *elf);
int elf_pvh_entry(const struct image *img, u64 *entry);

/* bzimage.c, pvh.c, multiboot.c */
bool bzimage_probe(const struct image *img);
int bzimage_load(struct vm *vm, const struct image *img,
		 struct boot_entry *entry);
bool pvh_probe(const struct image *img);
int pvh_load(struct vm *vm, const struct image *img, struct boot_entry *entry);
bool multiboot_probe(const struct image *img);
int multiboot_load(struct vm *vm, const struct image *img,
		   struct boot_entry *entry);

#endif
