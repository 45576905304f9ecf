// SPDX-License-Identifier: GPL-2.0-only
/* The initial RAM disk: as high as the kernel can reach it. */
#include <errno.h>

#include "../log.h"
#include "../vm.h"
#include "boot.h"

/**
 * initrd_load() - load the configuration's initrd, if it has one
 * @vm: VM
 * @above: first address that is free for it
 * @limit: address it must end before or at
 * @data: told where it is
 *
 * Return: 0, or -errno with the reason logged.
 */
int initrd_load(struct vm *vm, u64 above, u64 limit, struct boot_data *data)
{
	struct image img;
	u64 end = min(limit, memory_low_end(&vm->mem));
	u64 start;
	int err;

	if (!vm->config->initrd.path)
		return 0;
	err = image_open(&img, &vm->config->initrd, "initrd", false);
	if (err)
		return err;
	if (!img.size) {
		log_err("the initrd %s is empty", img.path);
		err = -EINVAL;
	} else if (end < above || img.size > end - align_up(above, PAGE_SIZE)) {
		log_err("the initrd %s (%llu KiB) does not fit beside the kernel; use a larger -m",
			img.path, (unsigned long long)(img.size >> 10));
		err = -ENOSPC;
	} else {
		start = align_down(end - img.size, PAGE_SIZE);
		err = image_load(&img, &vm->mem, 0, start, img.size);
		data->initrd = start;
		data->initrd_size = img.size;
	}
	image_close(&img);
	return err;
}
