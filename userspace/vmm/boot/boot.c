// SPDX-License-Identifier: GPL-2.0-only
/* Which boot protocol a kernel's file speaks. */
#include <errno.h>
#include <string.h>

#include "../chipset/smbios.h"
#include "../log.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"

static const struct {
	bool (*probe)(const struct image *img);
	int (*load)(struct vm *vm, const struct image *img,
		    struct boot_entry *entry);
} protocols[] = {
	{ bzimage_probe, bzimage_load },
	{ pvh_probe, pvh_load },
	{ multiboot_probe, multiboot_load },
};

/**
 * boot_load() - load the configuration's kernel
 * @vm: VM, its vCPUs not running
 * @entry: how to start it
 *
 * Return: 0, or -errno with the reason logged.
 */
int boot_load(struct vm *vm, struct boot_entry *entry)
{
	struct image img;
	size_t i;
	int err;

	if (strlen(vm->config->cmdline) >= CMDLINE_MAX) {
		log_err("the command line is longer than %llu bytes",
			CMDLINE_MAX - 1);
		return -EINVAL;
	}
	err = image_open(&img, &vm->config->kernel, "kernel", false);
	if (err)
		return err;
	memset(entry, 0, sizeof(*entry));
	for (i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].probe(&img))
			break;
	if (i < ARRAY_SIZE(protocols)) {
		err = protocols[i].load(vm, &img, entry);
	} else {
		log_err("%s is no kernel vmctl can start: give a bzImage, an ELF file with a PVH note, or a multiboot image",
			img.path);
		err = -ENOEXEC;
	}
	image_close(&img);
	return err ?: smbios_place(vm);
}
