// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware: an image that ends at 4 GiB, where the first vCPU starts as after power-on.
 * Its last part lies below 1 MiB too, where real mode reaches it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../chipset/flash.h"
#include "../chipset/fwcfg.h"
#include "../log.h"
#include "../vm.h"
#include "boot.h"
#include "layout.h"
#include "libjoist/joist.h"

#define LOW_SIZE	0x20000ULL	/* of the copy below 1 MiB */

static int map_code(struct vm *vm, const struct image *img)
{
	struct kvm_userspace_memory_region slot = {
		.slot = SLOT_FIRMWARE_CODE,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = FIRMWARE_END - img->size,
		.memory_size = img->size,
	};
	u64 low = min(img->size, LOW_SIZE);
	u8 *data;
	int err;

	data = mmap(NULL, img->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -errno;
	vm->firmware = data;
	vm->firmware_size = img->size;
	slot.userspace_addr = (u64)(uintptr_t)data;
	err = image_read(img, 0, data, img->size);
	if (!err)
		err = memory_write(&vm->mem, BIOS_END - low,
				   data + img->size - low, low);
	if (err)
		return err;
	err = joist_set_memory(vm->fd, &slot);
	if (err)
		log_err("cannot give the guest the firmware %s: %s", img->path,
			strerror(-err));
	return err;
}

/**
 * firmware_load() - the configuration's firmware, and what it asks the board about
 * @vm: VM with all its devices, its vCPUs not running
 *
 * Return: 0, or -errno with the reason logged; firmware_unload() is due in both cases.
 */
int firmware_load(struct vm *vm)
{
	const struct vmm_firmware *fw = &vm->config->firmware;
	struct image img;
	u64 start;
	int err;

	err = image_open(&img, &fw->code, "firmware", false);
	if (err)
		return err;
	start = FIRMWARE_END - img.size;
	if (!img.size || img.size % PAGE_SIZE ||
	    img.size > FIRMWARE_END - FIRMWARE_START) {
		log_err("%s is no firmware: it is no whole number of 4 KiB pages up to 16 MiB",
			img.path);
		err = -ENOEXEC;
	}
	if (!err)
		err = map_code(vm, &img);
	image_close(&img);
	if (!err && fw->vars.path)
		err = flash_create(vm, start);
	return err ? err : fwcfg_create(vm);
}

/* After the vCPUs have ended. */
void firmware_unload(struct vm *vm)
{
	if (vm->firmware)
		munmap(vm->firmware, vm->firmware_size);
	vm->firmware = NULL;
}
