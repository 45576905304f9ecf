// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flash of UEFI's variables: while it shows its contents it is read-only memory of
 * the guest's, so that reads cost nothing and only writes come to us. While a command is
 * at work the memory is taken away, and reads come too. The file follows when the guest
 * returns to reading: then what firmware has set is on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../backend/lock.h"
#include "../boot/boot.h"
#include "../firmware.h"
#include "../log.h"
#include "../vm.h"
#include "cfi.h"
#include "flash.h"
#include "libjoist/joist.h"

/**
 * struct flash - the chip, its file and its memory
 * @fd: the file; -1: changes are lost
 * @gpa: where it is
 * @lock: protects all below
 * @mapped: it is memory of the guest's now
 */
struct flash {
	struct vm *vm;
	const char *path;
	int fd;
	u64 gpa;
	pthread_mutex_t lock;
	bool mapped;
	struct cfi cfi;
};

static int set_mapped(struct flash *flash, bool mapped)
{
	struct kvm_userspace_memory_region slot = {
		.slot = SLOT_FIRMWARE_VARS,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = flash->gpa,
		.memory_size = mapped ? flash->cfi.size : 0,
		.userspace_addr = (u64)(uintptr_t)flash->cfi.data,
	};
	int err;

	if (mapped == flash->mapped)
		return 0;
	err = joist_set_memory(flash->vm->fd, &slot);
	if (!err)
		flash->mapped = mapped;
	return err;
}

static void write_back(struct flash *flash)
{
	struct cfi *cfi = &flash->cfi;
	u32 at = cfi->dirty_start;
	ssize_t n = 0;

	if (at == cfi->dirty_end)
		return;
	for (; flash->fd >= 0 && at < cfi->dirty_end; at += (u32)n) {
		n = pwrite(flash->fd, cfi->data + at, cfi->dirty_end - at, at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	if (flash->fd >= 0 && (n < 0 || fdatasync(flash->fd)))
		log_warn("cannot save the firmware's variables in %s: %s",
			 flash->path, strerror(errno));
	cfi->dirty_start = 0;
	cfi->dirty_end = 0;
}

static void flash_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct flash *flash = ctx;

	(void)len;
	pthread_mutex_lock(&flash->lock);
	*(u8 *)data = cfi_read(&flash->cfi, (u32)offset);
	pthread_mutex_unlock(&flash->lock);
}

static void flash_write(void *ctx, u64 offset, const void *data,
			unsigned int len)
{
	struct flash *flash = ctx;
	struct cfi *cfi = &flash->cfi;
	int err;

	(void)len;
	pthread_mutex_lock(&flash->lock);
	cfi_write(cfi, (u32)offset, *(const u8 *)data);
	if (cfi_is_array(cfi))
		write_back(flash);
	err = set_mapped(flash, cfi_is_array(cfi));
	pthread_mutex_unlock(&flash->lock);
	/* Without the memory all comes to us: slower, no worse. With it reads would lie. */
	if (err && flash->mapped)
		vm_stop(flash->vm, VMM_ERROR, "error", NULL,
			"cannot take the flash from the guest's memory: %s",
			strerror(-err));
}

static const struct bus_ops flash_ops = {
	.read = flash_read,
	.write = flash_write,
	.byte_wide = true,
};

/* Two VMs writing one file destroy it. */
static int lock_file(struct flash *flash, const struct image *img)
{
	flash->fd = fcntl(img->fd, F_DUPFD_CLOEXEC, 0);
	if (flash->fd < 0)
		return -errno;
	if (!lock_image(flash->fd, false))
		return 0;
	log_err("the firmware's variables in %s are in use by another VM", img->path);
	return -EBUSY;
}

static int load(struct flash *flash, const struct image *img)
{
	void *data;

	if (!img->size || img->size % CFI_BLOCK ||
	    img->size > FIRMWARE_END - FIRMWARE_START) {
		log_err("%s holds no variables of firmware's: it is no whole number of %d-byte blocks up to 16 MiB",
			img->path, CFI_BLOCK);
		return -EINVAL;
	}
	data = mmap(NULL, img->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -errno;
	cfi_init(&flash->cfi, data, (u32)img->size);
	return image_read(img, 0, data, img->size);
}

/**
 * flash_create() - the flash that the configuration asks for
 * @vm: VM
 * @end: guest physical address where it ends
 *
 * Return: 0, or -errno with the reason logged; flash_destroy() is due in both cases.
 */
int flash_create(struct vm *vm, u64 end)
{
	const struct vmm_firmware *fw = &vm->config->firmware;
	struct flash *flash = calloc(1, sizeof(*flash));
	struct image img;
	int err;

	if (!flash)
		return -ENOMEM;
	flash->vm = vm;
	flash->fd = -1;
	flash->path = fw->vars.path;
	pthread_mutex_init(&flash->lock, NULL);
	vm->flash = flash;
	err = fw->vars.fd < 0 ? firmware_make_vars(fw) : 0;
	if (err)
		return err;
	err = image_open(&img, &fw->vars, "firmware's variables", !fw->vars_private);
	if (err)
		return err;
	if (!fw->vars_private)
		err = lock_file(flash, &img);
	if (!err)
		err = load(flash, &img);
	image_close(&img);
	if (err)
		return err;
	flash->gpa = end - flash->cfi.size;
	err = flash->gpa < FIRMWARE_START ? -ENOSPC : set_mapped(flash, true);
	if (!err)
		err = bus_add(&vm->mmio, flash->gpa, flash->cfi.size, &flash_ops,
			      flash);
	if (err)
		log_err("cannot give the guest the firmware's variables: %s",
			strerror(-err));
	return err;
}

/* After the vCPUs have ended. */
void flash_destroy(struct vm *vm)
{
	struct flash *flash = vm->flash;

	if (!flash)
		return;
	write_back(flash);
	if (flash->fd >= 0)
		close(flash->fd);
	if (flash->cfi.data)
		munmap(flash->cfi.data, flash->cfi.size);
	free(flash);
	vm->flash = NULL;
}
