// SPDX-License-Identifier: GPL-2.0-only
/* Raw disks: what the guest writes goes to the same place of the file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../log.h"
#include "../vmm.h"
#include "disk.h"
#include "lock.h"
#include "tool.h"

#define BLOCK_MAX	4096
#define LOCK_TRIES	10
#define LOCK_NAP_NS	50000000L

static int check_kind(const struct disk *disk, struct stat *st)
{
	if (fstat(disk->fd, st))
		return -errno;
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	log_err("the disk %s is neither a file nor a block device", disk->path);
	return -EINVAL;
}

/* Direct I/O has a smallest unit, which nobody tells of all files: try. */
static int find_block(struct disk *disk)
{
	void *buf = NULL;
	u32 block;
	int err = 0;

	disk->block = SECTOR_SIZE;
	if (!disk->direct)
		return 0;
	if (posix_memalign(&buf, BLOCK_MAX, BLOCK_MAX))
		return -ENOMEM;
	for (block = SECTOR_SIZE; block <= BLOCK_MAX; block *= BLOCK_MAX / SECTOR_SIZE) {
		err = pread(disk->fd, buf, block, 0) < 0 ? -errno : 0;
		if (err != -EINVAL)
			break;
	}
	free(buf);
	disk->block = min(block, (u32)BLOCK_MAX);
	if (err)
		log_err("the disk %s cannot be read past the page cache: %s", disk->path,
			strerror(-err));
	return err;
}

static int set_direct(struct disk *disk)
{
	int flags = fcntl(disk->fd, F_GETFL);

	if (!disk->direct || (flags & O_DIRECT))
		return 0;
	if (flags >= 0 && !fcntl(disk->fd, F_SETFL, flags | O_DIRECT))
		return 0;
	log_err("the disk %s cannot be used past the page cache: %s; leave out 'direct'",
		disk->path, strerror(errno));
	return -errno;
}

static int find_size(struct disk *disk)
{
	off_t size = lseek(disk->fd, 0, SEEK_END);

	if (size < (off_t)disk->block) {
		log_err("the disk %s is smaller than a sector", disk->path);
		return -EINVAL;
	}
	disk->size = align_down((u64)size, (u64)disk->block);
	if (disk->size != (u64)size)
		log_warn("the last %llu bytes of the disk %s are no whole sector: the guest will not see them",
			 (unsigned long long)size - disk->size, disk->path);
	return 0;
}

/* Beyond the end there is nothing to lose: only whether it can be done is learnt. */
static bool can_punch(const struct disk *disk, const struct stat *st)
{
	if (disk->readonly)
		return false;
	if (S_ISBLK(st->st_mode))
		return true;
	return !fallocate(disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)align_up((u64)st->st_size, BLOCK_MAX), BLOCK_MAX);
}

/* Of a VM that was killed just now the kernel may still be finishing requests. */
static int take_lock(const struct disk *disk)
{
	static const struct timespec nap = { .tv_nsec = LOCK_NAP_NS };
	int err, tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		err = lock_image(disk->fd, disk->readonly);
		if (err != -EAGAIN)
			break;
		nanosleep(&nap, NULL);
	}
	if (err == -EAGAIN)
		log_err("the disk %s is in use by another VM", disk->path);
	else if (err)
		log_err("cannot lock the disk %s: %s", disk->path, strerror(-err));
	return err;
}

static int open_file(struct disk *disk, const struct vmm_disk *config)
{
	int err;

	disk->fd = vmm_file_open(&config->file, disk->readonly ? O_RDONLY : O_RDWR);
	if (disk->fd >= 0)
		return 0;
	err = disk->fd;
	log_err("cannot open the disk %s: %s%s", disk->path, strerror(-err),
		err == -EACCES && !disk->readonly ? "; to only read it append ,ro" : "");
	return err;
}

/**
 * disk_open() - open a disk
 * @disk: filled in
 * @config: which, and how
 *
 * Return: 0, or -errno with the reason logged; disk_close() is due on success.
 */
int disk_open(struct disk *disk, const struct vmm_disk *config)
{
	struct stat st;
	int err;

	*disk = (struct disk) {
		.path = config->file.path,
		.readonly = config->options.readonly,
		.direct = config->options.direct,
	};
	if (config->options.format != DISK_RAW)
		return disk_open_image(disk, config);
	err = open_file(disk, config);
	if (err)
		return err;
	err = check_kind(disk, &st);
	err = err ?: take_lock(disk);
	err = err ?: set_direct(disk);
	err = err ?: find_block(disk);
	err = err ?: find_size(disk);
	if (err) {
		disk_close(disk);
		return err;
	}
	disk->can_discard = !config->options.keep && can_punch(disk, &st);
	disk->can_flush = true;
	disk->writes_at_once = S_ISREG(st.st_mode) && !disk->direct;
	return 0;
}

/**
 * disk_resize() - make a disk larger
 * @disk: open disk, in use
 * @size: bytes; of a block device no more than it has
 *
 * Return: 0 or -errno: -EOPNOTSUPP: not one of this format; -EINVAL: it is no whole number
 * of blocks, or less than it was.
 */
int disk_resize(struct disk *disk, u64 size)
{
	off_t end;

	if (disk->nbd)
		return -EOPNOTSUPP;
	if (disk->readonly)
		return -EROFS;
	if (size % disk->block || size < disk->size || size > INT64_MAX)
		return -EINVAL;
	end = lseek(disk->fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	/* A block device cannot be made longer here; it may have become so. */
	if ((u64)end < size && ftruncate(disk->fd, (off_t)size))
		return errno == EINVAL ? -ENOSPC : -errno;
	__atomic_store_n(&disk->size, size, __ATOMIC_RELAXED);
	return 0;
}

void disk_close(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
	tool_end(disk->pid);
	disk->pid = 0;
}
